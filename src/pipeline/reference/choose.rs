//! Choosing a recovery point: every region is asked, every manifest read, and the newest *content* comes first. What a
//! file is called decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, future::join_all};
use jiff::Timestamp;

use super::{
    Reference,
    chain::{Outages, Pieces},
    witness::Witnesses,
};
use crate::{
    archive::{MAX_MANIFEST_BYTES, Manifest},
    model::{
        event::{AlarmKind, Phase, PointTried, What},
        naming::{KeyKind, PointName},
        units::Span,
    },
    pipeline::CLOCKS_AGREE,
    store::{ByteStream, ObjectInfo, SharedStore, StoreError, VersionInfo},
};

/// A point is named when its export starts. A name that is this much newer than the export its manifest speaks of is
/// old content under a new name.
const NAME_AHEAD_LIMIT: Span = Span::hours(1);

/// A recovery point in one region, with what its manifest says.
pub(super) struct Candidate {
    pub(super) point: PointName,
    pub(super) store: SharedStore,
    pub(super) manifest: Manifest,
    /// The version of the dump, where it or its manifest lies below something newer.
    pub(super) version: Option<String>,
}

impl Candidate {
    /// Opens the dump.
    pub(super) async fn open(&self, key: &str) -> Result<(ObjectInfo, ByteStream), StoreError> {
        match &self.version {
            Some(version) => self.store.get_version(key, version).await,
            None => self.store.get(key).await,
        }
    }
}

/// The versions of a point's two objects in one region, of each the newest first. Delete markers are none.
#[derive(Default)]
struct Parts {
    dumps: Vec<VersionInfo>,
    manifests: Vec<VersionInfo>,
}

impl Parts {
    /// Whether a listing would show any of it.
    fn is_shown(&self) -> bool {
        self.dumps.iter().chain(&self.manifests).any(|version| version.is_latest)
    }
}

impl Reference {
    /// All candidates of all regions that answer, best first: newest content, then the honest name, then what lies
    /// open before what was overwritten or deleted over, then the plan's order of regions. `pieces` gets those of the
    /// change stream, `witnesses` what regions say of each point, `outages` which regions said nothing.
    pub(super) async fn candidates(
        &self,
        pieces: &mut Pieces,
        witnesses: &mut Witnesses,
        outages: &Outages,
    ) -> Vec<Candidate> {
        let lists = join_all(self.bench.stores.iter().map(|store| store.versions(&self.layout.prefix))).await;
        let mut found = Vec::new();
        for (store, list) in self.bench.stores.iter().zip(lists) {
            match list {
                Ok(versions) => {
                    for version in versions.iter().filter(|version| !version.is_delete_marker) {
                        if let Some(piece) = self.layout.parse_piece(&version.key) {
                            pieces.add(store, piece, version);
                        }
                    }
                    found.extend(self.read_manifests(store, versions, witnesses).await);
                }
                Err(why) => {
                    outages.note(store.region(), why.kind);
                    self.unreachable(store, &why);
                }
            }
        }
        let soon = self.bench.clock.now().checked_add(CLOCKS_AGREE).unwrap_or(Timestamp::MAX);
        let is_future = |c: &Candidate| c.point.taken_at().is_some_and(|named| named > soon);
        let rank = |c: &Candidate| self.bench.stores.iter().position(|s| s.region() == c.store.region());
        found.sort_by(|a, b| {
            let newest_content = b.manifest.position.seq.cmp(&a.manifest.position.seq);
            let honest = || (is_renamed(a), is_future(a)).cmp(&(is_renamed(b), is_future(b)));
            let open = || a.version.is_some().cmp(&b.version.is_some());
            newest_content.then_with(honest).then_with(open).then_with(|| rank(a).cmp(&rank(b)))
        });
        self.warn_of_stale_content(&found);
        self.warn_of_the_future(&found, is_future);
        found
    }

    fn unreachable(&self, store: &SharedStore, why: &StoreError) {
        let region = store.region().to_owned();
        self.bench.recorder.emit(What::Listed { region, points: None, why: Some(why.kind.to_string()) });
    }

    async fn read_manifests(
        &self,
        store: &SharedStore,
        versions: Vec<VersionInfo>,
        witnesses: &mut Witnesses,
    ) -> Vec<Candidate> {
        let points = self.points(versions);
        let (region, shown) = (store.region().to_owned(), points.values().filter(|parts| parts.is_shown()).count());
        self.bench.recorder.emit(What::Listed { region, points: Some(shown as u64), why: None });
        let mut candidates = Vec::new();
        // Newest names first, so that the report lists what was refused in the order in which people look.
        for (point, parts) in points.into_iter().rev() {
            let open = match (parts.dumps.first(), parts.manifests.first()) {
                (Some(dump), Some(manifest)) if dump.is_latest && manifest.is_latest => {
                    Some(self.read_manifest(store, &point, None).await)
                }
                (Some(dump), _) if dump.is_latest => {
                    Some(Err("it has no manifest, so nothing says what it must hold".to_owned()))
                }
                (_, Some(manifest)) if manifest.is_latest => {
                    Some(Err("its manifest is there, the dump is not".to_owned()))
                }
                _ => None,
            };
            let candidate =
                |manifest| Candidate { point: point.clone(), store: store.clone(), manifest, version: None };
            match open {
                Some(Ok(manifest)) => {
                    if let Some(at) = parts.manifests.first() {
                        witnesses.hear(&point, store.region(), at.modified, &manifest);
                    }
                    candidates.push(candidate(manifest));
                }
                Some(Err(why)) => self.refuse(&point, store.region(), Phase::Choose, why),
                None => {}
            }
            candidates.extend(self.hidden(store, &point, &parts, witnesses).await);
        }
        candidates
    }

    /// What lies below something newer: versions that were overwritten, or that a delete marker hides. A dump belongs
    /// to a manifest that states its size; whether it is the one is for the restore to find out.
    async fn hidden(
        &self,
        store: &SharedStore,
        point: &PointName,
        parts: &Parts,
        witnesses: &mut Witnesses,
    ) -> Vec<Candidate> {
        let mut found = Vec::new();
        for at in &parts.manifests {
            if at.is_latest && !parts.dumps.iter().any(|dump| !dump.is_latest) {
                continue;
            }
            // Rubbish below rubbish is no news: the newest version was refused aloud.
            let Ok(manifest) = self.read_manifest(store, point, Some(&at.version)).await else { continue };
            witnesses.hear(point, store.region(), at.modified, &manifest);
            let fits = |dump: &&VersionInfo| !(dump.is_latest && at.is_latest) && dump.size == manifest.stored_bytes;
            found.extend(parts.dumps.iter().filter(fits).map(|dump| Candidate {
                point: point.clone(),
                store: store.clone(),
                manifest: manifest.clone(),
                version: Some(dump.version.clone()),
            }));
        }
        found
    }

    fn points(&self, versions: Vec<VersionInfo>) -> BTreeMap<PointName, Parts> {
        let mut points: BTreeMap<PointName, Parts> = BTreeMap::new();
        for version in versions.into_iter().filter(|version| !version.is_delete_marker) {
            match self.layout.parse(&version.key) {
                Some(KeyKind::Dump(point)) => points.entry(point).or_default().dumps.push(version),
                Some(KeyKind::Manifest(point)) => points.entry(point).or_default().manifests.push(version),
                None => {}
            }
        }
        points
    }

    async fn read_manifest(
        &self,
        store: &SharedStore,
        point: &PointName,
        version: Option<&str>,
    ) -> Result<Manifest, String> {
        let key = self.layout.manifest_key(point);
        let opened = match version {
            Some(version) => store.get_version(&key, version).await,
            None => store.get(&key).await,
        };
        let (info, mut body) = opened.map_err(|e| e.kind.to_string())?;
        if info.size > MAX_MANIFEST_BYTES as u64 {
            return Err(format!("its manifest has {} bytes, more than {MAX_MANIFEST_BYTES}", info.size));
        }
        let mut text = Vec::new();
        while let Some(piece) = body.next().await {
            text.extend_from_slice(&piece.map_err(|e| e.kind.to_string())?);
        }
        let manifest = Manifest::parse(&text).map_err(|why| format!("its manifest is unreadable: {why}"))?;
        if manifest.service != self.service {
            return Err(format!("its manifest is of service {}, not {}", manifest.service, self.service));
        }
        Ok(manifest)
    }

    fn warn_of_stale_content(&self, found: &[Candidate]) {
        let mut said = BTreeSet::new();
        for candidate in found.iter().filter(|c| is_renamed(c)) {
            if said.insert(&candidate.point) {
                let (point, written) = (&candidate.point, candidate.manifest.position.committed_at);
                let detail = format!("{point} holds data of {written}: older than its name says");
                self.alarm(AlarmKind::StaleContent, Some(candidate.store.region()), detail);
            }
        }
    }

    fn warn_of_the_future(&self, found: &[Candidate], is_future: impl Fn(&Candidate) -> bool) {
        let mut said = BTreeSet::new();
        for candidate in found.iter().filter(|c| is_future(c)) {
            if said.insert(&candidate.point) {
                let detail = format!("{} is named by a time that has not come yet", candidate.point);
                self.alarm(AlarmKind::ClockSkew, Some(candidate.store.region()), detail);
            }
        }
    }

    pub(super) fn refuse(&self, point: &PointName, region: &str, phase: Phase, why: String) {
        let tried = PointTried { point: point.to_string(), region: region.to_owned(), phase, why };
        self.bench.recorder.emit(What::PointRefused(tried));
    }
}

/// Whether the content is older than the name.
fn is_renamed(candidate: &Candidate) -> bool {
    let limit = i128::from(NAME_AHEAD_LIMIT.millis());
    let ahead = |named: Timestamp| named.duration_since(candidate.manifest.exported_at).as_millis();
    let dump_differs = !candidate.manifest.dump.starts_with(candidate.point.as_str());
    dump_differs || candidate.point.taken_at().is_some_and(|named| ahead(named) >= limit)
}
