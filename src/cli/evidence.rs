//! The evidence that a verb leaves of what it wrote: a statement, and the same signed where there is a key.

use std::path::PathBuf;

use clap::Args;

use super::{console::Console, output::Output};
use crate::{
    error::Result,
    evidence::{ENVELOPE_FILE, PrivateKey, STATEMENT_FILE, Statement, dsse::Envelope},
};

/// Arguments of verbs that write evidence.
#[derive(Debug, Clone, Args)]
pub(super) struct SignArgs {
    /// Sign the evidence with this private key (`backdraft keygen`); without one it stays UNSIGNED.
    #[arg(long, value_name = "FILE", env = "BACKDRAFT_SIGN_KEY", hide_env_values = true)]
    sign_key: Option<PathBuf>,
}

/// A key with its name.
pub(super) struct Signer {
    key: PrivateKey,
    /// `sha256:` and its id, as reports print it.
    pub(super) name: String,
}

impl SignArgs {
    /// Reads the key, before anything is played. An empty variable is none.
    ///
    /// # Errors
    /// When there is to be one and it cannot be had.
    pub(super) fn signer(&self) -> Result<Option<Signer>> {
        let Some(path) = self.sign_key.as_ref().filter(|path| !path.as_os_str().is_empty()) else { return Ok(None) };
        let key = PrivateKey::read(path)?;
        let name = format!("sha256:{}", key.public().id());
        Ok(Some(Signer { key, name }))
    }
}

/// Removes the evidence of an earlier run from the folder: it does not speak of what is written now.
///
/// # Errors
/// When it cannot be removed.
pub(super) fn clear(output: &Output) -> Result<()> {
    output.remove(STATEMENT_FILE)?;
    output.remove(ENVELOPE_FILE)
}

/// Writes the statement, last of all, and signs it where there is a key.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(statement: &Statement, signer: Option<&Signer>, output: &Output, console: &Console) -> Result<()> {
    let bytes = statement.to_bytes();
    let mut path = output.write_bytes(STATEMENT_FILE, &bytes)?;
    let mut signed = "UNSIGNED".to_owned();
    if let Some(signer) = signer {
        // Texts alone: an envelope always has a JSON form.
        let envelope = serde_json::to_string_pretty(&Envelope::sign(&bytes, &signer.key)).unwrap_or_default();
        path = output.write(ENVELOPE_FILE, &(envelope + "\n"))?;
        signed = format!("signed with key {}", signer.name);
    }
    if !console.is_quiet() {
        console.line(format_args!("evidence: {} ({signed})", path.display()));
    }
    Ok(())
}
