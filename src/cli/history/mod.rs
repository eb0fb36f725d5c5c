//! `backdraft history`: every drill that was ever kept. One file a question.

use clap::{Args, Subcommand};

use super::{Common, Ended, console::Console};

pub(super) use verify::head;

mod check;
mod list;
mod show;
mod trend;
mod verify;

/// Arguments of `history`.
#[derive(Debug, Clone, Args)]
pub(super) struct HistoryArgs {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Clone, Subcommand)]
enum Question {
    /// List drills, oldest first.
    List(list::ListArgs),
    /// Show one drill.
    Show(show::ShowArgs),
    /// Show twelve months of every service: recovery times and losses against the objectives.
    Trend(trend::TrendArgs),
    /// Read all of it: is every entry and every record what was written?
    Verify(verify::VerifyArgs),
    /// Fail where a service of the plan has no green drill that is young enough.
    Check(check::CheckArgs),
}

pub(super) fn history(args: &HistoryArgs, common: &Common, console: &Console) -> Ended {
    match &args.question {
        Question::List(args) => list::list(args, common, console),
        Question::Show(args) => show::show(args, common, console),
        Question::Trend(args) => trend::trend(args, common, console),
        Question::Verify(args) => verify::verify(args, console),
        Question::Check(args) => check::check(args, common, console),
    }
}
