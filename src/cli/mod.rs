//! The command line: one file a verb. Verbs return an exit code of `exit.rs`; errors are printed here, once.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{error::Result, exit};

mod list;
mod output;
mod progress;
mod replay;
mod run;
mod selection;
mod session;
mod validate;

const AFTER_HELP: &str = "Exit codes: 0 every drill ended as its scenario expects; 1 an expectation or the data failed \
                          (with --strict also a missed objective); 2 could not execute; 3 inconclusive; 130 interrupted.";

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
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
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
    /// Play the drill of a record again, and compare.
    Replay(replay::ReplayArgs),
}

/// Parses the arguments, runs the verb and returns the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(refused) => {
            let asked_for = !refused.use_stderr(); // --help and --version are no mistakes
            let printed = refused.print();
            return if asked_for && printed.is_ok() { exit::PASS } else { exit::NOT_EXECUTED };
        }
    };
    start_log(cli.common.log_format);
    match cli.verb.play(&cli.common) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            exit::NOT_EXECUTED
        }
    }
}

impl Verb {
    fn play(&self, common: &Common) -> Result<u8> {
        match self {
            Verb::Run(args) => run::run(args, common),
            Verb::List(args) => list::list(args, common),
            Verb::Validate(args) => validate::validate(args, common),
            Verb::Replay(args) => replay::replay(args, common),
        }
    }
}

/// The log goes to standard error; `BACKDRAFT_LOG` sets its level (`warn` where it does not).
fn start_log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("BACKDRAFT_LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("backdraft=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call in one process (tests) finds a log in place, which is fine.
    let _ = match format {
        LogFormat::Text => log.with_target(false).without_time().try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}
