//! Follows a tape archive as it streams by: every header has a checksum, every member the length that its header states,
//! and the archive an end of its own. Members' bytes have no checksum.

use crate::archive::ArchiveError;

/// A tar is made of these, in bytes.
pub(super) const BLOCK: usize = 512;

/// Where a header states the size, the checksum and the type.
const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const TYPE: usize = 156;

/// Walks over a tar.
#[derive(Debug, Default)]
pub(super) struct Walker {
    held: Vec<u8>,
    /// Bytes of a member and its padding still to come.
    skip: u64,
    members: u64,
    ended: bool,
    /// A sparse member of an old form: what follows it is not understood.
    lost: bool,
}

impl Walker {
    pub(super) fn feed(&mut self, mut piece: &[u8]) -> Result<(), ArchiveError> {
        while !piece.is_empty() && !self.lost {
            if self.skip > 0 {
                let taken = self.skip.min(piece.len() as u64);
                self.skip -= taken;
                piece = &piece[taken as usize..];
                continue;
            }
            let taken = (BLOCK - self.held.len()).min(piece.len());
            self.held.extend_from_slice(&piece[..taken]);
            piece = &piece[taken..];
            if self.held.len() == BLOCK {
                self.block()?;
                self.held.clear();
            }
        }
        Ok(())
    }

    fn block(&mut self) -> Result<(), ArchiveError> {
        let member = format!("tar member {}", self.members + 1);
        match self.held.iter().all(|byte| *byte == 0) {
            true => self.ended = true,
            false if self.ended => return Err(ArchiveError::Trailing { place: "the tar's end".into() }),
            false => {
                if !is_header(&self.held) {
                    return Err(ArchiveError::damaged(member, "the checksum of its header is wrong"));
                }
                let size = number(&self.held[SIZE]);
                let size = size.ok_or_else(|| ArchiveError::damaged(member, "its header states no size"))?;
                self.members += 1;
                self.lost = self.held[TYPE] == b'S';
                // Links, devices and folders have no bytes, whatever their headers state.
                let has_bytes = !matches!(self.held[TYPE], b'1'..=b'6');
                let blocks = size.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64);
                self.skip = if has_bytes { blocks } else { 0 };
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), ArchiveError> {
        match self.lost || self.ended && self.skip == 0 && self.held.is_empty() {
            true => Ok(()),
            false => Err(ArchiveError::Cut { place: format!("in or after tar member {}", self.members) }),
        }
    }
}

/// Whether a block has the checksum that it states.
pub(super) fn is_header(block: &[u8]) -> bool {
    let Some(stated) = block.get(CHECKSUM).and_then(number) else { return false };
    let blank = |at: usize, byte: u8| if CHECKSUM.contains(&at) { b' ' } else { byte };
    let sum: u64 = block.iter().take(BLOCK).enumerate().map(|(at, byte)| u64::from(blank(at, *byte))).sum();
    block.len() >= BLOCK && sum == stated
}

/// A number as tar spells it: octal, or binary where the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let mut bytes = field.iter().skip(1);
        return bytes.try_fold(u64::from(field[0] & 0x7f), |n, b| n.checked_mul(256)?.checked_add(u64::from(*b)));
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}
