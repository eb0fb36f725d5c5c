//! What a foreign bucket holds, read into the region's object model: every version with its bytes. Only what is new is
//! fetched.

use std::{collections::BTreeMap, sync::Arc};

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Foreign, lock, wire::chain};
use crate::emulator::s3::{
    Region,
    archive::StorageClass,
    lock::Locks,
    objects::Objects,
    version::{Attributes, CONTENT_TYPE, Content, NULL_VERSION, Version},
};

/// Objects that are fetched at once.
const AT_ONCE: usize = 4;

/// A version as a listing shows it.
struct Listed {
    key: String,
    id: String,
    is_newest: bool,
    /// `None`: a delete marker.
    etag: Option<String>,
}

impl Foreign {
    /// Makes the region's objects what the storage holds.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(in crate::emulator::s3) async fn read(&self, region: &Region) -> Result<(), String> {
        let read = self.versions(region.objects()).await;
        let keys = read.map_err(|why| {
            self.troubled(&why);
            format!("what the storage at {} holds cannot be read: {why}", self.wire.url())
        })?;
        lock(&self.read).clone_from(&keys);
        let objects = region.objects();
        let set = objects.state().bucket(&self.bucket).map(|bucket| bucket.keys = keys);
        set.map_err(|e| e.to_string())
    }

    async fn versions(&self, objects: &Objects) -> Result<BTreeMap<String, Vec<Version>>, String> {
        let mut known = std::mem::take(&mut *lock(&self.read));
        let listed = self.listed().await?;
        let (held, missing): (Vec<_>, Vec<_>) = listed
            .into_iter()
            .map(|one| {
                let version = known.get_mut(&one.key).and_then(|versions| take(versions, &one));
                (one, version)
            })
            .partition(|(_, version)| version.is_some());
        let fetched = stream::iter(missing.into_iter().map(|(one, _)| self.fetch(objects, one)));
        let fetched: Vec<_> = fetched.buffer_unordered(AT_ONCE).try_collect().await?;
        let mut keys: BTreeMap<String, Vec<(bool, Version)>> = BTreeMap::new();
        for (one, version) in held.into_iter().chain(fetched) {
            // One that is gone since it was listed is not there.
            if let Some(version) = version {
                keys.entry(one.key).or_default().push((one.is_newest, version));
            }
        }
        let (mut dates, now) = (self.dates(), objects.now());
        let ordered = keys.into_iter().map(|(key, mut versions)| {
            versions.sort_by_key(|(is_newest, version)| (*is_newest, dates.place(&key, &version.id)));
            let dated = versions.into_iter().map(|(_, version)| {
                let modified = dates.of(&key, Some(&version.id), now);
                Version { modified, ..version }
            });
            let dated = dated.collect();
            (key, dated)
        });
        Ok(ordered.collect())
    }

    async fn listed(&self) -> Result<Vec<Listed>, String> {
        let (mut all, mut from) = (Vec::new(), (None, None));
        loop {
            let list = self.wire.sdk.list_object_versions().bucket(&self.real);
            let list = list.set_key_marker(from.0).set_version_id_marker(from.1);
            let page = list.send().await.map_err(|e| chain(&e))?;
            let id = |id: Option<&str>| id.unwrap_or(NULL_VERSION).to_owned();
            for one in page.versions() {
                all.push(Listed {
                    key: one.key().unwrap_or_default().to_owned(),
                    id: id(one.version_id()),
                    is_newest: one.is_latest() == Some(true),
                    etag: Some(one.e_tag().unwrap_or_default().trim_matches('"').to_owned()),
                });
            }
            for one in page.delete_markers() {
                all.push(Listed {
                    key: one.key().unwrap_or_default().to_owned(),
                    id: id(one.version_id()),
                    is_newest: one.is_latest() == Some(true),
                    etag: None,
                });
            }
            if page.is_truncated() != Some(true) {
                return Ok(all);
            }
            from = (page.next_key_marker, page.next_version_id_marker);
            if from.0.is_none() {
                return Err("a listing says that it goes on, and not where".into());
            }
        }
    }

    async fn fetch(&self, objects: &Objects, one: Listed) -> Result<(Listed, Option<Version>), String> {
        let plain = |content| Version { id: one.id.clone(), modified: objects.now(), content, locks: Locks::default() };
        if one.etag.is_none() {
            let marker = plain(None);
            return Ok((one, Some(marker)));
        }
        let id = (one.id != NULL_VERSION).then(|| one.id.clone());
        let got = self.wire.sdk.get_object().bucket(&self.real).key(&one.key).set_version_id(id).send().await;
        let mut answer = match got {
            Ok(answer) => answer,
            Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 404) => {
                return Ok((one, None));
            }
            Err(error) => return Err(format!("{}: {}", one.key, chain(&error))),
        };
        let attributes = attributes(&answer);
        let mut writer = objects.writer();
        while let Some(piece) = answer.body.try_next().await.map_err(|e| format!("{}: {}", one.key, chain(&e)))? {
            writer.write(&piece).map_err(|e| format!("scratch folder: {e}"))?;
        }
        let body = writer.finish().map_err(|e| format!("scratch folder: {e}"))?;
        let content = Content {
            body,
            etag: one.etag.clone().unwrap_or_default().into(),
            checksums: Arc::default(),
            parts: [].into(),
            attributes: Arc::new(attributes),
            restore: None,
        };
        let version = plain(Some(content));
        Ok((one, Some(version)))
    }
}

/// A version that was read before, where it is still the same.
fn take(versions: &mut Vec<Version>, one: &Listed) -> Option<Version> {
    let is_it = |version: &Version| {
        version.id == one.id && version.content.as_ref().map(|content| &*content.etag) == one.etag.as_deref()
    };
    let nth = versions.iter().position(is_it)?;
    Some(versions.remove(nth))
}

fn attributes(answer: &GetObjectOutput) -> Attributes {
    let text = |value: Option<&str>| value.map(str::to_owned);
    let class = answer.storage_class().and_then(|class| class.as_str().parse::<StorageClass>().ok());
    Attributes {
        content_type: text(answer.content_type()).filter(|known| known != CONTENT_TYPE),
        content_encoding: text(answer.content_encoding()),
        content_disposition: text(answer.content_disposition()),
        content_language: text(answer.content_language()),
        cache_control: text(answer.cache_control()),
        expires: None,
        storage_class: class.unwrap_or_default(),
        metadata: answer.metadata().cloned().unwrap_or_default().into_iter().collect(),
        tags: BTreeMap::new(),
    }
}
