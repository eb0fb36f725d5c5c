//! Reads a dump that is one JSON object with an array a table, however it is spelled, as its text streams in: memory
//! holds one piece of text and one row.

use std::{mem, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    ArchiveError, Fault, MAX_LINE_BYTES, PIECE_BYTES, Place, json,
    members::Pieces,
    sequence::{Parsed, ParsedStream, Run},
};
use crate::sim::lanes::Lanes;

/// Reads the object.
pub(super) fn read(pieces: Pieces, lanes: &Lanes) -> ParsedStream {
    let state = (Some(pieces), Reader::default(), lanes.clone());
    stream::try_unfold(state, |(mut pieces, mut reader, lanes)| async move {
        let Some(source) = &mut pieces else { return Ok(None) };
        let Some(piece) = source.next().await.transpose()? else {
            return Ok(Some((reader.finish()?, (None, reader, lanes))));
        };
        let found;
        (reader, found) = lanes
            .run(move || {
                let found = reader.push(&piece);
                (reader, found)
            })
            .await;
        Ok(Some((found?, (pieces, reader, lanes))))
    })
    .boxed()
}

/// What may come next, but for white space.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Expect {
    #[default]
    Object,
    FirstName,
    Name,
    Colon,
    Array,
    FirstRow,
    Row,
    CommaOrArrayEnd,
    CommaOrObjectEnd,
    Nothing,
}

impl Expect {
    /// As people read it.
    fn words(self) -> &'static str {
        match self {
            Expect::Object => "the dump's `{`",
            Expect::FirstName => "a table's name or `}`",
            Expect::Name => "a table's name",
            Expect::Colon => "`:` after a table's name",
            Expect::Array => "a table's `[`",
            Expect::FirstRow => "a row or `]`",
            Expect::Row => "a row",
            Expect::CommaOrArrayEnd => "`,` or `]` after a row",
            Expect::CommaOrObjectEnd => "`,` or `}` after a table",
            Expect::Nothing => "nothing after the dump's `}`",
        }
    }
}

/// Reads as far as the text that it has goes.
#[derive(Default)]
struct Reader {
    expect: Expect,
    /// Text that is not used yet: the beginning of a row or a name.
    text: String,
    /// Bytes of a character that the next piece completes.
    cut: Vec<u8>,
    /// Line ends in the text that was used.
    lines: u64,
    /// The current table, its rows so far, and those not handed out.
    table: Option<Arc<str>>,
    rows: u64,
    out: Vec<u8>,
    out_rows: u64,
    found: Vec<Parsed>,
}

impl Reader {
    /// Takes the next piece of text; returns what it completes.
    fn push(&mut self, piece: &[u8]) -> Result<Vec<Parsed>, ArchiveError> {
        let is_text = self.take_text(piece);
        let text = mem::take(&mut self.text);
        let used = self.scan(&text)?;
        text[used..].clone_into(&mut self.text);
        if !is_text {
            return Err(self.error(Fault::Utf8(self.text.len() + 1)));
        }
        if self.text.len() > MAX_LINE_BYTES {
            return Err(self.error(Fault::TooLong));
        }
        self.hand_out();
        Ok(mem::take(&mut self.found))
    }

    /// No more text comes.
    fn finish(&mut self) -> Result<Vec<Parsed>, ArchiveError> {
        if self.expect == Expect::Nothing && self.text.is_empty() && self.cut.is_empty() {
            return Ok(mem::take(&mut self.found));
        }
        let missing = match self.text.is_empty() {
            true => format!("the text ends where {} should come", self.expect.words()),
            false => "the text ends in the middle of a row or a name".to_owned(),
        };
        Err(self.error(Fault::Json(missing)))
    }

    /// Holds the characters of a piece. Returns whether it is text.
    fn take_text(&mut self, piece: &[u8]) -> bool {
        let joined;
        let bytes = match self.cut.is_empty() {
            true => piece,
            false => {
                joined = [&mem::take(&mut self.cut), piece].concat();
                &joined
            }
        };
        match simdutf8::compat::from_utf8(bytes) {
            Ok(text) => self.text.push_str(text),
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                self.text.push_str(&String::from_utf8_lossy(valid));
                if error.error_len().is_some() {
                    return false;
                }
                self.cut = rest.to_vec();
            }
        }
        true
    }

    /// Reads on through `text`; returns how much of it is used.
    fn scan(&mut self, text: &str) -> Result<usize, ArchiveError> {
        let (mut at, mut counted) = (0, 0);
        loop {
            let rest = text[at..].trim_start_matches([' ', '\n', '\t', '\r']);
            at = text.len() - rest.len();
            let step = self.step(rest);
            // Lines are counted where a place may be told: once a table, and not once a row.
            if !matches!(step, Ok(Some(_))) || self.expect == Expect::FirstRow {
                self.lines += text[counted..at].matches('\n').count() as u64;
                counted = at;
            }
            match step.map_err(|fault| self.error(fault))? {
                Some(taken) => at += taken,
                None => return Ok(at),
            }
            if self.expect == Expect::FirstRow {
                self.announce();
            }
        }
    }

    /// Takes what `rest` begins with and returns its length; `None` where its end is still to come.
    fn step(&mut self, rest: &str) -> Result<Option<usize>, Fault> {
        match (self.expect, rest.chars().next()) {
            (_, None) => Ok(None),
            (Expect::FirstRow | Expect::Row, Some('{')) => self.row(rest),
            (Expect::FirstName | Expect::Name, Some('"')) => self.name(rest),
            (_, Some(next)) => self.punctuation(next).map(|()| Some(1)),
        }
    }

    /// A row; `None` where its end is still to come.
    fn row(&mut self, rest: &str) -> Result<Option<usize>, Fault> {
        let Some((row, taken)) = value::<&RawValue>(rest)? else { return Ok(None) };
        if taken > MAX_LINE_BYTES {
            return Err(Fault::TooLong);
        }
        json::check_depth(row.get())?;
        json::push_on_one_line(row.get(), &mut self.out);
        self.out.push(b'\n');
        self.rows += 1;
        self.out_rows += 1;
        if self.out.len() >= PIECE_BYTES {
            self.hand_out();
        }
        self.expect = Expect::CommaOrArrayEnd;
        Ok(Some(taken))
    }

    /// A table's name; `None` where its end is still to come.
    fn name(&mut self, rest: &str) -> Result<Option<usize>, Fault> {
        let Some((name, taken)) = value::<String>(rest)? else { return Ok(None) };
        self.hand_out();
        self.table = Some(name.into());
        self.rows = 0;
        self.expect = Expect::Colon;
        Ok(Some(taken))
    }

    fn punctuation(&mut self, next: char) -> Result<(), Fault> {
        self.expect = match (self.expect, next) {
            (Expect::Object, '{') => Expect::FirstName,
            (Expect::FirstName, '}') => {
                self.found.push(Parsed::Tables(Vec::new()));
                Expect::Nothing
            }
            (Expect::Colon, ':') => Expect::Array,
            (Expect::Array, '[') => Expect::FirstRow,
            (Expect::FirstRow | Expect::CommaOrArrayEnd, ']') => Expect::CommaOrObjectEnd,
            (Expect::CommaOrArrayEnd, ',') => Expect::Row,
            (Expect::CommaOrObjectEnd, ',') => Expect::Name,
            (Expect::CommaOrObjectEnd, '}') => Expect::Nothing,
            (Expect::FirstRow | Expect::Row, '[' | '"' | '-' | '0'..='9' | 't' | 'f' | 'n') => {
                return Err(Fault::NotAnObject(next));
            }
            (expected, _) => {
                return Err(Fault::Json(format!("`{}` stands where {} should", next.escape_debug(), expected.words())));
            }
        };
        Ok(())
    }

    /// The table itself, so that it is there even without rows.
    fn announce(&mut self) {
        if let Some(table) = self.table.clone() {
            let place = self.place();
            self.found.push(Parsed::Rows(Run { table, rows: 0, lines: Bytes::new(), place }));
        }
    }

    fn hand_out(&mut self) {
        if let Some(table) = self.table.clone().filter(|_| self.out_rows > 0) {
            let lines = mem::take(&mut self.out).into();
            let place = self.place();
            self.found.push(Parsed::Rows(Run { table, rows: mem::take(&mut self.out_rows), lines, place }));
        }
    }

    fn error(&self, fault: Fault) -> ArchiveError {
        ArchiveError::Row { place: self.place(), fault }
    }

    fn place(&self) -> Place {
        let row =
            matches!(self.expect, Expect::FirstRow | Expect::Row | Expect::CommaOrArrayEnd).then_some(self.rows + 1);
        let table = if self.expect == Expect::Nothing { None } else { self.table.clone() };
        Place { table, line: self.lines + 1, row }
    }
}

/// The JSON value that a text begins with, and its length; `None` where the text ends before it does.
fn value<'t, T: Deserialize<'t>>(text: &'t str) -> Result<Option<(T, usize)>, Fault> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    match values.next() {
        Some(Ok(value)) => Ok(Some((value, values.byte_offset()))),
        Some(Err(error)) if !error.is_eof() => Err(json::fault(&error)),
        _ => Ok(None),
    }
}
