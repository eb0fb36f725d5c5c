//! Rows dropped: the dump is well-formed, and some of its rows never made it in.

use super::{
    forgery::{Forged, Forgery, RESEALED, is_resealed},
    rows::{Edit, Fate, edited},
};
use crate::fault::{Fault, Ground, Injection, Mode, Parameter, Trial, parameter, points::Struck};
use crate::{
    emulator::s3::body::Body,
    model::{scenario::FaultSpec, units::Percent},
};

/// Entry in the catalogue.
pub(super) struct RowsDropped;

const NAME: &str = "rows-dropped";

impl Fault for RowsDropped {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a well-formed dump that lacks some of its rows"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode {
            name: "share",
            summary: "a share of the rows of every table is gone (`share`), spread over all of it; one row at least",
        }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "share", summary: "how many of the rows; 5%" }, RESEALED]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: rows-dropped\n  regions: [us-east-1]\n  with: { share: 5%, resealed: true }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode).with(RESEALED.name, true))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let share = parameter::<Percent>(spec, "share")?.unwrap_or(Percent(5));
        if share == Percent(0) {
            return Err("parameter `share`: to drop 0% changes nothing".into());
        }
        let forge = Box::new(move |point: &Struck, dump: &Body, into| {
            let mut thinning = Thinning { share: u64::from(share.0), seen: 0 };
            Ok(Forged { tables: None, ..edited(dump, point.layout.format, &mut thinning, into)? })
        });
        Ok(Forgery::new(NAME, spec, forge).resealed(is_resealed(spec)?).boxed())
    }
}

/// Drops every so many-th row, the first one first.
struct Thinning {
    share: u64,
    seen: u64,
}

impl Edit for Thinning {
    fn row(&mut self, _: &str, _: &mut Vec<u8>) -> Fate {
        let n = self.seen;
        self.seen += 1;
        let falls = |n: u64| (n * self.share).div_ceil(100);
        if falls(n + 1) > falls(n) { Fate::Drop } else { Fate::Keep }
    }
}
