//! A history in a folder: `chain.jsonl` with an entry a line, `head.json` with the end of it, and below `records/` each
//! record as it is packed. Written in this order: record, line, head; each whole and on disk before the next. So what a
//! write that was cut short leaves is known (`ending`), and nothing else is built upon.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, OFlags, flock};

use super::{
    chain::{Digest, End, digest, unhex},
    contract::{Draft, Place},
    packing::{self, MOST_PACKED},
    survey::{Damage, Ending, HeadSeen, Survey},
};
use crate::{
    error::{Error, Result},
    model::{history::Head, words},
    sim::clock,
};
use ending::{Left, Next};

mod ending;
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
        let Left { end, behind, cut, next, .. } = self.ending()?.map_err(|damage| self.damaged(&damage))?;
        let number = end.sequence + 1;
        if behind {
            self.write_head(end)?;
            said.push(format!("entry {}: {HEAD} names it now", end.sequence));
        }
        if let Some((bytes, taken)) = cut {
            self.cut_chain(bytes)?;
            if matches!(next, Next::Nothing) {
                said.push(format!(
                    "{} of nothing followed entry {}; they are cut off",
                    words::count(taken as u64, "byte"),
                    end.sequence
                ));
            }
        }
        match next {
            Next::Nothing => Ok(end),
            Next::Newline(end) => {
                self.write_to_chain(b"\n")?;
                self.write_head(end)?;
                said.push(format!("entry {number}: its line was whole but for its end, and is finished"));
                Ok(end)
            }
            Next::Record(waiting) => {
                let (line, end) = end.next(&waiting.0, &waiting.1, clock::wall_now())?;
                self.write_line(line, end)?;
                said.push(format!("entry {number}: its record was there, its line was not; it is written"));
                Ok(end)
            }
        }
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
            let mut file = packing::new_file(&self.dir)?;
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
            self.make_folder(dir)?;
            if fs::rename(file, path).is_err() {
                let mut copy = packing::new_file(dir)?;
                copy.write_all(packed)?;
                copy.as_file().sync_all()?;
                copy.persist(path)?;
                fs::remove_file(file)?;
            }
            File::open(dir)?.sync_all()
        };
        moved().map_err(|e| self.unwritable(path, e))
    }

    /// Makes a folder of records, and has it outlast a crash of the machine.
    fn make_folder(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(dir)?;
        File::open(self.dir.join(RECORDS))?.sync_all()?;
        File::open(&self.dir)?.sync_all()
    }

    fn damaged(&self, damage: &Damage) -> Error {
        Error::new("the end of this history is not as it was written, so nothing can be appended to it")
            .at(self.name())
            .because(damage.words())
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
        let mut seen = reading::survey(&self.dir.join(CHAIN), &record)?;
        let ending = match self.ending()? {
            Err(damage) => Ending::Damaged(damage),
            Ok(left) => {
                if left.looks_whole {
                    seen.pop(); // no line: what was to be one
                }
                left.words().map_or(Ending::Whole, Ending::Unfinished)
            }
        };
        let beyond = self.beyond(seen.len() as u64)?;
        Ok(Survey { seen, head: self.head(), ending, beyond })
    }
}

impl Folder {
    /// Records beyond the last line, in order.
    fn beyond(&self, last: u64) -> Result<Vec<(u64, Option<Digest>)>> {
        let records = self.dir.join(RECORDS);
        let mut found = Vec::new();
        for folder in reading::names(&records).map_err(|e| self.unreadable(&records, e))? {
            if folder.parse::<u64>().is_ok_and(|number| number >= last / A_FOLDER) {
                let path = records.join(folder);
                let names = reading::names(&path).map_err(|e| self.unreadable(&path, e))?;
                let number = |name: &String| name.strip_suffix(".json.gz")?.parse::<u64>().ok();
                // Whatever has another name than a record gets is none.
                let is_one = |name: &String, number: u64| self.record_path(number) == path.join(name);
                let numbers = names.iter().filter_map(|name| number(name).filter(|number| is_one(name, *number)));
                found.extend(numbers.filter(|number| *number > last));
            }
        }
        found.sort_unstable();
        let digest_of = |number| reading::small(&self.record_path(number), MOST_PACKED).ok().flatten();
        Ok(found.into_iter().map(|number| (number, digest_of(number).map(|packed| digest(&packed)))).collect())
    }
}

/// Opens a file that is to be read, and is no pipe or device that may never end.
fn open(path: &Path) -> io::Result<Option<File>> {
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(_) if path.is_symlink() => return Err(io::Error::other("this is a symbolic link, not the file itself")),
        file => file?,
    };
    if file.metadata()?.is_file() { Ok(Some(file)) } else { Err(io::Error::other("this is no regular file")) }
}
