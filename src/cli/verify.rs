//! `backdraft verify`: reads one backup to its last byte, restores it into a scratch target, and says step by step what
//! holds.

use std::{env, path::Path};

use clap::Args;

use super::{Common, Ended, console::Console, credentials, discreet, selection, session::Session};
use crate::{
    archive::{Form, MAX_MANIFEST_BYTES, Manifest},
    assembly::buckets::{self, Bucket, Keys},
    error::{Error, Result},
    exit,
    model::{
        plan::{Plan, ServicePlan},
        record::Way,
        words,
    },
    sim::{clock, clock::Clock, lanes::Lanes},
    store::SharedStore,
    verify::{
        self, Expected, LocalFile, Means, OpenError, Options, Origin, StoredObject, Verdict, Verification, read_small,
    },
};

/// Arguments of `verify`.
#[derive(Debug, Clone, Args)]
pub(super) struct VerifyArgs {
    /// A file, or s3://bucket/key: .jsonl.gz, .json.gz, .jsonl, .json, or .zip of Convex.
    #[arg(value_name = "BACKUP")]
    backup: String,
    /// Its manifest, where that does not stand beside it as NAME.manifest.json.
    #[arg(long, value_name = "FILE")]
    manifest: Option<String>,
    /// SHA-256 that it must have.
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// Address of the S3 service; Amazon's where none is given.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Region of the bucket; the plan's region with that bucket where none is given.
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// A host beyond this machine that may be asked, or a domain, such as amazonaws.com; it is only read.
    #[arg(long, value_name = "HOST")]
    allow_endpoint: Vec<String>,
    /// Field that names a row.
    #[arg(long, value_name = "NAME", default_value = "_id")]
    id_field: String,
    /// Let a field hold values of different types.
    #[arg(long)]
    allow_mixed: bool,
    /// Print what was found as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn verify(args: &VerifyArgs, common: &Common, console: &Console) -> Ended {
    let Some((form, stem)) = Form::of_name(&args.backup) else {
        let what = format!("`{}` is named as no backup that can be read", args.backup.escape_debug());
        let help = "its name must end in .jsonl.gz, .json.gz, .jsonl, .json or .zip";
        return Err(Error::new(what).help(help).into());
    };
    let sha256 = args.sha256.as_deref().map(digest).transpose()?;
    let session = Session::start(false)?;
    let found = session.carry_out(async |scratch: &Path| -> Result<Verification> {
        let clock = Clock::new(Way::Real, clock::wall_now());
        let origin = args.origin(&args.backup, common, &clock)?;
        let beside = format!("{stem}.manifest.json");
        let manifest = args.origin(args.manifest.as_ref().unwrap_or(&beside), common, &clock)?;
        let manifest = read_manifest(&*manifest, args.manifest.is_some()).await?;
        let expected = Expected { manifest, sha256, service: args.service(common) };
        let options = Options { id_field: args.id_field.clone(), allow_mixed: args.allow_mixed };
        let means = Means { lanes: Lanes::new(&clock), clock, scratch: scratch.to_owned() };
        Ok(verify::verify(&*origin, form, &expected, &options, &means).await)
    })?;
    let Some(found) = found else { return Ok(exit::INTERRUPTED) };
    let found = found?;
    show(args, &found, console);
    Ok(match found.verdict {
        Verdict::Passed => exit::PASS,
        Verdict::Failed => exit::FAILED,
        Verdict::NotExecuted => exit::NOT_EXECUTED,
    })
}

impl VerifyArgs {
    fn origin(&self, place: &str, common: &Common, clock: &Clock) -> Result<Box<dyn Origin>> {
        let Some(address) = place.strip_prefix("s3://") else { return Ok(Box::new(LocalFile::new(place))) };
        let Some((bucket, key)) = address.split_once('/').filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
        else {
            let what = format!("`{}` names no object", place.escape_debug());
            return Err(Error::new(what).help("write s3://bucket/folder/name"));
        };
        let store = self.store(bucket, common, clock)?;
        Ok(Box::new(StoredObject::new(store, key, place)))
    }

    /// The plan's service whose backups lie where the object is that is named.
    fn service(&self, common: &Common) -> Option<String> {
        let (bucket, key) = self.backup.strip_prefix("s3://")?.split_once('/')?;
        let plan = plan(common)?;
        plan.regions.iter().find(|region| region.bucket == bucket)?;
        let lies_there = |service: &ServicePlan| key.starts_with(&service.backup.prefix);
        plan.services.into_iter().find(|(_, service)| lies_there(service)).map(|(name, _)| name)
    }

    fn store(&self, bucket: &str, common: &Common, clock: &Clock) -> Result<SharedStore> {
        let plan = plan(common);
        let planned = plan.as_ref().and_then(|plan| plan.regions.iter().find(|region| region.bucket == bucket));
        let region = self.region.clone().or_else(|| planned.map(|region| region.name.clone()));
        let region =
            region.or_else(|| env::var("AWS_REGION").ok().filter(|name| !name.is_empty())).ok_or_else(|| {
                Error::new(format!("it is not known in which region bucket `{}` is", bucket.escape_debug()))
                    .help("give it with --region NAME, or a plan that has the bucket with --plan FILE")
            })?;
        let endpoint = self.endpoint.as_deref().or_else(|| planned.and_then(|region| region.endpoint.as_deref()));
        let bucket = Bucket { region: &region, bucket, endpoint };
        // What is not allowed is said before a key is looked for.
        buckets::open(&bucket, &self.allow_endpoint, &Keys::none(), clock)?;
        buckets::open(&bucket, &self.allow_endpoint, &credentials::find()?, clock)
    }
}

/// The plan, where there is one that can be read.
fn plan(common: &Common) -> Option<Plan> {
    common.plan.exists().then(|| selection::plan(&common.plan).ok()).flatten().map(|plan| plan.value)
}

/// The manifest of a backup. One that was named must be there.
async fn read_manifest(origin: &dyn Origin, named: bool) -> Result<Option<std::result::Result<Manifest, String>>> {
    match read_small(origin, MAX_MANIFEST_BYTES).await {
        Ok(text) => Ok(Some(Manifest::parse(&text))),
        Err(OpenError::Missing(_)) if !named => Ok(None),
        Err(why) => {
            let unread = Error::new("the manifest cannot be read").at(origin.name()).because(why.words().to_owned());
            Err(unread
                .help("a backup without a manifest is verified without; one whose manifest is there must be readable"))
        }
    }
}

fn digest(text: &str) -> Result<String> {
    let text = text.trim().to_ascii_lowercase();
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text);
    }
    let help = "write 64 hexadecimal digits, as `sha256sum` prints them";
    Err(Error::new(format!("`{}` is no SHA-256", text.escape_debug())).help(help))
}

fn show(args: &VerifyArgs, found: &Verification, console: &Console) {
    if args.json {
        // Made of text, numbers and lists: it always has a JSON form.
        return console.line(serde_json::to_string_pretty(&discreet::json(found)).unwrap_or_default());
    }
    for done in &found.steps {
        let detail = done.detail.replace(char::is_control, " ");
        console.line(format_args!("{:12}  {:12}  {detail}", done.status.words(), done.step.words()));
    }
    let verdict = match found.verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "FAILED",
        Verdict::NotExecuted => "NOT EXECUTED",
    };
    let raw = found.raw_bytes.map_or_else(String::new, |bytes| format!("{} of JSON in ", words::bytes(bytes)));
    let took = found.took.map_or_else(String::new, |took| format!(": {raw}{took}"));
    console.line(format_args!("{verdict}: {}{took}", found.backup.escape_debug()));
}
