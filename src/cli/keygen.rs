//! `backdraft keygen`: a key to sign evidence with, and the one that verifies it.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use clap::Args;
use tempfile::NamedTempFile;

use super::{Ended, console::Console};
use crate::{
    error::{Error, Result},
    evidence::{NO_PROOF, PrivateKey},
    exit,
    sim::secret,
};

/// Arguments of `keygen`.
#[derive(Debug, Clone, Args)]
pub(super) struct KeygenArgs {
    /// The private key's file; the public key is written beside it as NAME.pub.pem.
    #[arg(long, value_name = "FILE", default_value = "backdraft-key.pem")]
    out: PathBuf,
}

pub(super) fn keygen(args: &KeygenArgs, console: &Console) -> Ended {
    let (private, public) = (&args.out, args.out.with_extension("pub.pem"));
    for path in [private, &public] {
        // A link that points nowhere is there, too.
        if fs::symlink_metadata(path).is_ok() {
            return Err(is_there(path).into());
        }
    }
    let seed = secret::secret().map_err(|e| Error::new("there is no randomness to make a key of").because(e))?;
    let key = PrivateKey::from_secret(&seed);
    write_new(private, &key.to_pem()?, 0o600)?;
    if let Err(e) = write_new(&public, &key.public().to_pem()?, 0o644) {
        // Half a pair is of no use to anybody; where it cannot be removed there is nothing more to do.
        let _ = fs::remove_file(private);
        return Err(e.into());
    }
    console.line(format_args!("private key: {} (keep it secret; sign with --sign-key)", private.display()));
    console.line(format_args!("public key:  {} (give it to whoever verifies)", public.display()));
    console.line(format_args!("key id:      sha256:{}", key.public().id()));
    if !console.is_quiet() {
        console.line(NO_PROOF);
    }
    Ok(exit::PASS)
}

fn is_there(path: &Path) -> Error {
    let what = Error::new("this file is there already, and a key is never overwritten").at(path.display().to_string());
    what.help("choose another file with --out FILE, or move the old key away")
}

/// Writes a file that is not there yet, whole or not at all.
fn write_new(path: &Path, content: &str, mode: u32) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(content.as_bytes())?;
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path)?;
        Ok(())
    });
    written.map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => is_there(path),
        _ => {
            let what = Error::new("the key cannot be written").at(path.display().to_string()).because(e);
            what.help("choose a file in a folder that is there and that this user may write with --out FILE")
        }
    })
}
