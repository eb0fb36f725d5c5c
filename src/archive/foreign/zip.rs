//! Any ZIP: its bytes go to a scratch file, and every entry is inflated and held against its checksum. JSON in it is read
//! as JSON.

use std::{fs::File, io::Read, path::Path};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream::BoxStream};
use zip::{ZipArchive, result::ZipError};

use super::{Kind, Reader, Wrap};
use crate::{
    archive::{ArchiveError, PIECE_BYTES, convex::Spool},
    sim::lanes::Lanes,
};

/// Most entries that are read.
const MAX_ENTRIES: usize = 1 << 20;

pub(super) async fn check(
    mut bytes: BoxStream<'static, Result<Bytes, ArchiveError>>,
    lanes: &Lanes,
    scratch: &Path,
) -> Result<(), ArchiveError> {
    let mut spool = Spool::new(scratch)?;
    let mut held = BytesMut::new();
    while let Some(piece) = bytes.next().await.transpose()? {
        held.extend_from_slice(&piece);
        if held.len() >= PIECE_BYTES {
            spool = spool.append(held.split().freeze(), lanes).await?;
        }
    }
    let spool = spool.append(held.freeze(), lanes).await?;
    lanes.run(move || check_file(&spool.file)).await
}

fn check_file(file: &File) -> Result<(), ArchiveError> {
    let unreadable = |error: ZipError| ArchiveError::damaged("the ZIP directory", error.to_string());
    let mut archive = ZipArchive::new(file).map_err(unreadable)?;
    if archive.len() > MAX_ENTRIES {
        return Err(ArchiveError::damaged("the ZIP directory", format!("more than {MAX_ENTRIES} entries")));
    }
    let mut piece = vec![0; 256 << 10];
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|e| ArchiveError::entry(&format!("{index}"), e.to_string()))?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let kind = Kind::of_name(&name);
        let mut reader = if kind.wrap == Wrap::Plain { Reader::of(kind.content) } else { Reader::Nothing };
        loop {
            let read = entry.read(&mut piece).map_err(|e| ArchiveError::entry(&name, e.to_string()))?;
            if read == 0 {
                break;
            }
            reader.feed(&piece[..read]).map_err(|e| ArchiveError::entry(&name, e.to_string()))?;
        }
        reader.finish().map_err(|e| ArchiveError::entry(&name, e.to_string()))?;
    }
    Ok(())
}
