//! Restoring: the newest generation that is whole somewhere. Each file is taken from the first region that has it with
//! the right digest; where none has, an older generation is tried. Only a bucket that was read back and found to be the
//! list is cut over to.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    AT_ONCE, DIGEST, FilePipeline,
    choose::{Generation, Place},
    list::FileEntry,
    transfer::{Broken, digest, transfer},
};
use crate::{
    model::event::{Alarm, AlarmKind, Claim, Phase},
    pipeline::RestoreEnd,
    service::contract::Bucket,
    store::{ByteStream, PutOptions, SharedStore, Store, StoreErrorKind},
};

/// Why a generation was refused, and in which phase.
struct Refusal {
    phase: Phase,
    why: String,
}

impl Refusal {
    fn new(phase: Phase, why: impl std::fmt::Display) -> Self {
        Refusal { phase, why: why.to_string() }
    }
}

/// What regions were found wanting in, while files were fetched. Shared by all who fetch.
#[derive(Debug, Default)]
struct Wanting {
    /// Regions that are out: they are not asked again.
    out: Mutex<BTreeMap<String, StoreErrorKind>>,
    /// Files that a region did not have, by region and key.
    files: Mutex<BTreeMap<String, BTreeMap<String, Broken>>>,
}

impl Wanting {
    fn is_out(&self, region: &str) -> bool {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).contains_key(region)
    }

    fn note(&self, region: &str, key: &str, broken: Broken) {
        if let Broken::Read(kind) = broken
            && kind.is_region_out()
        {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            out.entry(region.to_owned()).or_insert(kind);
        }
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.entry(region.to_owned()).or_default().insert(key.to_owned(), broken);
    }

    /// What is to be said of a region: nothing, that it is out, or which of its files are not what they must be.
    fn of(&self, region: &str) -> Option<(Phase, String)> {
        if let Some(kind) = self.out.lock().unwrap_or_else(PoisonError::into_inner).get(region) {
            return Some((Phase::Fetch, kind.to_string()));
        }
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let files = files.get(region)?;
        let (key, broken) = files.first_key_value()?;
        let phase = if matches!(broken, Broken::Other) { Phase::Verify } else { Phase::Fetch };
        Some((phase, format!("{} of its files cannot be used ({key}: {broken})", files.len())))
    }

    fn forget_files(&self) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl FilePipeline {
    pub(super) async fn restore_newest_good(&self) -> RestoreEnd {
        let recorder = &self.bench.recorder;
        recorder.begin(Phase::Choose);
        let generations = self.generations(true).await;
        recorder.end(Phase::Choose, !generations.is_empty());
        let wanting = Arc::new(Wanting::default());
        for generation in &generations {
            match self.try_generation(generation, &wanting).await {
                Ok(region) => return RestoreEnd::Restored(claim(generation, region)),
                Err(refusal) => {
                    let region = generation.places.first().map_or("no region", |place| place.store.region());
                    self.refuse(&generation.point, region, refusal.phase, refusal.why);
                }
            }
            wanting.forget_files();
        }
        let why = match (generations.len(), self.rules.target_time) {
            (0, Some(limit)) => format!("no region has a generation of files from before {limit} that could be read"),
            (0, None) => "no region has a generation of files that could be read".to_owned(),
            (n, _) => format!("none of {n} generations of files is whole"),
        };
        recorder.call(Alarm::new(AlarmKind::NothingRestorable, None, &*why)).await;
        RestoreEnd::Refused { why }
    }

    /// The region that the generation is said to come from.
    async fn try_generation(&self, generation: &Generation, wanting: &Arc<Wanting>) -> Result<String, Refusal> {
        let recorder = &self.bench.recorder;
        recorder.begin(Phase::Provision);
        let bucket = self.platform.provision().await;
        recorder.end(Phase::Provision, bucket.is_ok());
        let bucket = bucket.map_err(|e| Refusal::new(Phase::Provision, e))?;
        let filled = match self.fetch_verify_import(generation, wanting, &bucket).await {
            Ok((entries, place)) => self.compare(&entries, &bucket).await.map(|()| place),
            Err(refusal) => Err(refusal),
        };
        let place = match filled {
            Ok(place) => place,
            Err(refusal) => {
                if let Err(left) = self.platform.discard(&bucket).await {
                    tracing::warn!("a refused bucket could not be discarded: {left}");
                }
                return Err(refusal);
            }
        };
        let region = self.say_what_was_wanting(generation, wanting, place.store.region());
        recorder.begin(Phase::CutOver);
        let switched = self.platform.cut_over(&bucket).await;
        recorder.end(Phase::CutOver, switched.is_ok());
        switched.map(|()| region).map_err(|e| Refusal::new(Phase::CutOver, e))
    }

    /// Each region that did not have all is told. Gives the region that the generation is said to come from: the one
    /// with the list, or else the first that had everything it was asked for.
    fn say_what_was_wanting(&self, generation: &Generation, wanting: &Wanting, list_in: &str) -> String {
        let regions = || self.bench.stores.iter().map(|store| store.region());
        for region in regions() {
            if let Some((phase, why)) = wanting.of(region) {
                let why = format!("{why}; other regions had what it lacks");
                self.refuse(&generation.point, region, phase, why);
            }
        }
        let has_all = |region: &&str| wanting.of(region).is_none();
        let chosen = Some(list_in).filter(has_all).or_else(|| regions().find(has_all));
        chosen.unwrap_or(list_in).to_owned()
    }

    /// The list, then all files at once. The three phases overlap, and the record shows it.
    async fn fetch_verify_import(
        &self,
        generation: &Generation,
        wanting: &Arc<Wanting>,
        bucket: &Bucket,
    ) -> Result<(Vec<FileEntry>, Place), Refusal> {
        let recorder = &self.bench.recorder;
        for phase in [Phase::Fetch, Phase::Verify, Phase::Import] {
            recorder.begin(phase);
        }
        let done = match self.fetch_list(generation, wanting).await {
            Ok((entries, place)) => self.fetch_files(&entries, wanting, bucket).await.map(|()| (entries, place)),
            Err(refusal) => Err(refusal),
        };
        let failed_in = done.as_ref().err().map(|refusal| refusal.phase);
        recorder.end(Phase::Fetch, failed_in != Some(Phase::Fetch));
        recorder.end(Phase::Verify, !matches!(failed_in, Some(Phase::Fetch | Phase::Verify)));
        recorder.end(Phase::Import, done.is_ok());
        done
    }

    /// The list from the first place that has it as its manifest says.
    async fn fetch_list(&self, generation: &Generation, wanting: &Wanting) -> Result<(Vec<FileEntry>, Place), Refusal> {
        let mut last: Option<(&str, Refusal)> = None;
        for place in generation.places.iter().filter(|place| !wanting.is_out(place.store.region())) {
            let region = place.store.region();
            let refusal = match self.open_list(generation, place).await {
                Err(e) => {
                    if e.kind.is_region_out() {
                        wanting.note(region, "the list of files", Broken::Read(e.kind));
                    }
                    Refusal::new(Phase::Fetch, e.kind)
                }
                Ok(body) => match self.read_list(&generation.manifest, body).await {
                    Ok(entries) => {
                        if let Some((region, Refusal { phase, why })) = last {
                            self.refuse(&generation.point, region, phase, why);
                        }
                        return Ok((entries, place.clone()));
                    }
                    Err(why) => Refusal::new(Phase::Verify, format!("its list of files: {why}")),
                },
            };
            if let Some((region, Refusal { phase, why })) = last.replace((region, refusal)) {
                self.refuse(&generation.point, region, phase, why);
            }
        }
        Err(last.map_or_else(
            || Refusal::new(Phase::Fetch, "no region that answers has its list of files"),
            |(_, refusal)| refusal,
        ))
    }

    async fn fetch_files(&self, entries: &[FileEntry], wanting: &Arc<Wanting>, bucket: &Bucket) -> Result<(), Refusal> {
        let fetch = |entry: &FileEntry| {
            let content = self.rules.layout.content_key(&entry.sha256);
            let fetch = Fetch {
                stores: self.bench.stores.clone(),
                wanting: Arc::clone(wanting),
                content,
                entry: entry.clone(),
                into: Arc::clone(&bucket.store),
            };
            let (clock, size) = (self.bench.clock.clone(), entry.size);
            self.bench.lanes.go(async move {
                clock.spend_on(size, DIGEST).await;
                fetch.run().await
            })
        };
        let fetched = stream::iter(entries).map(fetch).buffered(AT_ONCE);
        fetched.try_collect::<Vec<()>>().await.map(drop)
    }

    /// Reads the bucket back: what counts is what arrived, not what was sent.
    async fn compare(&self, entries: &[FileEntry], bucket: &Bucket) -> Result<(), Refusal> {
        self.bench.recorder.begin(Phase::Compare);
        let same = self.read_bucket(entries, &bucket.store).await;
        self.bench.recorder.end(Phase::Compare, same.is_ok());
        same.map_err(|why| Refusal::new(Phase::Compare, why))
    }

    async fn read_bucket(&self, entries: &[FileEntry], store: &SharedStore) -> Result<(), String> {
        let listed = store.list("").await.map_err(|e| e.kind.to_string())?.len();
        if listed != entries.len() {
            return Err(format!("the target has {listed} files, the list {}", entries.len()));
        }
        let read = |entry: &FileEntry| {
            let (store, entry, clock) = (Arc::clone(store), entry.clone(), self.bench.clock.clone());
            self.bench.lanes.go(async move {
                clock.spend_on(entry.size, DIGEST).await;
                let (info, body) = store.get(&entry.key).await.map_err(|e| format!("{}: {}", entry.key, e.kind))?;
                let (sha256, _) = digest(body).await.map_err(|kind| format!("{}: {kind}", entry.key))?;
                let same = sha256 == entry.sha256 && info.content_type.as_deref() == Some(&*entry.content_type);
                if same { Ok(()) } else { Err(format!("{} differs from the list", entry.key)) }
            })
        };
        stream::iter(entries).map(read).buffered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
    }
}

/// One file to be fetched.
struct Fetch {
    stores: Vec<SharedStore>,
    wanting: Arc<Wanting>,
    content: String,
    entry: FileEntry,
    into: SharedStore,
}

impl Fetch {
    /// From the first region that has it as it must be; then from what lies below something newer.
    async fn run(self) -> Result<(), Refusal> {
        let mut whys = Vec::new();
        for store in &self.stores {
            if self.wanting.is_out(store.region()) {
                whys.push(format!("{}: out", store.region()));
                continue;
            }
            let broken = match store.get(&self.content).await {
                Ok((_, body)) => match self.put(body).await {
                    Ok(()) => return Ok(()),
                    Err(broken) => broken,
                },
                Err(e) => Broken::Read(e.kind),
            };
            if let Broken::Write(kind) = broken {
                return Err(Refusal::new(Phase::Import, format!("{}: {kind}", self.entry.key)));
            }
            self.wanting.note(store.region(), &self.entry.key, broken);
            whys.push(format!("{}: {broken}", store.region()));
        }
        if self.hidden().await {
            return Ok(());
        }
        Err(Refusal::new(Phase::Verify, format!("{} is good in no region ({})", self.entry.key, whys.join(", "))))
    }

    /// Versions that were overwritten, or that a delete marker hides.
    async fn hidden(&self) -> bool {
        for store in self.stores.iter().filter(|store| !self.wanting.is_out(store.region())) {
            let versions = store.versions(&self.content).await.unwrap_or_default();
            for version in versions.iter().filter(|version| !version.is_latest && !version.is_delete_marker) {
                if let Ok((_, body)) = store.get_version(&self.content, &version.version).await
                    && self.put(body).await.is_ok()
                {
                    return true;
                }
            }
        }
        false
    }

    async fn put(&self, body: ByteStream) -> Result<(), Broken> {
        let options = PutOptions { content_type: Some(self.entry.content_type.clone()), ..PutOptions::default() };
        let to: &dyn Store = &*self.into;
        transfer(body, &self.entry.sha256, to, &self.entry.key, &options).await
    }
}

fn claim(generation: &Generation, region: String) -> Claim {
    Claim { point: generation.point.to_string(), region, position: generation.manifest.position }
}
