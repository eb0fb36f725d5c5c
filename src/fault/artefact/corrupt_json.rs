//! Corrupt JSON: the dump is there, with a plausible size and date, and cannot be believed.

use super::rewrite::{Damage, damaged, sha256};
use crate::fault::{
    Fault, Injection, Mode, Onset, Parameter, joined, only_now, parameter,
    points::{Selection, Struck, Undo},
};
use crate::{
    emulator::{Site, World, s3::body::Body},
    model::{
        event::Proof,
        scenario::FaultSpec,
        units::{ByteSize, Percent},
    },
};

/// Entry in the catalogue.
pub(super) struct CorruptJson;

const NAME: &str = "corrupt-json";

impl Fault for CorruptJson {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a dump that is there and cannot be believed"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "truncated", summary: "only the first part of the dump is kept (`keep`)" },
            Mode { name: "bracket-lost", summary: "one row loses its closing brace" },
            Mode { name: "invalid-utf8", summary: "one character becomes a byte that is no UTF-8" },
            Mode { name: "wrong-type", summary: "one number becomes text" },
            Mode { name: "bit-flip", summary: "one bit of the compressed dump is flipped" },
            Mode { name: "value-changed", summary: "one digit becomes another; the JSON stays valid" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[
            Parameter { name: "keep", summary: "share of the dump that `truncated` keeps; 60%" },
            Parameter {
                name: "resealed",
                summary: "true: the manifest's digest of the dump is that of the damaged one, as when damage came before \
                          the digest was taken; false",
            },
        ]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: corrupt-json\n  mode: truncated\n  regions: [us-east-1]\n  generations: latest\n  with: { keep: 60% }\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let keep = parameter::<Percent>(spec, "keep")?.unwrap_or(Percent(60));
        if keep == Percent(100) {
            return Err("parameter `keep`: to keep 100% truncates nothing".into());
        }
        let damage = match spec.mode.as_str() {
            "truncated" => Damage::Keep(keep),
            "bracket-lost" => Damage::LoseBracket,
            "invalid-utf8" => Damage::BreakUtf8,
            "wrong-type" => Damage::ChangeType,
            "bit-flip" => Damage::FlipBit,
            _ => Damage::ChangeValue,
        };
        let resealed = parameter(spec, "resealed")?.unwrap_or(false);
        Ok(Box::new(Corruption {
            selection: Selection::of(spec),
            damage,
            resealed,
            struck: vec![],
            undo: Undo::default(),
        }))
    }
}

struct Corruption {
    selection: Selection,
    damage: Damage,
    resealed: bool,
    struck: Vec<Damaged>,
    undo: Undo,
}

/// A dump that was damaged.
struct Damaged {
    site: Site,
    key: String,
    words: String,
    /// SHA-256 before and after.
    before: String,
    after: String,
}

impl Damaged {
    /// Whether the damage is still there: another fault, or the pipeline, may have put other bytes in its place.
    fn shows(&self) -> bool {
        let now = self.site.region.objects().get(&self.site.bucket, &self.key, None);
        let now = now.ok().and_then(|object| sha256(&object.body).ok());
        self.before != self.after && now.as_ref() == Some(&self.after)
    }
}

impl Injection for Corruption {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let points = self.selection.some_points(world)?;
        for point in &points {
            if let Err(why) = self.strike(point) {
                self.undo.heal(); // half a fault would be a fault that nobody declared
                return Err(why);
            }
        }
        let words: Vec<_> = self.struck.iter().map(|damaged| damaged.words.as_str()).collect();
        Ok(format!("damaged {}", joined(&words)))
    }

    fn proof(&self, _: &World) -> Proof {
        let differ = self.struck.iter().filter(|damaged| damaged.shows()).count();
        let (whole, shown) = (self.struck.len(), self.struck.first());
        let digests = shown.map(|damaged| format!("; SHA-256 {:.12} became {:.12}", damaged.before, damaged.after));
        let evidence = format!("{differ} of {whole} dumps hold the damage{}", digests.unwrap_or_default());
        Proof { bit: whole > 0 && differ == whole, evidence }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}

impl Corruption {
    fn strike(&mut self, point: &Struck) -> Result<(), String> {
        let objects = point.site.region.objects();
        let (bucket, key) = (&point.site.bucket, point.dump_key());
        let Some(meta) = &point.dump else { return Err(format!("{} has no dump", point.words())) };
        let body = objects.get(bucket, &key, None).map_err(|e| e.to_string())?.body;
        let other = damaged(&body, self.damage, objects.writer())?;
        let (before, after) = (sha256(&body)?, sha256(&other)?);
        let sizes = format!("{} → {}", ByteSize(meta.size), ByteSize(other.len()));
        self.undo.save(&point.site, &key)?;
        objects.replace_body(bucket, &key, other.clone()).map_err(|e| e.to_string())?;
        if self.resealed {
            self.reseal(point, &other, &after)?;
        }
        let (site, words) = (point.site.clone(), format!("{} ({sizes})", point.words()));
        self.struck.push(Damaged { site, key, words, before, after });
        Ok(())
    }

    /// Writes the damaged dump's size and digest into the manifest; the digests of the tables stay.
    fn reseal(&mut self, point: &Struck, dump: &Body, sha256: &str) -> Result<(), String> {
        let objects = point.site.region.objects();
        let (bucket, key) = (&point.site.bucket, point.manifest_key());
        let read = objects.read_all(bucket, &key).map_err(|e| e.to_string())?;
        let mut manifest: serde_json::Value = serde_json::from_slice(&read).map_err(|e| e.to_string())?;
        manifest["stored_bytes"] = dump.len().into();
        manifest["stored_sha256"] = sha256.into();
        self.undo.save(&point.site, &key)?;
        let body = objects.body(manifest.to_string().as_bytes()).map_err(|e| e.to_string())?;
        objects.replace_body(bucket, &key, body).map(|_| ()).map_err(|e| e.to_string())
    }
}
