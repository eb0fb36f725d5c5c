//! `backdraft serve`: an emulated world for other tools, and a command in it.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::Arc,
    time::Duration,
};

use clap::{Args, ValueEnum};
use data_encoding::HEXLOWER;
use futures_util::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;
use tokio::{process::Command, runtime::Handle, sync::watch};

use super::{
    Common, Ended,
    console::Console,
    selection,
    session::{DEFAULT_SEED, Session},
};
use crate::{
    assembly::{self, Kept},
    emulator::status::StatusSite,
    error::{Error, Result},
    exit,
    model::{
        plan::{Plan, ServiceKind},
        record::Way,
        units::ByteSize,
    },
    serve::{
        Control, Held, Port, Watch, World,
        environment::{self, FIRST_LINE, MISLEADING, Pages, Variable},
        live_through,
    },
    sim::{clock, clock::Clock, secret, seed::Seed},
};

/// Size of each source's data, least and most.
const SIZES: (ByteSize, ByteSize) = (ByteSize(64 << 10), ByteSize(10 << 30));

/// How long a command that was told to end may take, and how long what listens.
const PATIENCE: Duration = Duration::from_secs(10);

/// Arguments of `serve`.
#[derive(Debug, Clone, Args)]
pub(super) struct ServeArgs {
    /// Size of the data of each service: rows as JSON, files as they are.
    #[arg(long, value_name = "SIZE", default_value = "4 MiB")]
    size: ByteSize,
    /// Root of all randomness.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Days of writes and backups by the plan's schedule before the world is handed over; the buckets are empty without.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=59))]
    days: u32,
    /// Port of the control page on 127.0.0.1; with 0 the system chooses.
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// Only these parts, separated by commas. The regions are always there.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,
    /// Write the environment to a file instead, for its owner alone, once everything listens.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    env_file: Option<PathBuf>,
    /// Print the environment as one JSON object.
    #[arg(long, conflicts_with = "command")]
    json: bool,
    /// A command to run in this environment; the world ends with it, and with its exit code.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The regions with their buckets.
    S3,
    /// The database, as a Convex deployment.
    Convex,
    /// The application's media buckets.
    Media,
    /// The web application at its hosting provider.
    Hosting,
    /// Configuration and secrets.
    Config,
}

impl Part {
    const fn kind(self) -> Option<ServiceKind> {
        match self {
            Part::S3 => None,
            Part::Convex => Some(ServiceKind::Database),
            Part::Media => Some(ServiceKind::Files),
            Part::Hosting => Some(ServiceKind::WebApplication),
            Part::Config => Some(ServiceKind::Config),
        }
    }
}

pub(super) fn serve(args: &ServeArgs, common: &Common, console: &Console) -> Ended {
    let plan = selection::plan(&common.plan)?.value;
    let beside = common.plan.parent().unwrap_or(Path::new(""));
    if args.size < SIZES.0 || args.size > SIZES.1 {
        let what = format!("--size {} is no size that can be made", args.size);
        return Err(Error::new(what).help(format!("write a size from {} to {}", SIZES.0, SIZES.1)).into());
    }
    args.env_file.as_deref().map_or(Ok(()), is_ours)?;
    let token =
        secret::secret::<16>().map_err(|e| Error::new("there is no randomness to make a token of").because(e))?;
    let token = HEXLOWER.encode(&token);
    let port = Port::take(args.port)?;
    let session = Session::start(false)?;
    let plan = Arc::new(plan);
    let kinds = args.kinds();
    let kept = Kept {
        plan: &plan,
        beside,
        kinds: &kinds,
        size: args.size,
        days: args.days,
        seed: Seed(args.seed),
        now: clock::wall_now(),
    };
    let needed = assembly::scratch_bytes(&plan, &kept.story(), Way::Real);
    let ended = session.hold(needed, async |scratch: &Path, mut stop: watch::Receiver<bool>| {
        let built = tokio::select! {
            biased;
            _ = stop.wait_for(|stopped| *stopped) => return Ok(exit::INTERRUPTED),
            built = build(&plan, &kept, scratch) => built?,
        };
        let served = Served::start(built, port, &token).await?;
        let code = served.until_ended(args, console, stop).await;
        served.end().await;
        code
    })?;
    Ok(ended?)
}

impl ServeArgs {
    fn kinds(&self) -> Vec<ServiceKind> {
        match self.only.is_empty() {
            true => ServiceKind::ALL.to_vec(),
            false => self.only.iter().filter_map(|part| part.kind()).collect(),
        }
    }
}

/// A world, and what ends it.
type Built = (Arc<Held>, BoxFuture<'static, ()>);

async fn build(plan: &Arc<Plan>, kept: &Kept<'_>, scratch: &Path) -> Result<Built> {
    let story = kept.story();
    let (stage, doors) = assembly::keep(kept, &story, scratch).await?;
    live_through(&stage, &story, plan, kept.now).await?;
    Held::new(World { plan: Arc::clone(plan), story, stage, doors, infos: selection::faults() })
}

/// A world with its pages.
struct Served {
    held: Arc<Held>,
    close: BoxFuture<'static, ()>,
    control: Control,
    status: StatusSite,
    watch: tokio::task::JoinHandle<()>,
    variables: Vec<Variable>,
}

impl Served {
    async fn start((held, close): Built, port: Port, token: &str) -> Result<Served> {
        let url = port.url();
        let control = Control::start(port, token, &held);
        let control = control.map_err(|e| Error::new("the control page cannot be served").because(e))?;
        let mut watch = Watch::new(&held);
        let status = StatusSite::start(&Handle::current(), watch.look().await).map_err(|e| {
            Error::new("no port on 127.0.0.1 can be had for the status page")
                .because(e)
                .help("check that this user may listen on loopback, and how many files it may open (ulimit -n)")
        })?;
        let watch = tokio::spawn(watch.keep_looking(status.publisher()));
        let pages = Pages { control: &url, token, status: &status.url() };
        let mut variables = environment::variables(&held, &pages);
        variables.extend(environment::past_proxies(|name| env::var(name).ok()));
        Ok(Served { held, close, control, status, watch, variables })
    }

    /// Says where everything is, and waits until somebody stops it or its command ends; the exit code.
    async fn until_ended(&self, args: &ServeArgs, console: &Console, mut stop: watch::Receiver<bool>) -> Result<u8> {
        if let Some(path) = &args.env_file {
            write_private(path, &environment::file(&self.variables))?;
        }
        if !args.command.is_empty() {
            return self.run(&args.command, stop).await;
        }
        console.secrets(&self.announcement(args));
        // Nobody left to say it is the word as well.
        let _ = stop.wait_for(|stopped| *stopped).await;
        Ok(exit::PASS)
    }

    fn announcement(&self, args: &ServeArgs) -> String {
        let page = self.control.page();
        if args.json {
            let pairs = self.variables.iter().map(|one| (one.name.clone(), Value::String(one.value.clone())));
            let environment: Map<String, Value> = pairs.collect();
            return json!({ "control_page": page, "environment": environment }).to_string() + "\n";
        }
        let mut text = match &args.env_file {
            Some(path) => format!("# environment: {}\n", path.display()),
            None => self.variables.iter().map(|one| environment::export(one) + "\n").collect(),
        };
        text.push_str(&format!("# control page: {page}\n# Ctrl-C ends it, and nothing is left behind.\n"));
        text
    }

    /// Runs a command in the world. Where somebody stops it, the command is told, and ended when it does not listen.
    async fn run(&self, command: &[OsString], mut stop: watch::Receiver<bool>) -> Result<u8> {
        let [program, arguments @ ..] = command else { return Ok(exit::PASS) };
        let mut ready = Command::new(program);
        for name in MISLEADING {
            ready.env_remove(name);
        }
        ready.args(arguments).envs(self.variables.iter().map(|one| (&one.name, &one.value))).kill_on_drop(true);
        let mut child = ready.spawn().map_err(|e| {
            let what =
                Error::new("the command cannot be started").at(program.to_string_lossy().escape_debug().to_string());
            what.because(e).help("check its name, and that it may be executed")
        })?;
        let lost = |e| Error::new("the command's end was not seen").because(e);
        let ended = tokio::select! {
            ended = child.wait() => Some(ended.map_err(lost)?),
            _ = stop.wait_for(|stopped| *stopped) => None,
        };
        if let Some(ended) = ended {
            return Ok(code_of(ended));
        }
        if let Some(pid) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            // It may have ended meanwhile.
            let _ = kill_process(pid, Signal::TERM);
        }
        let clock = Clock::new(Way::Real, clock::wall_now());
        if clock.limit(PATIENCE, child.wait()).await.is_none() {
            child.kill().await.map_err(lost)?;
        }
        Ok(exit::INTERRUPTED)
    }

    /// Ends everything that listens.
    async fn end(self) {
        let clock = Clock::new(Way::Real, clock::wall_now());
        self.watch.abort();
        let all = async {
            self.control.shutdown().await;
            self.status.shutdown().await;
            self.close.await;
        };
        // Whoever keeps a connection open is cut off with the runtime.
        let _ = clock.limit(PATIENCE, all).await;
        drop(self.held);
    }
}

/// As a shell tells it.
fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::FAILED)
}

/// Refuses a file that is there and was not written by an earlier start: somebody's own variables may be in it.
fn is_ours(path: &Path) -> Result<()> {
    let there = match fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(there) => there,
    };
    let mut first = Vec::new();
    let read = there.is_file().then(|| fs::File::open(path).map(|file| file.take(FIRST_LINE.len() as u64)));
    let is_ours = read.is_some_and(|file| file.and_then(|mut file| file.read_to_end(&mut first)).is_ok());
    if is_ours && first == FIRST_LINE.as_bytes() {
        return Ok(());
    }
    let what = Error::new("this file is there already, and was not written by `backdraft serve`");
    Err(what.at(path.display().to_string()).help("choose another file with --env-file FILE, or move it away"))
}

/// Writes a file that its owner alone may read, whole or not at all.
fn write_private(path: &Path, content: &str) -> Result<()> {
    is_ours(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A temporary file is its owner's alone from the start.
    let written = NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(content.as_bytes())?;
        file.persist(path)?;
        Ok(())
    });
    written.map_err(|e| {
        let what = Error::new("the environment cannot be written").at(path.display().to_string()).because(e);
        what.help("choose a file in a folder that is there and that this user may write with --env-file FILE")
    })
}
