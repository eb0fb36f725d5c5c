//! Generations of files: whether the contents that the newest list names lie beside it with their sizes, and where the
//! plan says so whether each has its digest. Two sorted lists are merged; memory holds 40 bytes a file.

use data_encoding::HEXLOWER;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Amiss, Aspect, Monitor, Place, Sighting};
use crate::{
    archive::Manifest,
    model::{event::AlarmKind, naming::PointName, plan::Watch, words},
    store::{SharedStore, Store, StoreError, StoreErrorKind},
};

/// Contents that are read at once.
const AT_ONCE: usize = 4;

/// What is read of a row of a list.
#[derive(Deserialize)]
struct Row {
    sha256: String,
    size: u64,
}

/// A content that a list names: its digest and its size.
type Named = ([u8; 32], u64);

/// Contents that are not as a list says.
fn told(
    Amiss { count, example }: Amiss,
    place: &Place,
    kind: AlarmKind,
    (point, of): (&PointName, usize),
    what: &str,
) -> Option<Sighting> {
    let detail = format!("{point}: {count} of {} {what}, e.g. {example}", words::count(of as u64, "content"));
    (count > 0).then(|| place.sighting(kind, detail))
}

impl Monitor {
    /// Looks at the contents that the newest list of a region names.
    pub(super) async fn look_at_files(&self, place: &mut Place) -> Vec<Sighting> {
        let contents = self.watches(Watch::Contents);
        if !contents && !place.scope.asks(Aspect::Files, &self.limits.watches, Watch::Manifest) {
            return Vec::new();
        }
        // A manifest that cannot be read was told.
        let (Some(point), Some(Ok(manifest))) = (place.newest().cloned(), place.manifest.clone()) else {
            place.scope.left(Aspect::Files, "there is no list that can be read");
            return Vec::new();
        };
        let named = match self.named(&*place.store, &point, &manifest).await {
            Ok(named) => named,
            Err(why) => {
                place.scope.left(Aspect::Files, "there is no list that can be read");
                // Where the whole dump is read, or has another size than its manifest states, that was told.
                let told =
                    contents || place.found.newest.as_ref().is_some_and(|(_, it)| it.size != manifest.stored_bytes);
                let detail = format!("{point}: {why}");
                return if told { Vec::new() } else { vec![place.sighting(AlarmKind::Unreadable, detail)] };
            }
        };
        let (missing, other) = match self.there(&*place.store, &named).await {
            Ok(found) => found,
            Err(e) => {
                place.scope.left(Aspect::Files, "the contents could not be listed");
                return vec![place.sighting(AlarmKind::Unreachable, e.kind.to_string())];
            }
        };
        place.scope.did(Aspect::Files);
        let mut seen = Vec::new();
        seen.extend(told(missing, place, AlarmKind::Missing, (&point, named.len()), "that it names are not there"));
        seen.extend(told(
            other,
            place,
            AlarmKind::Unreadable,
            (&point, named.len()),
            "have another size than it names",
        ));
        if contents {
            let rotten = self.read_contents(&place.store, &named).await;
            place.scope.did(Aspect::Contents);
            let what = "do not read back as what it names";
            seen.extend(told(rotten, place, AlarmKind::Unreadable, (&point, named.len()), what));
        }
        seen
    }

    /// What a list names, each content once, by digest.
    async fn named(&self, store: &dyn Store, point: &PointName, manifest: &Manifest) -> Result<Vec<Named>, String> {
        let mut named = Vec::new();
        let take = |lines: &[u8]| {
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let row: Row =
                    serde_json::from_slice(line).map_err(|e| format!("a row of its list is no file: {e}"))?;
                let digest = HEXLOWER.decode(row.sha256.as_bytes()).ok().and_then(|digest| digest.try_into().ok());
                named.push((digest.ok_or("a row of its list has no SHA-256")?, row.size));
            }
            Ok(())
        };
        self.read_rows(store, point, manifest, take).await?;
        named.sort_unstable();
        named.dedup();
        Ok(named)
    }

    /// Of what is named: what is not there, and what has another size. Keys are in the order of their digests.
    async fn there(&self, store: &dyn Store, named: &[Named]) -> Result<(Amiss, Amiss), StoreError> {
        let (mut missing, mut other) = (Amiss::default(), Amiss::default());
        let key = |(digest, _): &Named| self.layout.content_key(&HEXLOWER.encode(digest));
        let prefix = self.layout.contents_prefix();
        let mut wanted = named.iter().peekable();
        let mut pages = store.pages(&prefix);
        while let Some(page) = pages.try_next().await? {
            for object in page {
                while let Some(lacking) = wanted.next_if(|one| key(one) < object.key) {
                    missing.note(|| key(lacking));
                }
                // A digest that is named with two sizes is wrong with one of them.
                while let Some(found) = wanted.next_if(|one| key(one) == object.key) {
                    if found.1 != object.size {
                        other.note(|| format!("{} with {} B for {} B", object.key, object.size, found.1));
                    }
                }
            }
        }
        wanted.for_each(|lacking| missing.note(|| key(lacking)));
        Ok((missing, other))
    }

    /// Contents that are there with their sizes and have other bytes, or cannot be read. What is gone or short was told.
    async fn read_contents(&self, store: &SharedStore, named: &[Named]) -> Amiss {
        let read = |(digest, size): &Named| {
            let (store, wanted, size) = (store.clone(), HEXLOWER.encode(digest), *size);
            let key = self.layout.content_key(&wanted);
            self.means.lanes.go(async move {
                match read(&*store, &key).await {
                    Ok((found, bytes)) if found == wanted || bytes != size => Ok(()),
                    Ok(_) => Err(format!("{key}: SHA-256 differs")),
                    Err(e) if e.kind == StoreErrorKind::NotFound => Ok(()),
                    Err(e) => Err(format!("{key}: {}", e.kind)),
                }
            })
        };
        let read = stream::iter(named).map(read).buffered(AT_ONCE);
        let note = |mut amiss: Amiss, read: Result<(), String>| async move {
            if let Err(why) = read {
                amiss.note(|| why);
            }
            amiss
        };
        read.fold(Amiss::default(), note).await
    }
}

/// SHA-256 of an object, and its size.
async fn read(store: &dyn Store, key: &str) -> Result<(String, u64), StoreError> {
    let (_, mut body) = store.get(key).await?;
    let (mut sha, mut size) = (Sha256::new(), 0);
    while let Some(piece) = body.try_next().await? {
        size += piece.len() as u64;
        sha.update(&piece);
    }
    Ok((HEXLOWER.encode(&sha.finalize()), size))
}
