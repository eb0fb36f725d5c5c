//! Clock skew: the machine that makes the backups has a clock that is off. Names and manifests say a wrong time; what the
//! source says of its writes, and when a region got an object, is right.

use jiff::Timestamp;

use super::job_clock::misnamed;
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Parameter, Trial, only_now, parameter, points::Selection};
use crate::{
    emulator::World,
    model::{
        event::Proof,
        scenario::{FaultSpec, Moment},
        units::Span,
    },
};

/// Entry in the catalogue.
pub(super) struct ClockSkew;

const NAME: &str = "clock-skew";

impl Fault for ClockSkew {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a backup job whose clock is off: names, manifests and retention go by it"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode {
                name: "ahead",
                summary: "the clock is `by` ahead: names lie in the future, old backups look too old",
            },
            Mode {
                name: "behind",
                summary: "the clock is `by` behind: the newest backup looks older than those before it",
            },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "by", summary: "how far off it is, as `36 h`; 36 h" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: clock-skew\n  mode: behind\n  when: { before-backup-of-day: 4 }\n  with: { by: 36 h }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        // Ahead by more than any retention keeps: to such a clock every older backup has expired.
        let entry = ground.entry(NAME, mode).everywhere().at(ground.before_last_backup());
        Trial::of(if mode == "ahead" { entry.with("by", "1000 h") } else { entry })
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let by = parameter::<Span>(spec, "by")?.unwrap_or(Span::hours(36));
        let millis = i64::try_from(by.millis()).ok().filter(|millis| (60_000..=MOST).contains(millis));
        let millis = millis.ok_or("parameter `by`: a clock is 1 min to 10 years off")?;
        if matches!(spec.when, Moment::AfterLastBackup | Moment::AtDisaster) {
            return Err(format!(
                "fault `{NAME}` changes nothing after the last backup; write `when: {{ before-backup-of-day: N }}`"
            ));
        }
        let millis = if spec.mode == "behind" { -millis } else { millis };
        Ok(Box::new(Skew { selection: Selection::of(spec), by, millis, before: vec![], since: None }))
    }
}

/// Ten years in milliseconds.
const MOST: i64 = 10 * 365 * 86_400_000;

struct Skew {
    selection: Selection,
    by: Span,
    millis: i64,
    /// How far off each clock was before.
    before: Vec<i64>,
    /// When it was set.
    since: Option<Timestamp>,
}

impl Injection for Skew {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        for schedule in self.selection.schedules(world) {
            let (skew, _) = schedule.clock.millis();
            self.before.push(skew);
            schedule.clock.set_skew(skew + self.millis);
        }
        self.since = Some(world.clock.now());
        if self.before.is_empty() {
            return Err("no service meant has a backup job".into());
        }
        let side = if self.millis < 0 { "behind" } else { "ahead" };
        Ok(format!("set the backup job's clock {} {side}", self.by))
    }

    fn proof(&self, world: &World) -> Proof {
        misnamed(&self.selection, world, self.millis, self.since)
    }

    fn heal(&mut self, world: &World) -> bool {
        for (schedule, before) in self.selection.schedules(world).zip(self.before.drain(..)) {
            schedule.clock.set_skew(before);
        }
        true
    }
}
