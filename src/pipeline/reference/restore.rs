//! Restoring: the best candidate is fetched, checked and staged in one pass; only what passed every check is made
//! visible. Where it fails the next region or generation is tried, and the reason is kept.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{StreamExt, TryStreamExt};

use super::{
    Reference,
    choose::{Candidate, is_region_out},
    cost,
};
use crate::{
    archive::{self, ArchiveError, Digester, InputError, Manifest, Unpacked},
    model::event::{AlarmKind, Claim, Phase},
    pipeline::RestoreEnd,
    service::contract::Target,
    store::{ByteStream, StoreErrorKind},
};

/// Why a candidate was refused, and in which phase.
struct Refusal {
    phase: Phase,
    why: String,
    /// How its region failed, where it was the region.
    region: Option<StoreErrorKind>,
}

impl Refusal {
    fn new(phase: Phase, why: impl std::fmt::Display) -> Self {
        Refusal { phase, why: why.to_string(), region: None }
    }
}

impl Reference {
    pub(super) async fn restore_newest_good(&self) -> RestoreEnd {
        let recorder = &self.bench.recorder;
        recorder.begin(Phase::Choose);
        let candidates = self.candidates().await;
        recorder.end(Phase::Choose, !candidates.is_empty());
        let mut out: BTreeMap<String, StoreErrorKind> = BTreeMap::new();
        for candidate in &candidates {
            let region = candidate.store.region();
            let tried = match out.get(region) {
                Some(kind) => Err(Refusal::new(Phase::Fetch, format!("the region had failed before: {kind}"))),
                None => self.try_candidate(candidate).await,
            };
            match tried {
                Ok(()) => return RestoreEnd::Restored(claim(candidate)),
                Err(refusal) => {
                    if let Some(kind) = refusal.region.filter(|kind| is_region_out(*kind)) {
                        out.insert(region.to_owned(), kind);
                    }
                    self.refuse(&candidate.point, region, refusal.phase, refusal.why);
                }
            }
        }
        let why = match candidates.len() {
            0 => "no region has a recovery point that could be read".to_owned(),
            n => format!("none of {n} recovery points passed"),
        };
        self.alarm(AlarmKind::NothingRestorable, None, why.clone());
        RestoreEnd::Refused { why }
    }

    async fn try_candidate(&self, candidate: &Candidate) -> Result<(), Refusal> {
        let recorder = &self.bench.recorder;
        recorder.begin(Phase::Provision);
        let target = self.platform.provision().await;
        self.bench.clock.spend(cost::SWITCH).await;
        recorder.end(Phase::Provision, target.is_ok());
        let target = target.map_err(|e| Refusal::new(Phase::Provision, e))?;
        let imported = match self.fetch_verify_import(candidate, &*target).await {
            Ok(()) => self.compare(&candidate.manifest, &*target).await,
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = imported {
            if let Err(left) = target.discard().await {
                tracing::warn!("a refused import could not be discarded: {left}");
            }
            return Err(refusal);
        }
        recorder.begin(Phase::CutOver);
        let switched = self.platform.cut_over(target).await;
        self.bench.clock.spend(cost::SWITCH).await;
        recorder.end(Phase::CutOver, switched.is_ok());
        switched.map_err(|e| Refusal::new(Phase::CutOver, e))
    }

    /// One pass over the dump. The three phases overlap, and the record shows it.
    async fn fetch_verify_import(&self, candidate: &Candidate, target: &dyn Target) -> Result<(), Refusal> {
        let recorder = &self.bench.recorder;
        recorder.begin(Phase::Fetch);
        let fetched = candidate.open(&self.layout.dump_key(&candidate.point)).await;
        let (_, body) = fetched.map_err(|e| {
            recorder.end(Phase::Fetch, false);
            Refusal { phase: Phase::Fetch, why: e.kind.to_string(), region: Some(e.kind) }
        })?;
        recorder.begin(Phase::Verify);
        recorder.begin(Phase::Import);
        let broken = Arc::new(Mutex::new(None));
        let result = self.stream_into(&candidate.manifest, watched(body, &broken), target).await;
        let broken = *broken.lock().unwrap_or_else(PoisonError::into_inner);
        let result = result.map_err(|refusal| match broken {
            Some(kind) => Refusal { phase: Phase::Fetch, why: kind.to_string(), region: Some(kind) },
            None => refusal,
        });
        let failed_in = result.as_ref().err().map(|refusal| refusal.phase);
        recorder.end(Phase::Fetch, failed_in != Some(Phase::Fetch));
        recorder.end(Phase::Verify, !matches!(failed_in, Some(Phase::Fetch | Phase::Verify)));
        recorder.end(Phase::Import, result.is_ok());
        result
    }

    async fn stream_into(&self, manifest: &Manifest, body: ByteStream, target: &dyn Target) -> Result<(), Refusal> {
        let mut opened = self.open(manifest, body);
        let tables: Vec<_> = manifest.tables.iter().map(|table| Arc::from(table.name.as_str())).collect();
        target.begin(&tables).await.map_err(|e| Refusal::new(Phase::Import, e))?;
        while let Some(chunk) = opened.rows.next().await {
            let chunk = chunk.map_err(|e| match e {
                ArchiveError::Input(why) => Refusal::new(Phase::Fetch, why.0),
                bad => Refusal::new(Phase::Verify, bad),
            })?;
            self.bench.clock.spend_on(chunk.lines.len() as u64, cost::UNPACK_AND_IMPORT).await;
            target.stage(chunk).await.map_err(|e| Refusal::new(Phase::Import, e))?;
        }
        let summary = opened.summary.get().ok_or_else(|| Refusal::new(Phase::Verify, "the dump ended early"))?;
        manifest.check(&summary).map_err(|why| Refusal::new(Phase::Verify, why))?;
        target.commit().await.map_err(|e| Refusal::new(Phase::Import, e))
    }

    /// Reads the target back: what counts is what arrived, not what was sent.
    async fn compare(&self, manifest: &Manifest, target: &dyn Target) -> Result<(), Refusal> {
        self.bench.recorder.begin(Phase::Compare);
        let same = self.read_target(manifest, target).await;
        self.bench.recorder.end(Phase::Compare, same.is_ok());
        same.map_err(|why| Refusal::new(Phase::Compare, why))
    }

    async fn read_target(&self, manifest: &Manifest, target: &dyn Target) -> Result<(), String> {
        let mut contents = target.read_back().await.map_err(|e| e.to_string())?;
        let mut digester = Digester::new(&contents.tables);
        while let Some(chunk) = contents.rows.next().await {
            let chunk = chunk.map_err(|e| e.to_string())?;
            self.bench.clock.spend_on(chunk.lines.len() as u64, cost::READ_BACK).await;
            digester.add(&chunk);
        }
        manifest.check_tables(&digester.finish()).map_err(|why| format!("the target differs from the dump: {why}"))
    }

    /// Opens a dump for reading, bounded by what its manifest states.
    pub(super) fn open(&self, manifest: &Manifest, body: ByteStream) -> Unpacked {
        let input = body.map_err(|e| InputError(e.kind.to_string())).boxed();
        archive::unpack(self.layout.format, input, manifest.limits(), &self.bench.lanes, &self.bench.scratch)
    }
}

/// Passes a body on and remembers how it broke off, if it does.
fn watched(body: ByteStream, broken: &Arc<Mutex<Option<StoreErrorKind>>>) -> ByteStream {
    let broken = Arc::clone(broken);
    body.inspect_err(move |e| *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(e.kind)).boxed()
}

fn claim(candidate: &Candidate) -> Claim {
    Claim {
        point: candidate.point.to_string(),
        region: candidate.store.region().to_owned(),
        position: candidate.manifest.position,
    }
}
