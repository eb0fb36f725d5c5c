//! Puts what the readers of the formats find into one shape: chunks table by table, each table once, with its digest.

use std::{collections::VecDeque, mem, sync::Arc};

use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};

use super::{ArchiveError, Place, SummaryHandle, order::Order, tally::Tally};
use crate::service::contract::RowChunk;

/// What a reader finds in an archive.
pub(super) enum Parsed {
    /// The list of all tables; comes first if at all.
    Tables(Vec<String>),
    /// Rows of one table, or none: the table itself.
    Rows(Run),
}

/// Checked rows of one table.
pub(super) struct Run {
    pub(super) table: Arc<str>,
    pub(super) rows: u64,
    pub(super) lines: Bytes,
    /// Where the first one stands.
    pub(super) place: Place,
}

/// What a reader finds, as it finds it.
pub(super) type ParsedStream = BoxStream<'static, Result<Vec<Parsed>, ArchiveError>>;

/// Chunks of rows, and the summary at their end.
pub(super) fn rows(parsed: ParsedStream, summary: SummaryHandle) -> BoxStream<'static, Result<RowChunk, ArchiveError>> {
    let state = Sequence {
        parsed: Some(parsed),
        summary,
        order: Order::default(),
        tally: Tally::default(),
        empty: None,
        ready: VecDeque::new(),
    };
    stream::try_unfold(state, |mut state| async move { Ok(state.next().await?.map(|chunk| (chunk, state))) }).boxed()
}

struct Sequence {
    /// `None` once it has ended.
    parsed: Option<ParsedStream>,
    summary: SummaryHandle,
    order: Order,
    tally: Tally,
    /// The table that has begun and has no rows so far.
    empty: Option<Arc<str>>,
    ready: VecDeque<RowChunk>,
}

impl Sequence {
    async fn next(&mut self) -> Result<Option<RowChunk>, ArchiveError> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Ok(Some(chunk));
            }
            let Some(parsed) = &mut self.parsed else { return Ok(None) };
            match parsed.next().await.transpose()? {
                Some(found) => found.into_iter().try_for_each(|one| self.take(one))?,
                None => self.finish()?,
            }
        }
    }

    fn take(&mut self, found: Parsed) -> Result<(), ArchiveError> {
        match found {
            Parsed::Tables(names) => {
                let names = names.into_iter().map(Arc::from).collect();
                self.order = Order::of(names).map_err(ArchiveError::Tables)?;
            }
            Parsed::Rows(run) => {
                let begun = self.order.enter(&run.table);
                let begun = begun.map_err(|fault| ArchiveError::Row { place: run.place, fault })?;
                self.begin(&begun);
                if run.rows > 0 {
                    self.empty = None;
                    self.tally.add(run.rows, &run.lines);
                    self.ready.push_back(RowChunk { table: run.table, rows: run.rows, lines: run.lines });
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, tables: &[Arc<str>]) {
        for table in tables {
            self.hand_out_empty();
            self.tally.begin(table);
            self.empty = Some(table.clone());
        }
    }

    fn hand_out_empty(&mut self) {
        if let Some(table) = self.empty.take() {
            self.ready.push_back(RowChunk { table, rows: 0, lines: Bytes::new() });
        }
    }

    fn finish(&mut self) -> Result<(), ArchiveError> {
        self.parsed = None;
        if !self.order.is_listed() && !self.order.has_begun() {
            // What a dump that failed leaves when it is piped to gzip.
            return Err(ArchiveError::Tables("the archive holds neither rows nor a list of tables".into()));
        }
        let rest = self.order.rest();
        self.begin(&rest);
        self.hand_out_empty();
        self.summary.set_tables(mem::take(&mut self.tally));
        Ok(())
    }
}
