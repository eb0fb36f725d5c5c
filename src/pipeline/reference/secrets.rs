//! Secrets in backups: an export is looked through before a byte of it leaves the source, and what is stored is looked
//! through again, for somebody else may have put it there. For services whose backups are small and leave secrets out.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::Reference;
use crate::{
    environment::{Leak, scan, scan_object},
    model::event::AlarmKind,
    service::contract::{Contents, RowChunk},
    store::{Store, StoreError, StoreErrorKind, VersionInfo},
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

    /// Looks through everything that is stored for the service in these regions, in every version, and raises an alarm
    /// for each object with a secret. `remove`: such an object is destroyed; only for when a sound recovery point is
    /// known to exist.
    pub(super) async fn audit(&self, regions: &[&str], remove: bool) {
        if !self.guards_secrets {
            return;
        }
        for store in self.bench.stores.iter().filter(|store| regions.contains(&store.region())) {
            // A region that no longer answers is looked through the next time.
            if let Err(why) = self.audit_region(&**store, remove).await {
                tracing::warn!("looking for secrets in {}: {}", store.region(), why.kind);
            }
        }
    }

    async fn audit_region(&self, store: &dyn Store, remove: bool) -> Result<(), StoreError> {
        for version in store.versions(&self.layout.prefix).await? {
            let Some(found) = look(store, &version).await?.filter(|found| !found.is_empty()) else { continue };
            let mut detail = format!("{} holds {}", version.key, told(&found));
            if remove {
                let removed = store.delete_version(&version.key, &version.version).await;
                detail.push_str(match removed {
                    Ok(()) => "; removed, rotate the secret all the same",
                    Err(e) if e.kind == StoreErrorKind::Denied => "; a lock keeps it there, rotate the secret",
                    Err(_) => "; it could not be removed, rotate the secret",
                });
            }
            self.alarm(AlarmKind::SecretExposed, Some(store.region()), detail);
        }
        Ok(())
    }
}

/// The secrets in one version of an object; `None` where there is nothing to read.
async fn look(store: &dyn Store, version: &VersionInfo) -> Result<Option<Vec<Leak>>, StoreError> {
    if version.is_delete_marker || version.size > MOST {
        return Ok(None);
    }
    let (_, mut body) = store.get_version(&version.key, &version.version).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece?);
    }
    // A dump that cannot be inflated is the restore's to refuse; nobody can read a secret out of it there.
    Ok(Some(scan_object(&bytes).unwrap_or_default()))
}

fn told(found: &[Leak]) -> String {
    let named: Vec<String> = found.iter().take(NAMED).map(Leak::to_string).collect();
    let more = found.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("a secret in clear: {}{more}", named.join("; "))
}
