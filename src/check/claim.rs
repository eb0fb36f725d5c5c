//! What was restored, where a pipeline says that it is done and not what it took: the ledger tells. Whatever is found this
//! way is compared again, as every claim is.

use std::sync::Arc;

use super::ledger::compare;
use crate::{
    model::event::{BackupMade, Claim},
    service::contract::{Ledger, View},
    sim::lanes::Lanes,
};

/// Where the point lay, of a pipeline that does not say.
const UNSAID: &str = "(not said)";

/// The backup that is live, of those that were made; where changes are kept between them, any position. Where it is none
/// of them, the newest one: who says that it is done says that this is back.
pub async fn recognise(
    live: Option<Arc<dyn View>>,
    ledger: &Arc<dyn Ledger>,
    made: &[BackupMade],
    is_continuous: bool,
    lanes: &Lanes,
) -> Claim {
    let newest = made.last().map_or_else(|| nothing(ledger), claim);
    let Some(view) = live else { return newest };
    let mut tried = Vec::new();
    if is_continuous {
        // What can be seen of the unbroken prefix is all that there may be.
        let last = Claim { point: "the newest change that was kept".into(), position: ledger.last(), ..newest.clone() };
        if let Ok(found) = compare(&view, ledger, &last, lanes).await {
            tried.push(Claim { position: found.prefix, ..last });
        }
    }
    tried.extend(made.iter().rev().map(claim));
    for claim in tried {
        if compare(&view, ledger, &claim, lanes).await.is_ok_and(|found| found.as_claimed) {
            return claim;
        }
    }
    newest
}

fn claim(made: &BackupMade) -> Claim {
    Claim { point: made.point.clone(), region: UNSAID.into(), position: made.position }
}

/// A restore that is done although there was no backup.
fn nothing(ledger: &Arc<dyn Ledger>) -> Claim {
    Claim { point: "no backup that was made".into(), region: UNSAID.into(), position: ledger.last() }
}
