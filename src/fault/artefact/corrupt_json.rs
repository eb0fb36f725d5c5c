//! Corrupt JSON: the dump is there, with a plausible size and date, and cannot be believed.

use super::{
    forgery::{Forgery, RESEALED, is_resealed},
    rewrite::{Damage, damaged},
};
use crate::fault::{Fault, Ground, Injection, Mode, Parameter, Trial, parameter};
use crate::model::{scenario::FaultSpec, units::Percent};

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
        &[Parameter { name: "keep", summary: "share of the dump that `truncated` keeps; 60%" }, RESEALED]
    }

    fn strikes_points(&self) -> bool {
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
        let forge = Box::new(move |_: &_, dump: &_, into| Ok(damaged(dump, damage, into)?.into()));
        Ok(Forgery::new(NAME, spec, forge).resealed(is_resealed(spec)?).boxed())
    }
}
