//! What the faults on a dump's bytes share: each recovery point meant gets another dump, with or without a manifest that
//! fits it; the proof is that these very bytes are still there.

use serde_json::Value;

use super::{rewrite::sha256, rows::TableSeal};
use crate::fault::{
    Injection, Onset, Parameter, joined, only_now, parameter,
    points::{Selection, Struck, Undo},
};
use crate::{
    emulator::{
        Site, World,
        s3::{
            body::{Body, BodyWriter},
            version::PutOptions,
        },
    },
    model::{event::Proof, plan::DumpFormat, scenario::FaultSpec, units::ByteSize},
};

/// The parameter by which damage comes before the digest of the dump was taken.
pub(super) const RESEALED: Parameter = Parameter {
    name: "resealed",
    summary: "true: the manifest's digest of the dump is that of the damaged one, as when damage came before the digest \
              was taken; false",
};

/// Whether an entry says `resealed`.
pub(super) fn is_resealed(spec: &FaultSpec) -> Result<bool, String> {
    Ok(parameter(spec, RESEALED.name)?.unwrap_or(false))
}

/// With what a gzip file begins.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Refuses a point of which nothing is known but its bytes.
pub(super) fn is_ours(point: &Struck) -> Result<(), String> {
    match point.is_of_others() {
        true => Err(format!("{} is written by others: nothing is known of its form", point.words())),
        false => Ok(()),
    }
}

/// Refuses a point that is no gzip file.
pub(super) fn is_gzip(point: &Struck) -> Result<(), String> {
    if point.is_of_others() {
        let read = point.site.region.objects().get(&point.site.bucket, &point.dump_key(), None);
        let begins = read.map_err(|e| e.to_string())?.body.read_at(0, GZIP.len()).map_err(|e| e.to_string())?;
        let not = || format!("{} is no gzip file", point.words());
        return if *begins == *GZIP { Ok(()) } else { Err(not()) };
    }
    match point.layout.format {
        DumpFormat::JsonlGz | DumpFormat::JsonGz => Ok(()),
        DumpFormat::ConvexZip => Err(format!("{} is no gzip file", point.words())),
    }
}

/// Refuses a point that is no snapshot archive.
pub(super) fn is_zip(point: &Struck) -> Result<(), String> {
    is_ours(point)?;
    match point.layout.format {
        DumpFormat::ConvexZip => Ok(()),
        DumpFormat::JsonlGz | DumpFormat::JsonGz => Err(format!("{} is no snapshot archive", point.words())),
    }
}

/// The tables that a point's manifest states, with their rows.
pub(super) fn tables_of(point: &Struck) -> Result<Vec<(String, u64)>, String> {
    is_ours(point)?;
    let read = point.site.region.objects().read_all(&point.site.bucket, &point.manifest_key());
    let manifest: Value = serde_json::from_slice(&read.map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    let tables = manifest["tables"].as_array().map(Vec::as_slice).unwrap_or_default();
    let stated = |table: &Value| Some((table["name"].as_str()?.to_owned(), table["rows"].as_u64()?));
    Ok(tables.iter().filter_map(stated).collect())
}

/// A dump that takes the place of another.
pub(super) struct Forged {
    /// Its bytes.
    pub(super) dump: Body,
    /// What its tables are, where the manifest is to say so.
    pub(super) tables: Option<Vec<TableSeal>>,
    /// The name of the service that it is of, where that is another.
    pub(super) service: Option<&'static str>,
}

impl From<Body> for Forged {
    fn from(dump: Body) -> Self {
        Forged { dump, tables: None, service: None }
    }
}

/// Makes the dump that takes the place of a point's own.
pub(super) type Forge = Box<dyn Fn(&Struck, &Body, BodyWriter) -> Result<Forged, String> + Send>;

/// A fault that replaces dumps.
pub(super) struct Forgery {
    fault: &'static str,
    selection: Selection,
    forge: Forge,
    resealed: bool,
    overwrites: bool,
    struck: Vec<Replaced>,
    undo: Undo,
}

/// A dump that was replaced.
struct Replaced {
    site: Site,
    key: String,
    words: String,
    /// SHA-256 before and after.
    before: String,
    after: String,
}

impl Replaced {
    /// Whether the damage is still there: another fault, or the pipeline, may have put other bytes in its place.
    fn shows(&self) -> bool {
        let now = self.site.region.objects().get(&self.site.bucket, &self.key, None);
        let now = now.ok().and_then(|object| sha256(&object.body).ok());
        self.before != self.after && now.as_ref() == Some(&self.after)
    }
}

impl Forgery {
    /// A fault of that name that strikes what an entry means. The manifests stay as they are.
    pub(super) fn new(fault: &'static str, spec: &FaultSpec, forge: Forge) -> Self {
        let selection = Selection::of(spec);
        let (resealed, overwrites) = (false, false);
        Forgery { fault, selection, forge, resealed, overwrites, struck: vec![], undo: Undo::default() }
    }

    /// The same with manifests that state size and digest of the new dumps, and what [`Forged`] says beyond them.
    pub(super) fn resealed(self, resealed: bool) -> Self {
        Forgery { resealed, ..self }
    }

    /// The same by an upload over what is there: with a new date, and what was there below it where versions are kept.
    pub(super) fn overwriting(self) -> Self {
        Forgery { overwrites: true, ..self }
    }

    /// As an injection.
    pub(super) fn boxed(self) -> Box<dyn Injection> {
        Box::new(self)
    }

    fn strike(&mut self, point: &Struck) -> Result<(), String> {
        let objects = point.site.region.objects();
        let key = point.dump_key();
        let Some(meta) = &point.dump else { return Err(format!("{} has no dump", point.words())) };
        let body = objects.get(&point.site.bucket, &key, None).map_err(|e| e.to_string())?.body;
        let forged = (self.forge)(point, &body, objects.writer())?;
        let (before, after) = (sha256(&body)?, sha256(&forged.dump)?);
        if before == after {
            return Err(format!("the dump of {} would stay what it is", point.words()));
        }
        let words = format!("{} ({} → {})", point.words(), ByteSize(meta.size), ByteSize(forged.dump.len()));
        self.write(point, &key, forged.dump.clone())?;
        if self.resealed {
            self.reseal(point, &forged, &after)?;
        }
        self.struck.push(Replaced { site: point.site.clone(), key, words, before, after });
        Ok(())
    }

    /// Writes what the manifest must say of the new dump; what nobody recounted stays.
    fn reseal(&mut self, point: &Struck, forged: &Forged, sha256: &str) -> Result<(), String> {
        is_ours(point)?;
        let objects = point.site.region.objects();
        let key = point.manifest_key();
        let read = objects.read_all(&point.site.bucket, &key).map_err(|e| e.to_string())?;
        let mut manifest: Value = serde_json::from_slice(&read).map_err(|e| e.to_string())?;
        manifest["stored_bytes"] = forged.dump.len().into();
        manifest["stored_sha256"] = sha256.into();
        if let Some(tables) = &forged.tables {
            manifest["tables"] = tables.iter().map(TableSeal::to_json).collect();
        }
        if let Some(service) = forged.service {
            manifest["service"] = service.into();
        }
        let body = objects.body(manifest.to_string().as_bytes()).map_err(|e| e.to_string())?;
        self.write(point, &key, body)
    }

    fn write(&mut self, point: &Struck, key: &str, body: Body) -> Result<(), String> {
        let (objects, bucket) = (point.site.region.objects(), &point.site.bucket);
        self.undo.save(&point.site, key)?;
        let written = match self.overwrites {
            true => objects.put(bucket, key, body, PutOptions::default()),
            false => objects.replace_body(bucket, key, body),
        };
        written.map(|_| ()).map_err(|e| e.to_string())
    }
}

impl Injection for Forgery {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, self.fault)?;
        for point in &self.selection.some_points(world)? {
            if let Err(why) = self.strike(point) {
                self.undo.heal(); // half a fault would be a fault that nobody declared
                return Err(why);
            }
        }
        let words: Vec<_> = self.struck.iter().map(|replaced| replaced.words.as_str()).collect();
        Ok(format!("damaged {}", joined(&words)))
    }

    fn proof(&self, _: &World) -> Proof {
        let differ = self.struck.iter().filter(|replaced| replaced.shows()).count();
        let (whole, shown) = (self.struck.len(), self.struck.first());
        let digests = shown.map(|replaced| format!("; SHA-256 {:.12} became {:.12}", replaced.before, replaced.after));
        let evidence = format!("{differ} of {whole} dumps hold the damage{}", digests.unwrap_or_default());
        Proof { bit: whole > 0 && differ == whole, evidence }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}
