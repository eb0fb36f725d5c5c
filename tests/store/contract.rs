//! The contract of every store, whatever is behind it.

use backdraft::store::StoreErrorKind::{NoBucket, NotFound, Source};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::world::{World, body, broken_body, bytes, calm, kind, read};

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
        assert_eq!(store.list(&key).await.unwrap(), [head], "listed as it looks from near");
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
}

pub async fn what_is_not_there_is_not_found_and_may_be_deleted(world: &World) {
    let store = world.store();
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
        assert_eq!(region.objects().uploads(super::world::BUCKET, "").unwrap(), [], "no upload is left unfinished");
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
