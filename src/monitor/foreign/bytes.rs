//! Inside backups that others wrote: a glance at the first and last bytes of each file, or all of its bytes in one pass,
//! held against its form and its ETag.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use md5::{Digest, Md5};

use super::{
    Foreign,
    generation::{Generation, generation, is_marker},
    tally::md5_of,
};
use crate::{
    archive::{
        ArchiveError, InputError,
        foreign::{self, Content, HEAD_BYTES, Kind, TAIL_BYTES, Wrap},
    },
    model::{
        event::AlarmKind,
        plan::{ServiceKind, Watch},
        words,
    },
    monitor::{Amiss, Aspect, Means, Scope, Sighting, sighting},
    store::{ByteStream, ObjectInfo, SharedStore, StoreError, StoreErrorKind},
};

/// Files that are looked into at once.
const AT_ONCE: usize = 4;

/// Files of one backup that are glanced at; of more, the first.
const MOST_GLANCED: u64 = 64;

/// What looking into one file came to.
enum Found {
    /// As it should be, as far as its form allows; where that is not far, why.
    Sound { limit: Option<String>, etag: Option<bool> },
    /// It is not.
    Bad(String),
    /// It could not be looked into, and is not to blame.
    Out(String),
}

/// All files of a backup.
#[derive(Default)]
struct Sum {
    files: u64,
    /// Whether there are others that were not looked into.
    has_more: bool,
    bad: Amiss,
    limited: Amiss,
    same_etag: u64,
    other_etag: Amiss,
}

impl Sum {
    fn add(&mut self, (key, found): (String, Found)) {
        self.files += 1;
        match found {
            Found::Bad(why) => self.bad.note(|| format!("{key}: {why}")),
            Found::Out(why) => self.limited.note(|| format!("{key}: {why}")),
            Found::Sound { limit, etag } => {
                if let Some(why) = limit {
                    self.limited.note(|| format!("{key}: {why}"));
                }
                match etag {
                    Some(true) => self.same_etag += 1,
                    Some(false) => self.other_etag.note(|| key),
                    None => {}
                }
            }
        }
    }
}

impl Foreign<'_> {
    /// Looks into a region's newest backup as far as the plan asks.
    pub(super) async fn look_into(&self, store: &SharedStore, backup: &Generation, scope: &mut Scope) -> Vec<Sighting> {
        let contents = scope.asks(Aspect::Contents, &self.limits.watches, Watch::Contents);
        let glances = scope.asks(Aspect::Form, &self.limits.watches, Watch::Manifest);
        // Users' own files are what they are; a copy of a broken one is a good copy.
        let is_copy = self.kind == ServiceKind::Files && !(backup.is_dated && backup.under.is_empty());
        if glances && is_copy && !contents {
            scope.left(Aspect::Form, "these are copies of users' files, and nothing says what must be in them");
        }
        let mut seen = Vec::new();
        let mut told = |aspect: Aspect, sum: Result<Sum, StoreError>, scope: &mut Scope| match sum {
            Ok(sum) => seen.extend(self.judge(aspect, sum, store, scope)),
            Err(e) => {
                scope.left(aspect, "its files could not be listed");
                seen.push(sighting(AlarmKind::Unreachable, &**store, e.kind.to_string(), None));
            }
        };
        if contents {
            let read = |object: ObjectInfo| read(store.clone(), object, is_copy, self.means.clone());
            told(Aspect::Contents, self.sum(store, backup, u64::MAX, read).await, scope);
        }
        // What was read whole needs no glance.
        if glances && !is_copy && !contents {
            let glance = |object: ObjectInfo| glance(store.clone(), object);
            told(Aspect::Form, self.sum(store, backup, MOST_GLANCED, glance).await, scope);
        }
        seen
    }

    /// Looks into the files of a backup, some at once, in the order of their keys.
    async fn sum<F: Future<Output = Found>>(
        &self,
        store: &SharedStore,
        backup: &Generation,
        most: u64,
        look: impl Fn(ObjectInfo) -> F,
    ) -> Result<Sum, StoreError> {
        let under = format!("{}{}", self.prefix, backup.under);
        let mut sum = Sum::default();
        let mut files = std::pin::pin!(
            self.files(store, &under, backup)
                .map_ok(|object| {
                    let key = object.key.strip_prefix(self.prefix).unwrap_or(&object.key).escape_debug().to_string();
                    let looked = look(object);
                    async move { Ok((key, looked.await)) }
                })
                .try_buffered(AT_ONCE)
        );
        while let Some(found) = files.try_next().await? {
            if sum.files == most {
                sum.has_more = true;
                break;
            }
            sum.add(found);
        }
        Ok(sum)
    }

    fn files<'s>(
        &'s self,
        store: &'s SharedStore,
        under: &'s str,
        backup: &'s Generation,
    ) -> impl Stream<Item = Result<ObjectInfo, StoreError>> + 's {
        let pages = store.pages(under).map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten();
        pages.try_filter(move |object| {
            let key = object.key.strip_prefix(self.prefix).unwrap_or(&object.key);
            let belongs = !is_marker(key, object.size) && generation(self.kind, key).as_ref() == Some(backup);
            std::future::ready(belongs)
        })
    }

    fn judge(&self, aspect: Aspect, sum: Sum, store: &SharedStore, scope: &mut Scope) -> Vec<Sighting> {
        let Sum { files, has_more, bad, limited, same_etag, other_etag } = sum;
        let all = words::count(files, "file");
        // Where one ETag is the MD5 of its object, another that is not tells of other bytes; else they are no MD5s.
        let rotten = if same_etag > 0 { other_etag.clone() } else { Amiss::default() };
        if other_etag.count > rotten.count {
            scope.left(aspect, "its ETags are no MD5 digests, so its bytes were not held against them");
        }
        if limited.count < files || bad.count > 0 || same_etag > 0 {
            scope.did(aspect);
        }
        if has_more {
            scope.left(aspect, format!("files after the first {files}"));
        }
        if limited.count > 0 {
            scope.left(aspect, format!("{} of {all}, e.g. {}", limited.count, limited.example));
        }
        let told = |amiss: Amiss, what: &str| {
            let detail = format!("{} of {all} {what}: {}", amiss.count, amiss.example);
            (amiss.count > 0).then(|| sighting(AlarmKind::Unreadable, &**store, detail, None))
        };
        let bad = told(bad, "cannot be read as what they are named");
        bad.into_iter().chain(told(rotten, "have other bytes than their ETags say")).collect()
    }
}

/// The first and last bytes of a file against its name.
async fn glance(store: SharedStore, object: ObjectInfo) -> Found {
    let (kind, size) = (Kind::of_name(&object.key), object.size);
    if size > 0 && kind.words().is_none() {
        let why = "its name says no form that could be looked for";
        return Found::Sound { limit: Some(why.into()), etag: None };
    }
    match ends(&store, &object.key, kind, size).await {
        Err(e) => failed(e.kind),
        Ok((head, tail)) => match foreign::glance(kind, &head, &tail, size) {
            Ok(()) => Found::Sound { limit: None, etag: None },
            Err(why) => Found::Bad(why.to_string()),
        },
    }
}

/// The first bytes of a file, and the last ones where its form has something to look for there.
async fn ends(store: &SharedStore, key: &str, kind: Kind, size: u64) -> Result<(Bytes, Bytes), StoreError> {
    if size == 0 {
        return Ok((Bytes::new(), Bytes::new()));
    }
    let head = store.get_range(key, 0..size.min(HEAD_BYTES)).await?;
    let last = match (kind.wrap, kind.content) {
        (Wrap::Zip, _) => TAIL_BYTES,
        (Wrap::Plain, _) => HEAD_BYTES,
        _ => return Ok((head, Bytes::new())),
    };
    let tail =
        if size <= HEAD_BYTES { head.clone() } else { store.get_range(key, size.saturating_sub(last)..size).await? };
    Ok((head, tail))
}

/// All bytes of a file.
async fn read(store: SharedStore, object: ObjectInfo, is_copy: bool, means: Means) -> Found {
    let named = Kind::of_name(&object.key);
    // What users have stored need not be what its name says.
    let kind = if is_copy { Kind { wrap: Wrap::Plain, content: Content::Unknown } } else { named };
    let (info, body) = match store.get(&object.key).await {
        Ok(opened) => opened,
        Err(e) => return failed(e.kind),
    };
    let digest = Arc::new(Mutex::new(Some(Md5::new())));
    let checked = match object.size {
        0 if is_copy => Ok(()),
        _ => foreign::check(kind, digested(body, &digest), &means.lanes, &means.scratch).await,
    };
    let md5 = digest.lock().unwrap_or_else(PoisonError::into_inner).take();
    let md5 = md5.map(|md5| HEXLOWER.encode(&md5.finalize()));
    let etag = md5_of(&info).map(|etag| Some(etag) == md5.as_deref());
    let nothing = || etag.is_none_or(|same| !same).then_some("there is nothing that its bytes could be held against");
    match (checked, kind.is_checkable()) {
        (Ok(()), Ok(())) => Found::Sound { limit: None, etag },
        (Ok(()), Err(_)) if is_copy => Found::Sound { limit: nothing().map(Into::into), etag },
        (Ok(()), Err(why)) => Found::Sound { limit: Some(why), etag },
        (Err(ArchiveError::Scratch(why)), _) => Found::Out(format!("the scratch folder cannot be used: {why}")),
        (Err(why), _) => Found::Bad(why.to_string()),
    }
}

fn failed(kind: StoreErrorKind) -> Found {
    match kind {
        StoreErrorKind::Archived => {
            Found::Out("it lies in an archive and must be restored before it can be read".into())
        }
        StoreErrorKind::NotFound => Found::Out("it was removed meanwhile".into()),
        kind => Found::Bad(kind.to_string()),
    }
}

/// A body that is digested as it goes by.
fn digested(
    body: ByteStream,
    digest: &Arc<Mutex<Option<Md5>>>,
) -> stream::BoxStream<'static, Result<Bytes, InputError>> {
    let digest = Arc::clone(digest);
    let pieces = body.map_err(|e| InputError(e.kind.to_string())).inspect_ok(move |piece| {
        if let Some(md5) = &mut *digest.lock().unwrap_or_else(PoisonError::into_inner) {
            md5.update(piece);
        }
    });
    pieces.boxed()
}
