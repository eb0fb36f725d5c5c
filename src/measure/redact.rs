//! Takes what was measured out of a record and nothing else, so that a golden sample does not change with the machine.

use super::objectives;
use crate::model::{
    event::What,
    outcome::Verdict,
    record::{Record, ServiceRecord, Timeline},
    time::Elapsed,
};

impl Record {
    /// Replaces each measured duration by its mark, in the sentences that cite it too, and forgets when the drill was
    /// run. Verdicts stay as they were judged.
    pub fn redact_measured(&mut self) {
        let before = sentences(self);
        self.identity.run_at = None;
        for elapsed in durations(self) {
            elapsed.redact();
        }
        for (cited, redacted) in before.iter().zip(sentences(self)).filter(|(cited, redacted)| *cited != redacted) {
            for text in texts(self) {
                if text.contains(cited) {
                    *text = text.replace(cited, &redacted);
                }
            }
        }
    }
}

/// Every sentence with a duration that [`super::record`] wrote; longer ones first, for they may hold shorter ones.
fn sentences(record: &Record) -> Vec<String> {
    let missed = record.objectives.iter().filter(|j| j.verdict == Verdict::Missed);
    let over = missed.filter_map(|j| Some(objectives::over(j.objective, j.actual?, j.limit)));
    let worst = record.services.iter().filter_map(|one| one.exposure.worst_case).map(|worst| worst.to_string());
    over.chain(worst).collect()
}

fn texts(record: &mut Record) -> impl Iterator<Item = &mut String> {
    let whys = record.objectives.iter_mut().filter_map(|j| j.why.as_mut());
    let findings = record.findings.iter_mut().flat_map(|f| [&mut f.what, &mut f.remedy]);
    whys.chain(findings).chain(&mut record.result.reasons).chain([&mut record.result.why])
}

fn durations(record: &mut Record) -> Vec<&mut Elapsed> {
    let mut all: Vec<&mut Elapsed> = Vec::new();
    all.extend(marks(&mut record.timeline));
    for ServiceRecord { exposure, timeline, phases, backups, .. } in &mut record.services {
        all.extend(marks(timeline));
        all.extend([&mut exposure.backup_age, &mut exposure.rpa, &mut exposure.worst_case].into_iter().flatten());
        for phase in phases {
            all.push(&mut phase.from);
            all.extend(&mut phase.took);
        }
        all.extend(backups.iter_mut().map(|made| &mut made.took));
    }
    all.extend(record.objectives.iter_mut().filter_map(|j| j.actual.as_mut()));
    all.extend(record.alarms.iter_mut().filter_map(|alarm| alarm.since_t0.as_mut()));
    for event in &mut record.events {
        all.extend(&mut event.since_t0);
        if let What::BackedUp(made) = &mut event.what {
            all.push(&mut made.took);
        }
    }
    all
}

fn marks(time: &mut Timeline) -> impl Iterator<Item = &mut Elapsed> {
    [&mut time.t1, &mut time.t2, &mut time.t3, &mut time.t4, &mut time.t5].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use crate::measure::{record, testing::Drill};

    /// Two runs of one drill differ in what was measured alone, in a late one in sentences too.
    #[test]
    fn two_runs_at_different_speeds_are_the_same_once_redacted() {
        for drill in [Drill::control(), Drill::late(), Drill::corrupt_latest()] {
            let (mut fast, mut slow) = (record(drill.inputs()), record(drill.slower(7).inputs()));
            assert_ne!(fast, slow);
            assert_ne!(serde_json::to_string(&fast).unwrap(), serde_json::to_string(&slow).unwrap());
            fast.redact_measured();
            slow.redact_measured();
            assert_eq!(serde_json::to_string_pretty(&fast).unwrap(), serde_json::to_string_pretty(&slow).unwrap());
        }
    }

    #[test]
    fn simulated_time_is_not_measured_and_stays() {
        let mut simulated = record(Drill::late().simulated().inputs());
        let before = simulated.clone();
        simulated.redact_measured();
        assert_eq!(simulated, before);
    }
}
