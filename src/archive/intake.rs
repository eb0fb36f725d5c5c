//! Takes in the rows that are to be packed, and holds their source to the contract: tables as announced, whole lines of
//! UTF-8, an object a line, as many as stated. What gets past here can be read again.

use std::{mem, sync::Arc};

use bytes::Bytes;
use futures_util::StreamExt;

use super::{
    ArchiveError, MAX_LINE_BYTES, SummaryHandle,
    order::{MAX_NAME_BYTES, Order},
    tally::Tally,
};
use crate::service::contract::{Contents, RowChunk, RowStream};

/// Longest row that is packed, in bytes: what is left of a line when it also names its table, every byte escaped.
const MAX_ROW_BYTES: usize = MAX_LINE_BYTES - 6 * MAX_NAME_BYTES - 64;

/// Rows on their way into an archive.
pub(super) struct Intake {
    rows: RowStream,
    order: Order,
    tally: Tally,
    summary: Option<SummaryHandle>,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Step {
    /// A table begins.
    Table(Arc<str>),
    /// Lines of that table.
    Lines(Bytes),
}

impl Intake {
    /// Announces the tables; `summary` gets their digests when all rows have come.
    pub(super) fn new(contents: Contents, summary: &SummaryHandle) -> Result<Self, ArchiveError> {
        let order = Order::of(contents.tables).map_err(ArchiveError::Contents)?;
        Ok(Intake { rows: contents.rows, order, tally: Tally::default(), summary: Some(summary.clone()) })
    }

    /// The next steps; `None` when all rows and all tables have come.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Step>>, ArchiveError> {
        if self.summary.is_none() {
            return Ok(None);
        }
        let chunk = self.rows.next().await.transpose().map_err(ArchiveError::Source)?;
        let Some(chunk) = chunk else {
            let rest = self.order.rest();
            let steps = self.begin(&rest);
            if let Some(summary) = self.summary.take() {
                summary.set_tables(mem::take(&mut self.tally));
            }
            return Ok(Some(steps));
        };
        let begun = self.order.enter(&chunk.table).map_err(|fault| unfit(&chunk, &fault.to_string()))?;
        let mut steps = self.begin(&begun);
        check_lines(&chunk)?;
        self.tally.add(chunk.rows, &chunk.lines);
        steps.push(Step::Lines(chunk.lines));
        Ok(Some(steps))
    }

    fn begin(&mut self, tables: &[Arc<str>]) -> Vec<Step> {
        for table in tables {
            self.tally.begin(table);
        }
        tables.iter().cloned().map(Step::Table).collect()
    }
}

fn check_lines(chunk: &RowChunk) -> Result<(), ArchiveError> {
    let text = simdutf8::basic::from_utf8(&chunk.lines).map_err(|_| unfit(chunk, "a row is not UTF-8"))?;
    let mut rows = 0;
    for line in text.split_inclusive('\n') {
        rows += 1;
        if !(line.starts_with('{') && line.ends_with("}\n")) {
            return Err(unfit(chunk, "a row is not one JSON object on one line"));
        }
        if line.len() > MAX_ROW_BYTES {
            return Err(unfit(chunk, &format!("a row is longer than {MAX_ROW_BYTES} bytes")));
        }
    }
    if rows == chunk.rows {
        return Ok(());
    }
    Err(unfit(chunk, &format!("{} rows were announced and {rows} came", chunk.rows)))
}

fn unfit(chunk: &RowChunk, what: &str) -> ArchiveError {
    ArchiveError::Contents(format!("table `{}`: {what}", chunk.table.escape_debug()))
}
