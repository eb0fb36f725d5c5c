//! The source as a deployment's documents: read page by page from one state, and never imported into.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    ledger::WriteLedger,
    source::{LiveSource, Part, State},
    tables::TABLES,
};
use crate::{
    emulator::convex::documents::{Deltas, Documents, ImportPlan, Page, Snapshot, Staging, TableInfo},
    service::contract::ServiceError,
    sim::lanes::Lanes,
};

/// The source's documents. A timestamp is the commit time of a write, which no two writes share.
#[derive(Debug)]
pub(super) struct SourceDocuments {
    pub(super) source: Arc<LiveSource>,
    pub(super) ledger: Arc<WriteLedger>,
    pub(super) lanes: Lanes,
}

struct SourceSnapshot {
    source: Arc<LiveSource>,
    state: Arc<State>,
    tables: Vec<TableInfo>,
    lanes: Lanes,
}

#[async_trait]
impl Documents for SourceDocuments {
    async fn snapshot(&self) -> Result<Arc<dyn Snapshot>, ServiceError> {
        let state = self.source.now()?;
        let info = |(number, table): (usize, &super::tables::Table)| TableInfo {
            name: table.name.into(),
            rows: state.rows_of(number),
        };
        let tables = TABLES.iter().enumerate().map(info).collect();
        Ok(Arc::new(SourceSnapshot { source: Arc::clone(&self.source), state, tables, lanes: self.lanes.clone() }))
    }

    async fn changes(&self, since: i64, most_rows: u64) -> Result<Deltas, ServiceError> {
        let moment = Timestamp::from_nanosecond(since.into()).ok();
        let since = moment.and_then(|moment| self.ledger.position_at(moment));
        let since = since.ok_or_else(|| ServiceError("no write has that timestamp".into()))?;
        let changes = self.source.changes_of(since, usize::try_from(most_rows).unwrap_or(usize::MAX)).await?;
        let newest = self.source.now()?.position();
        Ok(Deltas {
            to: nanoseconds(changes.to.committed_at),
            has_more: changes.to.seq < newest.seq,
            rows: changes.rows,
        })
    }

    async fn begin(&self, _: ImportPlan) -> Result<Box<dyn Staging>, ServiceError> {
        let why =
            "this deployment takes no imports: its documents are written by the application; import into a new one";
        Err(ServiceError(why.into()))
    }
}

#[async_trait]
impl Snapshot for SourceSnapshot {
    fn timestamp(&self) -> i64 {
        nanoseconds(self.state.position().committed_at)
    }

    fn tables(&self) -> &[TableInfo] {
        &self.tables
    }

    async fn page(&self, table: usize, from: u64, most_rows: usize) -> Result<Page, ServiceError> {
        let (source, state) = (Arc::clone(&self.source), Arc::clone(&self.state));
        let name = Arc::clone(&self.tables[table].name);
        let end = state.ever(table);
        let to = end.min(from.saturating_add(most_rows as u64));
        let render = move || {
            source.now()?;
            Ok::<_, ServiceError>(state.render(&Part { table, name, from: from.min(to), to }))
        };
        let chunk = self.lanes.run(render).await?;
        Ok(Page { rows: chunk.rows, lines: chunk.lines, next: (to < end).then_some(to) })
    }
}

/// Nanoseconds since 1970; a drill's dates fit.
pub(super) fn nanoseconds(moment: Timestamp) -> i64 {
    i64::try_from(moment.as_nanosecond()).unwrap_or(i64::MAX)
}
