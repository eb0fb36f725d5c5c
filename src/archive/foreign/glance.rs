//! A glance at a file's first and last bytes: what costs next to nothing, and finds the empty file, the error page that
//! was stored in a dump's place, and the ZIP without its end.

use flate2::{Decompress, FlushDecompress};

use super::{Content, Kind, Wrap, tar};
use crate::archive::{ArchiveError, gzip};

/// How much of a file's beginning is looked at, in bytes.
pub const HEAD_BYTES: u64 = 1 << 10;

/// How much of a file's end is looked at, in bytes: a ZIP's record with the longest comment.
pub const TAIL_BYTES: u64 = (64 << 10) + 22;

/// Shortest gzip file, in bytes.
const SHORTEST_GZIP: u64 = 20;

/// Holds a file's first and last bytes (all of a short file is both) against what its name says.
///
/// # Errors
/// In what they differ.
pub fn glance(kind: Kind, head: &[u8], tail: &[u8], size: u64) -> Result<(), ArchiveError> {
    let foreign = |expected| Err(ArchiveError::foreign(expected, head));
    let cut = |place: &str| Err(ArchiveError::Cut { place: place.into() });
    if size == 0 {
        return Err(ArchiveError::Empty);
    }
    match kind.wrap {
        Wrap::Plain => content(kind.content, head, true)?,
        Wrap::Gzip => {
            let header = gzip::header(head, 1)?;
            if size < SHORTEST_GZIP {
                return cut("in gzip member 1");
            }
            if let Some(header) = header {
                content(kind.content, &inflated(&head[header.len..])?, false)?;
            }
        }
        Wrap::Zip if !head.starts_with(b"PK") => return foreign("ZIP"),
        Wrap::Zip if !has_end_record(tail) => return cut("or damaged: a ZIP's end record is not at its end"),
        Wrap::Other { name, magic } if !head.starts_with(magic) => return foreign(name),
        Wrap::Zip | Wrap::Other { .. } | Wrap::Encrypted => {}
    }
    let ends = |ends: &[u8]| tail.iter().rev().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| ends.contains(b));
    match (kind.wrap, kind.content) {
        (Wrap::Plain, Content::Json | Content::JsonLines) if !ends(b"}]") => cut("before its JSON ends"),
        (Wrap::Plain, Content::Tar) if !tail.ends_with(&[0; tar::BLOCK]) || !size.is_multiple_of(tar::BLOCK as u64) => {
            cut("before the tar's end")
        }
        _ => Ok(()),
    }
}

/// What inflates from the first bytes of a deflate stream.
fn inflated(deflated: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let mut raw = Vec::with_capacity(4 << 10);
    let begun = Decompress::new(false).decompress_vec(deflated, &mut raw, FlushDecompress::None);
    begun.map(|_| raw).map_err(|_| ArchiveError::damaged(gzip::place(1), "its deflate stream is broken"))
}

/// Whether the beginning of a content is one. `all`: whether it is not short for having been inflated from few bytes.
fn content(content: Content, head: &[u8], all: bool) -> Result<(), ArchiveError> {
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    match (content, first) {
        (Content::Json | Content::JsonLines, Some(b'{' | b'[')) | (Content::Unknown, _) => Ok(()),
        (Content::Json | Content::JsonLines, None) if !all => Ok(()),
        (Content::Json | Content::JsonLines, _) => Err(ArchiveError::foreign("JSON", head)),
        (Content::Tar, _) if head.len() < tar::BLOCK && !all => Ok(()),
        (Content::Tar, _) if head.len() >= tar::BLOCK && is_tar(&head[..tar::BLOCK]) => Ok(()),
        (Content::Tar, _) => Err(ArchiveError::foreign("tar", head)),
    }
}

/// A tar begins with a header, or where it holds nothing with its end.
fn is_tar(block: &[u8]) -> bool {
    tar::is_header(block) || block.iter().all(|byte| *byte == 0)
}

/// The record at a ZIP's end, which may have a comment behind it.
fn has_end_record(tail: &[u8]) -> bool {
    let stated = |at: usize| tail.get(at + 20..at + 22).map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])));
    let found = memchr::memmem::find_iter(tail, b"PK\x05\x06");
    found.into_iter().any(|at| stated(at).is_some_and(|comment| at + 22 + comment == tail.len()))
}
