//! Programs of others, run as a drill needs it: nothing inherited but what is named, a time limit, a process group of
//! their own, output in bounded memory, and nothing left behind.

mod capture;
mod environment;
pub mod faked_time;
mod leftovers;
pub mod outside;
pub mod session;

use std::{path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

use crate::{
    model::{
        plan::Run,
        ran::{CommandEnd, Ran, Role},
    },
    sim::clock::Clock,
};
use capture::Capture;
pub use environment::{Environment, on_path};
pub use leftovers::{Leftovers, end_below};

/// How long a program that is asked to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// How long output is waited for after a program has ended: what it started may still hold the other end.
const DRAIN: Duration = Duration::from_millis(300);

/// A command to be run.
#[derive(Debug, Clone)]
pub struct Job {
    /// What it is for.
    pub role: Role,
    /// What is run.
    pub run: Run,
    /// Where.
    pub folder: PathBuf,
    /// With what variables, and no others.
    pub environment: Environment,
    /// What it gets on standard input; nothing where `None`.
    pub input: Option<Vec<u8>>,
    /// How long it may take.
    pub limit: Duration,
    /// Whether what it leaves running may go on: a service that it restored.
    pub may_leave: bool,
}

/// What a command did.
#[derive(Debug, Clone)]
pub struct Done {
    /// As it is told.
    pub ran: Ran,
    /// What it printed on standard output, as far as was kept: the first 64 MiB.
    pub output: Vec<u8>,
    /// Whether that is all of it.
    pub is_whole: bool,
}

/// Runs a command to its end.
pub async fn run(job: Job, clock: &Clock) -> Done {
    let watch = clock.stopwatch();
    let capture = Arc::new(Capture::default());
    let marked = Leftovers::of(&job.environment);
    // Somebody may stop waiting: then nothing of it runs on.
    let mut unended = Unended(Some(marked.clone()));
    let (ended, left_running) = match start(&job) {
        Err(why) => (CommandEnd::NotStarted(why), Vec::new()),
        Ok(child) => {
            let ended = follow(child, &job, &capture, clock).await;
            let left = if job.may_leave && ended.is_success() { marked.names() } else { marked.end(clock).await };
            (ended, left)
        }
    };
    unended.0 = None;
    let (printed_bytes, last_lines) = capture.told();
    let command = job.run.to_string();
    let took = watch.elapsed();
    let (output, is_whole) = capture.output();
    let ran = Ran {
        role: job.role,
        command,
        ended,
        took,
        scenario_time: faked_time::moves(&job.environment),
        printed_bytes,
        last_lines,
        left_running,
        wrote_outside: Vec::new(),
    };
    Done { ran, output, is_whole }
}

/// Ends what runs when nobody waits for it any more.
struct Unended(Option<Leftovers>);

impl Drop for Unended {
    fn drop(&mut self) {
        if let Some(running) = &self.0 {
            running.kill();
        }
    }
}

fn start(job: &Job) -> Result<Child, String> {
    let mut command = match &job.run {
        Run::Shell(line) => {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(line);
            shell
        }
        Run::Argv(argv) => {
            let (program, arguments) = argv.split_first().ok_or("no program is named")?;
            // A relative path is one of the folder, as it would be in a shell that stands there.
            let mut command = match program.contains('/') && !program.starts_with('/') {
                true => Command::new(job.folder.join(program)),
                false => Command::new(program),
            };
            command.args(arguments);
            command
        }
    };
    command.env_clear().envs(job.environment.iter()).current_dir(&job.folder).process_group(0).kill_on_drop(true);
    command.stdin(if job.input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|e| {
        let program = match &job.run {
            Run::Shell(_) => "sh",
            Run::Argv(argv) => argv.first().map_or("", String::as_str),
        };
        match e.kind() {
            std::io::ErrorKind::NotFound => format!("`{program}` is not there: install it, or mend its path"),
            std::io::ErrorKind::PermissionDenied => format!("`{program}` may not be executed: `chmod +x {program}`"),
            _ => format!("`{program}`: {e}"),
        }
    })
}

/// Waits for a program's end, and ends it and its group where that does not come in time.
async fn follow(mut child: Child, job: &Job, capture: &Arc<Capture>, clock: &Clock) -> CommandEnd {
    let group = child.id();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let readers = [
        out.map(|out| tokio::spawn(capture::read(out, Arc::clone(capture), true))),
        err.map(|err| tokio::spawn(capture::read(err, Arc::clone(capture), false))),
    ];
    let feeding = child.stdin.take().zip(job.input.clone()).map(|(mut stdin, input)| {
        // Who does not read its input says so by its exit code.
        tokio::spawn(async move { _ = stdin.write_all(&input).await })
    });
    let ended = match clock.limit(job.limit, child.wait()).await {
        Some(Ok(status)) => end_of(status),
        Some(Err(e)) => CommandEnd::NotStarted(format!("it could not be waited for: {e}")),
        None => {
            leftovers::end_group(group, &mut child, clock).await;
            CommandEnd::TimeLimit(u64::try_from(job.limit.as_millis()).unwrap_or(u64::MAX))
        }
    };
    for reader in readers.into_iter().flatten() {
        let abort = reader.abort_handle();
        if clock.limit(DRAIN, reader).await.is_none() {
            abort.abort();
        }
    }
    if let Some(feeding) = feeding {
        feeding.abort();
    }
    ended
}

fn end_of(status: std::process::ExitStatus) -> CommandEnd {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => CommandEnd::Exited(code),
        (None, signal) => CommandEnd::Killed(signal.unwrap_or_default()),
    }
}
