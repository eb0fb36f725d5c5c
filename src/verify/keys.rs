//! Sets of 128-bit digests that may be larger than memory: sorted runs in one scratch file, merged when they are asked.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
};

/// Digests that one set holds in memory before it writes them out: 4 MiB.
const HELD: usize = 256 << 10;

/// Digests of a run that are read at once.
const WINDOW: usize = 4 << 10;

const BYTES: usize = size_of::<u128>();

/// The file behind all sets of one verification. It has no name, and is gone with this value.
#[derive(Debug)]
pub(super) struct RunFile {
    file: File,
    end: u64,
}

impl RunFile {
    pub(super) fn new(scratch: &Path) -> io::Result<Self> {
        Ok(RunFile { file: tempfile::tempfile_in(scratch)?, end: 0 })
    }
}

/// One set; digests may be there more than once.
#[derive(Debug, Default)]
pub(super) struct Keys {
    held: Vec<u128>,
    /// Offset of each run in the file, and how many digests it has.
    runs: Vec<(u64, usize)>,
    count: u64,
}

impl Keys {
    pub(super) fn add(&mut self, digests: &mut Vec<u128>, file: &mut RunFile) -> io::Result<()> {
        self.count += digests.len() as u64;
        self.held.append(digests);
        if self.held.len() >= HELD { self.spill(file) } else { Ok(()) }
    }

    /// How many there are, each as often as it is there.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Writes out what is held, so that it takes no memory.
    pub(super) fn spill(&mut self, file: &mut RunFile) -> io::Result<()> {
        self.held.sort_unstable();
        let bytes: Vec<u8> = self.held.iter().flat_map(|digest| digest.to_le_bytes()).collect();
        file.file.write_all(&bytes)?;
        self.runs.push((file.end, self.held.len()));
        file.end += bytes.len() as u64;
        self.held = Vec::new();
        Ok(())
    }

    /// All of them in order.
    pub(super) fn sorted<'f>(&self, file: &'f RunFile) -> io::Result<Merge<'f>> {
        let mut held = self.held.clone();
        held.sort_unstable_by(|a, b| b.cmp(a));
        let mut merge = Merge { file: &file.file, cursors: Vec::new(), heap: BinaryHeap::new() };
        let runs = self.runs.iter().map(|(offset, left)| Cursor { offset: *offset, left: *left, window: Vec::new() });
        for cursor in runs.chain([Cursor { offset: 0, left: 0, window: held }]) {
            merge.cursors.push(cursor);
            merge.refill(merge.cursors.len() - 1)?;
        }
        Ok(merge)
    }
}

/// A place in a run; the window has the next digests, the next one last.
struct Cursor {
    offset: u64,
    left: usize,
    window: Vec<u128>,
}

/// The digests of a set in order.
pub(super) struct Merge<'f> {
    file: &'f File,
    cursors: Vec<Cursor>,
    heap: BinaryHeap<Reverse<(u128, usize)>>,
}

impl Merge<'_> {
    /// The next one.
    pub(super) fn next(&mut self) -> io::Result<Option<u128>> {
        let Some(Reverse((digest, cursor))) = self.heap.pop() else { return Ok(None) };
        self.refill(cursor)?;
        Ok(Some(digest))
    }

    fn refill(&mut self, number: usize) -> io::Result<()> {
        let cursor = &mut self.cursors[number];
        if cursor.window.is_empty() && cursor.left > 0 {
            let count = cursor.left.min(WINDOW);
            let mut bytes = vec![0; count * BYTES];
            self.file.read_exact_at(&mut bytes, cursor.offset)?;
            let read = bytes.as_chunks::<BYTES>().0.iter().map(|bytes| u128::from_le_bytes(*bytes));
            cursor.window = read.rev().collect();
            cursor.offset += bytes.len() as u64;
            cursor.left -= count;
        }
        if let Some(next) = cursor.window.pop() {
            self.heap.push(Reverse((next, number)));
        }
        Ok(())
    }
}

/// How many are there more than once.
pub(super) fn twice(keys: &Keys, file: &RunFile) -> io::Result<u64> {
    let (mut sorted, mut last, mut twice) = (keys.sorted(file)?, None, 0);
    while let Some(next) = sorted.next()? {
        twice += u64::from(last == Some(next));
        last = Some(next);
    }
    Ok(twice)
}

/// How many of `asked` are not in `known`.
pub(super) fn unknown(asked: &Keys, known: &Keys, file: &RunFile) -> io::Result<u64> {
    let (mut asked, mut known, mut unknown) = (asked.sorted(file)?, known.sorted(file)?, 0);
    let mut candidate = known.next()?;
    while let Some(wanted) = asked.next()? {
        while candidate.is_some_and(|candidate| candidate < wanted) {
            candidate = known.next()?;
        }
        unknown += u64::from(candidate != Some(wanted));
    }
    Ok(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_larger_than_memory_are_asked_as_small_ones_are() {
        let scratch = tempfile::tempdir().unwrap();
        let mut file = RunFile::new(scratch.path()).unwrap();
        let mut spread = |numbers: &mut dyn Iterator<Item = u128>| {
            let mut keys = Keys::default();
            for number in numbers {
                keys.add(&mut vec![number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)], &mut file).unwrap();
            }
            keys
        };
        let many = HELD as u128 * 2 + 17;
        let all = spread(&mut (0..many));
        let some = spread(&mut (0..many).filter(|n| n % 1000 != 0).chain([5, 5]));
        assert_eq!((all.runs.len(), all.count()), (2, many as u64));
        assert_eq!((twice(&all, &file).unwrap(), twice(&some, &file).unwrap()), (0, 2));
        assert_eq!(unknown(&some, &all, &file).unwrap(), 0);
        assert_eq!(unknown(&all, &some, &file).unwrap(), (many as u64).div_ceil(1000));
    }
}
