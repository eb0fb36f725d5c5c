//! What each test of a suite says of a drill: missed is a failure, what could not be measured an error, what was not
//! attempted is skipped. Nothing passes that was not shown.

use super::{End, began};
use crate::model::{
    event::Comparison,
    outcome::{DrillResult, Verdict},
    record::{ObjectiveKind, Record, ServiceRecord},
    words,
};

/// Whether it went as its scenario expects, which is what the exit code says.
pub(super) fn as_expected(record: &Record) -> End {
    let outcome = record.result.outcome.map_or("no outcome", |outcome| outcome.words());
    let reasons = || format!("{}: {}", record.result.result.words(), record.result.reasons.join("; "));
    match record.result.result {
        DrillResult::Pass => End::Passed(format!("ended as expected: {outcome}")),
        DrillResult::Fail => End::Failed(reasons()),
        DrillResult::Inconclusive | DrillResult::Interrupted | DrillResult::NotExecuted => End::Unclear(reasons()),
    }
}

/// One objective of a service or a level.
pub(super) fn objective(record: &Record, whose: &str, kind: ObjectiveKind) -> End {
    if !began(record) {
        return not_attempted(record);
    }
    let judged = record.objectives.iter().find(|judged| judged.whose == whose && judged.objective == kind);
    let Some(judged) = judged else { return End::Unclear("it was not judged".into()) };
    let actual = judged.actual.map_or("not measured".to_owned(), |actual| actual.to_string());
    let why = judged.why.as_deref().unwrap_or("no reason is known");
    match judged.verdict {
        Verdict::Met => End::Passed(format!("met: {actual}, the objective is {}", judged.limit)),
        Verdict::Missed => End::Failed(format!("missed: {why} (the objective is {})", judged.limit)),
        Verdict::Inconclusive => End::Unclear(format!("inconclusive: {why} (the objective is {})", judged.limit)),
    }
}

/// The restored state against the ledger.
pub(super) fn integrity(record: &Record, one: Option<&ServiceRecord>) -> End {
    match one {
        Some(ServiceRecord { comparison: Some(found), .. }) => compared(found),
        Some(one) if one.restore.chosen.is_some() => End::Unclear("what was restored was not compared".into()),
        _ => nothing_restored(record, one),
    }
}

fn compared(found: &Comparison) -> End {
    let wrong = [
        (found.holes, "hole"),
        (found.altered, "altered row"),
        (found.extra, "extra row"),
        (found.resurrected, "resurrected row"),
    ];
    let wrong: Vec<String> = wrong.iter().filter(|(n, _)| *n > 0).map(|(n, what)| words::count(*n, what)).collect();
    let counts = format!("{} found, {} expected", words::count(found.rows_found, "row"), found.rows_expected);
    match (found.as_claimed, &wrong[..]) {
        (true, []) => End::Passed(format!(
            "as claimed, by the ledger: {counts}; {} after the recovery point are lost",
            words::count(found.writes_lost, "write")
        )),
        (_, []) => End::Failed(format!("not what was claimed, by the ledger: {counts}")),
        (_, wrong) => End::Failed(format!("wrong, by the ledger: {}; {counts}", wrong.join(", "))),
    }
}

/// The checks on the restored service; that of the ledger is integrity.
pub(super) fn function(record: &Record, one: Option<&ServiceRecord>) -> End {
    let Some(one) = one.filter(|one| one.restore.chosen.is_some()) else { return nothing_restored(record, one) };
    // A check may run again; its last result counts.
    let last = |(number, check): &(usize, &crate::model::event::CheckResult)| {
        !one.checks[number + 1..].iter().any(|later| later.check == check.check)
    };
    let checks: Vec<_> = one.checks.iter().enumerate().filter(last).map(|(_, check)| check).collect();
    let checks: Vec<_> = checks.into_iter().filter(|check| check.check != "ledger").collect();
    let of = |passed: Option<bool>| -> Vec<String> {
        let some = checks.iter().filter(|check| check.passed == passed);
        some.map(|check| format!("{}: {}", check.check, check.detail)).collect()
    };
    let (failed, unclear, passed) = (of(Some(false)), of(None), of(Some(true)));
    match () {
        () if !failed.is_empty() => End::Failed(failed.join("; ")),
        () if !unclear.is_empty() => End::Unclear(format!("could not run: {}", unclear.join("; "))),
        () if passed.is_empty() => End::Unclear("no check of what it does was run".into()),
        () => End::Passed(passed.join("; ")),
    }
}

/// Healing and removal.
pub(super) fn cleanup(record: &Record) -> End {
    let done = &record.cleanup;
    match done.steady_after {
        _ if !done.healed => End::Failed("a fault was not healed".into()),
        _ if !done.removed => End::Failed(format!("something is left: {}", done.detail)),
        Some(false) => End::Failed("the steady state does not hold again".into()),
        Some(true) => End::Passed(format!("healed, steady again; {}", done.detail)),
        None if began(record) => End::Unclear("the steady state was not checked again".into()),
        None => not_attempted(record),
    }
}

fn not_attempted(record: &Record) -> End {
    End::Skipped(format!("not attempted, the drill did not get there: {}", record.result.reasons.join("; ")))
}

fn nothing_restored(record: &Record, one: Option<&ServiceRecord>) -> End {
    if !began(record) || one.is_none() {
        return not_attempted(record);
    }
    let why = one.and_then(|one| one.restore.refusal.as_deref()).unwrap_or("the restore did not end");
    End::Skipped(format!("not attempted, nothing was restored: {why}"))
}
