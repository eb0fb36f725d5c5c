//! Damaging the bytes of a dump: streams through a copy of it, so that large dumps can be damaged as well.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};

use data_encoding::HEXLOWER;
use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};

use sha2::{Digest, Sha256};

use crate::{
    emulator::s3::body::{Body, BodyWriter},
    model::units::Percent,
};

/// What is done to the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fault) enum Damage {
    /// Only the first part is kept.
    Keep(Percent),
    /// So many bytes of the end are gone.
    CutOff(u64),
    /// One bit in the middle is the other way round.
    FlipBit,
    /// The row in the middle loses its closing brace.
    LoseBracket,
    /// A character of the row in the middle becomes a byte that is no UTF-8.
    BreakUtf8,
    /// A number of the row in the middle becomes text; where it has none, a text becomes a list.
    ChangeType,
    /// A digit in the row in the middle becomes another; where it has none, a letter.
    ChangeValue,
}

/// The body that comes of what is written.
pub(super) fn body_of(into: BodyWriter, write: impl FnOnce(&mut Writer) -> io::Result<()>) -> io::Result<Body> {
    let mut into = Writer(into);
    write(&mut into)?;
    into.0.finish()
}

/// A damaged copy of a body.
pub(in crate::fault) fn damaged(body: &Body, damage: Damage, into: BodyWriter) -> Result<Body, String> {
    let made = body_of(into, |into| match damage {
        Damage::Keep(share) => copy(&mut reader(body).take(share.of(body.len())), into),
        Damage::CutOff(bytes) => copy(&mut reader(body).take(body.len().saturating_sub(bytes)), into),
        Damage::FlipBit => flip(body, into),
        _ => edit_middle_line(body, damage, into),
    });
    made.map_err(|e| format!("the dump cannot be damaged so: {e}"))
}

pub(super) fn copy(from: &mut impl Read, into: &mut Writer) -> io::Result<()> {
    io::copy(from, into).map(|_| ())
}

fn flip(body: &Body, into: &mut Writer) -> io::Result<()> {
    let middle = body.len() / 2;
    let mut from = reader(body);
    copy(&mut (&mut from).take(middle), into)?;
    let mut byte = [0];
    from.read_exact(&mut byte)?;
    into.write_all(&[byte[0] ^ 0b0001_0000])?;
    copy(&mut from, into)
}

/// Two passes: the first counts the lines, the second changes the one in the middle.
fn edit_middle_line(body: &Body, damage: Damage, into: &mut Writer) -> io::Result<()> {
    let mut line = Vec::new();
    let mut lines = 0u64;
    let mut first_pass = inflate(body);
    while next_line(&mut first_pass, &mut line)? {
        lines += 1;
    }
    let middle = lines / 2;
    let mut deflate = GzEncoder::new(into, Compression::default());
    let mut second_pass = inflate(body);
    let mut changed = false;
    for number in 0..lines {
        next_line(&mut second_pass, &mut line)?;
        // A line that holds no row (a bracket, a header) is passed over for the next one.
        if number >= middle && !changed {
            changed = edit(&mut line, damage);
        }
        deflate.write_all(&line)?;
    }
    deflate.finish()?;
    if changed { Ok(()) } else { Err(io::Error::other("it has no row that could be damaged")) }
}

/// Damages one line. Whether there was anything to damage.
pub(super) fn edit(line: &mut Vec<u8>, damage: Damage) -> bool {
    let edited = match damage {
        Damage::LoseBracket => line.iter().rposition(|b| *b == b'}').map(|at| {
            line.remove(at);
        }),
        Damage::BreakUtf8 => find(line, b"\"_id\":\"").map(|at| line[at] = 0xff),
        Damage::ChangeType => match number_after(line, b"\"_creationTime\":") {
            Some((from, to)) => {
                line.insert(to, b'"');
                line.insert(from, b'"');
                Some(())
            }
            None => list_last_text(line).then_some(()),
        },
        Damage::ChangeValue => change_value(line).then_some(()),
        Damage::Keep(_) | Damage::CutOff(_) | Damage::FlipBit => None,
    };
    edited.is_some()
}

/// Makes a list of the last text of a row. Whether it has one.
fn list_last_text(row: &mut Vec<u8>) -> bool {
    let end = row.iter().rposition(|b| *b == b'"').filter(|at| row.get(at + 1) == Some(&b'}'));
    let begin = end.and_then(|end| row[..end].iter().rposition(|b| *b == b'"'));
    let (Some(begin), Some(end)) = (begin.filter(|at| *at > 0 && row[at - 1] == b':'), end) else { return false };
    row.insert(end + 1, b']');
    row.insert(begin, b'[');
    true
}

/// Changes a digit of a row's date. Whether it has one.
pub(super) fn change_digit(row: &mut [u8]) -> bool {
    let number = number_after(row, b"\"_creationTime\":");
    number.is_some_and(|(from, to)| {
        let at = from + (to - from) / 2;
        row[at] = if row[at] == b'7' { b'3' } else { b'7' };
        true
    })
}

/// Changes what a row says, and leaves it well-formed: a digit of its date, or else the last letter of its last text.
/// Whether there was anything to change.
pub(super) fn change_value(row: &mut [u8]) -> bool {
    if change_digit(row) {
        return true;
    }
    let last = row.iter().rposition(u8::is_ascii_alphanumeric).filter(|at| row.get(at + 1) == Some(&b'"'));
    last.is_some_and(|at| {
        row[at] = if row[at] == b'7' { b'3' } else { b'7' };
        true
    })
}

/// Where the text begins that follows `label`.
fn find(line: &[u8], label: &[u8]) -> Option<usize> {
    line.windows(label.len()).position(|window| window == label).map(|at| at + label.len())
}

/// Begin and end of the integer part of the number that follows `label`.
fn number_after(line: &[u8], label: &[u8]) -> Option<(usize, usize)> {
    let from = find(line, label)?;
    let number = line[from..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    (number > 2).then_some((from, from + number))
}

pub(in crate::fault) fn inflate(body: &Body) -> impl BufRead {
    BufReader::with_capacity(64 * 1024, MultiGzDecoder::new(reader(body)))
}

pub(super) fn next_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    Ok(from.read_until(b'\n', line)? > 0)
}

pub(super) fn reader(body: &Body) -> BufReader<Reader> {
    BufReader::with_capacity(64 * 1024, Reader::of(body))
}

/// SHA-256 of a body, lower-case hex.
pub(in crate::fault) fn sha256(body: &Body) -> Result<String, String> {
    let mut hasher = Sha256::new();
    body.read_through(0..body.len(), |piece| hasher.update(piece)).map_err(|e| e.to_string())?;
    Ok(HEXLOWER.encode(&hasher.finalize()))
}

/// A body as a stream to read.
pub(super) struct Reader {
    body: Body,
    at: u64,
}

impl Reader {
    pub(super) fn of(body: &Body) -> Self {
        Reader { body: body.clone(), at: 0 }
    }
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let piece = self.body.read_at(self.at, into.len())?;
        into[..piece.len()].copy_from_slice(&piece);
        self.at += piece.len() as u64;
        Ok(piece.len())
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.body.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// A body as a stream to write.
pub(super) struct Writer(pub(super) BodyWriter);

impl Write for Writer {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.0.write(from).map(|()| from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
