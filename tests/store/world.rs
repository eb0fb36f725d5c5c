//! What a conformance case is given: a bucket behind a store and, where it is emulated here, the region behind that.

use std::sync::Arc;

use backdraft::{
    emulator::{
        link::LinkState,
        s3::{Region, buckets::BucketOptions, gateway::Gateway, rights::Principal},
    },
    sim::clock::{Clock, Stopwatch},
    store::{ByteStream, Patience, SharedStore, StoreError, StoreErrorKind},
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

/// The moment at which the scenario clock stands.
pub const NOW: &str = "2026-03-01T03:00:00Z";

/// The bucket that every world has.
pub const BUCKET: &str = "backups";

/// Makes a store for a bucket.
pub type Open = Box<dyn Fn(&str, Patience) -> SharedStore + Send + Sync>;

/// Makes a store for a bucket that acts as somebody.
pub type OpenAs = Box<dyn Fn(Principal, &str) -> SharedStore + Send + Sync>;

pub struct World {
    pub open: Open,
    /// Makes a store that acts as somebody.
    pub open_as: OpenAs,
    /// The region behind it, where its link can be broken.
    pub region: Option<Arc<Region>>,
    /// What serves that region, where it is reached over HTTP.
    pub gateway: Option<Gateway>,
    pub clock: Clock,
    /// What must live as long as the world.
    pub _keep: Box<dyn std::any::Any + Send + Sync>,
}

impl World {
    pub fn store(&self) -> SharedStore {
        (self.open)(BUCKET, calm())
    }

    pub fn region(&self) -> &Region {
        self.region.as_deref().expect("an emulated region")
    }

    /// Whether a storage that is not ours lies behind the gateway.
    pub fn is_foreign(&self) -> bool {
        self.region.as_ref().is_some_and(|region| region.foreign().is_some())
    }

    /// Changes the region's link, and waits until its address is as open as that says.
    pub async fn set_link(&self, state: LinkState) {
        // A link that changed by itself is still closing its address.
        self.settled().await;
        self.region().link().set(state);
        self.settled().await;
    }

    async fn settled(&self) {
        if let Some(gateway) = &self.gateway {
            gateway.settled().await;
        }
    }

    pub fn stopwatch(&self) -> Stopwatch {
        self.clock.stopwatch()
    }
}

/// A region with its bucket, and the folder that it lives in.
pub fn region(name: &str, clock: &Clock) -> (Arc<Region>, tempfile::TempDir) {
    let scratch = tempfile::tempdir().unwrap();
    let region = Region::new(name, clock, scratch.path()).unwrap();
    region.objects().create_bucket(BUCKET, BucketOptions::default()).unwrap();
    (region, scratch)
}

/// Long enough for a machine that is busy.
pub fn calm() -> Patience {
    Patience { attempts: 3, connect_ms: 20_000, read_ms: 20_000, attempt_ms: 20_000, backoff_ms: 5 }
}

/// Short, for cases in which time must run out.
pub fn hasty() -> Patience {
    Patience { attempts: 3, connect_ms: 200, read_ms: 200, attempt_ms: 200, backoff_ms: 5 }
}

/// Bytes that differ from offset to offset and from seed to seed.
pub fn bytes(size: usize, seed: u64) -> Bytes {
    let mut bytes = Vec::with_capacity(size + 8);
    for n in 0..size.div_ceil(8) as u64 {
        bytes.extend_from_slice(&(n + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}

/// A body in pieces of 1 MB, which no part's size is a multiple of.
pub fn body(bytes: &Bytes) -> ByteStream {
    let bytes = bytes.clone();
    let pieces =
        (0..bytes.len()).step_by(1_000_000).map(move |at| Ok(bytes.slice(at..(at + 1_000_000).min(bytes.len()))));
    stream::iter(pieces.collect::<Vec<_>>()).boxed()
}

/// A body that fails after these bytes.
pub fn broken_body(size: usize) -> ByteStream {
    let key = "source".to_owned();
    let failed = StoreError { region: "elsewhere".into(), operation: "get", key, kind: StoreErrorKind::Cut };
    stream::iter([Ok(bytes(size, 1)), Err(failed)]).boxed()
}

/// Reads an object to its end.
pub async fn read(store: &SharedStore, key: &str) -> Result<Bytes, StoreError> {
    let (info, body) = store.get(key).await?;
    assert_eq!(info.key, key);
    let whole = collect(body).await?;
    assert_eq!(info.size, whole.len() as u64, "a body that ends without an error is whole");
    Ok(whole)
}

/// A body in one piece.
pub async fn collect(body: ByteStream) -> Result<Bytes, StoreError> {
    let whole: Vec<Bytes> = body.try_collect().await?;
    Ok(Bytes::from(whole.concat()))
}

pub fn kind(error: StoreError) -> StoreErrorKind {
    error.kind
}
