//! Secrets in backups: an export is looked through before a byte of it leaves the source, and what is stored is looked
//! through again, for somebody else may have put it there. For services whose backups are small and leave secrets out.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Reference, chain::Outages};
use crate::{
    environment::{Leak, scan, scan_object},
    model::{
        event::{Alarm, AlarmKind, What},
        words,
    },
    service::contract::{Contents, RowChunk},
    store::{ByteStream, ObjectInfo, SharedStore, Store, StoreError, StoreErrorKind, VersionInfo},
};

/// Largest export that is looked through, and largest stored object, in bytes. Configuration is far smaller.
const MOST: u64 = 16 << 20;

/// Leaks that an alarm names.
const NAMED: usize = 3;

impl Reference {
    /// The same rows, once none of them holds a secret.
    ///
    /// # Errors
    /// What must not leave the source, in words; an alarm has been raised.
    pub(super) async fn guard(&self, contents: Contents) -> Result<Contents, String> {
        if !self.guards_secrets {
            return Ok(contents);
        }
        let Contents { tables, rows } = contents;
        let chunks: Vec<RowChunk> = rows.try_collect().await.map_err(|e| format!("the export failed: {e}"))?;
        let size: u64 = chunks.iter().map(|chunk| chunk.lines.len() as u64).sum();
        if size > MOST {
            return Err(format!("an export of {size} bytes is too large to be looked through for secrets"));
        }
        let found: Vec<Leak> = chunks.iter().flat_map(|chunk| scan(&String::from_utf8_lossy(&chunk.lines))).collect();
        if !found.is_empty() {
            let detail = format!("the export would hold {}; it was not stored", told(&found));
            self.alarm(AlarmKind::SecretExposed, None, detail.clone());
            return Err(detail);
        }
        Ok(Contents { tables, rows: stream::iter(chunks.into_iter().map(Ok)).boxed() })
    }

    /// Looks through what a backup has just been added to: the next one looks again.
    pub(super) async fn audit_backup(&self, regions: &[String]) {
        if self.guards_secrets {
            let stores = self.bench.stores.iter().filter(|store| regions.iter().any(|region| region == store.region()));
            for alarm in audit(&self.layout.prefix, stores.collect(), true).await {
                self.bench.recorder.emit(What::Alarm(alarm));
            }
        }
    }

    /// Looks through everything that is stored for the service, in every region and version, and tells of each object
    /// with a secret and of each place that could not be looked through. Nothing looks again after a restore, so it is
    /// told until somebody hears it. `remove`: what holds a secret is destroyed; only for when a sound recovery point is
    /// known to exist.
    pub(super) async fn audit_all(&self, outages: &Outages, remove: bool) {
        if !self.guards_secrets {
            return;
        }
        let (mut alarms, mut answering) = (Vec::new(), Vec::new());
        for store in &self.bench.stores {
            match outages.of(store.region()) {
                Some(kind) => alarms.push(unseen(&**store, kind.to_string())),
                None => answering.push(store),
            }
        }
        alarms.extend(audit(&self.layout.prefix, answering, remove).await);
        self.bench.recorder.call_all(alarms).await;
    }
}

/// Looks through all that lies below a prefix in these regions. What one region lists, each is asked for by name: a
/// listing that ends early hides what it does not show.
async fn audit(prefix: &str, stores: Vec<&SharedStore>, remove: bool) -> Vec<Alarm> {
    let (mut alarms, mut listed, mut known) = (Vec::new(), Vec::new(), BTreeSet::new());
    for store in stores {
        match store.versions(prefix).await {
            Ok(versions) => {
                let versions: Vec<_> = versions.into_iter().filter(|version| !version.is_delete_marker).collect();
                known.extend(versions.iter().map(|version| version.key.clone()));
                listed.push((store, versions));
            }
            Err(why) => alarms.push(unseen(&**store, why.kind.to_string())),
        }
    }
    for (store, versions) in listed {
        let shown: BTreeSet<&str> = versions.iter().map(|version| version.key.as_str()).collect();
        let elsewhere = known.iter().filter(|key| !shown.contains(key.as_str())).map(|key| (key.as_str(), None));
        let here = versions.iter().map(|version| (version.key.as_str(), Some(version)));
        alarms.extend(audit_region(&**store, here.chain(elsewhere), remove).await);
    }
    alarms
}

/// Looks through one region, at the versions that it lists, and by name where it lists none.
async fn audit_region<'a>(
    store: &dyn Store,
    objects: impl Iterator<Item = (&'a str, Option<&'a VersionInfo>)>,
    remove: bool,
) -> Vec<Alarm> {
    let (mut alarms, mut unread, mut hidden) = (Vec::new(), Vec::new(), Vec::new());
    for (key, version) in objects {
        let looked = match version {
            Some(version) => look(store, version).await,
            None => look_by_name(store, key).await,
        };
        let (version, found) = match looked {
            Ok(looked) => looked,
            Err(Unread { is_gone: true, .. }) if version.is_none() => continue,
            // The rest of a region that is out would only be waited for.
            Err(Unread { why, is_region_out: true, .. }) => {
                alarms.push(unseen(store, why));
                return alarms;
            }
            Err(Unread { why, .. }) => {
                unread.push(format!("{key}: {why}"));
                continue;
            }
        };
        if version.is_hidden {
            hidden.push(key);
        }
        if !found.is_empty() {
            let done = if remove { destroy(store, key, version.id.as_deref()).await } else { "" };
            let detail = format!("{key} holds {}{done}", told(&found));
            alarms.push(Alarm::new(AlarmKind::SecretExposed, Some(store.region()), detail));
        }
    }
    let count = |n: usize| words::count(n as u64, "object");
    if let Some(first) = unread.first() {
        alarms.push(unseen(store, format!("{} in vain, the first {first}", count(unread.len()))));
    }
    if let Some(first) = hidden.first() {
        alarms.push(unseen(store, format!("its listing hides {}, the first {first}", count(hidden.len()))));
    }
    alarms
}

/// Destroys what holds a secret, and says what came of it.
async fn destroy(store: &dyn Store, key: &str, version: Option<&str>) -> &'static str {
    let Some(version) = version else { return "; it has no version to remove, rotate the secret" };
    match store.delete_version(key, version).await {
        Ok(()) => "; removed, rotate the secret all the same",
        Err(e) if e.kind == StoreErrorKind::Denied => "; a lock keeps it there, rotate the secret",
        Err(_) => "; it could not be removed, rotate the secret",
    }
}

/// What was looked through.
struct Looked {
    /// Its version.
    id: Option<String>,
    /// Whether the region did not list it.
    is_hidden: bool,
}

/// Why an object could not be looked through.
struct Unread {
    why: String,
    is_region_out: bool,
    is_gone: bool,
}

impl From<StoreError> for Unread {
    fn from(StoreError { kind, .. }: StoreError) -> Self {
        let (is_region_out, is_gone) = (kind.is_region_out(), kind == StoreErrorKind::NotFound);
        Unread { why: kind.to_string(), is_region_out, is_gone }
    }
}

/// The secrets in one version of an object.
async fn look(store: &dyn Store, version: &VersionInfo) -> Result<(Looked, Vec<Leak>), Unread> {
    let found = scanned(version.size, store.get_version(&version.key, &version.version)).await?;
    Ok((Looked { id: Some(version.version.clone()), is_hidden: false }, found.1))
}

/// The secrets in an object that the region does not list.
async fn look_by_name(store: &dyn Store, key: &str) -> Result<(Looked, Vec<Leak>), Unread> {
    let size = store.head(key).await?.size;
    let (info, found) = scanned(size, store.get(key)).await?;
    Ok((Looked { id: info.version, is_hidden: true }, found))
}

async fn scanned(
    size: u64,
    open: impl Future<Output = Result<(ObjectInfo, ByteStream), StoreError>>,
) -> Result<(ObjectInfo, Vec<Leak>), Unread> {
    if size > MOST {
        let why = format!("{size} bytes, more than {MOST}");
        return Err(Unread { why, is_region_out: false, is_gone: false });
    }
    let (info, mut body) = open.await?;
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece?);
    }
    // A dump that cannot be inflated is the restore's to refuse; nobody can read a secret out of it there.
    Ok((info, scan_object(&bytes).unwrap_or_default()))
}

/// A place that could not be looked through.
fn unseen(store: &dyn Store, why: String) -> Alarm {
    let detail = format!("it could not be looked through for secrets, and may hold some: {why}");
    Alarm::new(AlarmKind::NotLookedThrough, Some(store.region()), detail)
}

fn told(found: &[Leak]) -> String {
    let named: Vec<String> = found.iter().take(NAMED).map(Leak::to_string).collect();
    let more = found.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("a secret in clear: {}{more}", named.join("; "))
}
