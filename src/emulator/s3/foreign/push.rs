//! What a fault changed in the region's object model, written to the foreign storage through its API, and read back. A key's
//! history is rewritten from the first version on that differs: the API can neither change a version nor put one below
//! another. Ids of versions change by that, and dates do not: those the gateway keeps.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Foreign, lock, wire::chain};
use crate::emulator::s3::{
    Region,
    version::{Content, NULL_VERSION, Version},
};

impl Foreign {
    /// Makes the storage hold what the region's objects say, and reads back what it holds then.
    ///
    /// # Errors
    /// What the storage cannot do, or does not; the region's objects are then what it holds.
    pub(in crate::emulator) async fn write(&self, region: &Region) -> Result<(), String> {
        let wanted = region.objects().state().bucket(&self.bucket).map(|bucket| bucket.keys.clone());
        let wanted = wanted.map_err(|e| e.to_string())?;
        let was = lock(&self.read).clone();
        let all: BTreeSet<&String> = was.keys().chain(wanted.keys()).collect();
        let changed: Vec<&String> =
            all.into_iter().filter(|key| !same_all(versions(&was, key), versions(&wanted, key))).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let mut written = Ok(());
        for key in changed {
            written = self.rewrite(key, versions(&was, key), versions(&wanted, key)).await;
            // What was written is read back from the storage, not believed.
            lock(&self.read).remove(key);
            if written.is_err() {
                break;
            }
        }
        let read = self.read(region).await;
        written.map_err(|why| format!("the storage at {} does not let it: {why}", self.wire.url()))?;
        read
    }

    async fn rewrite(&self, key: &str, was: &[Version], wanted: &[Version]) -> Result<(), String> {
        let kept = was.iter().zip(wanted).take_while(|(was, wanted)| same(was, wanted)).count();
        if wanted[kept..].iter().any(|version| version.locks.retention.is_some() || version.locks.legal_hold.is_some())
        {
            return Err(format!("{key}: a lock would be needed, and locks run by the wall clock there"));
        }
        for version in was[kept..].iter().rev() {
            let id = (version.id != NULL_VERSION).then(|| version.id.clone());
            let delete = self.wire.sdk.delete_object().bucket(&self.real).key(key).set_version_id(id);
            delete.send().await.map_err(|e| format!("{key} cannot be deleted: {}", chain(&e)))?;
            self.dates().gone(key, Some(&version.id));
        }
        for version in &wanted[kept..] {
            let id = match &version.content {
                Some(content) => self.put(key, content).await?,
                None => {
                    let delete = self.wire.sdk.delete_object().bucket(&self.real).key(key).send().await;
                    delete.map_err(|e| format!("{key} cannot be hidden: {}", chain(&e)))?.version_id
                }
            };
            self.dates().written(key, id.as_deref(), version.modified);
        }
        Ok(())
    }

    async fn put(&self, key: &str, content: &Content) -> Result<Option<String>, String> {
        let with = &content.attributes;
        let put = self.wire.sdk.put_object().bucket(&self.real).key(key);
        let put = put.set_content_type(with.content_type.clone()).set_content_encoding(with.content_encoding.clone());
        let put = put.set_content_disposition(with.content_disposition.clone());
        let put = put.set_content_language(with.content_language.clone()).set_cache_control(with.cache_control.clone());
        let metadata = (!with.metadata.is_empty()).then(|| with.metadata.clone().into_iter().collect());
        let class = (with.storage_class != Default::default()).then(|| with.storage_class.name().into());
        let put = put.set_metadata(metadata).set_storage_class(class);
        let bytes = content.body.read_all().map_err(|e| format!("scratch folder: {e}"))?;
        let sent = put.body(bytes.into()).send().await;
        Ok(sent.map_err(|e| format!("{key} cannot be written: {}", chain(&e)))?.version_id)
    }
}

fn versions<'k>(keys: &'k BTreeMap<String, Vec<Version>>, key: &str) -> &'k [Version] {
    keys.get(key).map_or(&[], Vec::as_slice)
}

fn same_all(was: &[Version], wanted: &[Version]) -> bool {
    was.len() == wanted.len() && was.iter().zip(wanted).all(|(was, wanted)| same(was, wanted))
}

/// Whether two are the same version, with the same bytes.
fn same(was: &Version, wanted: &Version) -> bool {
    let like = |was: &Content, wanted: &Content| {
        was.etag == wanted.etag && was.body.is(&wanted.body) && Arc::ptr_eq(&was.attributes, &wanted.attributes)
    };
    let content = match (&was.content, &wanted.content) {
        (None, None) => true,
        (Some(was), Some(wanted)) => like(was, wanted),
        _ => false,
    };
    content && was.id == wanted.id && was.modified == wanted.modified && was.locks == wanted.locks
}
