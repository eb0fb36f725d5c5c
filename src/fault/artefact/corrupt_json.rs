//! Corrupt JSON: the dump is there, with a plausible size and date, and cannot be believed.

use super::{
    forgery::{Forged, Forgery, RESEALED, is_gzip, is_resealed, tables_of},
    rewrite::{Damage, damaged, edit},
    rows::{Edit, Fate, edited},
};
use crate::fault::{Fault, Ground, Injection, Mode, Parameter, Trial, parameter, points::Struck};
use crate::{
    emulator::s3::body::Body,
    model::{scenario::FaultSpec, units::Percent},
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
            Mode { name: "wrong-type", summary: "one number becomes text; where there is none, one text a list" },
            Mode { name: "bit-flip", summary: "one bit of the compressed dump is flipped" },
            Mode { name: "value-changed", summary: "one digit becomes another, or one letter; the JSON stays valid" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "keep", summary: "share of the dump that `truncated` keeps; 60%" }, RESEALED]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: corrupt-json\n  mode: truncated\n  regions: [us-east-1]\n  generations: latest\n  with: { keep: 60% }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode).with(RESEALED.name, true))
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
        let forge = Box::new(move |point: &Struck, dump: &Body, into| {
            let is_text = !matches!(damage, Damage::Keep(_) | Damage::CutOff(_) | Damage::FlipBit);
            if !is_text || is_gzip(point).is_ok() {
                return Ok(damaged(dump, damage, into)?.into());
            }
            let middle = tables_of(point)?.iter().map(|(_, rows)| rows).sum::<u64>() / 2;
            let mut spoiling = Spoiling { row: middle, seen: 0, damage, done: false };
            let forged = edited(dump, point.layout.format, &mut spoiling, into)?;
            match spoiling.done {
                true => Ok(Forged { tables: None, ..forged }),
                false => Err(format!("{} has no row that could be damaged", point.words())),
            }
        });
        Ok(Forgery::new(NAME, spec, forge).resealed(is_resealed(spec)?).boxed())
    }
}

/// Damages the row of that number in an archive, or the next one that can be.
struct Spoiling {
    row: u64,
    seen: u64,
    damage: Damage,
    done: bool,
}

impl Edit for Spoiling {
    fn row(&mut self, _: &str, row: &mut Vec<u8>) -> Fate {
        if self.seen >= self.row && !self.done {
            self.done = edit(row, self.damage);
        }
        self.seen += 1;
        Fate::Keep
    }
}
