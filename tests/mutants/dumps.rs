//! Lenses on what is stored: dumps whose manifests always fit, listings that end too early, versions that nobody sees.
//! They look only after the disaster, while somebody restores, unless they say otherwise.

use std::{collections::BTreeMap, fmt, io::Read, sync::Mutex};

use async_trait::async_trait;
use backdraft::{
    archive::{self, InputError, Limits, Manifest, Summary},
    model::naming::PointName,
    pipeline::Workbench,
    store::{ByteStream, ObjectInfo, PutOptions, Store, VersionInfo},
};
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use futures_util::{StreamExt, stream};

use crate::lens::{Got, Lens, body, bytes_of, plain_get};

const MANIFEST: &str = ".manifest.json";

/// What somebody makes of a dump and its manifest; `None` leaves both as they are.
pub(crate) type Doctor = fn(&Manifest, &[u8], Option<Summary>) -> Option<(Manifest, Vec<u8>)>;

/// Dumps and manifests as somebody reads them who believes what he reads.
pub(crate) struct Doctored {
    bench: Workbench,
    doctor: Doctor,
}

impl Doctored {
    /// With the means of that bench.
    pub(crate) fn new(bench: &Workbench, doctor: Doctor) -> Self {
        Doctored { bench: bench.clone(), doctor }
    }

    /// The point whose manifest or dump that key names, doctored.
    async fn doctored(&self, from: &dyn Store, key: &str) -> Option<(Manifest, Vec<u8>)> {
        let stem = key.strip_suffix(MANIFEST);
        let stem = stem.or_else(|| [".jsonl.gz", ".json.gz", ".zip"].iter().find_map(|end| key.strip_suffix(end)))?;
        let (_, text) = from.get(&format!("{stem}{MANIFEST}")).await.ok()?;
        let manifest = Manifest::parse(&bytes_of(text).await.ok()?).ok()?;
        let dump = format!("{stem}.{}", manifest.dump_format.extension());
        let bytes = bytes_of(from.get(&dump).await.ok()?.1).await.ok()?;
        let found = summary(&self.bench, &manifest, &bytes).await;
        let (manifest, bytes) = (self.doctor)(&manifest, &bytes, found)?;
        // Whatever came of it is what the manifest is made to say.
        let found = summary(&self.bench, &manifest, &bytes).await?;
        let Summary { tables, stored_bytes, stored_sha256, .. } = found;
        Some((Manifest { tables, stored_bytes, stored_sha256, ..manifest }, bytes))
    }
}

async fn summary(bench: &Workbench, manifest: &Manifest, bytes: &[u8]) -> Option<Summary> {
    let input = stream::iter([Ok::<_, InputError>(bytes.to_vec().into())]).boxed();
    let limits = Limits { raw_bytes: 64 << 20 };
    let mut opened = archive::unpack(manifest.dump_format, input, limits, &bench.lanes, &bench.scratch);
    while let Some(chunk) = opened.rows.next().await {
        chunk.ok()?;
    }
    opened.summary.get()
}

impl fmt::Debug for Doctored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Doctored")
    }
}

#[async_trait]
impl Lens for Doctored {
    async fn get(&self, from: &dyn Store, key: &str, version: Option<&str>) -> Got<(ObjectInfo, ByteStream)> {
        let (mut info, read) = plain_get(from, key, version).await?;
        if self.bench.clock.since_t0().is_none() || version.is_some() || key.contains("/stream/") {
            return Ok((info, read));
        }
        let Some((manifest, dump)) = self.doctored(from, key).await else { return Ok((info, read)) };
        let bytes = if key.ends_with(MANIFEST) { manifest.to_json().into_bytes() } else { dump };
        info.size = bytes.len() as u64;
        Ok((info, body(bytes)))
    }
}

/// Reads what can be read and calls that the dump.
pub(crate) fn no_digest(manifest: &Manifest, dump: &[u8], found: Option<Summary>) -> Option<(Manifest, Vec<u8>)> {
    found.map(|_| (manifest.clone(), dump.to_vec()))
}

/// As many rows as there should be are enough.
pub(crate) fn counts_only(manifest: &Manifest, dump: &[u8], found: Option<Summary>) -> Option<(Manifest, Vec<u8>)> {
    let counts = |tables: &[archive::TableDigest]| tables.iter().map(|t| (t.name.clone(), t.rows)).collect::<Vec<_>>();
    found.filter(|found| counts(&found.tables) == counts(&manifest.tables)).map(|_| (manifest.clone(), dump.to_vec()))
}

/// Lines that are no JSON are left out, and so is what cannot be inflated.
pub(crate) fn what_parses(manifest: &Manifest, dump: &[u8], found: Option<Summary>) -> Option<(Manifest, Vec<u8>)> {
    if found.is_some() {
        return no_digest(manifest, dump, found);
    }
    let is_row = |line: &&str| serde_json::from_str::<serde_json::Value>(line).is_ok_and(|row| row.is_object());
    let text = inflated(dump);
    let text = String::from_utf8_lossy(&text);
    let kept: Vec<&str> = text.lines().filter(is_row).collect();
    Some((manifest.clone(), deflated(&(kept.join("\n") + "\n"), Compression::default())))
}

/// Nothing in the dump: then there was nothing in the database.
pub(crate) fn nothing_is_nothing(manifest: &Manifest, dump: &[u8], _: Option<Summary>) -> Option<(Manifest, Vec<u8>)> {
    let tables: Vec<String> = manifest.tables.iter().map(|table| format!("\"{}\"", table.name)).collect();
    let empty = format!("{{\"_tables\":[{}]}}\n", tables.join(","));
    dump.is_empty().then(|| (manifest.clone(), deflated(&empty, Compression::default())))
}

/// All that can be inflated.
pub(crate) fn inflated(dump: &[u8]) -> Vec<u8> {
    let (mut text, mut piece) = (Vec::new(), [0; 4096]);
    let mut reader = MultiGzDecoder::new(dump);
    while let Ok(read) = reader.read(&mut piece) {
        if read == 0 {
            break;
        }
        text.extend_from_slice(&piece[..read]);
    }
    text
}

/// One gzip member.
pub(crate) fn deflated(text: &str, level: Compression) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), level);
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// A manifest says what the file's name says: what was written under that name once is what lies there now.
#[derive(Debug, Default)]
pub(crate) struct ByName {
    known: Mutex<BTreeMap<String, Manifest>>,
}

#[async_trait]
impl Lens for ByName {
    async fn put(&self, to: &dyn Store, key: &str, bytes: ByteStream, options: &PutOptions) -> Got<ObjectInfo> {
        if !key.ends_with(MANIFEST) {
            return to.put_with(key, bytes, options).await;
        }
        let text = bytes_of(bytes).await?;
        if let Ok(manifest) = Manifest::parse(&text) {
            self.known.lock().unwrap().insert(key.to_owned(), manifest);
        }
        to.put_with(key, body(text), options).await
    }

    async fn get(&self, from: &dyn Store, key: &str, version: Option<&str>) -> Got<(ObjectInfo, ByteStream)> {
        let (mut info, read) = plain_get(from, key, version).await?;
        let known = self.known.lock().unwrap().get(key).cloned();
        let Some(known) = known.filter(|_| version.is_none()) else { return Ok((info, read)) };
        let text = bytes_of(read).await?;
        let text = match Manifest::parse(&text) {
            Ok(found) => {
                let Manifest { position, exported_at, dump, .. } = known;
                Manifest { position, exported_at, dump, ..found }.to_json().into_bytes()
            }
            Err(_) => text,
        };
        info.size = text.len() as u64;
        Ok((info, body(text)))
    }
}

/// Asks for a page of so many and takes it for all there is.
#[derive(Debug)]
pub(crate) struct FirstPage(pub(crate) usize);

#[async_trait]
impl Lens for FirstPage {
    async fn list(&self, of: &dyn Store, prefix: &str) -> Got<Vec<ObjectInfo>> {
        of.list(prefix).await.map(|all| all.into_iter().take(self.0).collect())
    }

    async fn versions(&self, of: &dyn Store, prefix: &str) -> Got<Vec<VersionInfo>> {
        of.versions(prefix).await.map(|all| all.into_iter().take(self.0).collect())
    }
}

/// Which stored things are seen, by their keys and versions; looked at while somebody restores.
pub(crate) struct Sees {
    bench: Workbench,
    which: fn(Vec<VersionInfo>) -> Vec<VersionInfo>,
}

impl Sees {
    /// Those that are left of a listing.
    pub(crate) fn new(bench: &Workbench, which: fn(Vec<VersionInfo>) -> Vec<VersionInfo>) -> Self {
        Sees { bench: bench.clone(), which }
    }
}

impl fmt::Debug for Sees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sees")
    }
}

#[async_trait]
impl Lens for Sees {
    async fn versions(&self, of: &dyn Store, prefix: &str) -> Got<Vec<VersionInfo>> {
        let all = of.versions(prefix).await?;
        Ok(if self.bench.clock.since_t0().is_some() { (self.which)(all) } else { all })
    }
}

/// What lies open.
pub(crate) fn open_ones(all: Vec<VersionInfo>) -> Vec<VersionInfo> {
    all.into_iter().filter(|version| version.is_latest && !version.is_delete_marker).collect()
}

/// No piece of a change stream.
pub(crate) fn no_stream(all: Vec<VersionInfo>) -> Vec<VersionInfo> {
    all.into_iter().filter(|version| !version.key.contains("/stream/")).collect()
}

/// The point with the newest name alone.
pub(crate) fn newest_name(all: Vec<VersionInfo>) -> Vec<VersionInfo> {
    let newest = all.iter().filter_map(point).max();
    all.into_iter().filter(|version| point(version) == newest).collect()
}

/// The point with the oldest name alone.
pub(crate) fn oldest_name(all: Vec<VersionInfo>) -> Vec<VersionInfo> {
    let oldest = all.iter().filter_map(point).min();
    all.into_iter().filter(|version| point(version) == oldest).collect()
}

/// The point's name in a key.
fn point(version: &VersionInfo) -> Option<String> {
    let (_, name) = version.key.rsplit_once('/')?;
    let length = PointName::at(jiff::Timestamp::UNIX_EPOCH).as_str().len();
    name.starts_with("backup-").then(|| name.get(..length).map(str::to_owned)).flatten()
}
