//! The exit code of a set of drills.

use crate::{
    exit,
    model::{
        event::What,
        outcome::{DrillResult, Verdict},
        record::Record,
    },
};

/// The exit code that stands for all records. Where several apply, the one that says more about the run as a whole
/// wins: interrupted (130), then could not execute (2: the set is not complete, so it is no judgement of the whole),
/// then failed (1), then inconclusive (3), then pass (0). No record at all is a run that executed nothing.
///
/// With `strict`, a missed objective of any drill is a failure, also where its scenario expects it.
pub fn exit_code(records: &[Record], strict: bool) -> u8 {
    gravest(records.iter().map(|record| of_one(record, strict))).unwrap_or(exit::NOT_EXECUTED)
}

/// The code that stands for several, in the same order; `None` for none.
pub fn gravest(codes: impl IntoIterator<Item = u8>) -> Option<u8> {
    codes.into_iter().max_by_key(|code| rank(*code))
}

/// Of several plays of one drill the one that says most against it, the first of those.
pub fn gravest_play(plays: Vec<Record>) -> Option<Record> {
    plays.into_iter().rev().max_by_key(|record| rank(of_one(record, true)))
}

fn of_one(record: &Record, strict: bool) -> u8 {
    // A drill that had been proven wrong when it was stopped failed, but the set was stopped all the same.
    if record.events.iter().any(|event| event.what == What::Interrupted) {
        return exit::INTERRUPTED;
    }
    let missed = strict && record.result.verdict == Verdict::Missed;
    match record.result.result {
        DrillResult::Interrupted => exit::INTERRUPTED,
        DrillResult::NotExecuted => exit::NOT_EXECUTED,
        DrillResult::Fail => exit::FAILED,
        DrillResult::Inconclusive | DrillResult::Pass if missed => exit::FAILED,
        DrillResult::Inconclusive => exit::INCONCLUSIVE,
        DrillResult::Pass => exit::PASS,
    }
}

fn rank(code: u8) -> u8 {
    let order = [exit::PASS, exit::INCONCLUSIVE, exit::FAILED, exit::NOT_EXECUTED, exit::INTERRUPTED];
    order.iter().position(|known| *known == code).unwrap_or(order.len()) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{record, testing::Drill};

    #[test]
    fn the_code_of_a_set_is_that_of_its_gravest_drill() {
        let [pass, fail, unclear, not_executed, interrupted] = [
            Drill::corrupt_latest(),
            Drill::silently_wrong(),
            Drill::toothless(),
            Drill::never_steady(),
            Drill::interrupted(),
        ]
        .map(|drill| record(drill.inputs()));
        let code = |records: &[&Record]| exit_code(&records.iter().map(|r| (*r).clone()).collect::<Vec<_>>(), false);
        assert_eq!(code(&[]), 2);
        assert_eq!(code(&[&pass]), 0);
        assert_eq!(code(&[&pass, &unclear]), 3);
        assert_eq!(code(&[&unclear, &fail, &pass]), 1);
        assert_eq!(code(&[&fail, &not_executed, &unclear]), 2);
        assert_eq!(code(&[&interrupted, &not_executed, &fail]), 130);
    }

    #[test]
    fn strict_turns_an_expected_miss_into_a_failure() {
        let records = [record(Drill::corrupt_latest().inputs())];
        assert_eq!((exit_code(&records, false), exit_code(&records, true)), (0, 1));
    }
}
