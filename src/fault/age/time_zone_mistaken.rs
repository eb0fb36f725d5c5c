//! Time zone mistaken: the job names its backups by local time and calls it UTC. Its clock is right, the dates inside are
//! right, and a name says nine hours more than is true.

use super::job_clock::misnamed;
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Parameter, Trial, only_now, parameter, points::Selection};
use crate::{
    emulator::World,
    model::{
        event::Proof,
        scenario::{FaultSpec, Moment},
    },
};

/// Entry in the catalogue.
pub(super) struct TimeZoneMistaken;

const NAME: &str = "time-zone-mistaken";

/// Korea's.
const OFFSET: &str = "+09:00";

impl Fault for TimeZoneMistaken {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a backup job that names its backups by local time and calls it UTC"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode { name: "local-as-utc", summary: "names are off by the zone's `offset`; what a manifest says is right" }]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "offset", summary: "of local time from UTC, as \"-05:00\"; \"+09:00\"" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: time-zone-mistaken\n  when: { before-backup-of-day: 3 }\n  with: { offset: \"+09:00\" }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(NAME, mode).everywhere().at(ground.before_last_backup()))
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let offset = parameter::<String>(spec, "offset")?.unwrap_or_else(|| OFFSET.into());
        let wrong = || format!("parameter `offset`: `{}` is none; write it as \"+09:00\"", offset.escape_debug());
        let millis = millis(&offset).ok_or_else(wrong)?;
        if millis == 0 {
            return Err("parameter `offset`: where local time is UTC nothing can be mistaken".into());
        }
        if matches!(spec.when, Moment::AfterLastBackup | Moment::AtDisaster) {
            return Err(format!(
                "fault `{NAME}` changes nothing after the last backup; write `when: {{ before-backup-of-day: N }}`"
            ));
        }
        Ok(Box::new(Mistaken { selection: Selection::of(spec), offset, millis, before: vec![] }))
    }
}

/// An offset as `+09:00` in milliseconds.
fn millis(offset: &str) -> Option<i64> {
    let (sign, rest) = match offset.as_bytes().first()? {
        b'+' => (1, &offset[1..]),
        b'-' => (-1, &offset[1..]),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two = |text: &str| (text.len() == 2).then(|| text.parse::<u8>().ok()).flatten();
    let (hours, minutes) = (two(hours).filter(|h| *h <= 14)?, two(minutes).filter(|m| *m < 60)?);
    Some(sign * (i64::from(hours) * 60 + i64::from(minutes)) * 60_000)
}

struct Mistaken {
    selection: Selection,
    offset: String,
    millis: i64,
    /// How far off each zone was before.
    before: Vec<i64>,
}

impl Injection for Mistaken {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        for schedule in self.selection.schedules(world) {
            let (_, zone) = schedule.clock.millis();
            self.before.push(zone);
            schedule.clock.set_zone(self.millis);
        }
        match self.before.is_empty() {
            true => Err("no service meant has a backup job".into()),
            false => Ok(format!("the backup job writes local time ({}) into names as UTC", self.offset)),
        }
    }

    fn proof(&self, world: &World) -> Proof {
        misnamed(&self.selection, world, self.millis, None)
    }

    fn heal(&mut self, world: &World) -> bool {
        for (schedule, before) in self.selection.schedules(world).zip(self.before.drain(..)) {
            schedule.clock.set_zone(before);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn an_offset_is_a_sign_hours_and_minutes() {
        assert_eq!(millis("+09:00"), Some(9 * 3_600_000));
        assert_eq!(millis("-03:30"), Some(-(3 * 60 + 30) * 60_000));
        for wrong in ["", "9", "09:00", "+9:00", "+15:00", "+09:60", "+09:00:00", "Asia/Seoul", "+é9:00"] {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }
}
