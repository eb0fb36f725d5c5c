//! Choosing a recovery point: every region is asked, every manifest read, and the newest *content* comes first. What a
//! file is called decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, future::join_all};
use jiff::Timestamp;

use super::Reference;
use crate::{
    archive::{MAX_MANIFEST_BYTES, Manifest},
    model::{
        event::{AlarmKind, Phase, PointTried, What},
        naming::{KeyKind, PointName},
        units::Span,
    },
    store::{ObjectInfo, SharedStore, StoreError, StoreErrorKind},
};

/// A point is named when its export starts. A name that is this much newer than the export its manifest speaks of is
/// old content under a new name.
const NAME_AHEAD_LIMIT: Span = Span::hours(1);

/// A recovery point in one region, with what its manifest says.
pub(super) struct Candidate {
    pub(super) point: PointName,
    pub(super) store: SharedStore,
    pub(super) manifest: Manifest,
}

/// Which of a point's two objects a region has.
#[derive(Default)]
struct Parts {
    dump: bool,
    manifest: bool,
}

impl Reference {
    /// All candidates of all regions that answer, best first: newest content, then the honest name, then the plan's
    /// order of regions.
    pub(super) async fn candidates(&self) -> Vec<Candidate> {
        let lists = join_all(self.bench.stores.iter().map(|store| store.list(&self.layout.prefix))).await;
        let mut found = Vec::new();
        for (store, list) in self.bench.stores.iter().zip(lists) {
            match list {
                Ok(objects) => found.extend(self.read_manifests(store, &objects).await),
                Err(why) => self.unreachable(store, &why),
            }
        }
        let rank = |c: &Candidate| self.bench.stores.iter().position(|s| s.region() == c.store.region());
        found.sort_by(|a, b| {
            let newest_content = b.manifest.position.seq.cmp(&a.manifest.position.seq);
            newest_content.then_with(|| is_renamed(a).cmp(&is_renamed(b))).then_with(|| rank(a).cmp(&rank(b)))
        });
        self.warn_of_stale_content(&found);
        found
    }

    fn unreachable(&self, store: &SharedStore, why: &StoreError) {
        let region = store.region().to_owned();
        self.bench.recorder.emit(What::Listed { region, points: None, why: Some(why.kind.to_string()) });
    }

    async fn read_manifests(&self, store: &SharedStore, objects: &[ObjectInfo]) -> Vec<Candidate> {
        let points = self.points(objects);
        let region = store.region().to_owned();
        self.bench.recorder.emit(What::Listed { region, points: Some(points.len() as u64), why: None });
        let mut candidates = Vec::new();
        // Newest names first, so that the report lists what was refused in the order in which people look.
        for (point, parts) in points.into_iter().rev() {
            let read = match parts {
                Parts { dump: false, .. } => Err("its manifest is there, the dump is not".to_owned()),
                Parts { manifest: false, .. } => {
                    Err("it has no manifest, so nothing says what it must hold".to_owned())
                }
                _ => self.read_manifest(store, &point).await,
            };
            match read {
                Ok(manifest) => candidates.push(Candidate { point, store: store.clone(), manifest }),
                Err(why) => self.refuse(&point, store.region(), Phase::Choose, why),
            }
        }
        candidates
    }

    fn points(&self, objects: &[ObjectInfo]) -> BTreeMap<PointName, Parts> {
        let mut points: BTreeMap<PointName, Parts> = BTreeMap::new();
        for object in objects {
            match self.layout.parse(&object.key) {
                Some(KeyKind::Dump(point)) => points.entry(point).or_default().dump = true,
                Some(KeyKind::Manifest(point)) => points.entry(point).or_default().manifest = true,
                None => {}
            }
        }
        points
    }

    async fn read_manifest(&self, store: &SharedStore, point: &PointName) -> Result<Manifest, String> {
        let (info, mut body) = store.get(&self.layout.manifest_key(point)).await.map_err(|e| e.kind.to_string())?;
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

    pub(super) fn refuse(&self, point: &PointName, region: &str, phase: Phase, why: String) {
        let tried = PointTried { point: point.to_string(), region: region.to_owned(), phase, why };
        self.bench.recorder.emit(What::PointRefused(tried));
    }
}

/// Whether a failure says that the whole region is out, not just this object.
pub(super) fn is_region_out(kind: StoreErrorKind) -> bool {
    use StoreErrorKind as K;
    matches!(kind, K::Refused | K::TimedOut | K::SlowDown | K::ServerError | K::Denied)
}

/// Whether the content is older than the name.
fn is_renamed(candidate: &Candidate) -> bool {
    let limit = i128::from(NAME_AHEAD_LIMIT.millis());
    let ahead = |named: Timestamp| named.duration_since(candidate.manifest.exported_at).as_millis();
    let dump_differs = !candidate.manifest.dump.starts_with(candidate.point.as_str());
    dump_differs || candidate.point.taken_at().is_some_and(|named| ahead(named) >= limit)
}
