//! `backdraft history verify`: is every entry and every record what was written?

use clap::Args;
use serde::Serialize;

use crate::{
    cli::{
        Ended,
        console::Console,
        keeper::{PlaceArgs, head_words, none_here, open_to_read, waiting_words},
    },
    error::{Error, Result},
    exit,
    history::{Verified, Waiting},
    model::{history::Head, words},
};

/// Most flaws that are printed.
const SHOWN: usize = 20;

/// Arguments of `history verify`.
#[derive(Debug, Clone, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// A head that was kept elsewhere, as `run` and this verb print it: only it shows that the tail was cut off, or that
    /// the whole was written anew.
    #[arg(long, value_name = "SEQ:SHA256")]
    head: Option<String>,
    /// Print what was found as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn verify(args: &VerifyArgs, console: &Console) -> Ended {
    let kept = args.head.as_deref().map(head).transpose()?;
    let history = open_to_read(&args.place)?;
    let verified = history.verify(kept.as_ref())?;
    let waiting = history.waiting()?;
    let found = Found { verified: &verified, waiting };
    if verified.is_none() && waiting.left == 0 {
        let none = none_here(&history);
        return Err(waiting_words(waiting).into_iter().fold(none, Error::because).into());
    }
    if args.json {
        // Made of text, numbers and lists: it always has a JSON form.
        console.line(serde_json::to_string_pretty(&found).unwrap_or_default());
    } else {
        show(&found, kept.is_some(), &history.name(), console);
    }
    Ok(match found.state() {
        State::Changed => exit::FAILED,
        State::Unfinished => exit::INCONCLUSIVE,
        State::Intact => exit::PASS,
    })
}

/// What was found in the chain and beside it.
#[derive(Serialize)]
struct Found<'f> {
    #[serde(flatten)]
    verified: &'f Verified,
    waiting: Waiting,
}

enum State {
    Intact,
    /// Not known to be whole.
    Unfinished,
    Changed,
}

impl Found<'_> {
    fn state(&self) -> State {
        match (self.verified.flaws.is_empty(), &self.verified.unfinished, self.waiting.left) {
            (false, ..) => State::Changed,
            (true, None, 0) => State::Intact,
            _ => State::Unfinished,
        }
    }
}

fn show(found: &Found<'_>, is_held: bool, name: &str, console: &Console) {
    let (verified, entries) = (found.verified, words::count(found.verified.entries, "entry"));
    match found.state() {
        State::Changed => console.line(format_args!("CHANGED: {name}: {entries} read")),
        State::Unfinished if verified.entries == 0 => console.line(format_args!("UNFINISHED: {name}: no entry yet")),
        State::Unfinished => console.line(format_args!("UNFINISHED: {name}: {entries} and their records as written")),
        State::Intact => console.line(format_args!("intact: {name}: {entries} and their records")),
    }
    flaws(verified, console);
    if let Some(unfinished) = &verified.unfinished {
        console.line(format_args!("  {unfinished}; a killed run leaves this, and the next run puts it right"));
    }
    if let Some(waiting) = waiting_words(found.waiting) {
        console.line(format_args!("  not in it: {waiting}"));
    }
    if let Some(head) = verified.head.as_ref().filter(|_| verified.flaws.is_empty()) {
        console.line(format_args!("head {}", head_words(head)));
        if !is_held {
            console.line(
                "Keep the head elsewhere, and give it with --head: without it, a tail that was cut off cleanly and a \
                 history that was written anew look whole.",
            );
        }
    }
}

/// What was changed, entry by entry.
pub(super) fn flaws(verified: &Verified, console: &Console) {
    for flaw in verified.flaws.iter().take(SHOWN) {
        console.line(format_args!("  entry {}: {}", flaw.sequence, flaw.what));
    }
    if let Some(more) = verified.flaws.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        console.line(format_args!("  and {more} more"));
    }
}

/// A head as people write it down.
///
/// # Errors
/// When it is none.
pub(in crate::cli) fn head(text: &str) -> Result<Head> {
    let parsed = text.split_once(':').and_then(|(sequence, sha256)| {
        let sha256 = sha256.trim().to_ascii_lowercase();
        let is_sha256 = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        let sequence = sequence.trim().parse().ok().filter(|sequence: &u64| *sequence > 0 && is_sha256)?;
        Some(Head { sequence, sha256 })
    });
    parsed.ok_or_else(|| {
        let what = format!("`{}` is no head", text.escape_debug());
        Error::new(what).help("write SEQ:SHA256 as `run` and `history verify` print it")
    })
}
