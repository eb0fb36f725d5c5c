//! Spells rows as text, and packs it in gzip members of about 1 MiB that end at a line's end.

use std::{collections::VecDeque, mem, sync::Arc};

use bytes::{Buf, Bytes};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};

use super::{
    ArchiveError, PIECE_BYTES, Packed, SummaryHandle, gzip,
    intake::{Intake, Step},
    lines,
    tally::metered,
};
use crate::{service::contract::Contents, sim::lanes::Lanes};

/// How rows are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// A first line that lists the tables, then a line a row, which names its table.
    Lines,
    /// One JSON object with an array a table, a line a row.
    Object,
}

/// Packs rows.
pub(super) fn pack(spelling: Spelling, contents: Contents, lanes: &Lanes) -> Packed {
    let summary = SummaryHandle::default();
    let texts = match Writer::new(spelling, contents, &summary) {
        Ok(writer) => writer.texts(),
        Err(error) => stream::iter([Err(error)]).boxed(),
    };
    let members = lanes.map(texts, |text: Result<Vec<u8>, ArchiveError>| {
        let member = gzip::compress(&text?);
        member.map(Bytes::from).map_err(|error| ArchiveError::Contents(format!("compression failed: {error}")))
    });
    Packed { bytes: metered(members.boxed(), &summary), summary }
}

/// Writes rows as text.
struct Writer {
    intake: Intake,
    steps: VecDeque<Step>,
    spelling: Spelling,
    text: Vec<u8>,
    /// What a row of the current table begins with, in the place of its `{`.
    prefix: String,
    /// Tables begun.
    tables: usize,
    /// Whether the current table has rows.
    has_rows: bool,
    /// Whether all text is written; then one empty piece follows, which closes the archive.
    ended: bool,
    closed: bool,
}

impl Writer {
    fn new(spelling: Spelling, contents: Contents, summary: &SummaryHandle) -> Result<Self, ArchiveError> {
        let text = match spelling {
            Spelling::Lines => lines::header(&contents.tables) + "\n",
            Spelling::Object => "{".into(),
        };
        Ok(Writer {
            intake: Intake::new(contents, summary)?,
            steps: VecDeque::new(),
            spelling,
            text: text.into_bytes(),
            prefix: String::new(),
            tables: 0,
            has_rows: false,
            ended: false,
            closed: false,
        })
    }

    /// The text in pieces, each the contents of one member.
    fn texts(self) -> BoxStream<'static, Result<Vec<u8>, ArchiveError>> {
        stream::try_unfold(self, |mut writer| async move { Ok(writer.next().await?.map(|text| (text, writer))) })
            .boxed()
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, ArchiveError> {
        if self.closed {
            return Ok(None);
        }
        while self.text.len() < PIECE_BYTES && !self.ended {
            match self.steps.pop_front() {
                Some(Step::Table(table)) => self.begin(&table),
                Some(Step::Lines(lines)) => {
                    let left = self.write(lines);
                    if !left.is_empty() {
                        self.steps.push_front(Step::Lines(left));
                    }
                }
                None => match self.intake.next().await? {
                    Some(steps) => self.steps.extend(steps),
                    None => self.end(),
                },
            }
        }
        let room = Vec::with_capacity(if self.ended { 0 } else { PIECE_BYTES + PIECE_BYTES / 8 });
        let text = mem::replace(&mut self.text, room);
        self.closed = text.is_empty();
        Ok(Some(text))
    }

    fn begin(&mut self, table: &Arc<str>) {
        match self.spelling {
            Spelling::Lines => self.prefix = lines::row_prefix(table),
            Spelling::Object => {
                self.text.extend_from_slice(match (self.tables, self.has_rows) {
                    (0, _) => b"\n",
                    (_, true) => b"\n],\n",
                    (_, false) => b"],\n",
                });
                self.text.extend_from_slice(lines::quoted(table).as_bytes());
                self.text.extend_from_slice(b":[");
            }
        }
        self.tables += 1;
        self.has_rows = false;
    }

    /// Writes lines until the piece is full, and returns those that are left.
    fn write(&mut self, mut lines: Bytes) -> Bytes {
        while self.text.len() < PIECE_BYTES && !lines.is_empty() {
            let end = line_end(&lines);
            let row = &lines[..end];
            match self.spelling {
                Spelling::Lines => {
                    self.text.extend_from_slice(self.prefix.as_bytes());
                    if row.len() > 2 {
                        self.text.push(b',');
                    }
                    self.text.extend_from_slice(&row[1..]);
                    self.text.push(b'\n');
                }
                Spelling::Object => {
                    self.text.extend_from_slice(if self.has_rows { b",\n" } else { b"\n" });
                    self.text.extend_from_slice(row);
                }
            }
            self.has_rows = true;
            lines.advance(end + 1);
        }
        lines
    }

    fn end(&mut self) {
        if self.spelling == Spelling::Object {
            self.text.extend_from_slice(match (self.tables, self.has_rows) {
                (0, _) => b"}\n",
                (_, true) => b"\n]\n}\n",
                (_, false) => b"]\n}\n",
            });
        }
        self.ended = true;
    }
}

/// Where the first line ends: the intake has seen to it that it does.
fn line_end(lines: &[u8]) -> usize {
    lines.iter().position(|byte| *byte == b'\n').unwrap_or(lines.len() - 1)
}
