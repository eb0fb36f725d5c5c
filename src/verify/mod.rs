//! Verifying one backup as far as that can be done without the source: is it there, is it the one that was made, can
//! every byte of it be read, does it hold what it must, and can it be restored? One pass over the dump, with bounded
//! memory, on both cores; then what was restored is read back.

use std::{path::PathBuf, sync::Arc};

use futures_util::{StreamExt, stream::BoxStream};
use serde::Serialize;

use crate::{
    archive::{self, ArchiveError, Form, InputError, Limits, Manifest, Summary},
    model::{time::Elapsed, words},
    service::contract::RowChunk,
    sim::{clock::Clock, lanes::Lanes},
};

mod keys;
mod origin;
mod queries;
mod restore;
mod shape;
mod steps;

pub use origin::{LocalFile, OpenError, Opened, Origin, StoredObject, digest, read_small};
pub use steps::{Status, Step, StepDone, Verdict};

use queries::References;
use restore::ScratchTarget;
use shape::Schema;
use steps::Steps;

/// What a dump without a manifest may inflate to: this many times its size, and something for the small ones. JSON
/// shrinks to a tenth at the best; a bomb to a thousandth.
const MOST_INFLATED: u64 = 100;
const SMALL: u64 = 64 << 20;

/// What the dump is held against.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The manifest beside it: `None` where there is none, Err where it cannot be read.
    pub manifest: Option<Result<Manifest, String>>,
    /// SHA-256 of the dump as stored, in lower-case hexadecimal, from elsewhere.
    pub sha256: Option<String>,
    /// The service that it should be of, where that is known.
    pub service: Option<String>,
}

/// How to verify.
#[derive(Debug, Clone)]
pub struct Options {
    /// Field that names a row; `_id` in Convex.
    pub id_field: String,
    /// Whether a field may hold values of different types, null aside.
    pub allow_mixed: bool,
}

/// What verifying takes.
#[derive(Debug, Clone)]
pub struct Means {
    /// Scenario time is not asked for; stopwatches and limits are.
    pub clock: Clock,
    /// Where it is computed.
    pub lanes: Lanes,
    /// A folder of its own; nothing is left in it.
    pub scratch: PathBuf,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// What was verified.
    pub backup: String,
    /// Passed, failed, or not carried out.
    pub verdict: Verdict,
    /// Every step in order.
    pub steps: Vec<StepDone>,
    /// Size as stored, in bytes.
    pub stored_bytes: Option<u64>,
    /// Size of all rows as JSON lines, in bytes; `None` where they could not all be read.
    pub raw_bytes: Option<u64>,
    /// Rows a table; none where they could not all be read.
    pub tables: Vec<TableRows>,
    /// How long it took to read; `None` where there was nothing that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took: Option<Elapsed>,
}

/// A table with its rows.
#[derive(Debug, Clone, Serialize)]
pub struct TableRows {
    /// The table.
    pub table: String,
    /// How many rows.
    pub rows: u64,
}

/// Why the pass over the dump ended early.
enum Stopped {
    /// The dump is at fault, or could not be read.
    Dump(ArchiveError),
    /// The scratch target is.
    Target(String),
}

/// What the pass gathered beside the rows.
struct Pass {
    summary: Summary,
    schema: Schema,
    references: References,
}

/// Verifies one backup.
pub async fn verify(
    origin: &dyn Origin,
    form: Form,
    expected: &Expected,
    options: &Options,
    means: &Means,
) -> Verification {
    let watch = means.clock.stopwatch();
    let mut steps = Steps::default();
    let mut found = Verification {
        backup: origin.name().to_owned(),
        verdict: Verdict::Passed,
        steps: Vec::new(),
        stored_bytes: None,
        raw_bytes: None,
        tables: Vec::new(),
        took: None,
    };
    match origin.open().await {
        Err(OpenError::Missing(why)) => steps.failed(Step::Exists, why),
        Err(OpenError::Unreadable(why)) => steps.impossible(Step::Exists, why),
        Ok(opened) => {
            found.stored_bytes = Some(opened.bytes);
            steps.ok(Step::Exists, format!("{}, {}", words::bytes(opened.bytes), form.words()));
            let subject = Subject { origin, form, expected, options, means };
            subject.examine(opened, &mut steps, &mut found).await;
            found.took = Some(watch.elapsed());
        }
    }
    found.steps = steps.finish();
    found.verdict = steps::verdict(&found.steps);
    found
}

/// One backup that is there.
struct Subject<'s> {
    origin: &'s dyn Origin,
    form: Form,
    expected: &'s Expected,
    options: &'s Options,
    means: &'s Means,
}

impl Subject<'_> {
    async fn examine(&self, opened: Opened, steps: &mut Steps, found: &mut Verification) {
        let target = match ScratchTarget::new(&self.means.scratch.join("restored"), &self.means.lanes) {
            Ok(target) => Arc::new(target),
            Err(why) => return steps.impossible(Step::TestRestore, why),
        };
        let limits = self.limits(opened.bytes);
        let mut gone = "the scratch target is gone";
        match self.pass(opened.body, limits, &target).await {
            Ok(pass) => {
                let stored = (pass.summary.stored_bytes, pass.summary.stored_sha256.as_str());
                self.judge_digest(stored, steps);
                self.judge_contents(&pass, steps, found);
                self.judge_restore(pass, &target, steps).await;
            }
            Err(Stopped::Target(why)) => steps.impossible(Step::TestRestore, why),
            Err(Stopped::Dump(error)) => {
                gone = "what was written of it before it could not be read on is gone";
                self.stopped(error, steps).await;
            }
        }
        match target.remove() {
            Ok(()) => steps.ok(Step::CleanUp, gone.into()),
            Err(why) => steps.impossible(Step::CleanUp, why),
        }
    }

    fn limits(&self, stored: u64) -> Limits {
        match &self.expected.manifest {
            Some(Ok(manifest)) => manifest.limits(),
            _ => Limits { raw_bytes: stored.saturating_mul(MOST_INFLATED).saturating_add(SMALL) },
        }
    }

    /// Every row is read, checked, looked at and staged.
    async fn pass(
        &self,
        body: BoxStream<'static, Result<bytes::Bytes, InputError>>,
        limits: Limits,
        target: &ScratchTarget,
    ) -> Result<Pass, Stopped> {
        let Means { lanes, scratch, .. } = self.means;
        let read = archive::read(self.form, body, limits, lanes, scratch);
        let tables = match &self.expected.manifest {
            Some(Ok(manifest)) => Some(manifest.tables.iter().map(|table| table.name.clone()).collect()),
            _ => None,
        };
        let looker = shape::Looker::new(&self.options.id_field, tables);
        let look = move |chunk: Result<RowChunk, ArchiveError>| chunk.map(|chunk| (looker.look(&chunk), chunk));
        let mut chunks = std::pin::pin!(lanes.map(read.rows, look));
        let mut schema = Schema::default();
        let mut references = References::new(scratch).map_err(Stopped::Target)?;
        while let Some(next) = chunks.next().await {
            let (mut seen, chunk) = next.map_err(Stopped::Dump)?;
            references.add(&chunk.table, &mut seen).map_err(Stopped::Target)?;
            schema.add(&chunk, seen);
            target.stage(chunk).await.map_err(Stopped::Target)?;
        }
        let ended_early = || Stopped::Dump(ArchiveError::Cut { place: "before its end".into() });
        let summary = read.summary.get().ok_or_else(ended_early)?;
        Ok(Pass { summary, schema, references })
    }

    /// A dump that could not be read to its end: which step that fails, and whether it is at least the file that was made.
    async fn stopped(&self, error: ArchiveError, steps: &mut Steps) {
        match error {
            ArchiveError::Input(why) => return steps.impossible(Step::Archive, why.to_string()),
            ArchiveError::Scratch(_) => return steps.impossible(Step::Archive, error.to_string()),
            ArchiveError::Row { .. } => {
                steps.ok(Step::Archive, "sound as far as it was read".into());
                steps.failed(Step::Json, error.to_string());
            }
            _ => steps.failed(Step::Archive, error.to_string()),
        }
        match digest(self.origin).await {
            Ok((bytes, sha256)) => self.judge_digest((bytes, &sha256), steps),
            Err(why) => steps.impossible(Step::Digest, why),
        }
    }

    fn judge_digest(&self, (bytes, sha256): (u64, &str), steps: &mut Steps) {
        let Expected { manifest, sha256: given, service } = self.expected;
        if let Some(given) = given.as_deref().filter(|given| *given != sha256) {
            return steps.failed(Step::Digest, format!("SHA-256 is {sha256}, not {given} as given"));
        }
        match manifest {
            Some(Err(why)) => steps.failed(Step::Digest, format!("its manifest: {why}")),
            Some(Ok(made)) if made.stored_bytes != bytes => {
                let stated = made.stored_bytes;
                steps.failed(Step::Digest, format!("{bytes} bytes are stored; the manifest says {stated}"));
            }
            Some(Ok(made)) if made.stored_sha256 != sha256 => {
                let stated = &made.stored_sha256;
                steps.failed(Step::Digest, format!("SHA-256 is {sha256}; the manifest says {stated}"));
            }
            Some(Ok(made)) if service.as_ref().is_some_and(|service| made.service != *service) => {
                let (found, wanted) = (made.service.escape_debug(), service.as_deref().unwrap_or_default());
                steps.failed(Step::Digest, format!("its manifest is of service `{found}`, not `{wanted}`"));
            }
            Some(Ok(_)) => steps.ok(Step::Digest, format!("SHA-256 {sha256}, as the manifest says")),
            None if given.is_some() => steps.ok(Step::Digest, format!("SHA-256 {sha256}, as given")),
            None => {
                let why = format!("there is no manifest and no --sha256 to hold it against; SHA-256 is {sha256}");
                steps.skipped(Step::Digest, why);
            }
        }
    }

    fn judge_contents(&self, pass: &Pass, steps: &mut Steps, found: &mut Verification) {
        let Pass { summary, schema, .. } = pass;
        let rows: u64 = summary.tables.iter().map(|table| table.rows).sum();
        let (rows, tables) = (words::count(rows, "row"), words::count(summary.tables.len() as u64, "table"));
        steps.ok(Step::Archive, format!("whole; {} of JSON", words::bytes(summary.raw_bytes)));
        steps.ok(Step::Json, format!("{rows} in {tables}, every line one JSON object"));
        let of_manifest = match &self.expected.manifest {
            Some(Ok(manifest)) => archive::check_tables(&manifest.tables, &summary.tables),
            _ => Ok(()),
        };
        match of_manifest.and_then(|()| schema.judge(self.options)) {
            Ok(detail) => steps.ok(Step::Schema, detail),
            Err(why) => steps.failed(Step::Schema, why),
        }
        found.raw_bytes = Some(summary.raw_bytes);
        let named = |table: &archive::TableDigest| TableRows { table: table.name.clone(), rows: table.rows };
        found.tables = summary.tables.iter().map(named).collect();
    }

    /// What counts is what arrived: the target is read back and compared, then asked.
    async fn judge_restore(&self, pass: Pass, target: &ScratchTarget, steps: &mut Steps) {
        let Pass { summary, references, .. } = pass;
        let arrived = match target.read_back(&summary.tables, &self.options.id_field).await {
            Ok(arrived) => arrived,
            Err(why) => return steps.impossible(Step::TestRestore, why),
        };
        if arrived.tables != summary.tables {
            return steps.failed(Step::TestRestore, "what was read back is not what was written".into());
        }
        let tables = words::count(summary.tables.len() as u64, "table");
        steps
            .ok(Step::TestRestore, format!("{tables} restored into a scratch target and read back with equal digests"));
        match references.ask(&summary.tables, &arrived, &self.means.lanes).await {
            Err(why) => steps.impossible(Step::Queries, why),
            Ok(queries::Asked { unique: Err(why), .. }) => steps.failed(Step::Schema, why),
            Ok(queries::Asked { answers: Err(why), .. }) => steps.failed(Step::Queries, why),
            Ok(queries::Asked { answers: Ok(detail), .. }) => steps.ok(Step::Queries, detail),
        }
    }
}
