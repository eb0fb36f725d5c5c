//! Listings: objects and versions, by prefix and delimiter, page by page.

use std::ops::Bound;

use jiff::Timestamp;

use super::{objects::Objects, refusal::Refusal, version::Object};

/// What to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Keys must begin with it; empty for all.
    pub prefix: String,
    /// Keys that share what comes before it, after the prefix, are listed as one common prefix; empty for none.
    pub delimiter: String,
    /// Keys must come after this one.
    pub start_after: Option<String>,
    /// Where the page before ended: its [`ListPage::next`].
    pub resume: Option<String>,
    /// Most entries of the page, common prefixes included.
    pub max: usize,
}

impl ListQuery {
    /// Everything below a prefix, in pages of S3's usual size.
    pub fn below(prefix: &str) -> Self {
        ListQuery { prefix: prefix.to_owned(), delimiter: String::new(), start_after: None, resume: None, max: 1000 }
    }

    /// The common prefix under which a key is listed, if it is.
    fn group<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.delimiter.is_empty() {
            return None;
        }
        let rest = &key[self.prefix.len()..];
        rest.find(&self.delimiter).map(|at| &key[..self.prefix.len() + at + self.delimiter.len()])
    }
}

/// One page of objects.
#[derive(Debug, Clone, Default)]
pub struct ListPage {
    /// Objects in the order of their keys' bytes.
    pub objects: Vec<Object>,
    /// Common prefixes in the order of their bytes.
    pub common_prefixes: Vec<String>,
    /// Where the next page goes on; `None` on the last.
    pub next: Option<String>,
}

/// One page of versions.
#[derive(Debug, Clone, Default)]
pub struct VersionPage {
    /// Versions and delete markers by key, the newest first.
    pub entries: Vec<VersionEntry>,
    /// Common prefixes in the order of their bytes.
    pub common_prefixes: Vec<String>,
    /// Where the next page goes on: key (or common prefix) and version; `None` on the last.
    pub next: Option<(String, Option<String>)>,
}

/// A version or a delete marker as listed.
#[derive(Debug, Clone)]
pub struct VersionEntry {
    /// The key.
    pub key: String,
    /// Its version id.
    pub version: String,
    /// Whether it is the newest.
    pub latest: bool,
    /// When it was written.
    pub modified: Timestamp,
    /// The object; `None` for a delete marker.
    pub object: Option<Object>,
}

impl Objects {
    /// One page of the objects that exist now.
    pub fn list(&self, bucket: &str, query: &ListQuery) -> Result<ListPage, Refusal> {
        let max = self.cut.page(query.max);
        let mut page = self.page(bucket, &ListQuery { max, ..query.clone() })?;
        page.next = self.cut.next(query.max, page.next);
        Ok(page)
    }

    fn page(&self, bucket: &str, query: &ListQuery) -> Result<ListPage, Refusal> {
        let mut state = self.state();
        let bucket = state.bucket(bucket)?;
        let versioned = bucket.versioned();
        let mut page = ListPage::default();
        let mut last = None;
        let after = query.start_after.as_deref().max(query.resume.as_deref());
        for (key, versions) in bucket.keys.range::<str, _>(from(&query.prefix, after)) {
            if !key.starts_with(&query.prefix) {
                break;
            }
            let Some(object) = versions.last().and_then(|v| v.object(key, true, versioned)) else { continue };
            let group = query.group(key);
            let entry = group.unwrap_or(key);
            let seen = last.as_deref() == Some(entry) && group.is_some();
            if seen || query.resume.as_deref().is_some_and(|r| entry <= r) {
                continue;
            }
            if page.objects.len() + page.common_prefixes.len() >= query.max {
                page.next = last;
                break;
            }
            last = Some(entry.to_owned());
            match group {
                Some(group) => page.common_prefixes.push(group.to_owned()),
                None => page.objects.push(object),
            }
        }
        Ok(page)
    }

    /// One page of all versions and delete markers. `version_marker` is the version at which the page before ended,
    /// within the key `query.resume`.
    pub fn list_versions(
        &self,
        bucket: &str,
        query: &ListQuery,
        version_marker: Option<&str>,
    ) -> Result<VersionPage, Refusal> {
        let max = self.cut.page(query.max);
        let mut page = self.version_page(bucket, &ListQuery { max, ..query.clone() }, version_marker)?;
        page.next = self.cut.next(query.max, page.next);
        Ok(page)
    }

    fn version_page(
        &self,
        bucket: &str,
        query: &ListQuery,
        version_marker: Option<&str>,
    ) -> Result<VersionPage, Refusal> {
        let mut state = self.state();
        let bucket = state.bucket(bucket)?;
        let mut page = VersionPage::default();
        let mut last: Option<(String, Option<String>)> = None;
        let resume = query.resume.as_deref();
        for (key, versions) in bucket.keys.range::<str, _>((Bound::Included(query.prefix.as_str()), Bound::Unbounded)) {
            if !key.starts_with(&query.prefix) {
                break;
            }
            let group = query.group(key);
            let entry = group.unwrap_or(key);
            let within = resume == Some(entry) && group.is_none() && version_marker.is_some();
            if resume.is_some_and(|r| entry <= r) && !within {
                continue;
            }
            if let Some(group) = group {
                if last.as_ref().is_some_and(|(l, _)| l == group) {
                    continue;
                }
                if page.entries.len() + page.common_prefixes.len() >= query.max {
                    page.next = last;
                    break;
                }
                page.common_prefixes.push(group.to_owned());
                last = Some((group.to_owned(), None));
                continue;
            }
            let skip = match version_marker.filter(|_| within) {
                Some(marker) => versions.iter().rev().position(|v| v.id == marker).map_or(versions.len(), |n| n + 1),
                None => 0,
            };
            for (nth, version) in versions.iter().rev().enumerate().skip(skip) {
                if page.entries.len() + page.common_prefixes.len() >= query.max {
                    page.next = last;
                    return Ok(page);
                }
                last = Some((key.clone(), Some(version.id.clone())));
                page.entries.push(VersionEntry {
                    key: key.clone(),
                    version: version.id.clone(),
                    latest: nth == 0,
                    modified: version.modified,
                    object: version.object(key, nth == 0, true),
                });
            }
        }
        Ok(page)
    }
}

/// Where in the order of keys a listing begins.
fn from<'q>(prefix: &'q str, after: Option<&'q str>) -> (Bound<&'q str>, Bound<&'q str>) {
    match after {
        Some(after) if after >= prefix => (Bound::Excluded(after), Bound::Unbounded),
        _ => (Bound::Included(prefix), Bound::Unbounded),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::btree_set, prelude::*, sample::select};

    use super::*;
    use crate::emulator::s3::{
        buckets::{BucketOptions, Versioning},
        testing::World,
    };

    /// Keys of few letters, so that they share prefixes: with `+`, spaces, and letters of one to four bytes.
    fn key() -> impl Strategy<Value = String> {
        proptest::collection::vec(select(vec!["a", "b", "/", "+", " ", "%", "é", "백", "🔥"]), 1..6)
            .prop_map(|letters| letters.concat())
    }

    /// All entries of a listing, page by page: `(name, whether it is a common prefix)`.
    fn walk(world: &World, query: &ListQuery) -> Vec<(String, bool)> {
        let mut query = query.clone();
        let mut all = Vec::new();
        loop {
            let page = world.objects().list("b", &query).unwrap();
            let mut entries: Vec<(String, bool)> = page.objects.into_iter().map(|o| (o.meta.key, false)).collect();
            entries.extend(page.common_prefixes.into_iter().map(|p| (p, true)));
            assert!(entries.len() <= query.max && (page.next.is_none() || entries.len() == query.max));
            entries.sort();
            all.extend(entries);
            match page.next {
                Some(next) => {
                    assert!(query.resume.as_ref() < Some(&next), "a page must get on");
                    query.resume = Some(next);
                }
                None => return all,
            }
        }
    }

    proptest! {
        #[test]
        fn all_pages_together_are_what_a_plain_filter_finds(
            keys in btree_set(key(), 0..24),
            prefix in prop_oneof![Just(String::new()), key()],
            delimiter in select(vec!["", "/", "+", "백", "a/"]),
            start_after in proptest::option::of(key()),
            max in 1usize..6,
        ) {
            let world = World::new(BucketOptions::default());
            for key in &keys {
                world.put(key, b"");
            }
            let matching = keys.iter().filter(|k| k.starts_with(&prefix))
                .filter(|k| start_after.as_ref().is_none_or(|after| *k > after));
            let expected: BTreeSet<(String, bool)> = matching
                .map(|k| match k[prefix.len()..].find(delimiter).filter(|_| !delimiter.is_empty()) {
                    None => (k.clone(), false),
                    Some(at) => (k[..prefix.len() + at + delimiter.len()].to_owned(), true),
                })
                .collect();
            let query =
                ListQuery { prefix, delimiter: delimiter.to_owned(), start_after, resume: None, max };
            prop_assert_eq!(walk(&world, &query), expected.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn all_pages_of_versions_together_are_every_version_and_marker(
            writes in proptest::collection::vec((key(), any::<bool>()), 0..24),
            max in 1usize..5,
        ) {
            let world = World::new(BucketOptions::default());
            world.objects().set_versioning("b", Versioning::Enabled).unwrap();
            let mut expected = Vec::new();
            for (key, deletion) in &writes {
                let version = match deletion {
                    true => world.objects().delete("b", key, None, false).unwrap().version,
                    false => world.put(key, b"").version,
                };
                expected.push((key.clone(), version.unwrap(), *deletion));
            }
            // By key, and of one key the newest first: ids are counted.
            expected.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
            let (mut found, mut query, mut marker) = (Vec::new(), ListQuery { max, ..ListQuery::below("") }, None);
            loop {
                let page = world.objects().list_versions("b", &query, marker.as_deref()).unwrap();
                found.extend(page.entries.into_iter().map(|e| (e.key, e.version, e.object.is_none())));
                match page.next {
                    Some((key, version)) => (query.resume, marker) = (Some(key), version),
                    None => break,
                }
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_hidden_object_is_not_listed_and_a_page_of_none_is_whole() {
        let world = World::new(BucketOptions::default());
        world.objects().set_versioning("b", Versioning::Enabled).unwrap();
        world.put("gone", b"");
        world.put("here", b"");
        world.objects().delete("b", "gone", None, false).unwrap();
        assert_eq!(walk(&world, &ListQuery::below("")), [("here".to_owned(), false)]);
        let none = world.objects().list("b", &ListQuery { max: 0, ..ListQuery::below("") }).unwrap();
        assert!(none.objects.is_empty() && none.next.is_none());
    }
}
