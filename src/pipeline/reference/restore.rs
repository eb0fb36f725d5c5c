//! Restoring: the best candidate is fetched, checked and staged in one pass; only what passed every check is made
//! visible. Where it fails the next region or generation is tried, and the reason is kept. A target that fails is no
//! fault of the dump's: the same dump is tried on a fresh one, once.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, TryStreamExt};

use super::{
    Reference,
    chain::{Chain, Outages, Pieces},
    changed::Comparison,
    choose::Candidate,
    cost,
    refusal::Refusal,
    witness::{Court, Witnesses},
};
use crate::{
    archive::{self, ArchiveError, Digester, InputError, Manifest, TableDigest, Unpacked, check_tables},
    model::event::{Alarm, AlarmKind, Claim, Phase, Position, What},
    pipeline::RestoreEnd,
    service::contract::Target,
    store::{ByteStream, StoreErrorKind},
};

impl Reference {
    pub(super) async fn restore_newest_good(&self) -> RestoreEnd {
        let recorder = &self.bench.recorder;
        let outages = Outages::default();
        let mut pieces = Pieces::new(&outages);
        recorder.begin(Phase::Choose);
        let mut witnesses = Witnesses::default();
        let candidates = self.candidates(&mut pieces, &mut witnesses, &outages).await;
        recorder.end(Phase::Choose, !candidates.is_empty());
        let mut at_fault = None;
        for candidate in &candidates {
            let region = candidate.store.region();
            let tried = match outages.of(region) {
                Some(kind) => Err(Refusal::new(Phase::Fetch, format!("the region had failed before: {kind}"))),
                None => {
                    let mut court = Court { all: &candidates, witnesses: &mut witnesses, outages: &outages };
                    match self.recognise(candidate, &mut court) {
                        Ok(()) => self.try_with_changes(candidate, &mut pieces, &mut court).await,
                        Err(why) => Err(Refusal::new(Phase::Choose, why)),
                    }
                }
            };
            match tried {
                Ok(position) => {
                    self.audit_all(&outages, true).await;
                    return RestoreEnd::Restored(claim(candidate, position));
                }
                Err(refusal) => {
                    if let Some(kind) = refusal.region {
                        outages.note(region, kind);
                    }
                    self.refuse(&candidate.point, region, refusal.phase, refusal.why.clone());
                    if refusal.by_target {
                        // Another copy, or an older one, would go the same way.
                        at_fault = Some(refusal.why);
                        break;
                    }
                }
            }
        }
        let why = match (at_fault, candidates.len()) {
            (Some(why), _) => format!("no target could be restored into: {why}"),
            (None, 0) => "no region has a recovery point that could be read".to_owned(),
            (None, n) => format!("none of {n} recovery points passed"),
        };
        recorder.call(Alarm::new(AlarmKind::NothingRestorable, None, &*why)).await;
        self.audit_all(&outages, false).await;
        RestoreEnd::Refused { why }
    }

    /// Restores a candidate with all changes that go on from it; without them where they do not go in as they should.
    /// Returns the last write that the target then holds.
    async fn try_with_changes(
        &self,
        candidate: &Candidate,
        pieces: &mut Pieces,
        court: &mut Court<'_>,
    ) -> Result<Position, Refusal> {
        let base = candidate.manifest.position;
        let mut chain = self.fetch_chain(base, pieces).await?;
        let Some(to) = chain.end() else {
            return self.try_twice(candidate, &mut chain, court).await.map(|()| base);
        };
        let streamed = What::Streamed { pieces: chain.len() as u64, from: base, to };
        match self.try_twice(candidate, &mut chain, court).await {
            Ok(()) => {
                self.bench.recorder.emit(streamed);
                Ok(to)
            }
            Err(Refusal { phase: Phase::Import | Phase::Compare, why, by_target, .. }) => {
                let broken = What::StreamBroken { after: base, why };
                if !by_target {
                    self.bench.recorder.emit(broken);
                    return self.try_twice(candidate, &mut Chain::default(), court).await.map(|()| base);
                }
                // It was the changes and not the target, if it goes without them.
                self.try_twice(candidate, &mut Chain::default(), court).await?;
                self.bench.recorder.emit(broken);
                Ok(base)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Gets the changes before the dump: how far they reach, and what they touch, must be known when the dump passes.
    async fn fetch_chain(&self, base: Position, pieces: &mut Pieces) -> Result<Chain, Refusal> {
        if pieces.is_empty() {
            return Ok(Chain::default());
        }
        self.bench.recorder.begin(Phase::Fetch);
        let chain = self.chain(pieces, base).await;
        self.bench.recorder.end(Phase::Fetch, chain.is_ok());
        chain.map_err(|why| Refusal::new(Phase::Fetch, why))
    }

    /// Tries a candidate, and once more on a fresh target where the first one failed it.
    async fn try_twice(&self, candidate: &Candidate, chain: &mut Chain, court: &mut Court<'_>) -> Result<(), Refusal> {
        match self.try_candidate(candidate, chain, court).await {
            Err(Refusal { by_target: true, phase, why, .. }) if phase != Phase::Provision => {
                tracing::info!("{} is tried again on a fresh target: {why}", candidate.point);
                self.try_candidate(candidate, chain, court).await
            }
            tried => tried,
        }
    }

    async fn try_candidate(
        &self,
        candidate: &Candidate,
        chain: &mut Chain,
        court: &mut Court<'_>,
    ) -> Result<(), Refusal> {
        let recorder = &self.bench.recorder;
        let target = self.provision_empty().await?;
        let imported = match self.fetch_verify_import(candidate, chain, &*target).await {
            Ok(untouched) => self.compare(&untouched, chain, &*target).await,
            Err(refusal) => Err(refusal),
        };
        let believed = match imported {
            Ok(()) => self.corroborate(candidate, court).await.map_err(|why| Refusal::new(Phase::Choose, why)),
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = believed {
            if let Err(left) = target.discard().await {
                tracing::warn!("a refused import could not be discarded: {left}");
            }
            return Err(refusal);
        }
        recorder.begin(Phase::CutOver);
        let switched = self.platform.cut_over(target).await;
        self.bench.clock.spend(cost::SWITCH).await;
        recorder.end(Phase::CutOver, switched.is_ok());
        switched.map_err(|e| Refusal::new(Phase::CutOver, e).by_target())
    }

    /// One pass over the dump, then the changes. The three phases overlap, and the record shows it. Returns what the
    /// target must hold where no change touches it.
    async fn fetch_verify_import(
        &self,
        candidate: &Candidate,
        chain: &Chain,
        target: &dyn Target,
    ) -> Result<Vec<TableDigest>, Refusal> {
        let recorder = &self.bench.recorder;
        recorder.begin(Phase::Fetch);
        let fetched = candidate.open(&self.layout.dump_key(&candidate.point)).await;
        let (_, body) = fetched.map_err(|e| {
            recorder.end(Phase::Fetch, false);
            Refusal::by_region(Phase::Fetch, e.kind)
        })?;
        recorder.begin(Phase::Verify);
        recorder.begin(Phase::Import);
        let broken = Arc::new(Mutex::new(None));
        let result = self.stream_into(&candidate.manifest, watched(body, &broken), chain, target).await;
        let broken = *broken.lock().unwrap_or_else(PoisonError::into_inner);
        let result = result.map_err(|refusal| match broken {
            Some(kind) => Refusal::by_region(Phase::Fetch, kind),
            None => refusal,
        });
        let failed_in = result.as_ref().err().map(|refusal| refusal.phase);
        recorder.end(Phase::Fetch, failed_in != Some(Phase::Fetch));
        recorder.end(Phase::Verify, !matches!(failed_in, Some(Phase::Fetch | Phase::Verify)));
        recorder.end(Phase::Import, result.is_ok());
        result
    }

    async fn stream_into(
        &self,
        manifest: &Manifest,
        body: ByteStream,
        chain: &Chain,
        target: &dyn Target,
    ) -> Result<Vec<TableDigest>, Refusal> {
        let mut opened = self.open(manifest, body);
        let mut tables: Vec<Arc<str>> = manifest.tables.iter().map(|table| Arc::from(&*table.name)).collect();
        let new: Vec<_> = chain.changed.tables().filter(|table| !tables.contains(table)).cloned().collect();
        tables.extend(new);
        target.begin(&tables).await.map_err(|e| Refusal::new(Phase::Import, e))?;
        let mut untouched = Digester::new(&tables);
        while let Some(chunk) = opened.rows.next().await {
            let chunk = chunk.map_err(|e| match e {
                ArchiveError::Input(why) => Refusal::new(Phase::Fetch, why.0),
                bad => Refusal::new(Phase::Verify, bad),
            })?;
            self.bench.clock.spend_on(chunk.lines.len() as u64, cost::UNPACK_AND_IMPORT).await;
            if !chain.changed.is_empty() {
                untouched.add(&chain.changed.untouched(&chunk));
            }
            target.stage(chunk).await.map_err(|e| Refusal::new(Phase::Import, e))?;
        }
        let summary = opened.summary.get().ok_or_else(|| Refusal::new(Phase::Verify, "the dump ended early"))?;
        manifest.check(&summary).map_err(|why| Refusal::new(Phase::Verify, why))?;
        self.apply(chain, target).await.map_err(|why| Refusal::new(Phase::Import, why))?;
        target.commit().await.map_err(|e| self.not_taken(Phase::Import, e))?;
        // Without changes nothing is touched, and the dump's own digests are known already.
        Ok(if chain.changed.is_empty() { summary.tables } else { untouched.finish() })
    }

    /// Puts the changes on top of what was staged, piece by piece.
    async fn apply(&self, chain: &Chain, target: &dyn Target) -> Result<(), String> {
        for number in 0..chain.len() {
            let piece = self.read_link(chain, number).await?;
            self.bench.clock.spend_on(piece.raw_bytes, cost::UNPACK_AND_IMPORT).await;
            for chunk in piece.rows {
                target.apply(chunk).await.map_err(|e| format!("changes do not go in: {e}"))?;
            }
        }
        Ok(())
    }

    /// Reads the target back: what counts is what arrived, not what was sent.
    async fn compare(&self, untouched: &[TableDigest], chain: &mut Chain, target: &dyn Target) -> Result<(), Refusal> {
        self.bench.recorder.begin(Phase::Compare);
        let same = self.read_target(untouched, chain, target).await;
        self.bench.recorder.end(Phase::Compare, same.is_ok());
        same.map_err(|why| self.not_taken(Phase::Compare, why))
    }

    /// What a target did not take, or does not give back, had passed every check of its own before. Of a service whose
    /// targets are completed from elsewhere, what is missing there may not be needed by an older point.
    fn not_taken(&self, phase: Phase, why: impl std::fmt::Display) -> Refusal {
        let refusal = Refusal::new(phase, why);
        if self.guards_secrets { refusal } else { refusal.by_target() }
    }

    async fn read_target(
        &self,
        untouched: &[TableDigest],
        chain: &mut Chain,
        target: &dyn Target,
    ) -> Result<(), String> {
        let mut contents = target.read_back().await.map_err(|e| e.to_string())?;
        let mut comparison = Comparison::new(&mut chain.changed, &contents.tables);
        while let Some(chunk) = contents.rows.next().await {
            let chunk = chunk.map_err(|e| e.to_string())?;
            self.bench.clock.spend_on(chunk.lines.len() as u64, cost::READ_BACK).await;
            comparison.add(&chunk)?;
        }
        let found = comparison.finish()?;
        check_tables(untouched, &found).map_err(|why| format!("the target differs from the dump: {why}"))
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

fn claim(candidate: &Candidate, position: Position) -> Claim {
    Claim { point: candidate.point.to_string(), region: candidate.store.region().to_owned(), position }
}
