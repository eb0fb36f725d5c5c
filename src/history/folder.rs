//! A history in a folder: `chain.jsonl` with an entry a line, `head.json` with the end of it, and below `records/` each
//! record as it is packed. Written in this order: record, line, head; each whole and on disk before the next.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, OFlags, flock};
use tempfile::NamedTempFile;

use super::{
    chain::{Digest, End, Link, digest, unhex},
    contract::{Draft, Place},
    packing::{MOST_PACKED, unpack},
    survey::{HeadSeen, Survey},
};
use crate::{
    error::{Error, Result},
    model::history::{Head, Summary},
    sim::clock,
};

mod reading;

const CHAIN: &str = "chain.jsonl";
const HEAD: &str = "head.json";
const RECORDS: &str = "records";
const LOCK: &str = ".lock";

/// Records in one folder.
const A_FOLDER: u64 = 1_000;

/// A folder.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
}

impl Folder {
    /// That folder; it is made with the first record.
    pub fn new(dir: &Path) -> Self {
        Folder { dir: dir.to_owned() }
    }

    fn record_path(&self, sequence: u64) -> PathBuf {
        self.dir.join(format!("{RECORDS}/{:06}/{sequence:09}.json.gz", sequence / A_FOLDER))
    }

    /// Makes the folder, and waits until nobody else writes to it.
    fn lock(&self) -> Result<File> {
        let locked = fs::create_dir_all(&self.dir).and_then(|()| {
            let lock = OpenOptions::new().create(true).truncate(false).write(true).open(self.dir.join(LOCK))?;
            flock(&lock, FlockOperation::LockExclusive)?;
            Ok(lock)
        });
        locked.map_err(|e| self.unwritable(&self.dir, e))
    }

    /// Waits until nobody writes, where that can be known.
    fn shared_lock(&self) -> Option<File> {
        let lock = File::open(self.dir.join(LOCK)).ok()?;
        flock(&lock, FlockOperation::LockShared).ok()?;
        Some(lock)
    }

    /// Puts right what a killed write left, and gives the chain's end. The folder is locked.
    fn mend(&self, said: &mut Vec<String>) -> Result<End> {
        let tail = reading::tail(&self.dir.join(CHAIN))?;
        let mut end = self.end_of(tail.last.as_deref(), said)?;
        let (next, path) = (end.sequence + 1, self.record_path(end.sequence + 1));
        let record = reading::small(&path, MOST_PACKED).map_err(|e| self.unwritable(&path, e))?;
        if !tail.torn.is_empty() {
            let Some(packed) = &record else {
                return Err(self.damaged(format!("the line of entry {next} is not whole, and its record is gone")));
            };
            let fits = |link: &Link| (link.sequence, link.previous, link.record) == (next, end.digest, digest(packed));
            if Link::of(&tail.torn).is_ok_and(|link| fits(&link)) {
                self.write_to_chain(b"\n")?;
                end = End { sequence: next, digest: digest(&tail.torn) };
                self.write_head(end)?;
                said.push(format!("entry {next}: its line was whole but for its end, and is finished"));
                return Ok(end);
            }
            self.cut_chain(tail.whole_bytes)?;
        }
        let Some(packed) = record else { return Ok(end) };
        let unreadable = |e: Error| self.damaged(format!("record {next} is there without its line: {e}"));
        let summary = Summary::of(&unpack(&packed).map_err(unreadable)?);
        let (line, end) = end.next(&summary, &packed, clock::wall_now())?;
        self.write_line(line, end)?;
        said.push(format!("entry {next}: its record was there, its line was not; it is written"));
        Ok(end)
    }

    /// The end that the last whole line and head.json agree on, as far as a killed write lets them.
    fn end_of(&self, last: Option<&[u8]>, said: &mut Vec<String>) -> Result<End> {
        let head = self.head();
        let Some(last) = last else {
            return match head {
                HeadSeen::Missing => Ok(End::NONE),
                _ => Err(self.damaged(format!("{CHAIN} is empty, and {HEAD} is there"))),
            };
        };
        let link = Link::of(last).map_err(|why| self.damaged(format!("the last line is no entry: {why}")))?;
        let end = End { sequence: link.sequence, digest: digest(last) };
        let behind = match head {
            HeadSeen::Names(head) if head == end => return Ok(end),
            HeadSeen::Names(head) => head.sequence + 1 == end.sequence && head.digest == link.previous,
            HeadSeen::Missing => end.sequence == 1,
            _ => false,
        };
        if !behind {
            return Err(self.damaged(format!("{HEAD} does not name entry {}, which stands last", end.sequence)));
        }
        self.write_head(end)?;
        said.push(format!("entry {}: {HEAD} names it now", end.sequence));
        Ok(end)
    }

    fn head(&self) -> HeadSeen {
        let text = match reading::small(&self.dir.join(HEAD), 4096) {
            Ok(None) => return HeadSeen::Missing,
            Ok(Some(text)) => text,
            Err(e) => return HeadSeen::Odd(e.to_string()),
        };
        match serde_json::from_slice::<Head>(&text) {
            Err(e) => HeadSeen::Odd(e.to_string()),
            Ok(head) => match unhex(&head.sha256) {
                Some(digest) => HeadSeen::Names(End { sequence: head.sequence, digest }),
                None => HeadSeen::Odd("its sha256 is no SHA-256".into()),
            },
        }
    }

    fn write_line(&self, mut line: Vec<u8>, end: End) -> Result<()> {
        line.push(b'\n');
        self.write_to_chain(&line)?;
        self.write_head(end)
    }

    fn write_to_chain(&self, bytes: &[u8]) -> Result<()> {
        let path = self.dir.join(CHAIN);
        let written = OpenOptions::new().create(true).append(true).open(&path).and_then(|mut chain| {
            chain.write_all(bytes)?;
            chain.sync_all()
        });
        written.map_err(|e| self.unwritable(&path, e))
    }

    fn cut_chain(&self, bytes: u64) -> Result<()> {
        let path = self.dir.join(CHAIN);
        let cut = OpenOptions::new().write(true).open(&path).and_then(|chain| {
            chain.set_len(bytes)?;
            chain.sync_all()
        });
        cut.map_err(|e| self.unwritable(&path, e))
    }

    fn write_head(&self, end: End) -> Result<()> {
        let path = self.dir.join(HEAD);
        // Made of a number and a text: it always has a JSON form.
        let text = serde_json::to_string(&end.head()).unwrap_or_default() + "\n";
        let written = || -> io::Result<()> {
            let mut file = NamedTempFile::with_prefix_in(".new-", &self.dir)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            File::open(&self.dir)?.sync_all()
        };
        written().map_err(|e| self.unwritable(&path, e))
    }

    /// Moves the record to where it belongs, also from another disk.
    fn take_in(&self, file: &Path, packed: &[u8], path: &Path) -> Result<()> {
        let dir = path.parent().unwrap_or(&self.dir);
        let moved = || -> io::Result<()> {
            fs::create_dir_all(dir)?;
            if fs::rename(file, path).is_err() {
                let mut copy = NamedTempFile::with_prefix_in(".new-", dir)?;
                copy.write_all(packed)?;
                copy.as_file().sync_all()?;
                copy.persist(path)?;
                fs::remove_file(file)?;
            }
            File::open(dir)?.sync_all()
        };
        moved().map_err(|e| self.unwritable(path, e))
    }

    fn damaged(&self, why: String) -> Error {
        Error::new("the end of this history is not as it was written, so nothing can be appended to it")
            .at(self.name())
            .because(why)
            .help(
                "`backdraft history verify` names what was changed; keep this folder as it is, and begin another with \
                 --history DIR",
            )
    }

    fn unwritable(&self, path: &Path, cause: io::Error) -> Error {
        Error::new("the history cannot be written here")
            .at(path.display().to_string())
            .because(cause)
            .help("choose another place with --history, or keep none with --no-history")
    }

    fn unreadable(&self, path: &Path, cause: io::Error) -> Error {
        Error::new("the history cannot be read").at(path.display().to_string()).because(cause)
    }
}

impl Place for Folder {
    fn name(&self) -> String {
        self.dir.display().to_string()
    }

    fn lines(&self) -> Result<Vec<Vec<u8>>> {
        let _lock = self.shared_lock();
        reading::lines(&self.dir.join(CHAIN))
    }

    fn record(&self, sequence: u64) -> Result<Option<Vec<u8>>> {
        let path = self.record_path(sequence);
        reading::small(&path, MOST_PACKED).map_err(|e| self.unreadable(&path, e))
    }

    fn repair(&self) -> Result<Vec<String>> {
        let _lock = self.lock()?;
        let mut said = Vec::new();
        self.mend(&mut said)?;
        Ok(said)
    }

    fn append(&self, draft: &Draft<'_>) -> Result<Head> {
        let _lock = self.lock()?;
        let end = self.mend(&mut Vec::new())?;
        let packed = reading::small(draft.file, MOST_PACKED).and_then(|found| found.ok_or(ErrorKind::NotFound.into()));
        let packed = packed.map_err(|e| self.unwritable(draft.file, e))?;
        let (line, end) = end.next(&draft.summary, &packed, draft.at)?;
        self.take_in(draft.file, &packed, &self.record_path(end.sequence))?;
        self.write_line(line, end)?;
        Ok(end.head())
    }

    fn survey(&self) -> Result<Survey> {
        let _lock = self.shared_lock();
        let record = |sequence: u64, buffer: &mut Vec<u8>| -> io::Result<Option<Digest>> {
            let found = reading::into(&self.record_path(sequence), MOST_PACKED, buffer)?;
            Ok(found.then(|| digest(buffer)))
        };
        let (seen, torn) = reading::survey(&self.dir.join(CHAIN), &record)?;
        let beyond = self.beyond(seen.len() as u64)?;
        let head = self.head();
        Ok(Survey { seen, torn, head, beyond })
    }
}

impl Folder {
    /// Numbers of records beyond the last line, in order.
    fn beyond(&self, last: u64) -> Result<Vec<u64>> {
        let records = self.dir.join(RECORDS);
        let mut found = Vec::new();
        for folder in reading::names(&records).map_err(|e| self.unreadable(&records, e))? {
            if folder.parse::<u64>().is_ok_and(|number| number >= last / A_FOLDER) {
                let path = records.join(folder);
                let names = reading::names(&path).map_err(|e| self.unreadable(&path, e))?;
                let numbers = names.iter().filter_map(|name| name.strip_suffix(".json.gz")?.parse::<u64>().ok());
                found.extend(numbers.filter(|number| *number > last));
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

/// Opens a file that is to be read, and is no pipe or device that may never end.
fn open(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    if file.metadata()?.is_file() { Ok(Some(file)) } else { Err(io::Error::other("this is no regular file")) }
}
