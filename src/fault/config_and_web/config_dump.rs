//! Helpers that the faults on configuration share: editing the rows of a dump as if it had been made so, and finding the
//! points of configuration among those of all services.

use std::io::{Read, Write};

use data_encoding::HEXLOWER;
use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};
use sha2::{Digest, Sha256};

use crate::fault::{
    artefact::rewrite,
    points::{Selection, Struck, Undo},
};
use crate::{
    emulator::{Site, World},
    model::{
        plan::{DumpFormat, ServiceKind},
        scenario::FaultSpec,
    },
};

/// Bytes that a dump of configuration inflates to at the most.
const MOST: u64 = 16 << 20;

/// The points of configuration that a scenario's entry means.
pub(super) fn points(spec: &FaultSpec, world: &World) -> Result<Vec<Struck>, String> {
    let config: Vec<&str> = services(world).filter(|name| spec.service.as_ref().is_none_or(|s| s == name)).collect();
    let mut struck = Vec::new();
    for name in config {
        let of_one = FaultSpec { service: Some(name.to_owned()), ..spec.clone() };
        struck.extend(Selection::of(&of_one).some_points(world)?);
    }
    if struck.is_empty() {
        return Err("it strikes backups of configuration, and none is drilled".into());
    }
    Ok(struck)
}

fn services(world: &World) -> impl Iterator<Item = &str> {
    world.backups.iter().filter(|(_, backups)| backups.kind == ServiceKind::Config).map(|(name, _)| name.as_str())
}

/// An object with other bytes.
pub(super) struct Changed {
    site: Site,
    key: String,
    /// SHA-256 of the bytes that it was given.
    after: String,
}

impl Changed {
    /// Gives an object these bytes, also where there was none.
    pub(super) fn put(site: &Site, key: &str, bytes: &[u8], undo: &mut Undo) -> Result<Self, String> {
        let (objects, bucket) = (site.region.objects(), &site.bucket);
        let body = objects.body(bytes).map_err(|e| e.to_string())?;
        let after = rewrite::sha256(&body)?;
        undo.save(site, key)?;
        let put = match objects.head(bucket, key, None) {
            Ok(_) => objects.replace_body(bucket, key, body),
            Err(_) => objects.put(bucket, key, body, Default::default()),
        };
        put.map_err(|e| e.to_string())?;
        Ok(Changed { site: site.clone(), key: key.to_owned(), after })
    }

    /// Whether those bytes are still there; `None` where nothing is.
    pub(super) fn holds(&self) -> Option<bool> {
        let now = self.site.region.objects().get(&self.site.bucket, &self.key, None).ok()?;
        Some(rewrite::sha256(&now.body).is_ok_and(|now| now == self.after))
    }
}

/// Edits the rows of a dump: each is kept, changed or, for `None`, dropped. With `resealed` the manifest fits what is
/// there afterwards, as if the dump had been made so.
pub(super) fn edit(
    point: &Struck,
    change: impl Fn(&str) -> Option<String>,
    resealed: bool,
    undo: &mut Undo,
) -> Result<Changed, String> {
    if point.layout.format != DumpFormat::JsonlGz {
        return Err(format!("{} is no dump of JSON lines", point.words()));
    }
    let (objects, bucket) = (point.site.region.objects(), &point.site.bucket);
    let stored = objects.read_all(bucket, &point.dump_key()).map_err(|e| e.to_string())?;
    let mut text = String::new();
    let inflated = MultiGzDecoder::new(&stored[..]).take(MOST).read_to_string(&mut text);
    inflated.map_err(|e| format!("{} cannot be read: {e}", point.words()))?;
    let edited: String = text.lines().filter_map(&change).map(|line| line + "\n").collect();
    if edited == text {
        return Err(format!("{} has no row that could be changed so", point.words()));
    }
    let mut deflate = GzEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(edited.as_bytes()).map_err(|e| e.to_string())?;
    let dump = deflate.finish().map_err(|e| e.to_string())?;
    let changed = Changed::put(&point.site, &point.dump_key(), &dump, undo)?;
    if resealed {
        reseal(point, &edited, &dump, undo)?;
    }
    Ok(changed)
}

/// Writes the manifest that would stand beside the dump, had it been made so.
fn reseal(point: &Struck, text: &str, dump: &[u8], undo: &mut Undo) -> Result<(), String> {
    let (objects, bucket, key) = (point.site.region.objects(), &point.site.bucket, point.manifest_key());
    let read = objects.read_all(bucket, &key).map_err(|e| e.to_string())?;
    let mut manifest: serde_json::Value = serde_json::from_slice(&read).map_err(|e| e.to_string())?;
    manifest["stored_bytes"] = dump.len().into();
    manifest["stored_sha256"] = HEXLOWER.encode(&Sha256::digest(dump)).into();
    for table in manifest["tables"].as_array_mut().into_iter().flatten() {
        let beginning = format!("{{\"_table\":{},", table["name"]);
        let rows: Vec<String> =
            text.lines().filter_map(|line| Some(format!("{{{}\n", line.strip_prefix(&beginning)?))).collect();
        table["rows"] = rows.len().into();
        table["bytes"] = rows.iter().map(String::len).sum::<usize>().into();
        table["sha256"] = HEXLOWER.encode(&Sha256::digest(rows.concat())).into();
    }
    Changed::put(&point.site, &key, manifest.to_string().as_bytes(), undo).map(|_| ())
}
