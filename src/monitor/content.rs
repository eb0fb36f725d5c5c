//! What a monitor sees inside a backup: its manifest, and where the plan says so every byte of the dump against it.

use futures_util::{StreamExt, TryStreamExt};
use jiff::SignedDuration;

use super::{Monitor, Newest, Sighting, sighting};
use crate::{
    archive::{self, InputError, MAX_MANIFEST_BYTES, Manifest},
    model::{event::AlarmKind, naming::PointName, plan::Watch},
    store::Store,
};

/// A name may be this much newer than the export that it names, and than the object's date.
pub(super) const NAME_AHEAD: SignedDuration = SignedDuration::from_hours(1);

impl Monitor {
    /// Looks inside the newest dump of a region. Of a replica the manifest is read only where its dump is, too: what it
    /// replicates was looked at in the primary.
    pub(super) async fn look_inside(&self, store: &dyn Store, newest: &Newest, is_primary: bool) -> Option<Sighting> {
        let point = &newest.point;
        let contents = self.watches(Watch::Contents);
        if !(contents || is_primary && self.watches(Watch::Manifest)) {
            return None;
        }
        let unreadable = |why: String| sighting(AlarmKind::Unreadable, store, format!("{point}: {why}"), None);
        let manifest = match self.read_manifest(store, point).await {
            Ok(manifest) => manifest,
            Err(why) => return Some(unreadable(why)),
        };
        let named = point.taken_at().unwrap_or(manifest.exported_at);
        if named.duration_since(manifest.exported_at) > NAME_AHEAD && self.watches(Watch::Manifest) {
            let detail = format!("{point} holds an export of {}", manifest.exported_at);
            return Some(sighting(AlarmKind::StaleContent, store, detail, None));
        }
        match contents {
            true => self.read_dump(store, point, &manifest).await.err().map(unreadable),
            false => None,
        }
    }

    pub(super) async fn read_manifest(&self, store: &dyn Store, point: &PointName) -> Result<Manifest, String> {
        let (info, mut body) =
            store.get(&self.layout.manifest_key(point)).await.map_err(|e| format!("its manifest: {}", e.kind))?;
        if info.size > MAX_MANIFEST_BYTES as u64 {
            return Err(format!("its manifest has {} bytes", info.size));
        }
        let mut text = Vec::new();
        while let Some(piece) = body.next().await {
            text.extend_from_slice(&piece.map_err(|e| e.kind.to_string())?);
        }
        Manifest::parse(&text).map_err(|e| e.to_string())
    }

    /// Reads the whole dump in one pass, with bounded memory.
    async fn read_dump(&self, store: &dyn Store, point: &PointName, manifest: &Manifest) -> Result<(), String> {
        let (_, body) = store.get(&self.layout.dump_key(point)).await.map_err(|e| e.kind.to_string())?;
        let input = body.map_err(|e| InputError(e.kind.to_string())).boxed();
        let (limits, means) = (manifest.limits(), &self.means);
        let mut dump = archive::unpack(manifest.dump_format, input, limits, &means.lanes, &means.scratch);
        while let Some(rows) = dump.rows.next().await {
            rows.map_err(|e| e.to_string())?;
        }
        let found = dump.summary.get().ok_or("the dump ended early")?;
        manifest.check(&found)
    }
}
