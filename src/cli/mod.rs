//! The command line: one file a verb. Verbs return an exit code of `exit.rs`; errors are printed here, once.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use console::{Console, Refused};

use crate::exit;

mod buckets;
mod cast;
mod checklist;
mod console;
mod credentials;
mod discreet;
mod document;
mod evidence;
mod gate;
mod github;
mod held;
mod history;
mod incident;
mod init;
mod keeper;
mod keygen;
mod list;
mod matrix;
mod monitor;
mod output;
mod pdf;
mod progress;
mod replay;
mod report;
mod run;
mod selection;
mod serve;
mod session;
mod status_page;
mod storage;
mod unended;
mod validate;
mod verify;
mod verify_evidence;

const AFTER_HELP: &str =
    "Exit codes: 0 every drill ended as its scenario expects; 1 an expectation or the data failed \
                          (with --strict also a missed objective); 2 could not execute; 3 inconclusive; 130 interrupted.

\
                          Ctrl-C and SIGTERM heal every fault, remove what was made and still leave a record; that is \
                          bounded, and a second signal does not cut it short. What a killed run left is removed by the \
                          next start.";

/// Set your backups on fire, and see with evidence whether you get everything back, in time.
#[derive(Debug, Parser)]
#[command(name = "backdraft", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    common: Common,
}

/// What every verb understands.
#[derive(Debug, Clone, Args)]
struct Common {
    /// The disaster recovery plan.
    #[arg(long, global = true, value_name = "FILE", default_value = "fixtures/hooklabs/plan.yaml")]
    plan: PathBuf,
    /// Print results and errors only.
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Form of the log on standard error.
    #[arg(long, global = true, value_name = "FORM", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Play scenarios against the plan, judge them and write reports.
    Run(run::RunArgs),
    /// List scenarios, faults, services or reports.
    List(list::ListArgs),
    /// Check plan and scenarios, and read the plan as an engineer would.
    Validate(validate::ValidateArgs),
    /// Try every fault on the pipeline, and show where each was caught: the detection matrix.
    Matrix(matrix::MatrixArgs),
    /// Play the drill of a record again, and compare.
    Replay(replay::ReplayArgs),
    /// Write reports again, from records that are there.
    Report(report::ReportArgs),
    /// Write the papers of a drill's incident: status page, notices to users, calls, report.
    Incident(incident::IncidentArgs),
    /// Look at the newest backup of every service in your own buckets, read-only, and tell whom the plan names.
    Monitor(monitor::MonitorArgs),
    /// Read one backup to its last byte and restore it into a scratch target.
    Verify(verify::VerifyArgs),
    /// Keep an emulated world up for your own tools, with a page and an API to break and heal it by hand.
    Serve(serve::ServeArgs),
    /// Look at the history of all drills: list it, show one, its trend; verify it; check how old the evidence is.
    History(history::HistoryArgs),
    /// Go through the daily, weekly or monthly checklist, and write the sheet to be signed.
    Checklist(checklist::ChecklistArgs),
    /// Make a key to sign evidence with.
    Keygen(keygen::KeygenArgs),
    /// Write a plan, scripts and three scenarios for the tool that you use, to begin with.
    Init(init::InitArgs),
    /// Hold a folder of evidence against its digests and its signature, offline.
    VerifyEvidence(verify_evidence::VerifyEvidenceArgs),
}

/// What a verb ends with: an exit code, or everything that kept it from being carried out.
type Ended = std::result::Result<u8, Refused>;

/// Parses the arguments, runs the verb and returns the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(said) => return instead_of_a_verb(&arguments, &said),
    };
    let console = Console::new(cli.common.log_format, cli.common.quiet);
    start_log(cli.common.log_format);
    let ended = cli.verb.play(&cli.common, &console);
    close(&console, ended)
}

/// Help and version were asked for; everything else that clap says is a mistake of the command line.
fn instead_of_a_verb(arguments: &[OsString], said: &clap::Error) -> u8 {
    let text = said.render().to_string();
    // A program that reads the log as JSON reads mistakes in its command line so, too.
    let wants_json = arguments.iter().any(|word| word == "--log-format=json")
        || arguments.windows(2).any(|words| words[0] == "--log-format" && words[1] == "json");
    let console = Console::new(if wants_json { LogFormat::Json } else { LogFormat::Text }, false);
    if said.use_stderr() {
        console.misused(&text);
        return exit::NOT_EXECUTED;
    }
    console.text(text);
    close(&console, Ok(exit::PASS))
}

fn close(console: &Console, ended: Ended) -> u8 {
    let ended = ended.and_then(|code| console.finish().map(|()| code).map_err(Refused::from));
    ended.unwrap_or_else(|refused| {
        console.refuse(&refused);
        exit::NOT_EXECUTED
    })
}

impl Verb {
    fn play(&self, common: &Common, console: &Console) -> Ended {
        match self {
            Verb::Run(args) => run::run(args, common, console),
            Verb::List(args) => list::list(args, common, console),
            Verb::Validate(args) => validate::validate(args, common, console),
            Verb::Matrix(args) => matrix::matrix(args, common, console),
            Verb::Replay(args) => replay::replay(args, console),
            Verb::Report(args) => report::report(args, common, console),
            Verb::Incident(args) => incident::incident(args, console),
            Verb::Monitor(args) => monitor::monitor(args, common, console),
            Verb::Verify(args) => verify::verify(args, common, console),
            Verb::Serve(args) => serve::serve(args, common, console),
            Verb::History(args) => history::history(args, common, console),
            Verb::Checklist(args) => checklist::checklist(args, common, console),
            Verb::Keygen(args) => keygen::keygen(args, console),
            Verb::Init(args) => init::init(args, console),
            Verb::VerifyEvidence(args) => verify_evidence::verify_evidence(args, console),
        }
    }
}

/// The log goes to standard error; `BACKDRAFT_LOG` sets its level (`warn` where it does not;
/// `backdraft=debug` shows what happens in a drill).
fn start_log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("BACKDRAFT_LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("backdraft=warn"));
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| discreet::Log).log_internal_errors(false);
    // A second call in one process (tests) finds a log in place, which is fine.
    let _ = match format {
        LogFormat::Text => log.with_target(false).without_time().try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    // A crash of a drill is caught and becomes a record; what is said of it meanwhile is told as everything else is.
    discreet::tell_of_crashes(format);
}
