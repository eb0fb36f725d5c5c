//! From a recovery point on: the longest unbroken chain of good pieces of the change stream. Every piece may come from
//! any region; each is read whole and checked before it counts. Pieces join by positions, not by the backup that they
//! followed, so that an older backup with a longer chain reaches as far as the newest one.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{
    Reference,
    changed::Changed,
    cost,
    piece::{self, Header, Opened},
};
use crate::{
    model::{
        event::{Phase, PointTried, Position, What},
        naming::PieceName,
    },
    store::{SharedStore, StoreErrorKind, VersionInfo},
};

/// Pieces that are fetched at once.
const AT_ONCE: usize = 8;

/// Regions that failed as a whole during this restore: none is asked twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Outages(Arc<Mutex<BTreeMap<String, StoreErrorKind>>>);

impl Outages {
    /// How a region had failed.
    pub(super) fn of(&self, region: &str) -> Option<StoreErrorKind> {
        self.known().get(region).copied()
    }

    /// A request failed; where it was the whole region, that is remembered.
    pub(super) fn note(&self, region: &str, kind: StoreErrorKind) {
        if kind.is_region_out() {
            self.known().entry(region.to_owned()).or_insert(kind);
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, StoreErrorKind>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a piece lies.
#[derive(Debug, Clone)]
struct Copy {
    store: SharedStore,
    /// Its version, where it lies below something newer.
    version: Option<String>,
}

/// A piece that was read whole and is good. It waits in a file.
#[derive(Debug, Clone)]
struct Good {
    header: Header,
    seal: String,
    file: PathBuf,
}

/// What trying to get a piece came to.
#[derive(Debug, Clone, Default)]
struct Fetched {
    good: Option<Good>,
    /// Copies that were tried in vain, by region, with the reason.
    failed: Vec<(String, Failure)>,
}

/// Why a copy was no good.
#[derive(Debug, Clone)]
enum Failure {
    /// The region did not give it.
    Store(StoreErrorKind),
    /// It is not what it should be.
    Content(String),
}

impl Failure {
    fn words(&self) -> String {
        match self {
            Failure::Store(kind) => kind.to_string(),
            Failure::Content(why) => why.clone(),
        }
    }
}

/// A chain on top of one position.
#[derive(Debug, Default)]
pub(super) struct Chain {
    links: Vec<Good>,
    /// What its changes touch.
    pub(super) changed: Changed,
}

impl Chain {
    /// How many pieces.
    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    /// The last write of the last piece; `None` where there is none.
    pub(super) fn end(&self) -> Option<Position> {
        self.links.last().map(|link| link.header.to)
    }
}

/// All pieces that the regions show, and what is known of them.
pub(super) struct Pieces {
    copies: BTreeMap<PieceName, Vec<Copy>>,
    fetched: BTreeMap<PieceName, Fetched>,
    outages: Outages,
    /// Where good pieces wait; made with the first.
    folder: Option<tempfile::TempDir>,
    /// Regions and breaks that were spoken of.
    said: BTreeSet<String>,
}

impl Pieces {
    /// None so far.
    pub(super) fn new(outages: &Outages) -> Self {
        let (copies, fetched, said) = Default::default();
        Pieces { copies, fetched, outages: outages.clone(), folder: None, said }
    }

    /// Whether no region shows any: then there is no stream.
    pub(super) fn is_empty(&self) -> bool {
        self.copies.is_empty()
    }

    /// Takes up the pieces that one region shows: of each the newest version first, then what lies below it.
    pub(super) fn add(&mut self, store: &SharedStore, name: PieceName, version: &VersionInfo) {
        let version = (!version.is_latest).then(|| version.version.clone());
        self.copies.entry(name).or_default().push(Copy { store: Arc::clone(store), version });
    }

    /// The longest path of pieces from a write on, by their names alone; those known to be bad are left out.
    fn path(&self, from: u64) -> Vec<PieceName> {
        let bad = |name: &PieceName| self.fetched.get(name).is_some_and(|fetched| fetched.good.is_none());
        let usable: Vec<PieceName> = self.copies.keys().filter(|name| !bad(name)).copied().collect();
        path(&usable, from)
    }
}

/// The pieces that lead from a write as far as possible, each the longest that goes on from where the one before ends.
fn path(pieces: &[PieceName], from: u64) -> Vec<PieceName> {
    let mut sorted: Vec<PieceName> = pieces.iter().filter(|piece| piece.from < piece.to).copied().collect();
    sorted.sort_by_key(|piece| (piece.from, piece.to));
    let (mut path, mut at, mut best) = (Vec::new(), from, None::<PieceName>);
    let mut next = 0;
    loop {
        while let Some(piece) = sorted.get(next).filter(|piece| piece.from <= at) {
            best = best.filter(|best| best.to >= piece.to).or(Some(*piece));
            next += 1;
        }
        match best.filter(|best| best.to > at) {
            Some(piece) => {
                at = piece.to;
                path.push(piece);
            }
            None => return path,
        }
    }
}

impl Reference {
    /// The chain on top of a position. Says aloud where it breaks.
    pub(super) async fn chain(&self, pieces: &mut Pieces, base: Position) -> Result<Chain, String> {
        let mut links: Vec<Good> = Vec::new();
        let mut at = base;
        let broken = 'chain: loop {
            let path = pieces.path(at.seq);
            if path.is_empty() {
                break self.what_lacks(pieces, at);
            }
            let fetched: Vec<_> = {
                let (known, folder) = (pieces.fetched.clone(), self.waiting_room(pieces)?);
                let (copies, outages) = (&pieces.copies, &pieces.outages);
                let get = |name: PieceName| {
                    let (known, folder) = (known.get(&name).cloned(), folder.clone());
                    async move {
                        let fetched = match known {
                            Some(known) => known,
                            None => self.fetch(name, &copies[&name], outages, folder).await,
                        };
                        (name, fetched)
                    }
                };
                let mut bad = false;
                stream::iter(path)
                    .map(get)
                    .buffered(AT_ONCE)
                    .take_while(|(_, fetched)| {
                        let go_on = !bad;
                        bad |= fetched.good.is_none();
                        std::future::ready(go_on)
                    })
                    .collect()
                    .await
            };
            for (name, fetched) in fetched {
                if pieces.fetched.insert(name, fetched.clone()).is_none() {
                    self.tell_failed(pieces, &name, &fetched);
                }
                let Some(good) = fetched.good else { break }; // another path may lead past it
                if let Some(why) = misfit(links.last(), at, &good.header) {
                    break 'chain Some(format!("{name} {why}"));
                }
                at = good.header.to;
                links.push(good);
            }
        };
        if let Some(why) = broken
            && pieces.said.insert(format!("{} {why}", at.seq))
        {
            self.bench.recorder.emit(What::StreamBroken { after: at, why });
        }
        let mut chain = Chain { links, changed: Changed::default() };
        for number in 0..chain.links.len() {
            for chunk in self.read_link(&chain, number).await?.rows {
                chain.changed.note(&chunk)?;
            }
        }
        Ok(chain)
    }

    /// A piece of the chain, from the file in which it waits.
    pub(super) async fn read_link(&self, chain: &Chain, number: usize) -> Result<Opened, String> {
        let file = chain.links[number].file.clone();
        let read = self.bench.lanes.run(move || std::fs::read(&file).map_err(|e| e.to_string())).await?;
        piece::open(read.into(), &self.bench).await
    }

    /// Why no piece goes on from here; `None` where the stream simply ends.
    fn what_lacks(&self, pieces: &Pieces, at: Position) -> Option<String> {
        let bad = pieces
            .fetched
            .iter()
            .find(|(name, fetched)| fetched.good.is_none() && (name.from..name.to).contains(&at.seq));
        if let Some((name, fetched)) = bad {
            let whys = fetched.failed.iter().map(|(region, why)| format!("{region}: {}", why.words()));
            let whys: Vec<_> = whys.collect();
            return Some(format!("no region has a good copy of piece {name} ({})", whys.join("; ")));
        }
        let next = pieces.copies.keys().filter(|name| name.from > at.seq).min_by_key(|name| name.from)?;
        Some(format!("the piece with write {} is missing; the next one is {next}", at.seq + 1))
    }

    /// Gets a piece from the first region that has a good copy.
    async fn fetch(&self, name: PieceName, copies: &[Copy], outages: &Outages, folder: PathBuf) -> Fetched {
        let mut fetched = Fetched::default();
        let rank = |copy: &&Copy| {
            let region = self.bench.stores.iter().position(|store| store.region() == copy.store.region());
            (copy.version.is_some(), region)
        };
        let mut copies: Vec<&Copy> = copies.iter().collect();
        copies.sort_by_key(rank); // stable: of one region the newest version stays first
        for copy in copies {
            let region = copy.store.region().to_owned();
            if let Some(kind) = outages.of(&region) {
                fetched.failed.push((region, Failure::Store(kind)));
                continue;
            }
            match self.fetch_copy(name, copy, folder.clone()).await {
                Ok(good) => {
                    fetched.good = Some(good);
                    break;
                }
                Err(why) => {
                    if let Failure::Store(kind) = why {
                        outages.note(&region, kind);
                    }
                    fetched.failed.push((region, why));
                }
            }
        }
        fetched
    }

    async fn fetch_copy(&self, name: PieceName, copy: &Copy, folder: PathBuf) -> Result<Good, Failure> {
        let key = self.layout.piece_key(&name);
        let got = match &copy.version {
            Some(version) => copy.store.get_version(&key, version).await,
            None => copy.store.get(&key).await,
        };
        let (info, body) = got.map_err(|e| Failure::Store(e.kind))?;
        let bytes = piece::collect(info.size, body).await.map_err(Failure::Store)?;
        let opened = piece::open(bytes.clone(), &self.bench).await.map_err(Failure::Content)?;
        opened.check(&self.service, &name).map_err(Failure::Content)?;
        self.bench.clock.spend_on(opened.raw_bytes, cost::UNPACK_AND_IMPORT).await;
        let file = folder.join(name.to_string());
        self.keep(file.clone(), bytes).await.map_err(Failure::Content)?;
        Ok(Good { header: opened.header, seal: opened.seal, file })
    }

    async fn keep(&self, file: PathBuf, bytes: Bytes) -> Result<(), String> {
        let write = move || std::fs::write(&file, &bytes).map_err(|e| format!("it cannot be kept: {e}"));
        self.bench.lanes.run(write).await
    }

    fn waiting_room(&self, pieces: &mut Pieces) -> Result<PathBuf, String> {
        if pieces.folder.is_none() {
            let made = tempfile::tempdir_in(&self.bench.scratch);
            pieces.folder = Some(made.map_err(|e| format!("no folder for the pieces of the stream: {e}"))?);
        }
        Ok(pieces.folder.as_ref().map(|folder| folder.path().to_owned()).unwrap_or_default())
    }

    /// Says which copies were no good; of a region that is out once.
    fn tell_failed(&self, pieces: &mut Pieces, name: &PieceName, fetched: &Fetched) {
        for (region, why) in &fetched.failed {
            let (phase, said) = match why {
                Failure::Store(kind) if kind.is_region_out() => (Phase::Fetch, region.clone()),
                Failure::Store(_) => (Phase::Fetch, format!("{region} {name}")),
                Failure::Content(_) => (Phase::Verify, format!("{region} {name}")),
            };
            if pieces.said.insert(said) {
                let point = format!("piece {name}");
                let tried = PointTried { point, region: region.clone(), phase, why: why.words() };
                self.bench.recorder.emit(What::PointRefused(tried));
            }
        }
    }
}

/// Why a piece does not follow the one before it; a piece on top of a backup may begin before the backup's position,
/// for its rows are as they are at its end.
fn misfit(before: Option<&Good>, at: Position, next: &Header) -> Option<String> {
    if next.from.seq > at.seq || next.to.seq <= at.seq {
        return Some(format!("does not go on from write {}", at.seq));
    }
    if next.to.committed_at < at.committed_at {
        return Some("ends before the piece that it follows".into());
    }
    let before = before.filter(|before| before.header.to.seq == next.from.seq)?;
    let seal = next.previous.as_ref()?;
    (*seal != before.seal).then(|| "follows another piece than the one that is there".into())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn name((from, to): (u64, u64)) -> PieceName {
        PieceName::at(Timestamp::UNIX_EPOCH, from, to)
    }

    proptest! {
        #[test]
        fn a_path_has_no_gap_and_reaches_as_far_as_any(
            pieces in proptest::collection::vec((0u64..30, 0u64..30), 0..25), from in 0u64..30,
        ) {
            let pieces: Vec<PieceName> = pieces.into_iter().map(name).collect();
            let found = path(&pieces, from);
            let mut at = from;
            for piece in &found {
                prop_assert!(pieces.contains(piece) && piece.from <= at && piece.to > at);
                at = piece.to;
            }
            // Every write that can be reached at all, found by trying every piece again and again.
            let mut reached = from;
            while let Some(piece) = pieces.iter().find(|piece| piece.from <= reached && piece.to > reached) {
                reached = piece.to;
            }
            prop_assert_eq!(at, reached);
        }
    }

    #[test]
    fn a_piece_follows_the_very_piece_that_it_names_or_a_backup_within_it() {
        let position = |seq: u64| Position { seq, committed_at: Timestamp::from_second(seq as i64).unwrap() };
        let header = |from: u64, to: u64, previous: Option<&str>| -> Header {
            let value = serde_json::json!({
                "_id": "piece", "format": "f", "service": "s", "previous": previous,
                "from": position(from), "to": position(to),
            });
            serde_json::from_value(value).unwrap()
        };
        let good = |header: Header| Good { header, seal: "first".into(), file: PathBuf::new() };
        let before = good(header(3, 6, None));
        let fits = |before, at, next: Header| misfit(before, position(at), &next).is_none();
        assert!(fits(Some(&before), 6, header(6, 9, Some("first"))));
        assert!(!fits(Some(&before), 6, header(6, 9, Some("another"))));
        assert!(fits(Some(&before), 6, header(6, 9, None)), "the stream began again on a backup");
        assert!(fits(None, 5, header(3, 6, Some("gone"))), "a backup in the middle of a piece");
        assert!(!fits(None, 2, header(3, 6, None)) && !fits(None, 6, header(3, 6, None)));
    }
}
