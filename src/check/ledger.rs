//! The restored state against the ledger of acknowledged writes, row by row and complete: the one check that may say
//! that everything is back.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    Check, Evidence, Outcome,
    found::{Findings, Piece},
    judge::{EXAMPLES, Tally, settle, settled_prefix},
    result,
};
use crate::{
    model::{
        event::{CheckResult, Claim, Comparison, Position},
        plan::ServiceKind,
    },
    service::contract::{Ledger, RowChunk, ServiceError, View},
    sim::lanes::Lanes,
};

/// Items judged by one job.
const RANGE: u64 = 1 << 16;

/// Compares what a target holds with the prefix of the ledger that is claimed. Reads all of it, in memory of about one
/// byte an item.
///
/// # Errors
/// When the target cannot be read.
pub async fn compare(
    view: &Arc<dyn View>,
    ledger: &Arc<dyn Ledger>,
    claim: &Claim,
    lanes: &Lanes,
) -> Result<Comparison, ServiceError> {
    let findings = Arc::new(find(view, ledger, lanes).await?);
    let claimed = claim.position.seq;
    let mut tally = judge(ledger, &findings, claimed, lanes).await;
    let last = ledger.last();
    let ambiguous = std::mem::take(&mut tally.ambiguous);
    let versions: Vec<_> = ambiguous.iter().map(|item| ledger.versions(*item)).collect();
    let prefix = settled_prefix(&versions, claimed, tally.prefix(last.seq));
    for (item, versions) in ambiguous.into_iter().zip(versions) {
        tally.count(item, findings.of(item), &versions, settle(&versions, claimed, prefix));
    }
    for item in &findings.twice {
        tally.note(*item, "there more than once".into());
    }
    let prefix = ledger.position(tally.prefix(last.seq)).unwrap_or(last);
    Ok(sum_up(ledger.as_ref(), &findings, tally, prefix, last))
}

/// Reads the state back, and recognises every row.
async fn find(view: &Arc<dyn View>, ledger: &Arc<dyn Ledger>, lanes: &Lanes) -> Result<Findings, ServiceError> {
    let contents = view.read_back().await?;
    let known = Arc::clone(ledger);
    let recognise = move |chunk: Result<RowChunk, _>| chunk.map(|chunk| Piece::read(known.as_ref(), &chunk));
    let mut pieces = std::pin::pin!(lanes.map(contents.rows, recognise));
    let mut findings = Findings::new(ledger.items());
    findings.missing = ledger.tables();
    findings.missing.retain(|table| !contents.tables.contains(table));
    while let Some(piece) = pieces.try_next().await? {
        findings.add(piece);
    }
    Ok(findings)
}

/// Judges all items, a range on each lane.
async fn judge(ledger: &Arc<dyn Ledger>, findings: &Arc<Findings>, claimed: u64, lanes: &Lanes) -> Tally {
    let items = ledger.items();
    let ranges = (0..items).step_by(RANGE as usize).map(move |from| from..items.min(from + RANGE));
    let (ledger, findings) = (Arc::clone(ledger), Arc::clone(findings));
    let read = move |range: Range<u64>| {
        let mut tally = Tally::new(claimed);
        for item in range {
            tally.read(item, findings.of(item), &ledger.versions(item));
        }
        tally
    };
    lanes
        .map(stream::iter(ranges), read)
        .fold(Tally::new(claimed), async |mut all, part| {
            all.merge(part);
            all
        })
        .await
}

fn sum_up(ledger: &dyn Ledger, findings: &Findings, tally: Tally, prefix: Position, last: Position) -> Comparison {
    let claimed = tally.claimed;
    let rows_expected = ledger.rows_at(claimed);
    // A position that the source never had is no prefix of the ledger, whatever was restored.
    let impossible = (claimed > last.seq)
        .then(|| format!("claim: write {claimed} was never acknowledged, the last one is {}", last.seq));
    let tables = findings.missing.iter().map(|table| format!("{table}: the table is missing"));
    let wrong = tally.wrong.iter().map(|(item, what)| format!("{}: {what}", ledger.name(*item)));
    let unknown = findings.unknown.iter().map(|name| format!("{name}: never written"));
    let exact = tally.holes + tally.ahead + tally.altered + tally.resurrected + findings.extra == 0;
    Comparison {
        as_claimed: exact && findings.rows == rows_expected && findings.missing.is_empty() && impossible.is_none(),
        prefix,
        last,
        rows_expected,
        rows_found: findings.rows,
        writes_lost: tally.lost,
        holes: tally.holes,
        writes_ahead: tally.ahead,
        altered: tally.altered,
        extra: findings.extra,
        resurrected: tally.resurrected,
        examples: impossible.into_iter().chain(tables).chain(wrong).chain(unknown).take(EXAMPLES).collect(),
    }
}

/// The check on the comparison.
#[derive(Debug)]
pub struct LedgerCheck;

#[async_trait]
impl Check for LedgerCheck {
    fn name(&self) -> &'static str {
        "ledger"
    }

    fn summary(&self) -> &'static str {
        "compares every restored row with the ledger of acknowledged writes"
    }

    fn is_for(&self, _: ServiceKind) -> bool {
        true
    }

    fn proves(&self) -> &'static str {
        "the restored state is exactly what the source held at the position that the pipeline claims"
    }

    async fn run(&self, evidence: &Evidence) -> CheckResult {
        result(self, evidence.comparison().await.map(|comparison| outcome(&comparison, evidence.claim.position.seq)))
    }
}

fn outcome(found: &Comparison, claimed: u64) -> Outcome {
    if found.as_claimed {
        return Outcome::Passed(format!("{} rows, all as the source held them at write {claimed}", found.rows_found));
    }
    let counts = [
        (found.holes, "promised writes lost"),
        (found.writes_ahead, "writes after the claimed position"),
        (found.altered, "rows altered"),
        (found.extra, "extra rows"),
        (found.resurrected, "deleted rows back"),
    ];
    let mut said = vec![format!("{} rows where write {claimed} had {}", found.rows_found, found.rows_expected)];
    said.extend(counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    Outcome::Failed(format!("{} ({})", said.join(", "), found.examples.join("; ")))
}

#[cfg(test)]
mod tests;
