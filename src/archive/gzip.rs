//! gzip framing (RFC 1952). Our own members carry their compressed length in an extra field, so that a reader can split
//! a file into members without inflating it, and the last one is empty, so that a file that was cut off between two
//! members is not taken for a whole one. For every other reader it is a gzip file like any other.

use std::io::{self, Write};

use bytes::{Buf, BytesMut};
use flate2::{Compression, Decompress, FlushDecompress, GzBuilder, Status};

use super::{ArchiveError, MAX_LINE_BYTES, PIECE_BYTES};

const MAGIC: [u8; 2] = [0x1f, 0x8b];
const DEFLATE: u8 = 8;
const FLAG_HEADER_CRC: u8 = 2;
const FLAG_EXTRA: u8 = 4;
const FLAG_NAME: u8 = 8;
const FLAG_COMMENT: u8 = 16;
const FLAGS_RESERVED: u8 = 0xe0;
const FIXED_HEADER_BYTES: usize = 10;
const TRAILER_BYTES: usize = 8;

/// Our subfield of the extra field: the member's whole compressed length as a 32-bit little-endian number.
const SUBFIELD: [u8; 2] = *b"BD";
/// Where that number stands in a member of ours.
const LENGTH_AT: std::ops::Range<usize> = 16..20;

/// Longest header that is read, in bytes.
const MAX_HEADER_BYTES: usize = 128 << 10;
/// What one member of ours may inflate to, in bytes: a piece that a longest line came on top of.
const MAX_MEMBER_RAW_BYTES: usize = PIECE_BYTES + MAX_LINE_BYTES;
/// What such a member may take, in bytes: deflate adds next to nothing even to noise.
const MAX_MEMBER_BYTES: usize = MAX_MEMBER_RAW_BYTES + (64 << 10);

/// zlib's default level: beyond it, time grows much faster than size shrinks.
pub(super) const LEVEL: u32 = 6;

/// A member's header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Its own length.
    pub(super) len: usize,
    /// Length of the whole member, where it says so.
    pub(super) member_bytes: Option<usize>,
}

/// Packs one member.
pub(super) fn compress(raw: &[u8]) -> io::Result<Vec<u8>> {
    let mut extra = [0; 8];
    extra[..2].copy_from_slice(&SUBFIELD);
    extra[2] = 4;
    let room = Vec::with_capacity(raw.len() / 2 + 1024);
    let mut gz = GzBuilder::new().extra(&extra[..]).write(room, Compression::new(LEVEL));
    gz.write_all(raw)?;
    let mut member = gz.finish()?;
    let length = u32::try_from(member.len()).map_err(io::Error::other)?;
    member[LENGTH_AT].copy_from_slice(&length.to_le_bytes());
    Ok(member)
}

/// Reads the header of member `number` (from 1); `None` where more bytes are needed to tell.
pub(super) fn header(bytes: &[u8], number: u64) -> Result<Option<Header>, ArchiveError> {
    let known = bytes.len().min(2);
    if bytes[..known] != MAGIC[..known] {
        return Err(match number {
            1 => ArchiveError::foreign("gzip", bytes),
            _ => ArchiveError::Trailing { place: place(number - 1) },
        });
    }
    let header = parse_header(bytes).map_err(|what| ArchiveError::damaged(place(number), what))?;
    if header.is_none() && bytes.len() > MAX_HEADER_BYTES {
        return Err(ArchiveError::damaged(
            place(number),
            format!("its header is longer than {MAX_HEADER_BYTES} bytes"),
        ));
    }
    Ok(header)
}

fn parse_header(bytes: &[u8]) -> Result<Option<Header>, String> {
    let Some(fixed) = bytes.get(..FIXED_HEADER_BYTES) else { return Ok(None) };
    let flags = fixed[3];
    if fixed[2] != DEFLATE {
        return Err(format!("unknown compression method {}", fixed[2]));
    }
    if flags & FLAGS_RESERVED != 0 {
        return Err(format!("reserved header flags {flags:#04x} are set"));
    }
    let mut at = FIXED_HEADER_BYTES;
    let mut member_bytes = None;
    if flags & FLAG_EXTRA != 0 {
        let Some(size) = little_endian(bytes, at, 2) else { return Ok(None) };
        let Some(extra) = bytes.get(at + 2..at + 2 + size as usize) else { return Ok(None) };
        member_bytes = stated_length(extra)?;
        at += 2 + extra.len();
    }
    for flag in [FLAG_NAME, FLAG_COMMENT] {
        if flags & flag != 0 {
            let Some(end) = bytes[at..].iter().position(|b| *b == 0) else { return Ok(None) };
            at += end + 1;
        }
    }
    if flags & FLAG_HEADER_CRC != 0 {
        let Some(stated) = little_endian(bytes, at, 2) else { return Ok(None) };
        if stated != crc32fast::hash(&bytes[..at]) & 0xffff {
            return Err("the header's checksum is wrong".into());
        }
        at += 2;
    }
    Ok(Some(Header { len: at, member_bytes }))
}

/// The length that our subfield states.
fn stated_length(mut extra: &[u8]) -> Result<Option<usize>, String> {
    while let [a, b, low, high, rest @ ..] = extra {
        let size = usize::from(u16::from_le_bytes([*low, *high]));
        let Some(data) = rest.get(..size) else { break };
        if [*a, *b] == SUBFIELD && size == 4 {
            let length = little_endian(data, 0, 4).map_or(0, |n| n as usize);
            let smallest = FIXED_HEADER_BYTES + 2 + 8 + TRAILER_BYTES;
            return match (smallest..=MAX_MEMBER_BYTES).contains(&length) {
                true => Ok(Some(length)),
                false => Err(format!("it states an impossible length of {length} bytes")),
            };
        }
        extra = &rest[size..];
    }
    Ok(None)
}

/// Inflates a whole member that states its length. Every byte of it must belong to it.
pub(super) fn inflate_member(member: &[u8], number: u64) -> Result<Vec<u8>, ArchiveError> {
    let damaged = |what: &str| ArchiveError::damaged(place(number), what);
    let header = header(member, number)?.ok_or_else(|| damaged("its header does not fit into its stated length"))?;
    let body_end = member.len().saturating_sub(TRAILER_BYTES);
    let body = member.get(header.len..body_end).ok_or_else(|| damaged("its stated length is too short"))?;
    let trailer = &member[body_end..];
    let stated = little_endian(trailer, 4, 4).map_or(0, |n| n as usize);
    if stated > MAX_MEMBER_RAW_BYTES {
        return Err(damaged("it states an impossible length of its contents"));
    }
    // One byte more than stated, so that contents that are longer show.
    let mut raw = Vec::with_capacity(stated + 1);
    let mut inflater = Decompress::new(false);
    let status = inflater.decompress_vec(body, &mut raw, FlushDecompress::Finish);
    match status {
        Err(_) => return Err(damaged("its deflate stream is broken")),
        Ok(Status::StreamEnd) if inflater.total_in() == body.len() as u64 => {}
        Ok(_) => return Err(damaged("its deflate stream does not end where its lengths say")),
    }
    check_trailer(trailer, crc32fast::hash(&raw), raw.len() as u64, number)?;
    Ok(raw)
}

fn check_trailer(trailer: &[u8], crc: u32, raw_bytes: u64, number: u64) -> Result<(), ArchiveError> {
    if little_endian(trailer, 0, 4) != Some(crc) {
        return Err(ArchiveError::damaged(place(number), "the CRC-32 of its contents is wrong"));
    }
    // The format keeps the length modulo 2^32.
    if little_endian(trailer, 4, 4) != Some(raw_bytes as u32) {
        return Err(ArchiveError::damaged(place(number), "the length of its contents is wrong"));
    }
    Ok(())
}

/// Inflates members of any writer, one after the other, as bytes come.
#[derive(Debug)]
pub(super) struct Serial {
    part: Part,
    /// Number of the member, from 1.
    number: u64,
    inflater: Decompress,
    crc: crc32fast::Hasher,
    raw_bytes: u64,
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Header,
    Body,
    Trailer,
}

impl Serial {
    pub(super) fn new() -> Self {
        Serial {
            part: Part::Header,
            number: 1,
            inflater: Decompress::new(false),
            crc: crc32fast::Hasher::new(),
            raw_bytes: 0,
        }
    }

    /// Inflates from `input`, until `out` has reached its capacity or more input is needed.
    pub(super) fn step(&mut self, input: &mut BytesMut, out: &mut Vec<u8>) -> Result<(), ArchiveError> {
        while !input.is_empty() && out.len() < out.capacity() {
            match self.part {
                Part::Header => {
                    let Some(header) = header(input, self.number)? else { return Ok(()) };
                    input.advance(header.len);
                    self.part = Part::Body;
                }
                Part::Body => self.inflate(input, out)?,
                Part::Trailer => {
                    let Some(trailer) = input.get(..TRAILER_BYTES) else { return Ok(()) };
                    check_trailer(trailer, self.crc.clone().finalize(), self.raw_bytes, self.number)?;
                    input.advance(TRAILER_BYTES);
                    let number = self.number + 1;
                    self.inflater.reset(false);
                    self.crc.reset();
                    (self.part, self.number, self.raw_bytes) = (Part::Header, number, 0);
                }
            }
        }
        Ok(())
    }

    fn inflate(&mut self, input: &mut BytesMut, out: &mut Vec<u8>) -> Result<(), ArchiveError> {
        let (taken, made) = (self.inflater.total_in(), out.len());
        let status = self.inflater.decompress_vec(input, out, FlushDecompress::None);
        let status = status.map_err(|_| ArchiveError::damaged(place(self.number), "its deflate stream is broken"))?;
        let taken = (self.inflater.total_in() - taken) as usize;
        if taken == 0 && out.len() == made && status != Status::StreamEnd {
            return Err(ArchiveError::damaged(place(self.number), "its deflate stream stands still"));
        }
        input.advance(taken);
        self.crc.update(&out[made..]);
        self.raw_bytes += (out.len() - made) as u64;
        if status == Status::StreamEnd {
            self.part = Part::Trailer;
        }
        Ok(())
    }

    /// No more input comes; `left` is what the last step did not take.
    pub(super) fn finish(&self, left: &[u8]) -> Result<(), ArchiveError> {
        match self.part {
            Part::Header if left.is_empty() && self.number > 1 => Ok(()),
            _ => Err(cut_in(self.number)),
        }
    }
}

/// The file ends in the middle of that member.
pub(super) fn cut_in(number: u64) -> ArchiveError {
    ArchiveError::Cut { place: format!("in {}", place(number)) }
}

/// Whether a whole member says that it holds nothing.
pub(super) fn is_empty(member: &[u8]) -> bool {
    member.ends_with(&[0; 4])
}

/// As people read it.
pub(super) fn place(number: u64) -> String {
    format!("gzip member {number}")
}

fn little_endian(bytes: &[u8], at: usize, width: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + width)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}
