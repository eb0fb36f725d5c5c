//! What a monitor sees inside a backup: its manifest, and where the plan says so every byte of the dump against it.

use futures_util::{StreamExt, TryStreamExt};
use jiff::SignedDuration;

use super::{Aspect, Monitor, Place, Sighting};
use crate::{
    archive::{self, InputError, MAX_MANIFEST_BYTES, Manifest},
    model::{event::AlarmKind, naming::PointName, plan::Watch},
    store::Store,
};

/// A name may be this much newer than the export that it names, and than the object's date.
pub(super) const NAME_AHEAD: SignedDuration = SignedDuration::from_hours(1);

impl Monitor {
    /// Looks inside the newest dump of a region. Of a replica the manifest is read only where its dump is, too, or where
    /// the dump is a list of files: what it replicates was looked at in the primary.
    pub(super) async fn look_inside(&self, place: &mut Place) -> Option<Sighting> {
        let point = place.newest()?.clone();
        let contents = place.scope.asks(Aspect::Contents, &self.limits.watches, Watch::Contents);
        let of_primary = place.is_primary && place.scope.asks(Aspect::Manifest, &self.limits.watches, Watch::Manifest);
        if !(contents || of_primary || self.is_list && self.watches(Watch::Manifest)) {
            return None;
        }
        place.scope.did(Aspect::Manifest);
        let unreadable = |place: &Place, why: String| place.sighting(AlarmKind::Unreadable, format!("{point}: {why}"));
        let manifest = match place.manifest.as_ref()? {
            Ok(manifest) => manifest,
            Err(why) => {
                let sighting = unreadable(place, why.clone());
                if contents {
                    place.scope.left(Aspect::Contents, "its manifest cannot be read");
                }
                return Some(sighting);
            }
        };
        let named = point.taken_at().unwrap_or(manifest.exported_at);
        if named.duration_since(manifest.exported_at) > NAME_AHEAD && self.watches(Watch::Manifest) {
            let detail = format!("{point} holds an export of {}", manifest.exported_at);
            let stale = place.sighting(AlarmKind::StaleContent, detail);
            if contents {
                place.scope.left(Aspect::Contents, "its manifest is of another export");
            }
            return Some(stale);
        }
        if !contents {
            // What is shorter than it was made cannot be read to its end.
            let (stated, is) =
                (manifest.stored_bytes, place.found.newest.as_ref().map_or(0, |(_, object)| object.size));
            return (is != stated).then(|| unreadable(place, format!("it has {is} bytes, its manifest says {stated}")));
        }
        let read = self.read_dump(&*place.store, &point, manifest).await;
        place.scope.did(Aspect::Contents);
        read.err().map(|why| unreadable(place, why))
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
        self.read_rows(store, point, manifest, |_| Ok(())).await
    }

    /// The same, with what each chunk of rows is shown to.
    pub(super) async fn read_rows(
        &self,
        store: &dyn Store,
        point: &PointName,
        manifest: &Manifest,
        mut shown: impl FnMut(&[u8]) -> Result<(), String> + Send,
    ) -> Result<(), String> {
        let (_, body) = store.get(&self.layout.dump_key(point)).await.map_err(|e| e.kind.to_string())?;
        let input = body.map_err(|e| InputError(e.kind.to_string())).boxed();
        let (limits, means) = (manifest.limits(), &self.means);
        let mut dump = archive::unpack(manifest.dump_format, input, limits, &means.lanes, &means.scratch);
        while let Some(rows) = dump.rows.next().await {
            shown(&rows.map_err(|e| e.to_string())?.lines)?;
        }
        let found = dump.summary.get().ok_or("the dump ended early")?;
        manifest.check(&found)
    }
}
