//! `backdraft history verify`: is every entry and every record what was written?

use clap::Args;

use crate::{
    cli::{
        Ended,
        console::Console,
        keeper::{PlaceArgs, head_words, open_to_read},
    },
    error::{Error, Result},
    exit,
    history::Verified,
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
    if verified.head.is_none() && verified.flaws.is_empty() && verified.unfinished.is_none() {
        let help = "`backdraft run` begins one; name another with --history PLACE";
        return Err(Error::new("there is no history here").at(history.name()).help(help).into());
    }
    if args.json {
        // Made of text, numbers and lists: it always has a JSON form.
        console.line(serde_json::to_string_pretty(&verified).unwrap_or_default());
    } else {
        show(&verified, kept.is_some(), &history.name(), console);
    }
    Ok(code(&verified))
}

/// What was changed is a failure; what is not finished is not known to be whole.
fn code(verified: &Verified) -> u8 {
    match (verified.flaws.is_empty(), &verified.unfinished) {
        (false, _) => exit::FAILED,
        (true, Some(_)) => exit::INCONCLUSIVE,
        (true, None) => exit::PASS,
    }
}

fn show(verified: &Verified, is_held: bool, name: &str, console: &Console) {
    let entries = words::count(verified.entries, "entry");
    match (verified.flaws.is_empty(), &verified.unfinished) {
        (false, _) => console.line(format_args!("CHANGED: {name}: {entries} read")),
        (true, Some(_)) => console.line(format_args!("UNFINISHED: {name}: {entries} and their records as written")),
        (true, None) => console.line(format_args!("intact: {name}: {entries} and their records")),
    }
    flaws(verified, console);
    if let Some(unfinished) = &verified.unfinished {
        console.line(format_args!("  {unfinished}; a killed run leaves this, and the next run finishes it"));
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
