//! A gap in the change stream: pieces between the backups that are gone, damaged, or under each other's name.

use jiff::SignedDuration;

use crate::fault::{
    Fault, Ground, Injection, Mode, Onset, Parameter, Trial,
    artefact::rewrite::{Damage, damaged, sha256},
    joined, only_now, parameter,
    points::{Selection, Undo},
};
use crate::{
    emulator::{Site, World, s3::body::Body},
    model::{
        event::Proof,
        naming::{Layout, PieceName},
        plan::ServiceKind,
        scenario::{FaultSpec, Moment},
        units::Span,
        words,
    },
};

/// Entry in the catalogue.
pub(super) struct StreamGap;

const NAME: &str = "stream-gap";

/// Pieces that are named in a report; of more it says how many.
const NAMED: usize = 4;

impl Fault for StreamGap {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a change stream that cannot be read from end to end"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "deleted", summary: "pieces are gone, all versions of them" },
            Mode { name: "bit-flip", summary: "one bit in the middle of each piece is the other way round" },
            Mode { name: "swapped", summary: "each piece holds the bytes of the one before it, and that one its own" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[
            Parameter { name: "pieces", summary: "how many pieces in a row; 1" },
            Parameter { name: "older_than", summary: "the newest of them is at least so old, as `2 h`; 0 min" },
        ]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn needs_points(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: stream-gap\n  mode: deleted\n  when: at-disaster\n  with: { pieces: 1, older_than: 2 h }\n"
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Database // nothing else has a change stream
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        let entry = ground.entry(NAME, mode).at(Moment::AtDisaster).with("older_than", "2 h");
        Trial::of(entry).streamed(Span::minutes(30))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let pieces = parameter::<usize>(spec, "pieces")?.unwrap_or(1);
        if pieces == 0 {
            return Err("parameter `pieces`: a gap of no pieces is none; write 1 or more".into());
        }
        let how = match spec.mode.as_str() {
            "deleted" => How::Delete,
            "bit-flip" => How::Flip,
            _ => How::Swap,
        };
        let older_than = parameter(spec, "older_than")?.unwrap_or(Span::ZERO);
        let selection = Selection::of(spec);
        Ok(Box::new(Gap { selection, how, pieces, older_than, struck: vec![], undo: Undo::default() }))
    }
}

#[derive(Debug, Clone, Copy)]
enum How {
    Delete,
    Flip,
    Swap,
}

struct Gap {
    selection: Selection,
    how: How,
    pieces: usize,
    older_than: Span,
    struck: Vec<Struck>,
    undo: Undo,
}

/// A piece that was struck.
struct Struck {
    site: Site,
    key: String,
    name: PieceName,
    /// SHA-256 before, and after; `None` where it is gone.
    before: String,
    after: Option<String>,
}

impl Struck {
    /// Whether the damage is still there.
    fn shows(&self) -> bool {
        let now = self.site.region.objects().get(&self.site.bucket, &self.key, None);
        let now = now.ok().and_then(|object| sha256(&object.body).ok());
        now == self.after && now.as_ref() != Some(&self.before)
    }
}

impl Injection for Gap {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let places: Vec<(Site, Layout)> =
            self.selection.places(world).map(|(site, layout)| (site.clone(), layout.clone())).collect();
        for (site, layout) in &places {
            if let Err(why) = self.strike_region(world, site, layout) {
                self.undo.heal(); // half a fault would be a fault that nobody declared
                return Err(why);
            }
        }
        if self.struck.is_empty() {
            return Err("the regions meant have no piece of a change stream of that age".into());
        }
        let words: Vec<_> = self.struck.iter().map(|it| format!("{} in {}", it.name, it.site.region.name())).collect();
        let did = match self.how {
            How::Delete => "deleted",
            How::Flip => "damaged",
            How::Swap => "swapped",
        };
        let named = joined(&words[..words.len().min(NAMED)]);
        let more = words.len().saturating_sub(NAMED) as u64;
        Ok(match more {
            0 => format!("{did} {named}"),
            more => format!("{did} {named} and {} more", words::count(more, "piece")),
        })
    }

    fn proof(&self, _: &World) -> Proof {
        let shown = self.struck.iter().filter(|struck| struck.shows()).count();
        let whole = self.struck.len();
        let state = match self.how {
            How::Delete => "are gone",
            How::Flip | How::Swap => "hold other bytes than were written",
        };
        Proof { bit: whole > 0 && shown == whole, evidence: format!("{shown} of {whole} pieces {state}") }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}

impl Gap {
    fn strike_region(&mut self, world: &World, site: &Site, layout: &Layout) -> Result<(), String> {
        let prefix = layout.stream_prefix();
        let keys = site.region.objects().keys(&site.bucket, &prefix).map_err(|e| e.to_string())?;
        let age = SignedDuration::from_millis(i64::try_from(self.older_than.millis()).unwrap_or(i64::MAX));
        let old_enough = |name: &PieceName| world.clock.now().duration_since(name.taken_at) >= age;
        let names = keys.iter().filter_map(|object| layout.parse_piece(&object.key)).filter(old_enough);
        let mut names: Vec<PieceName> = names.collect();
        names.sort();
        let from = names.len().saturating_sub(self.pieces);
        for at in from..names.len() {
            match self.how {
                How::Delete => self.delete(site, layout, names[at])?,
                How::Flip => self.flip(site, layout, names[at])?,
                How::Swap if at == 0 => return Err("there is no piece before it to swap it with".into()),
                How::Swap => self.swap(site, layout, [names[at - 1], names[at]])?,
            }
        }
        Ok(())
    }

    fn delete(&mut self, site: &Site, layout: &Layout, name: PieceName) -> Result<(), String> {
        let key = layout.piece_key(&name);
        let body = body(site, &key)?;
        self.undo.save(site, &key)?;
        site.region.objects().remove_key(&site.bucket, &key).map_err(|e| e.to_string())?;
        self.struck.push(Struck { site: site.clone(), key, name, before: sha256(&body)?, after: None });
        Ok(())
    }

    fn flip(&mut self, site: &Site, layout: &Layout, name: PieceName) -> Result<(), String> {
        let body = body(site, &layout.piece_key(&name))?;
        let other = damaged(&body, Damage::FlipBit, site.region.objects().writer())?;
        self.replace(site, layout, name, &body, other)
    }

    fn swap(&mut self, site: &Site, layout: &Layout, [first, second]: [PieceName; 2]) -> Result<(), String> {
        let (one, other) = (body(site, &layout.piece_key(&first))?, body(site, &layout.piece_key(&second))?);
        self.replace(site, layout, first, &one, other.clone())?;
        self.replace(site, layout, second, &other, one)
    }

    fn replace(
        &mut self,
        site: &Site,
        layout: &Layout,
        name: PieceName,
        body: &Body,
        other: Body,
    ) -> Result<(), String> {
        let key = layout.piece_key(&name);
        self.undo.save(site, &key)?;
        let (before, after) = (sha256(body)?, Some(sha256(&other)?));
        site.region.objects().replace_body(&site.bucket, &key, other).map_err(|e| e.to_string())?;
        self.struck.push(Struck { site: site.clone(), key, name, before, after });
        Ok(())
    }
}

fn body(site: &Site, key: &str) -> Result<Body, String> {
    Ok(site.region.objects().get(&site.bucket, key, None).map_err(|e| e.to_string())?.body)
}
