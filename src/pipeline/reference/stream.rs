//! Between the backups: each call copies what changed since the last piece to every region. A piece is read back where
//! it arrived first; what a region missed is brought there once it answers again.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use futures_util::{StreamExt, future::join_all, stream};

use super::{
    Reference, cost,
    piece::{self, Packed},
};
use crate::{
    model::{
        event::{AlarmKind, Position},
        naming::PieceName,
    },
    service::contract::Changes,
    store::{SharedStore, StoreErrorKind},
};

/// Pieces that a region is brought later, in one call.
const CAUGHT_UP_AT_ONCE: usize = 32;

/// Pieces that a region may miss before the oldest are given up: more than any retention keeps.
const MISSED: usize = 10_000;

/// A region that fails is asked again after 1, 2, 4, … calls, at the latest after so many.
const LONGEST_PAUSE: u32 = 16;

/// Where the stream stands.
#[derive(Debug, Default)]
pub(super) struct Tap {
    /// The end of the last piece, and its seal; of the first backup, without one.
    last: Option<(Position, Option<String>)>,
    /// The newest backup, to go on from where the source has forgotten what follows the last piece.
    base: Option<Position>,
    regions: BTreeMap<String, Reach>,
    /// Whether it was said that the stream stands still.
    said: bool,
}

/// How the stream reaches one region.
#[derive(Debug, Default)]
struct Reach {
    missed: VecDeque<PieceName>,
    /// Calls until it is asked again, and how many that were last; `None` while it takes what it gets.
    pause: Option<(u32, u32)>,
}

impl Reach {
    /// Whether it is to be asked in this call.
    fn is_asked(&mut self) -> bool {
        match &mut self.pause {
            Some((left, _)) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        }
    }

    /// It failed. Whether that is news.
    fn fails(&mut self) -> bool {
        let news = self.pause.is_none();
        let length = self.pause.map_or(1, |(_, length)| (length * 2).min(LONGEST_PAUSE));
        self.pause = Some((length, length));
        news
    }

    fn misses(&mut self, name: PieceName) {
        self.missed.push_back(name);
        if self.missed.len() > MISSED {
            self.missed.pop_front();
        }
    }
}

impl Tap {
    /// A backup was made: the first one begins the stream.
    pub(super) fn stand_on(&mut self, base: Position) {
        self.last.get_or_insert((base, None));
        self.base = Some(base);
    }

    fn reach(&mut self, region: &str) -> &mut Reach {
        self.regions.entry(region.to_owned()).or_default()
    }

    /// Whether the source has forgotten too much, and there is a newer backup to go on from.
    fn skip_to_base(&mut self) -> bool {
        let newer = self.base.filter(|base| self.last.as_ref().is_some_and(|(last, _)| base.seq > last.seq));
        newer.map(|base| self.last = Some((base, None))).is_some()
    }
}

impl Reference {
    /// Copies what changed since the last piece, or since the first backup.
    pub(super) async fn copy_changes(&self) {
        let mut tap = self.tap.lock().await;
        let tap = &mut *tap;
        let mut asked = Vec::new();
        for store in &self.bench.stores {
            if tap.reach(store.region()).is_asked() {
                asked.push(store.clone());
            }
        }
        if asked.is_empty() {
            return; // what changes waits in the source
        }
        while let Some((position, previous)) = tap.last.clone() {
            let after = position.seq;
            let changes = match self.platform.source().changes(position).await {
                Ok(changes) => changes,
                Err(_) if tap.skip_to_base() => continue,
                Err(why) => return self.stands_still(tap, after, &why.to_string()),
            };
            if changes.to.seq <= after {
                break;
            }
            match self.write_piece(tap, &mut asked, changes, previous).await {
                Ok(piece) => tap.last = Some((piece.header.to, Some(piece.seal))),
                Err(why) => return self.stands_still(tap, after, &why),
            }
        }
        self.catch_up(tap, &asked).await;
    }

    /// Nothing goes on; said once until it does.
    fn stands_still(&self, tap: &mut Tap, after: u64, why: &str) {
        if !tap.said {
            let detail = format!("the change stream stands still after write {after}: {why}");
            self.alarm(AlarmKind::BackupFailed, None, detail);
        }
        tap.said = true;
    }

    /// Packs changes and writes them to every region that is `asked`; those that fail are asked no more in this call.
    /// Err: no region has them.
    async fn write_piece(
        &self,
        tap: &mut Tap,
        asked: &mut Vec<SharedStore>,
        changes: Changes,
        previous: Option<String>,
    ) -> Result<Packed, String> {
        let piece = piece::pack(&self.service, changes, previous, &self.bench).await?;
        self.bench.clock.spend_on(piece.raw_bytes, cost::PACK).await;
        let name = PieceName::at(self.bench.clock.now_to_name(), piece.header.from.seq, piece.header.to.seq);
        let key = self.layout.piece_key(&name);
        let mut failed = Vec::new();
        let mut rest = asked.iter();
        let mut has = Vec::new();
        for store in rest.by_ref() {
            match self.put_and_read_back(store, &key, &piece.bytes).await {
                Ok(()) => {
                    has.push(store.region().to_owned());
                    break;
                }
                Err(why) => failed.push((store.region().to_owned(), why)),
            }
        }
        let copies = rest.map(|store| async { (store.region().to_owned(), put(store, &key, &piece.bytes).await) });
        for (region, copied) in join_all(copies).await {
            match copied {
                Ok(()) => has.push(region),
                Err(why) => failed.push((region, why)),
            }
        }
        asked.retain(|store| has.iter().any(|region| region == store.region()));
        if has.is_empty() {
            for (region, _) in &failed {
                tap.reach(region).fails();
            }
            let whys: Vec<_> = failed.into_iter().map(|(region, why)| format!("{region}: {why}")).collect();
            return Err(format!("no region takes a piece ({})", whys.join("; ")));
        }
        tap.said = false;
        for (region, why) in failed {
            if tap.reach(&region).fails() {
                let detail =
                    format!("piece {name} of the change stream is not in {region}, nor are those after it: {why}");
                self.alarm(AlarmKind::BackupFailed, Some(&region), detail);
            }
        }
        for store in &self.bench.stores {
            let reach = tap.reach(store.region());
            match has.iter().any(|region| region == store.region()) {
                true => reach.pause = None,
                false => reach.misses(name),
            }
        }
        Ok(piece)
    }

    async fn put_and_read_back(&self, store: &SharedStore, key: &str, bytes: &Bytes) -> Result<(), String> {
        put(store, key, bytes).await?;
        match get(store, key).await {
            Ok(found) if found == *bytes => Ok(()),
            Ok(_) => Err("what was stored does not read back".into()),
            Err(kind) => Err(format!("what was stored does not read back: {kind}")),
        }
    }

    /// Brings regions that take pieces again what they missed. One that breaks off is brought the rest later.
    async fn catch_up(&self, tap: &mut Tap, asked: &[SharedStore]) {
        for store in asked {
            for _ in 0..CAUGHT_UP_AT_ONCE {
                let Some(name) = tap.reach(store.region()).missed.front().copied() else { break };
                if !self.bring(store, &name).await {
                    break;
                }
                tap.reach(store.region()).missed.pop_front();
            }
        }
    }

    /// Copies a piece from any region that has a good one. `false` where the region does not take it.
    async fn bring(&self, to: &SharedStore, name: &PieceName) -> bool {
        let key = self.layout.piece_key(name);
        for from in self.bench.stores.iter().filter(|from| from.region() != to.region()) {
            let Ok(bytes) = get(from, &key).await else { continue };
            let opened = piece::open(bytes.clone(), &self.bench).await;
            if opened.and_then(|opened| opened.check(&self.service, name)).is_ok() {
                return put(to, &key, &bytes).await.is_ok();
            }
        }
        true // nobody has it any more: it was pruned
    }
}

async fn put(store: &SharedStore, key: &str, bytes: &Bytes) -> Result<(), String> {
    let body = stream::iter([Ok(bytes.clone())]).boxed();
    store.put(key, body).await.map(|_| ()).map_err(|e| e.kind.to_string())
}

async fn get(store: &SharedStore, key: &str) -> Result<Bytes, StoreErrorKind> {
    let (info, body) = store.get(key).await.map_err(|e| e.kind)?;
    piece::collect(info.size, body).await
}
