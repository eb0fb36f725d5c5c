//! One sync of every rule: what is new or changed is copied, and with `delete` what is gone from the source goes.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::tz::TimeZone;

use super::{AT_ONCE, BackupError, SyncPipeline, Synced, copy};
use crate::{
    model::{
        event::{AlarmKind, BackupMade, Position},
        plan::SyncRule,
        time::Elapsed,
    },
    store::{ObjectInfo, SharedStore, StorageClass, StoreError},
};

/// What a copy holds after a sync.
struct Copied {
    files: u64,
    bytes: u64,
}

impl SyncPipeline {
    pub(super) async fn sync_all(&self, day: u32) -> Result<BackupMade, BackupError> {
        let watch = self.bench.clock.stopwatch();
        let position = self.platform.position();
        let store = self.store().ok_or_else(|| BackupError("the plan has no region".into()))?;
        let mut made: Option<(String, Copied)> = None;
        let mut whys = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            let folder = self.folder(rule);
            match self.sync(rule, &folder, store).await {
                Ok(copied) => {
                    let at = self.bench.clock.now();
                    self.note(Synced { rule: number, folder: folder.clone(), at, position });
                    made.get_or_insert((folder, copied));
                }
                Err(e) => {
                    let why = format!("{folder} was not synced: {}", e.kind);
                    self.alarm(AlarmKind::BackupFailed, why.clone());
                    whys.push(why);
                }
            }
        }
        let (folder, copied) = made.ok_or_else(|| BackupError(whys.join("; ")))?;
        Ok(self.made(day, &folder, &copied, position, watch.elapsed()))
    }

    fn made(&self, day: u32, folder: &str, copied: &Copied, position: Position, took: Elapsed) -> BackupMade {
        let bytes = copied.bytes * self.bench.clock.scale();
        BackupMade {
            day,
            point: name_of(folder).to_owned(),
            position,
            rows: copied.files,
            raw_bytes: bytes,
            stored_bytes: bytes,
            regions: self.store().map(|store| store.region().to_owned()).into_iter().collect(),
            missing_in: Vec::new(),
            took,
        }
    }

    /// The folder that a rule copies into now.
    fn folder(&self, rule: &SyncRule) -> String {
        let today = self.bench.clock.now().to_zoned(TimeZone::UTC).date();
        if rule.dated { format!("{}{today}/", rule.into) } else { rule.into.clone() }
    }

    async fn sync(&self, rule: &SyncRule, folder: &str, store: &SharedStore) -> Result<Copied, StoreError> {
        let source = self.platform.source();
        let wanted: BTreeMap<String, ObjectInfo> = by_key(source.list("").await?, "", rule);
        let there = by_key(store.list(folder).await?, folder, rule);
        let class: StorageClass = rule.class.name().parse().unwrap_or_default();
        let changed = wanted.iter().filter(|(key, object)| is_changed(object, there.get(*key), rule));
        let changed: Vec<String> = changed.map(|(key, _)| key.clone()).collect();
        let send = |key: String| {
            let (source, store, as_key) = (Arc::clone(&source), Arc::clone(store), format!("{folder}{key}"));
            self.bench.lanes.go(async move { copy(&*source, &key, &*store, &as_key, class).await })
        };
        let sent = stream::iter(changed).map(send).buffered(AT_ONCE);
        sent.try_collect::<Vec<()>>().await?;
        if rule.delete {
            for key in there.keys().filter(|key| !wanted.contains_key(*key)) {
                store.delete(&format!("{folder}{key}")).await?;
            }
        }
        let bytes = wanted.values().map(|object| object.size).sum();
        Ok(Copied { files: wanted.len() as u64, bytes })
    }
}

/// Whether an object is copied, by the comparison of `aws s3 sync`: size, and where that is not all that counts, whether
/// the source is newer.
fn is_changed(source: &ObjectInfo, copy: Option<&ObjectInfo>, rule: &SyncRule) -> bool {
    let Some(copy) = copy else { return true };
    source.size != copy.size || (!rule.size_only && source.modified > copy.modified)
}

/// The objects that a rule is about, by their key in the source.
fn by_key(objects: Vec<ObjectInfo>, folder: &str, rule: &SyncRule) -> BTreeMap<String, ObjectInfo> {
    let key = |object: &ObjectInfo| object.key.strip_prefix(folder).map(str::to_owned);
    let named = objects.into_iter().filter_map(|object| Some((key(&object)?, object)));
    named.filter(|(key, _)| rule.include.is_empty() || rule.include.iter().any(|end| key.ends_with(end))).collect()
}

/// How a copy is called in a report: its folder.
pub(super) fn name_of(folder: &str) -> &str {
    folder.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::SyncRule;

    fn object(key: &str, size: u64, second: i64) -> ObjectInfo {
        ObjectInfo {
            key: key.into(),
            size,
            modified: jiff::Timestamp::from_second(second).unwrap(),
            storage_class: StorageClass::Standard,
            etag: None,
            version: None,
            content_type: None,
            metadata: BTreeMap::new(),
            restore: None,
        }
    }

    fn rule(text: &str) -> SyncRule {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_edit_that_keeps_the_size_is_a_change_unless_sizes_alone_count() {
        let (newer, copy) = (object("a", 5, 9), object("a", 5, 7));
        let (full, by_size) = (rule(r#"{"into":"full/"}"#), rule(r#"{"into":"inc/","size_only":true}"#));
        assert!(is_changed(&newer, Some(&copy), &full) && !is_changed(&newer, Some(&copy), &by_size));
        assert!(is_changed(&object("a", 6, 7), Some(&copy), &by_size), "another size");
        assert!(!is_changed(&object("a", 5, 7), Some(&copy), &full), "copied in the same second or later");
        assert!(is_changed(&newer, None, &by_size));
    }

    #[test]
    fn a_rule_is_about_the_endings_that_it_names_and_they_are_case_sensitive() {
        let named = rule(r#"{"into":"inc/","include":[".jpg",".pdf"]}"#);
        let objects =
            || ["inc/a b/1.jpg", "inc/2.JPG", "inc/3.webp", "inc/4.pdf", "other/5.jpg"].map(|k| object(k, 1, 1));
        let keys: Vec<String> = by_key(objects().to_vec(), "inc/", &named).into_keys().collect();
        assert_eq!(keys, ["4.pdf", "a b/1.jpg"]);
    }
}
