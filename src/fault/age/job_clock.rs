//! What the faults on the backup job's clock share: setting it, and seeing in the regions what it led to.

use crate::fault::points::{Selection, points_at};
use jiff::Timestamp;

use crate::{emulator::World, model::event::Proof};

/// By how much a date may differ from what it should be and still be it, in milliseconds: a backup takes its time.
const TOLERANCE: i64 = 10 * 60_000;

/// Backups that are named `millis` off the date that their region gives them.
/// Others name theirs as they will: of those, the ones that were stored since the clock was set count.
pub(super) fn misnamed(selection: &Selection, world: &World, millis: i64, since: Option<Timestamp>) -> Proof {
    let (mut off, mut whole) = (0u64, 0u64);
    for (site, layout) in selection.places(world) {
        for point in points_at(site, layout).unwrap_or_default() {
            let (Some(named), Some(dump)) = (point.point.taken_at(), &point.dump) else { continue };
            whole += 1;
            if point.is_of_others() {
                off += u64::from(since.is_some_and(|since| dump.modified >= since));
                continue;
            }
            let ahead = named.as_millisecond() - dump.modified.as_millisecond();
            off += u64::from((ahead - millis).abs() < TOLERANCE);
        }
    }
    Proof { bit: off > 0, evidence: format!("{off} of {whole} dumps are dated so far off what their region says") }
}
