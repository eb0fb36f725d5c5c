//! `backdraft verify-evidence`: whether a folder of evidence is as it was written, and by whose key it was signed.

use std::path::PathBuf;

use clap::Args;

use super::{Ended, console::Console, history::head, keeper::head_words};
use crate::{
    evidence::{
        NO_PROOF, PublicKey, Statement,
        verify::{self, Expected, Found, Signature},
    },
    exit,
    model::words,
    report::text::plain,
};

/// Arguments of `verify-evidence`.
#[derive(Debug, Clone, Args)]
pub(super) struct VerifyEvidenceArgs {
    /// The output folder of a run, or of a compliance report.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The public key whose signature it must carry; without one, no signature is checked.
    #[arg(long, value_name = "PUB.pem")]
    key: Option<PathBuf>,
    /// The end of the history that it must name: the entry's number and SHA-256, as reports print them.
    #[arg(long, value_name = "SEQ:SHA256")]
    head: Option<String>,
}

pub(super) fn verify_evidence(args: &VerifyEvidenceArgs, console: &Console) -> Ended {
    let key = args.key.as_deref().map(PublicKey::read).transpose()?;
    let head = args.head.as_deref().map(head).transpose()?;
    let found = verify::verify(&args.folder, Expected { key: key.as_ref(), head: head.as_ref(), below: "" })?;
    for line in said(&found) {
        console.line(plain(&line));
    }
    Ok(match &found.signature {
        _ if !found.wrong.is_empty() => exit::FAILED,
        // A signature that nobody checked shows nothing.
        Signature::NotChecked(_) => exit::INCONCLUSIVE,
        _ => exit::PASS,
    })
}

fn said(found: &Found) -> Vec<String> {
    let signature = match &found.signature {
        Signature::Unsigned => "UNSIGNED",
        Signature::NotChecked(_) => "SIGNATURE NOT CHECKED",
        Signature::Good(_) => "SIGNED",
        Signature::Wrong(_) => "SIGNATURE WRONG",
    };
    let intact = if found.wrong.is_empty() { "intact" } else { "NOT INTACT" };
    let mut lines = vec![format!("{signature}, {intact}")];
    lines.extend(found.wrong.iter().map(|wrong| format!("  {wrong}")));
    lines.push(format!("{} of {} are as stated", found.sound, words::count(found.stated as u64, "file")));
    lines.push(match &found.signature {
        Signature::Unsigned => "key: none; whoever can write the folder can write another statement".into(),
        Signature::NotChecked(id) => {
            format!("key: claims to be sha256:{id}; give the public key with --key to check it")
        }
        Signature::Good(id) => format!("key: sha256:{id}"),
        Signature::Wrong(_) => "key: none that is shown to have signed this".into(),
    });
    // What a wrong signature stands under is nobody's word.
    let trusted = !matches!(found.signature, Signature::Wrong(_));
    if let Some(statement) = found.statement.as_ref().filter(|_| trusted) {
        lines.extend(stated(statement));
    }
    if found.signature != Signature::Unsigned {
        lines.push(NO_PROOF.into());
    }
    lines
}

fn stated(statement: &Statement) -> [String; 2] {
    let result = &statement.predicate;
    let count = |names: &[String]| names.len();
    let (passed, warned, failed) = (count(&result.passed), count(&result.warned), count(&result.failed));
    let history = statement.head().map_or("none is named".to_owned(), |head| {
        format!("head {} (`backdraft history verify --head` holds the chain against it)", head_words(&head))
    });
    [
        format!(
            "states: {} ({passed} passed, {warned} passed with warnings, {failed} did not pass)",
            result.result.words()
        ),
        format!("history: {history}"),
    ]
}
