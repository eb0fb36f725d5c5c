//! The contract of every store, whatever is behind it.

use std::collections::BTreeMap;

use backdraft::{
    emulator::s3::{buckets::BucketOptions, lock::LockMode, rights::Principal},
    store::{
        CopySource, ObjectInfo, PutOptions, RestoreState, Retention, SharedStore, StorageClass,
        StoreErrorKind::{self, Archived, Corrupt, Denied, Exists, NoBucket, Nonsense, NotFound, Source},
        Tier, VersionInfo,
    },
};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::world::{BUCKET, World, body, broken_body, bytes, calm, collect, kind, read};

const MIB: usize = 1 << 20;

/// All of it.
pub async fn holds(world: &World) {
    what_was_put_comes_back_at_every_size(world).await;
    keys_may_hold_any_text(world).await;
    the_last_write_counts(world).await;
    a_listing_gives_every_page_below_its_prefix_in_order(world).await;
    what_is_not_there_is_not_found_and_may_be_deleted(world).await;
    a_body_that_breaks_off_leaves_nothing(world).await;
    a_missing_bucket_is_told_from_a_missing_object(world).await;
    class_type_and_metadata_stay_with_an_object_and_its_copies(world).await;
    what_must_be_new_is_written_once(world).await;
}

/// What needs settings of buckets, or the scenario's clock.
pub async fn holds_for_versions_and_archives(world: &World) {
    every_version_is_listed_read_and_removed(world).await;
    a_lock_refuses_the_removal_of_a_version_and_nothing_else(world).await;
    an_archived_object_is_read_only_while_a_restored_copy_is_there(world).await;
    two_buckets_of_a_region_are_two_stores(world).await;
    each_principal_can_do_what_its_rights_say_and_no_more(world).await;
    what_is_written_with_a_retention_is_held_by_it(world).await;
    a_large_object_is_copied_in_parts_with_all_that_it_carries(world).await;
}

/// What a listing says of an object.
fn as_listed(info: ObjectInfo) -> ObjectInfo {
    ObjectInfo { version: None, content_type: None, metadata: BTreeMap::new(), restore: None, ..info }
}

pub async fn what_was_put_comes_back_at_every_size(world: &World) {
    let store = world.store();
    for size in [0, 1, MIB, 8 * MIB, 8 * MIB + 1, 20 * MIB] {
        let (key, content) = (format!("sizes/{size}"), bytes(size, size as u64));
        let put = store.put(&key, body(&content)).await.unwrap();
        assert_eq!((put.key.as_str(), put.size), (key.as_str(), size as u64));
        assert!(read(&store, &key).await.unwrap() == content, "{size} B come back as they were");
        let head = store.head(&key).await.unwrap();
        assert_eq!(head.size, size as u64);
        assert_eq!(put, head, "what was written is what is there");
        let (size, last) = (size as u64, (size as u64).min(1_000));
        if size > 0 {
            let end = store.get_range(&key, size - last..size + 10).await.unwrap();
            assert!(end == content[(size - last) as usize..], "the last bytes of {size}, and no more");
            assert_eq!(store.get_range(&key, 0..1).await.unwrap()[..], content[..1]);
        }
        assert_eq!(store.list(&key).await.unwrap(), [as_listed(head)], "listed as it looks from near");
        store.delete(&key).await.unwrap();
        assert_eq!(store.head(&key).await.map_err(kind), Err(NotFound));
        assert_eq!(store.list(&key).await.unwrap(), []);
    }
}

pub async fn keys_may_hold_any_text(world: &World) {
    let store = world.store();
    let mut keys = ["a b", "a+b", "a%20b", "백업/2026-03-01", "ä&<>\"'?#", "a/b..c/.d", "-_.!~*()", "🔥"];
    for (n, key) in keys.iter().enumerate() {
        store.put(&format!("text/{key}"), body(&bytes(100 + n, 3))).await.unwrap();
    }
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(read(&store, &format!("text/{key}")).await.unwrap(), bytes(100 + n, 3), "{key}");
    }
    keys.sort_unstable();
    let listed = store.list("text/").await.unwrap();
    assert_eq!(listed.iter().map(|info| &info.key["text/".len()..]).collect::<Vec<_>>(), keys);
    for key in keys {
        store.delete(&format!("text/{key}")).await.unwrap();
    }
    assert_eq!(store.list("text/").await.unwrap(), []);
}

pub async fn the_last_write_counts(world: &World) {
    let store = world.store();
    // Of every sort: whole over parts, parts over whole, and an error document that is nobody's error.
    let error = "<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>".into();
    for content in [bytes(10, 1), bytes(9 * MIB, 2), bytes(5, 3), error] {
        store.put("again", body(&content)).await.unwrap();
        assert!(read(&store, "again").await.unwrap() == content);
        assert_eq!(store.list("again").await.unwrap().len(), 1);
    }
}

pub async fn a_listing_gives_every_page_below_its_prefix_in_order(world: &World) {
    let store = world.store();
    let keys: Vec<String> = (0..1_050).map(|n| format!("many/{n:04}")).collect();
    let beside = ["many", "many-more", "manz/1"].map(str::to_owned);
    let puts = keys.iter().chain(&beside).map(|key| store.put(key, body(&bytes(1, 1))));
    stream::iter(puts).buffer_unordered(8).try_for_each(|_| async { Ok(()) }).await.unwrap();
    let listed = store.list("many/").await.unwrap();
    assert!(listed.iter().map(|info| &info.key).eq(&keys), "{} keys came back", listed.len());
    assert_eq!(store.list("many/104").await.unwrap().len(), 10);
    assert_eq!(store.list("nothing/").await.unwrap(), []);
    assert!(store.list("").await.unwrap().len() >= keys.len() + beside.len());
    let pages: Vec<Vec<ObjectInfo>> = store.pages("many/").try_collect().await.unwrap();
    assert!(pages.len() > 1 && pages.concat() == listed, "{} pages", pages.len());
}

pub async fn what_is_not_there_is_not_found_and_may_be_deleted(world: &World) {
    let store = world.store();
    assert_eq!(store.get_range("nothing", 0..9).await.map_err(kind), Err(NotFound));
    assert_eq!(store.get_range("nothing", 0..9 << 20).await.map_err(kind), Err(Nonsense), "more than is asked at once");
    let missing = store.head("absent").await.unwrap_err();
    assert_eq!((missing.operation, missing.key.as_str(), missing.kind), ("head", "absent", NotFound));
    assert_eq!(missing.region, store.region());
    assert_eq!(read(&store, "absent").await.map_err(kind), Err(NotFound));
    store.delete("absent").await.unwrap();
    store.delete("absent").await.unwrap();
}

pub async fn a_body_that_breaks_off_leaves_nothing(world: &World) {
    let store = world.store();
    for size in [0, 100, 8 * MIB, 17 * MIB] {
        let failed = store.put("broken", broken_body(size)).await.unwrap_err();
        assert_eq!((failed.operation, failed.kind), ("put", Source));
        assert_eq!(store.head("broken").await.map_err(kind), Err(NotFound), "after {size} B");
        assert_eq!(store.list("broken").await.unwrap(), []);
    }
    if let Some(region) = &world.region {
        assert_eq!(region.objects().uploads(BUCKET, "").unwrap(), [], "no upload is left unfinished");
    }
    store.put("kept", body(&bytes(10, 1))).await.unwrap();
    store.put("kept", broken_body(10)).await.unwrap_err();
    assert_eq!(read(&store, "kept").await.unwrap(), bytes(10, 1), "what was there before stays");
}

pub async fn a_missing_bucket_is_told_from_a_missing_object(world: &World) {
    let store = (world.open)("no-such-bucket", calm());
    assert_eq!(store.put("key", body(&bytes(10, 1))).await.map_err(kind), Err(NoBucket));
    assert_eq!(store.put("key", body(&bytes(9 * MIB, 1))).await.map_err(kind), Err(NoBucket));
    assert_eq!(read(&store, "key").await.map_err(kind), Err(NoBucket));
    assert_eq!(store.head("key").await.map_err(kind), Err(NoBucket));
    assert_eq!(store.list("").await.map_err(kind), Err(NoBucket));
    assert_eq!(store.delete("key").await.map_err(kind), Err(NoBucket));
}

pub async fn what_must_be_new_is_written_once(world: &World) {
    let (store, new) = (world.store(), PutOptions { if_absent: true, ..Default::default() });
    store.put_with("new/1", body(&bytes(10, 1)), &new).await.unwrap();
    let again = store.put_with("new/1", body(&bytes(10, 2)), &new).await;
    assert_eq!(again.map_err(kind), Err(Exists));
    assert_eq!(read(&store, "new/1").await.unwrap(), bytes(10, 1));
    let large = store.put_with("new/2", body(&bytes(9 * MIB, 3)), &new).await;
    assert_eq!(large.map_err(kind), Err(Nonsense), "parts are not joined on a condition");
    assert_eq!(store.list("new/2").await.unwrap(), []);
    store.delete("new/1").await.unwrap();
    store.put_with("new/1", body(&bytes(10, 2)), &new).await.unwrap();
    store.delete("new/1").await.unwrap();
}

/// Options with something of everything.
fn options(class: StorageClass) -> PutOptions {
    let metadata = [("sha256".to_owned(), "0123abc".to_owned()), ("source-key".to_owned(), "a b".to_owned())];
    PutOptions {
        storage_class: class,
        content_type: Some("image/png".into()),
        metadata: metadata.into(),
        ..Default::default()
    }
}

pub async fn class_type_and_metadata_stay_with_an_object_and_its_copies(world: &World) {
    let store = world.store();
    let wanted = options(StorageClass::StandardIa);
    // In one piece and in parts.
    for size in [10, 9 * MIB] {
        let content = bytes(size, 5);
        let put = store.put_with("media/ü+a b", body(&content), &wanted).await.unwrap();
        assert_eq!(store.head("media/ü+a b").await.unwrap(), put);
        assert_eq!((put.storage_class, put.content_type.as_deref()), (StorageClass::StandardIa, Some("image/png")));
        assert_eq!(put.metadata, wanted.metadata);
        assert_eq!(store.list("media/").await.unwrap(), [as_listed(put)]);

        let copy = store.copy(&CopySource::key("media/ü+a b"), "copy", StorageClass::Standard).await.unwrap();
        assert_eq!(store.head("copy").await.unwrap(), copy);
        assert_eq!(
            (copy.size, copy.storage_class, &copy.metadata),
            (size as u64, StorageClass::Standard, &wanted.metadata)
        );
        let read = read(&store, "copy").await;
        // Some storages give the copy of an object in parts a checksum that is not its own. Who checks it refuses the
        // bytes, which is loud.
        let is_refused = world.is_foreign() && size > MIB && matches!(&read, Err(error) if error.kind == Corrupt);
        assert!(is_refused || read.unwrap() == content, "{size} bytes");
        store.copy(&CopySource::key("copy"), "copy", StorageClass::StandardIa).await.unwrap();
        assert_eq!(store.head("copy").await.unwrap().storage_class, StorageClass::StandardIa, "onto itself");
    }
    let missing = store.copy(&CopySource::key("absent"), "copy", StorageClass::Standard).await;
    assert_eq!(missing.map_err(kind), Err(NotFound));
    let elsewhere = CopySource::key("copy").in_bucket("no-such-bucket");
    let missing = store.copy(&elsewhere, "copy", StorageClass::Standard);
    assert_eq!(missing.await.map_err(kind), Err(NoBucket));
    for (name, value) in [("Upper", "x"), ("", "x"), ("under_score", "x"), ("name", "ü"), ("name", " x")] {
        let metadata = [(name.to_owned(), value.to_owned())].into();
        let refused = store.put_with("odd", body(&bytes(1, 1)), &PutOptions { metadata, ..Default::default() }).await;
        assert_eq!(refused.map_err(kind), Err(Nonsense), "{name}: {value}");
    }
}

/// A store for a new bucket.
fn bucket(world: &World, name: &str, options: BucketOptions) -> SharedStore {
    world.region().objects().create_bucket(name, options).unwrap();
    (world.open)(name, calm())
}

async fn read_version(store: &SharedStore, version: &VersionInfo) -> Result<bytes::Bytes, StoreErrorKind> {
    let (info, body) = store.get_version(&version.key, &version.version).await.map_err(kind)?;
    assert_eq!(info.version.as_ref(), Some(&version.version));
    collect(body).await.map_err(kind)
}

pub async fn every_version_is_listed_read_and_removed(world: &World) {
    every_version_in(world, &bucket(world, "versioned", BucketOptions::versioned())).await;
}

/// In an empty bucket that keeps versions.
pub async fn every_version_in(world: &World, store: &SharedStore) {
    let (one, two) = (bytes(10, 1), bytes(20, 2));
    store.put_with("k", body(&one), &options(StorageClass::StandardIa)).await.unwrap();
    world.clock.set("2026-03-02T03:00:00Z".parse().unwrap());
    let second = store.put("k", body(&two)).await.unwrap();
    world.clock.set("2026-03-03T03:00:00Z".parse().unwrap());
    store.delete("k").await.unwrap();
    store.put("k/below", body(&one)).await.unwrap();

    let listed = store.versions("k").await.unwrap();
    let shape: Vec<_> = listed.iter().map(|v| (v.key.as_str(), v.is_latest, v.is_delete_marker, v.size)).collect();
    assert_eq!(
        shape,
        [("k", true, true, 0), ("k", false, false, 20), ("k", false, false, 10), ("k/below", true, false, 10)]
    );
    assert_eq!(listed[1].version, second.version.unwrap());
    assert_eq!((&listed[1].etag, listed[1].modified), (&second.etag, second.modified));
    // By S3's own reference a version is listed as STANDARD and nothing else; some do that.
    let may_be_standard = world.is_foreign() && listed[2].storage_class == StorageClass::Standard;
    assert!(may_be_standard || listed[2].storage_class == StorageClass::StandardIa);
    assert_eq!(read_version(store, &listed[2]).await, Ok(one));
    assert_eq!(read(store, "k").await.map_err(kind), Err(NotFound), "it is deleted");
    let unknown = store.get_version("k", "0123").await.map(drop).map_err(kind);
    // An id of another form than its own is no version to Amazon, and nonsense to some.
    assert!(unknown == Err(NotFound) || (world.is_foreign() && unknown == Err(Nonsense)), "{unknown:?}");
    // What a recovery does: an old version becomes the newest again.
    let old = CopySource::key("k").at_version(&listed[1].version);
    store.copy(&old, "k", StorageClass::Standard).await.unwrap();
    assert_eq!(read(store, "k").await, Ok(two.clone()));

    for version in store.versions("k").await.unwrap().iter().filter(|v| v.version != listed[1].version) {
        store.delete_version(&version.key, &version.version).await.unwrap();
        let again = store.delete_version(&version.key, &version.version).await.map_err(kind);
        // To some a version that is gone is nonsense.
        assert!(again == Ok(()) || (world.is_foreign() && again == Err(Nonsense)), "{again:?}");
    }
    let left = store.versions("").await.unwrap();
    assert_eq!(left, [VersionInfo { is_latest: true, ..listed[1].clone() }]);
    assert_eq!(read(store, "k").await, Ok(two));
    // More than a page, and a key whose versions lie on both sides of its end.
    let (store, keys) = (store, (0..340).map(|n| format!("many/{n:04}")));
    let puts = keys.flat_map(|key| [key.clone(), key.clone(), key]).map(|key| {
        let content = body(&bytes(1, 1));
        async move { store.put(&key, content).await }
    });
    stream::iter(puts).buffer_unordered(8).try_for_each(|_| async { Ok(()) }).await.unwrap();
    let listed = store.versions("many/").await.unwrap();
    assert_eq!(listed.len(), 1_020);
    assert!(
        listed
            .chunks(3)
            .all(|of_one| of_one.iter().all(|v| v.key == of_one[0].key && v.is_latest == (v == &of_one[0])))
    );
}

pub async fn a_lock_refuses_the_removal_of_a_version_and_nothing_else(world: &World) {
    let store = bucket(world, "locked", BucketOptions::retaining(LockMode::Governance, 7));
    let content = bytes(10, 1);
    let version = store.put("k", body(&content)).await.unwrap().version.unwrap();
    let refused = store.delete_version("k", &version).await.unwrap_err();
    assert_eq!((refused.operation, refused.kind), ("delete", Denied));
    store.delete("k").await.unwrap();
    store.put("k", body(&bytes(5, 2))).await.unwrap();
    let listed = store.versions("").await.unwrap();
    assert_eq!(listed.len(), 3, "a delete marker and a newer version come on top");
    let marker = listed.iter().find(|v| v.is_delete_marker).unwrap();
    store.delete_version("k", &marker.version).await.unwrap();
    let locked = listed.iter().find(|v| v.version == version).unwrap();
    assert_eq!(read_version(&store, locked).await, Ok(content));
    world.clock.set("2026-03-20T00:00:00Z".parse().unwrap());
    store.delete_version("k", &version).await.unwrap();
}

pub async fn what_is_written_with_a_retention_is_held_by_it(world: &World) {
    let store = bucket(world, "retained", BucketOptions::with_lock());
    let until = "2031-01-01T00:00:00Z".parse().unwrap();
    let held = |mode| PutOptions { retention: Some(Retention { mode, until }), ..Default::default() };
    // In one piece and in parts.
    for (size, mode) in [(10, LockMode::Governance), (9 * MIB, LockMode::Compliance)] {
        let put = store.put_with("held", body(&bytes(size, 1)), &held(mode)).await.unwrap();
        let removed = store.delete_version("held", &put.version.unwrap()).await;
        assert_eq!(removed.map_err(kind), Err(Denied), "{mode:?}");
    }
    let free = store.put("free", body(&bytes(10, 1))).await.unwrap();
    store.delete_version("free", &free.version.unwrap()).await.unwrap();
    let writer = (world.open_as)(Principal::Writer, "retained");
    let refused = writer.put_with("held", body(&bytes(10, 1)), &held(LockMode::Governance)).await;
    assert_eq!(refused.map_err(kind), Err(Denied), "a writer may not set a lock");
}

pub async fn an_archived_object_is_read_only_while_a_restored_copy_is_there(world: &World) {
    let store = bucket(world, "archive", BucketOptions::versioned());
    let content = bytes(9 * MIB, 1);
    let at = |text: &str| world.clock.set(text.parse().unwrap());
    at("2026-04-01T00:00:00Z");
    let put = store.put_with("cold", body(&content), &options(StorageClass::Glacier)).await.unwrap();
    let version = put.version.clone().unwrap();
    let closed = || async {
        assert_eq!(read(&store, "cold").await.map_err(kind), Err(Archived));
        assert_eq!(store.get_version("cold", &version).await.map(drop).map_err(kind), Err(Archived));
        let copy = store.copy(&CopySource::key("cold"), "warm", StorageClass::Standard).await;
        assert_eq!(copy.map_err(kind), Err(Archived));
    };
    closed().await;
    assert_eq!(store.head("cold").await.unwrap(), put);
    assert_eq!(store.list("").await.unwrap()[0].storage_class, StorageClass::Glacier);
    for _ in 0..2 {
        store.request_restore("cold", Tier::Standard, 1).await.unwrap();
        assert_eq!(store.head("cold").await.unwrap().restore, Some(RestoreState::Ongoing));
    }
    at("2026-04-01T04:59:59Z");
    closed().await;
    at("2026-04-01T05:00:00Z");
    let until = "2026-04-03T00:00:00Z".parse().unwrap();
    assert_eq!(store.head("cold").await.unwrap().restore, Some(RestoreState::Ready { until }));
    assert!(read(&store, "cold").await.unwrap() == content);
    store.copy(&CopySource::key("cold"), "warm", StorageClass::Standard).await.unwrap();
    at("2026-04-03T00:00:00Z");
    assert_eq!(store.head("cold").await.unwrap().restore, None);
    assert_eq!(read(&store, "cold").await.map_err(kind), Err(Archived), "the copy has expired");
    assert!(read(&store, "warm").await.unwrap() == content, "what was copied out of it stays");

    let ask = |key, tier| store.request_restore(key, tier, 1);
    assert_eq!(ask("warm", Tier::Bulk).await.map_err(kind), Err(Nonsense), "nothing to restore");
    assert_eq!(ask("absent", Tier::Bulk).await.map_err(kind), Err(NotFound));
    store.put_with("deep", body(&bytes(1, 1)), &options(StorageClass::DeepArchive)).await.unwrap();
    assert_eq!(ask("deep", Tier::Expedited).await.map_err(kind), Err(Nonsense), "not offered there");
}

pub async fn two_buckets_of_a_region_are_two_stores(world: &World) {
    let (backups, media) = (world.store(), bucket(world, "media", BucketOptions::versioned()));
    let content = bytes(1000, 7);
    media.put_with("same", body(&content), &options(StorageClass::StandardIa)).await.unwrap();
    backups.put("same", body(&bytes(10, 1))).await.unwrap();
    let copy =
        backups.copy(&CopySource::key("same").in_bucket("media"), "copied", StorageClass::Standard).await.unwrap();
    assert_eq!(copy.content_type.as_deref(), Some("image/png"));
    assert_eq!((copy.version, read(&backups, "copied").await), (None, Ok(content.clone())));
    assert_eq!(media.list("").await.unwrap().len(), 1);
    backups.delete("same").await.unwrap();
    assert_eq!(read(&media, "same").await, Ok(content));
    // One region has one link, whichever bucket is asked for.
    use backdraft::emulator::link::{LinkState, StatusFault};
    world.set_link(LinkState::Status(StatusFault::Denied403)).await;
    for store in [&backups, &media] {
        assert_eq!(store.list("").await.map_err(kind), Err(Denied));
    }
    world.set_link(LinkState::Up).await;
}

pub async fn each_principal_can_do_what_its_rights_say_and_no_more(world: &World) {
    bucket(world, "rights", BucketOptions::versioned());
    let done = |result: Result<(), _>| result.map_err(kind);
    for (principal, may_write) in [(Principal::Owner, true), (Principal::Writer, true), (Principal::Reader, false)] {
        let (store, key) = ((world.open_as)(principal, "rights"), format!("{principal}/k"));
        let owner = (world.open)("rights", calm());
        let version = owner.put(&key, body(&bytes(10, 1))).await.unwrap().version.unwrap();
        let cold = format!("{principal}/cold");
        owner.put_with(&cold, body(&bytes(10, 1)), &options(StorageClass::Glacier)).await.unwrap();
        let to_write = [
            ("put", done(store.put(&key, body(&bytes(10, 2))).await.map(drop))),
            ("put in parts", done(store.put(&key, body(&bytes(9 * MIB, 2))).await.map(drop))),
            ("copy", done(store.copy(&CopySource::key(&key), &key, StorageClass::Standard).await.map(drop))),
            ("restore", done(store.request_restore(&cold, Tier::Bulk, 1).await)),
            ("delete", done(store.delete(&cold).await)),
            ("delete version", done(store.delete_version(&key, &version).await)),
        ];
        for (operation, end) in to_write {
            assert_eq!(end, if may_write { Ok(()) } else { Err(Denied) }, "{principal}: {operation}");
        }
        assert!(read(&store, &key).await.is_ok() && store.head(&key).await.is_ok());
        assert!(!store.list("").await.unwrap().is_empty() && !store.versions("").await.unwrap().is_empty());
    }
}

pub async fn a_large_object_is_copied_in_parts_with_all_that_it_carries(world: &World) {
    let store = bucket(world, "large", BucketOptions::versioned());
    let content = bytes(65 * MIB, 3);
    store.put_with("large", body(&content), &options(StorageClass::StandardIa)).await.unwrap();
    let copy = store.copy(&CopySource::key("large"), "copy", StorageClass::Standard).await.unwrap();
    assert_eq!(store.head("copy").await.unwrap(), copy);
    assert_eq!(copy.metadata, options(StorageClass::Standard).metadata);
    assert!(copy.etag.unwrap().ends_with("-2"), "64 MiB and the rest");
    assert!(read(&store, "copy").await.unwrap() == content);
}
