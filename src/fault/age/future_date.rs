//! Future date: a backup that is dated in the future. It sorts before every other, for as long as that future has not come,
//! and what it holds is old.

use jiff::SignedDuration;
use serde_json::Value;

use crate::fault::{
    Fault, Ground, Injection, Mode, Onset, Parameter, Trial, joined, only_now, parameter,
    points::{Selection, Struck, Undo, points_at},
};
use crate::{
    emulator::{
        Site, World,
        s3::{body::Body, version::PutOptions},
    },
    model::{
        event::Proof,
        naming::{Layout, PointName},
        scenario::FaultSpec,
        units::Span,
    },
};

/// Entry in the catalogue.
pub(super) struct FutureDate;

const NAME: &str = "future-date";

impl Fault for FutureDate {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "an old dump that is dated in the future, and sorts before every other"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode {
            name: "sorts-first",
            summary: "the oldest point lies once more under a name of `ahead` from now, and its manifest says so",
        }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "ahead", summary: "how far in the future; 720 h" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn needs_points(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: future-date\n  with: { ahead: 720 h }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode).everywhere())
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let ahead = parameter::<Span>(spec, "ahead")?.unwrap_or(Span::hours(720));
        let millis = i64::try_from(ahead.millis()).ok().filter(|millis| (3_600_000..=MOST).contains(millis));
        let millis = millis.ok_or("parameter `ahead`: write 1 h to 10 years")?;
        let selection = Selection::of(spec);
        Ok(Box::new(Future {
            selection,
            ahead: SignedDuration::from_millis(millis),
            made: vec![],
            undo: Undo::default(),
        }))
    }
}

/// Ten years in milliseconds.
const MOST: i64 = 10 * 365 * 86_400_000;

struct Future {
    selection: Selection,
    ahead: SignedDuration,
    made: Vec<Struck>,
    undo: Undo,
}

impl Injection for Future {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let own = |(site, layout): (&Site, &Layout)| (site.clone(), layout.clone());
        let places: Vec<_> = self.selection.places(world).map(own).collect();
        for (site, layout) in &places {
            let points = points_at(site, layout).map_err(|e| e.to_string())?;
            let Some(oldest) = points.iter().rev().find(|point| point.dump.is_some()) else { continue };
            if let Err(why) = self.copy(world, oldest) {
                self.undo.heal(); // half a fault would be a fault that nobody declared
                return Err(why);
            }
        }
        if self.made.is_empty() {
            return Err("no recovery point exists at that moment in the regions meant".into());
        }
        let names: Vec<_> = self.made.iter().map(Struck::words).collect();
        Ok(format!("dated in the future: {}", joined(&names)))
    }

    fn proof(&self, world: &World) -> Proof {
        let leads = |point: &&Struck| {
            let points = points_at(&point.site, &point.layout).unwrap_or_default();
            let in_future = point.point.taken_at().is_some_and(|taken| taken > world.clock.now());
            in_future && points.first().is_some_and(|first| first.point == point.point && first.dump.is_some())
        };
        let (leading, whole) = (self.made.iter().filter(leads).count(), self.made.len());
        let evidence = format!("in {leading} of {whole} regions a dump of the future sorts first");
        Proof { bit: whole > 0 && leading == whole, evidence }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}

impl Future {
    fn copy(&mut self, world: &World, oldest: &Struck) -> Result<(), String> {
        let objects = oldest.site.region.objects();
        let dated = world.clock.now().checked_add(self.ahead).map_err(|e| e.to_string())?;
        let (site, layout) = (oldest.site.clone(), oldest.layout.clone());
        let future =
            Struck { site, layout, point: PointName::at(dated), dump: oldest.dump.clone(), others: Vec::new() };
        let dump = objects.get(&oldest.site.bucket, &oldest.dump_key(), None).map_err(|e| e.to_string())?.body;
        let read = objects.read_all(&oldest.site.bucket, &oldest.manifest_key()).map_err(|e| e.to_string())?;
        let mut manifest: Value = serde_json::from_slice(&read).map_err(|e| e.to_string())?;
        manifest["dump"] = format!("{}.{}", future.point, future.layout.format.extension()).into();
        manifest["exported_at"] = dated.to_string().into();
        let manifest = objects.body(manifest.to_string().as_bytes()).map_err(|e| e.to_string())?;
        self.put(&future.site, &future.dump_key(), dump)?;
        self.put(&future.site, &future.manifest_key(), manifest)?;
        self.made.push(future);
        Ok(())
    }

    fn put(&mut self, site: &Site, key: &str, body: Body) -> Result<(), String> {
        self.undo.save(site, key)?;
        let put = site.region.objects().put(&site.bucket, key, body, PutOptions::default());
        put.map(|_| ()).map_err(|e| e.to_string())
    }
}
