//! A history below a prefix of a bucket: `entries/000000001.json` and `records/000000001.json.gz`, each written once, on
//! the condition that it is not there (`If-None-Match: *`). So two that write at once cannot fork the chain: whoever has
//! put record N owns entry N. Where it is wanted, object lock holds both.

use std::{collections::BTreeMap, fmt, fs, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Runtime;

use super::{
    chain::{End, Link, digest, hex, new_record, unhex},
    contract::{Draft, Place},
    packing::MOST_PACKED,
    survey::{Damage, Ending, HeadSeen, Kept, Line, Seen, Stated, Survey},
};
use crate::{
    error::{Error, Result},
    model::{history::Head, record::Way},
    sim::{clock, clock::Clock},
    store::{LockMode, PutOptions, Retention, SharedStore, StoreError, StoreErrorKind},
};

/// Name of an object's metadata that holds the digest of an entry.
const SHA256: &str = "sha256";

/// Requests on their way at once.
const IN_FLIGHT: usize = 16;

/// How often somebody else may be faster before this gives up.
const TRIES: usize = 200;

/// How often, and after how long each time, somebody else's entry is looked for before it is written for them.
const LOOKS: (u32, Duration) = (10, Duration::from_millis(300));

/// A prefix of a bucket.
pub struct Bucket {
    store: SharedStore,
    runtime: Runtime,
    clock: Clock,
    name: String,
    prefix: String,
    /// How firmly, and for how many days, what is written is held.
    lock: Option<(LockMode, u32)>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Bucket {
    /// Below `prefix` in that bucket; `name` is how people name it. What is written is held by object lock for so many
    /// days, where that is wanted; the bucket must have it. Nothing is sent yet.
    ///
    /// # Errors
    /// When a thread cannot be had.
    pub fn new(store: SharedStore, name: &str, prefix: &str, lock: Option<(LockMode, u32)>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|e| Error::new("no thread can be had for the history").because(e))?;
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let clock = Clock::new(Way::Real, clock::wall_now());
        Ok(Bucket { store, runtime, clock, name: name.to_owned(), prefix, lock })
    }

    fn entry_key(&self, sequence: u64) -> String {
        format!("{}entries/{sequence:09}.json", self.prefix)
    }

    fn record_key(&self, sequence: u64) -> String {
        format!("{}records/{sequence:09}.json.gz", self.prefix)
    }

    /// Numbers of what lies below a folder, in order.
    async fn numbers(&self, folder: &str, ending: &str) -> Result<Vec<u64>> {
        let prefix = format!("{}{folder}/", self.prefix);
        let listed = self.store.list(&prefix).await.map_err(|e| self.unreadable(e))?;
        let number = |key: &str| {
            let digits = key.strip_prefix(&prefix)?.strip_suffix(ending)?;
            digits.parse().ok().filter(|number: &u64| format!("{number:09}") == digits)
        };
        let mut numbers: Vec<u64> = listed.iter().filter_map(|object| number(&object.key)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// An object with the digest that was written beside it; `None` where there is none.
    async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Stated)>> {
        let (info, body) = match self.store.get(key).await {
            Err(e) if matches!(e.kind, StoreErrorKind::NotFound | StoreErrorKind::NotAllowed) => return Ok(None),
            got => got.map_err(|e| self.unreadable(e))?,
        };
        if info.size > MOST_PACKED {
            let place = format!("{}: {key}", self.name);
            return Err(Error::new("this object is larger than what is written here").at(place));
        }
        let stated = info.metadata.get(SHA256).and_then(|text| unhex(text)).map_or(Stated::Missing, Stated::As);
        let pieces: Vec<Bytes> = body.try_collect().await.map_err(|e| self.unreadable(e))?;
        Ok(Some((pieces.concat(), stated)))
    }

    /// Writes what must not be there yet; gives what is there in the end, which is somebody else's where they were faster.
    async fn put_new(&self, key: &str, content: &[u8]) -> Result<Vec<u8>> {
        let held = |(mode, days): (LockMode, u32)| {
            let days = SignedDuration::from_hours(24 * i64::from(days));
            Retention { mode, until: clock::wall_now().checked_add(days).unwrap_or(Timestamp::MAX) }
        };
        let options = PutOptions {
            metadata: BTreeMap::from([(SHA256.to_owned(), hex(&digest(content)))]),
            retention: self.lock.map(held),
            if_absent: true,
            ..PutOptions::default()
        };
        let body = Bytes::copy_from_slice(content);
        match self.store.put_with(key, stream::iter([Ok(body)]).boxed(), &options).await {
            Ok(_) => Ok(content.to_vec()),
            Err(e) if e.kind == StoreErrorKind::Exists => {
                let there = self.get(key).await?;
                there.map(|(there, _)| there).ok_or_else(|| self.unwritable(e))
            }
            Err(e) => Err(self.unwritable(e)),
        }
    }

    /// The chain's end as it is now.
    async fn end(&self) -> Result<End> {
        let Some(last) = self.numbers("entries", ".json").await?.pop() else { return Ok(End::NONE) };
        let line = self.get(&self.entry_key(last)).await?.map(|(line, _)| line);
        self.end_in(last, &line.unwrap_or_default())
    }

    /// The end that an entry makes.
    fn end_in(&self, sequence: u64, line: &[u8]) -> Result<End> {
        match Link::of(line) {
            Ok(link) if link.sequence == sequence => Ok(End { sequence, digest: digest(line) }),
            Ok(link) => Err(self.damaged(sequence, format!("it says that it is entry {}", link.sequence))),
            Err(why) => Err(self.damaged(sequence, why)),
        }
    }

    async fn append_after(&self, mut end: End, draft: &Draft<'_>, packed: &[u8]) -> Result<End> {
        for _ in 0..TRIES {
            let number = end.sequence + 1;
            let there = self.put_new(&self.record_key(number), packed).await?;
            if there != packed {
                end = self.entry_of_others(end, &there).await?;
                continue;
            }
            let (line, _) = end.next(&draft.summary, packed, draft.at)?;
            let line = self.put_new(&self.entry_key(number), &line).await?;
            // Whoever waited for this entry in vain has written it.
            return match Link::of(&line) {
                Ok(link) if link.record == digest(packed) => self.end_in(number, &line),
                _ => Err(self.damaged(number, "another record was in its place".into())),
            };
        }
        Err(Error::new("others write to this history without a pause").at(self.name.clone()))
    }

    /// The end that the entry of somebody else's record makes: theirs, or where they do not write it, ours.
    async fn entry_of_others(&self, end: End, packed: &[u8]) -> Result<End> {
        let (number, (looks, pause)) = (end.sequence + 1, LOOKS);
        let key = self.entry_key(number);
        for look in 0..looks {
            if look > 0 {
                self.clock.sleep(pause).await;
            }
            if let Some((line, _)) = self.get(&key).await? {
                return self.end_in(number, &line);
            }
        }
        let links = self.read_all("entries", ".json", |number| self.entry_key(number)).await?;
        let links: Vec<Link> = links.iter().filter_map(|line| Link::of(line).ok()).collect();
        let summary = new_record(packed, &links).map_err(|why| self.damaged(number, why))?;
        let (line, _) = end.next(&summary, packed, clock::wall_now())?;
        let line = self.put_new(&key, &line).await?;
        self.end_in(number, &line)
    }

    async fn mend(&self) -> Result<Vec<String>> {
        let end = self.end().await?;
        let number = end.sequence + 1;
        let Some((packed, _)) = self.get(&self.record_key(number)).await? else { return Ok(Vec::new()) };
        self.entry_of_others(end, &packed).await?;
        Ok(vec![format!("entry {number}: its record was there, its entry was not; it is written")])
    }

    /// Everything below a folder, in order.
    async fn read_all(&self, folder: &str, ending: &str, key: impl Fn(u64) -> String) -> Result<Vec<Vec<u8>>> {
        let numbers = self.numbers(folder, ending).await?;
        let all = stream::iter(numbers.into_iter().map(key)).map(|key| async move { self.get(&key).await });
        let all: Vec<_> = all.buffered(IN_FLIGHT).try_collect().await?;
        Ok(all.into_iter().flatten().map(|(bytes, _)| bytes).collect())
    }

    /// How the chain ends, where its last line is an entry.
    async fn ending(&self, seen: &[Seen], beyond: &[u64]) -> Result<Ending> {
        let links: Vec<Link> = seen.iter().filter_map(|seen| seen.line.link()).collect();
        let next = match (seen.last(), seen.last().and_then(|last| last.line.link())) {
            (None, _) => 1,
            (_, Some(last)) => last.sequence + 1,
            (Some(_), None) => return Ok(Ending::Whole), // what it is instead is said of the line
        };
        if !beyond.contains(&next) {
            return Ok(Ending::Whole);
        }
        let packed = self.get(&self.record_key(next)).await?.map(|(packed, _)| packed).unwrap_or_default();
        Ok(match new_record(&packed, &links) {
            Ok(_) => Ending::Unfinished(format!("the record of entry {next} is there, its entry was not written")),
            Err(why) => Ending::Damaged(Damage::new(next, why)),
        })
    }

    async fn see(&self, number: u64) -> Result<Option<Seen>> {
        let Some((line, stated)) = self.get(&self.entry_key(number)).await? else { return Ok(None) };
        let said = match Link::of(&line) {
            Err(why) => Line::Odd(why),
            Ok(link) => {
                let kept = match self.get(&self.record_key(link.sequence)).await? {
                    Some((packed, _)) if digest(&packed) == link.record => Kept::Intact,
                    Some(_) => Kept::Edited,
                    None => Kept::Gone,
                };
                Line::Entry(link, kept)
            }
        };
        Ok(Some(Seen { digest: digest(&line), stated, line: said }))
    }

    fn damaged(&self, number: u64, why: String) -> Error {
        Error::new("the end of this history is not as it was written, so nothing can be appended to it")
            .at(format!("{}: entry {number}", self.name))
            .because(why)
            .help("`backdraft history verify` names what was changed; begin another history below another prefix")
    }

    fn unreadable(&self, cause: StoreError) -> Error {
        Error::new("the history cannot be read").at(self.name.clone()).because(cause)
    }

    fn unwritable(&self, cause: StoreError) -> Error {
        let help = match (cause.kind, self.lock) {
            (StoreErrorKind::Nonsense, Some(_)) => {
                "does the bucket have object lock? without --history-lock-days none is asked for"
            }
            _ => "its key must be allowed to put and get objects there, and to list the bucket",
        };
        Error::new("the history cannot be written").at(self.name.clone()).because(cause).help(help)
    }
}

impl Place for Bucket {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn lines(&self) -> Result<Vec<Vec<u8>>> {
        self.runtime.block_on(async { self.read_all("entries", ".json", |number| self.entry_key(number)).await })
    }

    fn record(&self, sequence: u64) -> Result<Option<Vec<u8>>> {
        let got = self.runtime.block_on(self.get(&self.record_key(sequence)))?;
        Ok(got.map(|(packed, _)| packed))
    }

    fn repair(&self) -> Result<Vec<String>> {
        self.runtime.block_on(self.mend())
    }

    fn append(&self, draft: &Draft<'_>) -> Result<Head> {
        let lost = |e| Error::new("the record cannot be read").at(draft.file.display().to_string()).because(e);
        let packed = fs::read(draft.file).map_err(lost)?;
        let end = self.runtime.block_on(async {
            let end = self.end().await?;
            // Killed after its entry was written, before its file was taken away: it is there already.
            match self.get(&self.record_key(end.sequence)).await? {
                Some((last, _)) if draft.left && last == packed => Ok(end),
                _ => self.append_after(end, draft, &packed).await,
            }
        })?;
        fs::remove_file(draft.file).map_err(lost)?;
        Ok(end.head())
    }

    fn survey(&self) -> Result<Survey> {
        self.runtime.block_on(async {
            let numbers = self.numbers("entries", ".json").await?;
            let last = numbers.last().copied().unwrap_or(0);
            let seen = stream::iter(numbers).map(|number| self.see(number)).buffered(IN_FLIGHT);
            let seen: Vec<Option<Seen>> = seen.try_collect().await?;
            let seen: Vec<Seen> = seen.into_iter().flatten().collect();
            let mut numbers = self.numbers("records", ".json.gz").await?;
            numbers.retain(|number| *number > last);
            let ending = self.ending(&seen, &numbers).await?;
            let mut beyond = Vec::new();
            for number in numbers {
                let packed = self.get(&self.record_key(number)).await?;
                beyond.push((number, packed.map(|(packed, _)| digest(&packed))));
            }
            Ok(Survey { seen, head: HeadSeen::NotKept, ending, beyond })
        })
    }
}
