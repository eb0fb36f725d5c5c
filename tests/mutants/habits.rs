//! Correct pipelines with odd habits: no scenario may blame them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use backdraft::{
    archive::Manifest,
    assembly::rigging::Means,
    model::event::{BackupMade, What},
    pipeline::{BackupError, Pipeline, RestoreEnd, Workbench},
    store::{ByteStream, ObjectInfo, PutOptions, Store},
};
use data_encoding::HEXLOWER;
use flate2::Compression;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    careless::{AfterBackup, Split, remade},
    dumps::{deflated, inflated},
    lens::{Got, Lens, body, bytes_of, plain_get, through},
    media::source_through,
    rig::{Rig, rig},
    tables::{exporting, spelling},
};

/// A correct pipeline with a habit.
pub(crate) struct Habit {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What it does, in one line.
    pub(crate) does: &'static str,
    /// Scenarios that must not blame it.
    pub(crate) scenarios: &'static [&'static str],
    /// Puts it in.
    pub(crate) rig: fn() -> Rig,
}

const DATABASE: &[&str] = &[
    "database/control",
    "database/corrupt-truncated-latest",
    "database/stale-looks-fresh",
    "database/outage-during-backup",
    "database/outage-during-fetch",
    "database/stream-gap",
    "level-3/everything-lost-newest-bad",
];
const ALL_KINDS: &[&str] = &[
    "database/control",
    "database/outage-during-fetch",
    "database/stream-critical-class",
    "files/control",
    "files/object-damaged-everywhere",
    "config/control",
    "level-3/everything-lost",
    "level-3/everything-encrypted-lock-holds",
];

/// An application is to be back within minutes.
const NOT_THE_WEB: &[&str] =
    &["database/control", "database/outage-during-fetch", "files/object-damaged-everywhere", "config/control"];

/// All of them.
pub(crate) static HABITS: &[Habit] = &[
    Habit {
        name: "writes-rows-in-another-order",
        does: "exports tables and their rows the other way round",
        scenarios: DATABASE,
        rig: || {
            rig().platform("database", |inner| {
                let reversed = exporting(|mut tables| {
                    tables.reverse();
                    tables.iter_mut().for_each(|(_, lines)| lines.reverse());
                    tables
                });
                reversed.on(inner)
            })
        },
    },
    Habit {
        name: "spells-rows-otherwise",
        does: "writes the fields of a row in another order, with other white space",
        scenarios: DATABASE,
        rig: || rig().platform("database", |inner| spelling(respelled).on(inner)),
    },
    Habit {
        name: "exports-an-empty-table-more",
        does: "has a table of its own in every dump, without rows",
        scenarios: DATABASE,
        rig: || {
            rig().platform("database", |inner| {
                let more = exporting(|mut tables| {
                    tables.push(("migrations".into(), Vec::new()));
                    tables
                });
                more.on(inner)
            })
        },
    },
    Habit {
        name: "compresses-hard",
        does: "stores a dump as one gzip member of the highest level",
        scenarios: DATABASE,
        rig: || recompressing(|text| deflated(text, Compression::best())),
    },
    Habit {
        name: "compresses-not",
        does: "stores a dump in a gzip member that is not compressed",
        scenarios: DATABASE,
        rig: || recompressing(|text| deflated(text, Compression::none())),
    },
    Habit {
        name: "makes-a-member-a-line",
        does: "stores every line in a gzip member of its own",
        scenarios: DATABASE,
        rig: || {
            recompressing(|text| {
                text.split_inclusive('\n').flat_map(|line| deflated(line, Compression::default())).collect()
            })
        },
    },
    Habit {
        name: "writes-in-small-parts",
        does: "hands on what it stores in pieces of 1,000 bytes",
        scenarios: ALL_KINDS,
        rig: || rig().bench(|_, bench| through(bench, Pieces(1_000))),
    },
    Habit {
        name: "writes-in-one-part",
        does: "hands on what it stores in one piece",
        scenarios: ALL_KINDS,
        rig: || rig().bench(|_, bench| through(bench, Pieces(usize::MAX))),
    },
    Habit {
        name: "leaves-litter",
        does: "leaves foreign files between its backups, one of them with a name that is nearly right",
        scenarios: ALL_KINDS,
        rig: || after_each_backup(AfterBackup::LeaveLitter),
    },
    Habit {
        name: "backs-up-again-at-once",
        does: "makes every backup twice under the same name",
        scenarios: ALL_KINDS,
        rig: || after_each_backup(AfterBackup::Again),
    },
    Habit {
        name: "backs-up-in-between",
        does: "makes another backup eleven hours after each one, and says so",
        scenarios: &["database/stream-critical-class", "database/stream-gap"],
        rig: || rig().pipeline(|means, own| Arc::new(InBetween { own, means, state: Mutex::default() })),
    },
    Habit {
        name: "takes-its-time",
        does: "begins to restore after five minutes",
        scenarios: NOT_THE_WEB,
        rig: || {
            rig().pipeline(|means, own| {
                Arc::new(Split { before_restore: Duration::from_secs(300), ..Split::own(means, own) })
            })
        },
    },
    Habit {
        name: "rehearses-first",
        does: "restores twice, and lets users to the second target",
        scenarios: ALL_KINDS,
        rig: || rig().pipeline(|_, own| Arc::new(Rehearses(own))),
    },
    Habit {
        name: "asks-another-region-first",
        does: "restores from the last region of the plan where that one is good",
        scenarios: &["level-3/database-and-web", "level-3/everything-lost-newest-bad"],
        rig: || {
            rig().pipeline(|means, own| {
                let mut bench = means.bench.clone();
                bench.stores.reverse();
                let restores = remade(&means, bench, true).unwrap_or_else(|| Arc::clone(&own));
                Arc::new(Split { restores, ..Split::own(means, own) })
            })
        },
    },
    Habit {
        name: "reads-every-file-again",
        does: "believes no ETag and reads the whole bucket for every backup",
        scenarios: &["files/control", "files/object-damaged-everywhere", "files/deletion-noticed-late"],
        rig: || rig().buckets(|inner| source_through(inner, Forgetful::default())),
    },
    Habit {
        name: "lists-files-in-another-order",
        does: "writes its list of files the other way round",
        scenarios: &["files/control", "files/object-missing-in-two-regions", "files/retention-keeps-what-is-needed"],
        rig: || rig().buckets(|inner| source_through(inner, Reversed)),
    },
    Habit {
        name: "writes-variables-in-another-order",
        does: "stores environment files sorted the other way round",
        scenarios: &["config/control", "config/follows-the-database", "config/secret-leaked-in-backup"],
        rig: || {
            rig().platform("config", |inner| {
                let reversed = exporting(|mut tables| {
                    tables.iter_mut().for_each(|(_, lines)| lines.reverse());
                    tables
                });
                reversed.on(inner)
            })
        },
    },
];

fn after_each_backup(after_backup: AfterBackup) -> Rig {
    rig().pipeline(move |means, own| Arc::new(Split { after_backup, ..Split::own(means, own) }))
}

fn respelled(line: String) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(&line) else { return line };
    let (id, mut rest): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(name, _)| name == "_id");
    rest.reverse();
    let fields: Map<String, Value> = id.into_iter().chain(rest).collect();
    // Between the fields of the row alone: within texts nothing may change.
    serde_json::to_string(&fields).unwrap().replacen("{\"_id\":", "{ \"_id\" : ", 1)
}

fn recompressing(pack: fn(&str) -> Vec<u8>) -> Rig {
    rig().bench(move |service, bench| {
        if service != "database" {
            return bench;
        }
        let lens = Recompresses { bench: bench.clone(), pack, known: Mutex::default() };
        through(bench, lens)
    })
}

type RegionAndKey = (String, String);
type GivenAndStored = (Vec<u8>, Vec<u8>);

/// Stores dumps otherwise compressed, and says so in the manifests. While backups are made it answers with what it was
/// given: it knows what it did.
struct Recompresses {
    bench: Workbench,
    pack: fn(&str) -> Vec<u8>,
    /// By region and key: what was given, and what was stored.
    known: Mutex<BTreeMap<RegionAndKey, GivenAndStored>>,
}

impl fmt::Debug for Recompresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recompresses")
    }
}

#[async_trait]
impl Lens for Recompresses {
    async fn put(&self, to: &dyn Store, key: &str, bytes: ByteStream, options: &PutOptions) -> Got<ObjectInfo> {
        let place = |key: String| (to.region().to_owned(), key);
        if key.contains("/stream/") || !key.contains("/backup-") {
            return to.put_with(key, bytes, options).await;
        }
        let given = bytes_of(bytes).await?;
        if let Some(stem) = key.strip_suffix(".manifest.json") {
            let known = self.known.lock().unwrap().get(&place(format!("{stem}.jsonl.gz"))).cloned();
            let manifest = Manifest::parse(&given).ok().zip(known);
            let text = manifest.map_or(given, |(manifest, (_, stored))| {
                let stored_sha256 = HEXLOWER.encode(&Sha256::digest(&stored));
                Manifest { stored_bytes: stored.len() as u64, stored_sha256, ..manifest }.to_json().into_bytes()
            });
            return to.put_with(key, body(text), options).await;
        }
        let stored = (self.pack)(&String::from_utf8(inflated(&given)).unwrap());
        let put = to.put_with(key, body(stored.clone()), options).await?;
        self.known.lock().unwrap().insert(place(key.to_owned()), (given, stored));
        Ok(put)
    }

    async fn get(&self, from: &dyn Store, key: &str, version: Option<&str>) -> Got<(ObjectInfo, ByteStream)> {
        let (info, read) = plain_get(from, key, version).await?;
        let known = self.known.lock().unwrap().get(&(from.region().to_owned(), key.to_owned())).cloned();
        match known {
            Some((given, _)) if self.bench.clock.since_t0().is_none() && version.is_none() => {
                Ok((ObjectInfo { size: given.len() as u64, ..info }, body(given)))
            }
            _ => Ok((info, read)),
        }
    }
}

/// Hands on what is stored in pieces of that size.
#[derive(Debug)]
struct Pieces(usize);

#[async_trait]
impl Lens for Pieces {
    async fn put(&self, to: &dyn Store, key: &str, bytes: ByteStream, options: &PutOptions) -> Got<ObjectInfo> {
        let mut bytes = bytes;
        let mut all = Vec::new();
        let mut end = None;
        while let Some(piece) = bytes.next().await {
            match piece {
                Ok(piece) => all.extend_from_slice(&piece),
                Err(why) => end = Some(Err(why)),
            }
        }
        let size = self.0.min(all.len().max(1));
        let pieces: Vec<_> = all.chunks(size).map(|piece| Ok(piece.to_vec().into())).chain(end).collect();
        to.put_with(key, stream::iter(pieces).boxed(), options).await
    }
}

/// Lists everything with an ETag that nobody has seen.
#[derive(Debug, Default)]
struct Forgetful(AtomicU64);

#[async_trait]
impl Lens for Forgetful {
    async fn list(&self, of: &dyn Store, prefix: &str) -> Got<Vec<ObjectInfo>> {
        let round = self.0.fetch_add(1, Ordering::SeqCst);
        let forgotten = |info| ObjectInfo { etag: Some(format!("{round:032x}")), ..info };
        of.list(prefix).await.map(|all| all.into_iter().map(forgotten).collect())
    }

    async fn get(&self, from: &dyn Store, key: &str, version: Option<&str>) -> Got<(ObjectInfo, ByteStream)> {
        plain_get(from, key, version).await
    }
}

/// Lists the other way round.
#[derive(Debug)]
struct Reversed;

#[async_trait]
impl Lens for Reversed {
    async fn list(&self, of: &dyn Store, prefix: &str) -> Got<Vec<ObjectInfo>> {
        of.list(prefix).await.map(|all| all.into_iter().rev().collect())
    }
}

/// Restores, and restores again.
struct Rehearses(Arc<dyn Pipeline>);

#[async_trait]
impl Pipeline for Rehearses {
    async fn backup(&self, day: u32) -> Result<BackupMade, BackupError> {
        self.0.backup(day).await
    }

    async fn stream(&self) {
        self.0.stream().await;
    }

    async fn restore(&self) -> RestoreEnd {
        match self.0.restore().await {
            RestoreEnd::Restored(_) => self.0.restore().await,
            refused => refused,
        }
    }

    async fn follow(&self) {
        self.0.follow().await;
    }
}

/// Makes backups of its own beside those that are scheduled.
struct InBetween {
    own: Arc<dyn Pipeline>,
    means: Means,
    /// The day and the moment of the last backup that was scheduled, until another one was made after it.
    state: Mutex<Option<(u32, Timestamp)>>,
}

#[async_trait]
impl Pipeline for InBetween {
    async fn backup(&self, day: u32) -> Result<BackupMade, BackupError> {
        *self.state.lock().unwrap() = Some((day, self.means.bench.clock.now()));
        self.own.backup(day).await
    }

    async fn stream(&self) {
        let now = self.means.bench.clock.now();
        let due = self.state.lock().unwrap().take_if(|(_, at)| now.duration_since(*at).as_hours() >= 11);
        if let Some((day, _)) = due
            && let Ok(made) = self.own.backup(day).await
        {
            self.means.bench.recorder.emit(What::BackedUp(made));
        }
        self.own.stream().await;
    }

    async fn restore(&self) -> RestoreEnd {
        self.own.restore().await
    }

    async fn follow(&self) {
        self.own.follow().await;
    }
}
