//! `--storage`: where the regions' objects lie. Opens a foreign storage before anything is played, notes what is made in it
//! for the case that this run is killed, and removes it at the end.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::credentials;
#[cfg(feature = "containers")]
use crate::assembly::containers::{Image, Running};
use crate::{
    assembly::{
        buckets::Keys,
        storage::{REGION, Storage},
    },
    engine::journal::{self, Scratch},
    error::{Error, Result},
    model::record::Way,
    sim::clock::{Clock, wall_now},
};

/// How long a storage may take to answer before a run begins.
const ANSWER: Duration = Duration::from_secs(10);
/// How long the removal of what a killed run left may take.
const SWEEP: Duration = Duration::from_secs(60);

/// Arguments about the storage.
#[derive(Debug, Clone, Args)]
pub(super) struct StorageArgs {
    /// Where the regions' objects lie: embedded, localstack, minio or endpoint:URL.
    #[arg(long, value_name = "WHERE", env = "BACKDRAFT_STORAGE", default_value = "embedded")]
    storage: String,
    /// A host beyond this machine, or a domain, at which drills may make buckets of their own.
    #[arg(long, value_name = "HOST")]
    allow_endpoint: Vec<String>,
}

/// A foreign storage, for as long as a run lasts.
pub(super) struct Foreign {
    storage: Arc<Storage>,
    note: Scratch,
    runtime: Handle,
    #[cfg(feature = "containers")]
    container: Option<Running>,
}

/// What a later start must know to remove what this run made.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    url: String,
    region: String,
    prefix: String,
    container: Option<String>,
}

impl StorageArgs {
    /// Opens the storage; `None` where regions are emulated.
    ///
    /// # Errors
    /// When there is no such storage, it is not allowed, does not answer, or drills are simulated.
    pub(super) fn open(&self, way: Way, base: &Path, runtime: &Handle) -> Result<Option<Foreign>> {
        let said = self.storage.as_str();
        if said == "embedded" {
            return Ok(None);
        }
        if way == Way::Simulated {
            let what = format!("a simulated drill opens no sockets, and --storage {} needs some", said.escape_debug());
            return Err(Error::new(what).help("leave out --simulate, or --storage"));
        }
        let Some(url) = said.strip_prefix("endpoint:") else {
            return self.contained(said, base, runtime).map(Some);
        };
        let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| env::var(name).ok());
        let region = region.filter(|region| !region.is_empty()).unwrap_or_else(|| REGION.to_owned());
        // What is not allowed is said before a key is looked for.
        Storage::at(said, url, &region, &self.allow_endpoint, &Keys::none())?;
        let storage = Storage::at(said, url, &region, &self.allow_endpoint, &keys(url)?)?;
        let opened = Foreign::noted(storage, base, runtime, None)?;
        opened.or_nothing().map(Some)
    }

    #[cfg(feature = "containers")]
    fn contained(&self, said: &str, base: &Path, runtime: &Handle) -> Result<Foreign> {
        let image = match said {
            "localstack" => Image::LocalStack,
            "minio" => Image::Minio,
            other => return Err(unknown(other)),
        };
        let running = runtime.block_on(image.start())?;
        let storage = Storage::at(said, &running.url, REGION, &[], &running.keys)?;
        let mut opened = Foreign::noted(storage, base, runtime, Some(running.id().to_owned()))?;
        opened.container = Some(running);
        opened.or_nothing()
    }

    #[cfg(not(feature = "containers"))]
    fn contained(&self, said: &str, _: &Path, _: &Handle) -> Result<Foreign> {
        if !matches!(said, "localstack" | "minio") {
            return Err(unknown(said));
        }
        let help = "build it with `--features containers`, or give the address of a storage that runs already: --storage \
                    endpoint:http://127.0.0.1:PORT";
        Err(Error::new(format!("this build of backdraft starts no containers, and --storage {said} needs one"))
            .help(help))
    }
}

fn unknown(said: &str) -> Error {
    Error::new(format!("there is no storage `{}`", said.escape_debug()))
        .help("write embedded, localstack, minio or endpoint:URL, such as endpoint:http://127.0.0.1:9000")
}

fn real_time() -> Clock {
    Clock::new(Way::Real, wall_now())
}

/// The storage's key. One on this machine may have none: emulators take any.
fn keys(url: &str) -> Result<Keys> {
    let is_here = ["http://127.", "http://localhost", "http://[::1]"].iter().any(|here| url.starts_with(here));
    match credentials::find() {
        Err(_) if is_here => Ok(Keys { access_key: "test".into(), secret_key: "test".into(), session_token: None }),
        found => found,
    }
}

impl Foreign {
    fn noted(storage: Storage, base: &Path, runtime: &Handle, container: Option<String>) -> Result<Foreign> {
        let note = Note {
            url: storage.url().to_owned(),
            region: storage.region().to_owned(),
            prefix: storage.prefix().to_owned(),
            container,
        };
        let written = Scratch::new(base).and_then(|scratch| {
            scratch.note(&serde_json::to_string(&note).unwrap_or_default())?;
            Ok(scratch)
        });
        let note = written.map_err(|e| {
            Error::new("it cannot be noted what is made in the storage").at(base.display().to_string()).because(e)
        })?;
        Ok(Foreign {
            storage: Arc::new(storage),
            note,
            runtime: runtime.clone(),
            #[cfg(feature = "containers")]
            container: None,
        })
    }

    /// Itself, where it answers; else nothing is left of it.
    fn or_nothing(self) -> Result<Foreign> {
        match self.runtime.block_on(self.answers()) {
            Ok(()) => Ok(self),
            Err(why) => {
                self.close_unused();
                Err(why)
            }
        }
    }

    fn close_unused(self) {
        #[cfg(feature = "containers")]
        if let Some(running) = self.container
            && let Err(why) = self.runtime.block_on(running.stop())
        {
            return tracing::warn!("a container could not be removed: {why}");
        }
        forget(self.note);
    }

    async fn answers(&self) -> Result<()> {
        let why = match real_time().limit(ANSWER, self.storage.remove()).await {
            Some(Ok(_)) => return Ok(()),
            Some(Err(why)) => why,
            None => format!("no answer within {} s", ANSWER.as_secs()),
        };
        let help = "start it, check the address, and give a key that may list and make buckets in AWS_ACCESS_KEY_ID and \
                    AWS_SECRET_ACCESS_KEY";
        Err(Error::new(format!("the storage at {} cannot be used", self.storage.url())).because(why).help(help))
    }

    /// The storage, for drills.
    pub(super) fn storage(&self) -> &Arc<Storage> {
        &self.storage
    }

    /// Removes what a drill left in it. What is left then, in words; `None` where nothing.
    pub(super) fn clear(&self) -> Option<String> {
        let removed = self.runtime.block_on(self.storage.remove());
        removed.err().map(|why| format!("buckets {}* at {} are left: {why}", self.storage.prefix(), self.storage.url()))
    }

    /// Removes everything that this run made. What could not be removed is noted for the next start.
    pub(super) fn close(self) {
        let left = self.clear();
        #[cfg(feature = "containers")]
        if let Some(running) = self.container {
            let id = running.id().to_owned();
            match self.runtime.block_on(running.stop()) {
                // What it held went with it.
                Ok(()) => return forget(self.note),
                Err(why) => return tracing::warn!("container {id} could not be removed: {why}"),
            }
        }
        match left {
            None => forget(self.note),
            Some(left) => tracing::warn!("{left}; the next start tries again"),
        }
    }
}

fn forget(note: Scratch) {
    if let Err(e) = note.remove() {
        tracing::warn!("a scratch folder could not be removed: {e}");
    }
}

/// Removes what killed runs made in storages. Only this machine is asked; of others it is said what may be left.
pub(super) fn sweep(base: &Path, runtime: &Handle) {
    for (dir, note) in journal::beyond(base).unwrap_or_default() {
        let Ok(note) = serde_json::from_str::<Note>(&note) else { continue };
        match clear(&note, runtime) {
            Ok(what) => {
                tracing::info!("removed what a killed run left: {what}");
                if let Err(e) = journal::settled(&dir) {
                    tracing::warn!("{} could not be removed: {e}", dir.display());
                }
            }
            Err(why) => tracing::warn!("{}", left(&note, &dir, &why)),
        }
    }
}

fn left(note: &Note, dir: &Path, why: &str) -> String {
    let what = match &note.container {
        Some(id) => format!("container {id}"),
        None => format!("buckets {}* at {}", note.prefix, note.url),
    };
    format!("a killed run may have left {what}: {why}; remove them, and then {}", dir.display())
}

fn clear(note: &Note, runtime: &Handle) -> std::result::Result<String, String> {
    if let Some(id) = &note.container {
        let mut docker = Command::new("docker");
        let ran = docker.args(["rm", "--force", "--volumes", id]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        return match ran {
            Ok(status) if status.success() => Ok(format!("container {id}")),
            Ok(status) => Err(format!("`docker rm` ended with {status}")),
            Err(e) => Err(format!("`docker rm` cannot be run: {e}")),
        };
    }
    let keys = keys(&note.url).map_err(|e| e.what)?;
    // Refuses what lies beyond this machine.
    Storage::at("", &note.url, &note.region, &[], &keys).map_err(|_| "it lies beyond this machine".to_owned())?;
    let storage = Storage::known("", &note.url, &note.region, &note.prefix, &keys);
    let removed = runtime.block_on(real_time().limit(SWEEP, storage.remove()));
    let removed = removed.ok_or_else(|| format!("no answer within {} s", SWEEP.as_secs()))??;
    Ok(format!("{removed} buckets {}* at {}", note.prefix, note.url))
}
