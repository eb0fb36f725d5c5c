//! Reading a folder's files: lines from the end or all of them, and every record, on all cores.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
};

use super::open;
use crate::{
    error::{Error, Result},
    history::{
        chain::{Digest, Link, digest},
        survey::{Kept, Line, Seen, Stated},
    },
};

/// Longest line, in bytes: an entry sums up a record, which is no larger.
const MOST_LINE: u64 = 16 << 20;

/// Lines that a core takes at once.
const BLOCK: usize = 128;

/// The end of a chain.
pub(super) struct Tail {
    /// The last two whole lines, or as many as there are, without their newlines; the last one last.
    pub(super) lines: Vec<Vec<u8>>,
    /// What follows them.
    pub(super) torn: Vec<u8>,
    /// Bytes of all whole lines.
    pub(super) whole_bytes: u64,
}

/// A whole file that is not there, or no larger than `most` bytes.
pub(super) fn small(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    Ok(into(path, most, &mut bytes)?.then_some(bytes))
}

/// The same into a buffer; whether it is there.
pub(super) fn into(path: &Path, most: u64, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.clear();
    let Some(file) = open(path)? else { return Ok(false) };
    file.take(most + 1).read_to_end(buffer)?;
    if buffer.len() as u64 > most { Err(io::Error::other("it is larger than what is written here")) } else { Ok(true) }
}

/// Names in a folder; none where it is not there.
pub(super) fn names(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Reads as much of the end as it takes to find the last two whole lines.
pub(super) fn tail(path: &Path) -> Result<Tail> {
    let unread = |e| unreadable(path, e);
    let Some(mut file) = open(path).map_err(unread)? else {
        return Ok(Tail { lines: Vec::new(), torn: Vec::new(), whole_bytes: 0 });
    };
    let size = file.seek(SeekFrom::End(0)).map_err(unread)?;
    let mut span = 64 << 10;
    loop {
        let from = size.saturating_sub(span);
        let mut end = Vec::new();
        file.seek(SeekFrom::Start(from)).and_then(|_| (&file).take(span).read_to_end(&mut end)).map_err(unread)?;
        // Where each line begins that is seen to begin, and last what follows all of them.
        let mut begins: Vec<usize> = memchr::memrchr_iter(b'\n', &end).take(3).map(|newline| newline + 1).collect();
        begins.reverse();
        if from == 0 && begins.len() < 3 {
            begins.insert(0, 0);
        }
        if begins.len() == 3 || from == 0 {
            let whole = begins.last().copied().unwrap_or(0);
            let lines = begins.windows(2).map(|pair| end[pair[0]..pair[1] - 1].to_vec()).collect();
            return Ok(Tail { lines, torn: end[whole..].to_vec(), whole_bytes: from + whole as u64 });
        }
        if span > 4 * MOST_LINE {
            return Err(unread(io::Error::other("a line is longer than any entry")));
        }
        span *= 8;
    }
}

/// Every whole line.
pub(super) fn lines(path: &Path) -> Result<Vec<Vec<u8>>> {
    let Some(file) = open(path).map_err(|e| unreadable(path, e))? else { return Ok(Vec::new()) };
    let mut blocks = Blocks { file: BufReader::new(file), number: 0 };
    let mut all = Vec::new();
    while let Some(block) = blocks.next().map_err(|e| unreadable(path, e))? {
        all.extend(block.lines);
    }
    Ok(all)
}

/// Says how a record is read: its digest, by its number, with a buffer to be used again.
type ReadRecord<'r> = dyn Fn(u64, &mut Vec<u8>) -> io::Result<Option<Digest>> + Sync + 'r;

/// What became of a block: its number, and its lines.
type SeenBlock = (usize, Vec<Seen>);

/// Every whole line held against its record, on all cores.
pub(super) fn survey(path: &Path, record: &ReadRecord<'_>) -> Result<Vec<Seen>> {
    let Some(file) = open(path).map_err(|e| unreadable(path, e))? else { return Ok(Vec::new()) };
    let blocks = Mutex::new(Blocks { file: BufReader::with_capacity(1 << 20, file), number: 0 });
    let next = || blocks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || -> io::Result<Vec<SeenBlock>> {
        let (mut done, mut buffer) = (Vec::new(), Vec::new());
        while let Some(block) = next()? {
            done.push((block.number, block.lines.iter().map(|line| see(line, record, &mut buffer)).collect()));
        }
        Ok(done)
    };
    let cores = thread::available_parallelism().map_or(1, usize::from).min(8);
    let all: io::Result<Vec<_>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let joined = workers.into_iter().map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.collect()
    });
    let mut all: Vec<_> = all.map_err(|e| unreadable(path, e))?.into_iter().flatten().collect();
    all.sort_unstable_by_key(|(number, _)| *number);
    Ok(all.into_iter().flat_map(|(_, seen)| seen).collect())
}

fn see(line: &[u8], record: &ReadRecord<'_>, buffer: &mut Vec<u8>) -> Seen {
    let said = match Link::of(line) {
        Err(why) => Line::Odd(why),
        Ok(link) => {
            let kept = match record(link.sequence, buffer) {
                Ok(Some(digest)) if digest == link.record => Kept::Intact,
                Ok(Some(_)) => Kept::Edited,
                Ok(None) => Kept::Gone,
                Err(why) => Kept::Unreadable(why.to_string()),
            };
            Line::Entry(link, kept)
        }
    };
    Seen { digest: digest(line), stated: Stated::NotKept, line: said }
}

/// A chain's lines, some at a time.
struct Blocks {
    file: BufReader<File>,
    number: usize,
}

/// Some lines of it.
struct Block {
    number: usize,
    /// Without their newlines.
    lines: Vec<Vec<u8>>,
}

impl Blocks {
    fn next(&mut self) -> io::Result<Option<Block>> {
        let mut block = Block { number: self.number, lines: Vec::new() };
        while block.lines.len() < BLOCK {
            let mut line = Vec::new();
            let read = self.file.by_ref().take(MOST_LINE).read_until(b'\n', &mut line)?;
            if read as u64 == MOST_LINE && line.last() != Some(&b'\n') {
                return Err(io::Error::other("a line is longer than any entry"));
            }
            // What follows the last newline is no line.
            match line.pop() {
                Some(b'\n') => block.lines.push(line),
                _ => break,
            }
        }
        self.number += 1;
        Ok((!block.lines.is_empty()).then_some(block))
    }
}

fn unreadable(path: &Path, cause: io::Error) -> Error {
    Error::new("the history cannot be read")
        .at(path.display().to_string())
        .because(cause)
        .help("name the folder of a history with --history DIR")
}
