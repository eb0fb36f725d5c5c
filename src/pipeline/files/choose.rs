//! Which generations there are and in what order to try them. Regions are asked at once; their manifests decide, and
//! what cannot be believed is refused with its reason. A generation is one, in however many regions its list lies.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, future::join_all};
use jiff::Timestamp;

use super::{FilePipeline, list::FileEntry};
use crate::{
    archive::{MAX_MANIFEST_BYTES, Manifest},
    model::{
        event::{AlarmKind, Phase, What},
        naming::{KeyKind, PointName},
    },
    store::{ByteStream, SharedStore, StoreError, VersionInfo},
};

/// A generation that a manifest speaks of.
pub(super) struct Generation {
    pub(super) point: PointName,
    pub(super) manifest: Manifest,
    /// When the first region got it, by the regions' own dates.
    written: Timestamp,
    /// Where its list may lie: what lies open before what was overwritten or deleted over, then the plan's order.
    pub(super) places: Vec<Place>,
}

/// Where a list may lie.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) store: SharedStore,
    /// Version of the list; the newest where `None`.
    pub(super) version: Option<String>,
}

/// The versions of a point's list and manifest in one region, the newest first.
#[derive(Default)]
struct Parts {
    lists: Vec<VersionInfo>,
    manifests: Vec<VersionInfo>,
}

impl Parts {
    fn shows(versions: &[VersionInfo]) -> bool {
        versions.iter().any(|version| version.is_latest)
    }
}

impl FilePipeline {
    /// All generations, best first: newest content, then the honest name. A restore `tells` what it finds and refuses, and
    /// wants those from before the target time alone.
    pub(super) async fn generations(&self, tells: bool) -> Vec<Generation> {
        let prefix = format!("{}backup-", self.rules.layout.prefix);
        let lists = join_all(self.bench.stores.iter().map(|store| store.versions(&prefix))).await;
        let mut found: BTreeMap<(PointName, String), Generation> = BTreeMap::new();
        for (store, list) in self.bench.stores.iter().zip(lists) {
            let region = store.region().to_owned();
            let (points, why) = match list {
                Ok(versions) => (Some(self.points(versions)), None),
                Err(e) => (None, Some(e.kind.to_string())),
            };
            if tells {
                let shown = |parts: &&Parts| Parts::shows(&parts.lists) || Parts::shows(&parts.manifests);
                let shown = points.as_ref().map(|points| points.values().filter(shown).count() as u64);
                self.bench.recorder.emit(What::Listed { region, points: shown, why });
            }
            for (point, parts) in points.unwrap_or_default().into_iter().rev() {
                self.read_point(store, &point, &parts, tells, &mut found).await;
            }
        }
        let mut found: Vec<Generation> = found.into_values().filter(|one| !tells || self.is_in_time(one)).collect();
        for generation in &mut found {
            generation.places.sort_by_key(|place| place.version.is_some());
        }
        found.sort_by(|a, b| {
            let newest_content = b.manifest.position.seq.cmp(&a.manifest.position.seq);
            let newest_name = || b.point.cmp(&a.point);
            newest_content.then_with(|| is_renamed(a).cmp(&is_renamed(b))).then_with(newest_name)
        });
        if tells {
            self.warn_of_stale_content(&found);
        }
        found
    }

    /// The newest list that reads well; none where there is none, and then every file is read again.
    pub(super) async fn newest_list(&self) -> Vec<FileEntry> {
        for generation in self.generations(false).await {
            for place in &generation.places {
                if let Ok(body) = self.open_list(&generation, place).await
                    && let Ok(entries) = self.read_list(&generation.manifest, body).await
                {
                    return entries;
                }
            }
        }
        Vec::new()
    }

    pub(super) async fn open_list(&self, generation: &Generation, place: &Place) -> Result<ByteStream, StoreError> {
        let key = self.rules.layout.dump_key(&generation.point);
        match &place.version {
            Some(version) => place.store.get_version(&key, version).await,
            None => place.store.get(&key).await,
        }
        .map(|(_, body)| body)
    }

    fn points(&self, versions: Vec<VersionInfo>) -> BTreeMap<PointName, Parts> {
        let mut points: BTreeMap<PointName, Parts> = BTreeMap::new();
        for version in versions.into_iter().filter(|version| !version.is_delete_marker) {
            match self.rules.layout.parse(&version.key) {
                Some(KeyKind::Dump(point)) => points.entry(point).or_default().lists.push(version),
                Some(KeyKind::Manifest(point)) => points.entry(point).or_default().manifests.push(version),
                None => {}
            }
        }
        points
    }

    /// Every manifest of a point with every list that has the size it states; which is the one is for the restore to
    /// find out. What lies open and cannot be believed is refused aloud.
    async fn read_point(
        &self,
        store: &SharedStore,
        point: &PointName,
        parts: &Parts,
        tells: bool,
        found: &mut BTreeMap<(PointName, String), Generation>,
    ) {
        let refuse = |why: String| {
            if tells {
                self.refuse(point, store.region(), Phase::Choose, why);
            }
        };
        match (Parts::shows(&parts.lists), Parts::shows(&parts.manifests)) {
            (true, false) => refuse("it has no manifest, so nothing says what it must hold".into()),
            (false, true) => refuse("its manifest is there, the list of files is not".into()),
            _ => {}
        }
        for at in &parts.manifests {
            let manifest = match self.read_manifest(store, point, at).await {
                Ok(manifest) => manifest,
                Err(why) => {
                    if at.is_latest {
                        refuse(why);
                    }
                    continue;
                }
            };
            let open = |list: &VersionInfo| list.is_latest && at.is_latest;
            let fits = |list: &&VersionInfo| open(list) || list.size == manifest.stored_bytes;
            let places = parts.lists.iter().filter(fits).map(|list| Place {
                store: store.clone(),
                version: Some(list.version.clone()).filter(|_| !open(list)),
            });
            let key = (point.clone(), manifest.stored_sha256.clone());
            let (point, manifest) = (point.clone(), manifest.clone());
            let new = || Generation { point, manifest, written: at.modified, places: Vec::new() };
            let generation = found.entry(key).or_insert_with(new);
            generation.written = generation.written.min(at.modified);
            generation.places.extend(places);
        }
    }

    pub(super) async fn read_manifest(
        &self,
        store: &SharedStore,
        point: &PointName,
        at: &VersionInfo,
    ) -> Result<Manifest, String> {
        let key = self.rules.layout.manifest_key(point);
        let opened = match at.is_latest {
            true => store.get(&key).await,
            false => store.get_version(&key, &at.version).await,
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
        match manifest.service == self.rules.service {
            true => Ok(manifest),
            false => Err(format!("its manifest is of service {}, not {}", manifest.service, self.rules.service)),
        }
    }

    /// By its manifest and by a region's date: the clock that gave the manifest's may be wrong.
    fn is_in_time(&self, generation: &Generation) -> bool {
        let made = generation.manifest.exported_at.max(generation.written);
        self.rules.target_time.is_none_or(|limit| made < limit)
    }

    fn warn_of_stale_content(&self, found: &[Generation]) {
        let mut said = BTreeSet::new();
        for generation in found.iter().filter(|one| is_renamed(one)) {
            if said.insert(&generation.point) {
                let (point, written) = (&generation.point, generation.manifest.position.committed_at);
                let region = generation.places.first().map(|place| place.store.region());
                let detail = format!("{point} holds data of {written}: older than its name says");
                self.alarm(AlarmKind::StaleContent, region, detail);
            }
        }
    }
}

/// Whether the content is not the one that the name stands for.
fn is_renamed(generation: &Generation) -> bool {
    !generation.manifest.dump.starts_with(generation.point.as_str())
}
