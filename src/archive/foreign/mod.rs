//! Files that others wrote: what their names say they are, whether their first and last bytes agree, and one pass over
//! all of their bytes that holds them against whatever checksums and grammar their form has. It never says more than
//! the form allows: what has no checksum is read and not checked.

use std::path::Path;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};

use super::{ArchiveError, InputError, Limits, members};
use crate::sim::lanes::Lanes;

mod glance;
mod json;
mod tar;
mod zip;

pub use glance::{HEAD_BYTES, TAIL_BYTES, glance};

/// What a file is packed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrap {
    /// Nothing.
    Plain,
    /// gzip, which has checksums.
    Gzip,
    /// A ZIP, which has checksums and a directory at its end.
    Zip,
    /// Zstandard, xz or bzip2: known by the first bytes, and not inflated here.
    Other {
        /// Its name.
        name: &'static str,
        /// What it begins with.
        magic: &'static [u8],
    },
    /// Encrypted: nothing can be said of its bytes.
    Encrypted,
}

/// What lies in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// One JSON document.
    Json,
    /// A JSON document a line.
    JsonLines,
    /// A tape archive.
    Tar,
    /// Anything else.
    Unknown,
}

/// What a file's name says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// What it is packed in.
    pub wrap: Wrap,
    /// What lies in it.
    pub content: Content,
}

const ZSTD: Wrap = Wrap::Other { name: "Zstandard", magic: b"\x28\xb5\x2f\xfd" };
const XZ: Wrap = Wrap::Other { name: "xz", magic: b"\xfd7zXZ\0" };
const BZIP2: Wrap = Wrap::Other { name: "bzip2", magic: b"BZh" };

impl Kind {
    /// By the endings of a name.
    pub fn of_name(name: &str) -> Kind {
        let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let short = |from: &str, to: &str| name.strip_suffix(from).map(|stem| format!("{stem}{to}"));
        let long = short(".tgz", ".tar.gz").or_else(|| short(".tbz2", ".tar.bz2")).or_else(|| short(".txz", ".tar.xz"));
        let name = long.unwrap_or(name);
        const WRAPS: [(&str, Wrap); 9] = [
            (".gz", Wrap::Gzip),
            (".zip", Wrap::Zip),
            (".zst", ZSTD),
            (".xz", XZ),
            (".bz2", BZIP2),
            (".age", Wrap::Encrypted),
            (".gpg", Wrap::Encrypted),
            (".pgp", Wrap::Encrypted),
            (".enc", Wrap::Encrypted),
        ];
        let wrapped = WRAPS.iter().find_map(|(ending, wrap)| Some((*wrap, name.strip_suffix(ending)?)));
        let (wrap, stem) = wrapped.unwrap_or((Wrap::Plain, &name));
        let content = match stem.rsplit_once('.').map(|(_, ending)| ending) {
            _ if matches!(wrap, Wrap::Zip | Wrap::Encrypted) => Content::Unknown,
            Some("json") => Content::Json,
            Some("jsonl" | "ndjson") => Content::JsonLines,
            Some("tar") => Content::Tar,
            _ => Content::Unknown,
        };
        Kind { wrap, content }
    }

    /// As people read it; `None` where the name says nothing that can be looked for.
    pub fn words(self) -> Option<String> {
        let content = match self.content {
            Content::Json => "JSON",
            Content::JsonLines => "JSON lines",
            Content::Tar => "tar",
            Content::Unknown => "",
        };
        let wrap = match self.wrap {
            Wrap::Plain if content.is_empty() => return None,
            Wrap::Plain => return Some(content.into()),
            Wrap::Gzip => "gzip",
            Wrap::Zip => "ZIP",
            Wrap::Other { name, .. } => name,
            Wrap::Encrypted => return None,
        };
        Some(if content.is_empty() { wrap.into() } else { format!("{content} in {wrap}") })
    }

    /// Whether one pass over its bytes can find damage in them; Err: why it cannot.
    pub fn is_checkable(self) -> Result<(), String> {
        match (self.wrap, self.content) {
            (Wrap::Gzip | Wrap::Zip, _) | (Wrap::Plain, Content::Json | Content::JsonLines | Content::Tar) => Ok(()),
            (Wrap::Other { name, .. }, _) => Err(format!("{name} is not inflated here")),
            (Wrap::Encrypted, _) => Err("it is encrypted".into()),
            (Wrap::Plain, Content::Unknown) => Err("its name says no form that could be checked".into()),
        }
    }
}

/// Reads all of a file in one pass, with bounded memory (a ZIP goes through a file in `scratch`), and checks what its form
/// has to be checked: checksums, grammar, the end.
///
/// # Errors
/// What is wrong with it, or with reading it.
pub async fn check(
    kind: Kind,
    bytes: BoxStream<'static, Result<Bytes, InputError>>,
    lanes: &Lanes,
    scratch: &Path,
) -> Result<(), ArchiveError> {
    let bytes = bytes.map_err(ArchiveError::Input).boxed();
    // What is inflated is looked at and thrown away, so that nothing grows with it.
    let limits = Limits { raw_bytes: u64::MAX };
    let mut pieces = match kind.wrap {
        Wrap::Zip => return zip::check(bytes, lanes, scratch).await,
        Wrap::Gzip => members::gunzip(bytes, limits, lanes),
        Wrap::Plain | Wrap::Other { .. } | Wrap::Encrypted => members::plain(bytes, limits),
    };
    let mut reader = match kind.wrap {
        Wrap::Plain | Wrap::Gzip => Reader::of(kind.content),
        Wrap::Other { name, magic } => Reader::Magic { name, magic, begins: Vec::new() },
        Wrap::Zip | Wrap::Encrypted => Reader::Nothing,
    };
    while let Some(piece) = pieces.next().await.transpose()? {
        let result;
        (reader, result) = lanes
            .run(move || {
                let result = reader.feed(&piece);
                (reader, result)
            })
            .await;
        result?;
    }
    reader.finish()
}

/// What follows the bytes of a form.
enum Reader {
    Json(Box<json::Walker>),
    Tar(Box<tar::Walker>),
    /// The first bytes alone.
    Magic {
        name: &'static str,
        magic: &'static [u8],
        begins: Vec<u8>,
    },
    Nothing,
}

impl Reader {
    fn of(content: Content) -> Self {
        match content {
            Content::Json => Reader::Json(Box::new(json::Walker::new(false))),
            Content::JsonLines => Reader::Json(Box::new(json::Walker::new(true))),
            Content::Tar => Reader::Tar(Box::default()),
            Content::Unknown => Reader::Nothing,
        }
    }

    fn feed(&mut self, piece: &[u8]) -> Result<(), ArchiveError> {
        match self {
            Reader::Json(walker) => walker.feed(piece),
            Reader::Tar(walker) => walker.feed(piece),
            Reader::Magic { magic, begins, .. } => {
                let lacking = magic.len().saturating_sub(begins.len());
                begins.extend(piece.iter().take(lacking));
                Ok(())
            }
            Reader::Nothing => Ok(()),
        }
    }

    fn finish(self) -> Result<(), ArchiveError> {
        match self {
            Reader::Json(walker) => walker.finish(),
            Reader::Tar(walker) => walker.finish(),
            Reader::Magic { name, magic, begins } if begins != magic => Err(ArchiveError::foreign(name, &begins)),
            Reader::Magic { .. } | Reader::Nothing => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
