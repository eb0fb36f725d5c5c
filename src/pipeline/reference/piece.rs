//! A piece of the change stream: a JSON Lines dump of what changed. Its first table says where the piece belongs, its
//! last one seals it. One object, so that there is never a piece without its description.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    archive::{self, Limits},
    model::{event::Position, naming::PieceName, plan::DumpFormat},
    pipeline::Workbench,
    service::contract::{Changes, Contents, RowChunk},
    store::ByteStream,
};

/// Version of the pieces that this build writes and reads.
const FORMAT: &str = "backdraft.piece/1";

/// Largest piece that is written or read, in bytes, packed or not. A piece is held in memory.
const MAX_BYTES: u64 = 32 << 20;

const HEADER: &str = "_piece";
const SEAL: &str = "_seal";

/// Where a piece belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    _id: String,
    format: String,
    pub(super) service: String,
    /// The position after which it begins.
    pub(super) from: Position,
    /// The last write in it.
    pub(super) to: Position,
    /// Seal of the piece before it; none where it follows a backup.
    pub(super) previous: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    _id: String,
    sha256: String,
}

/// A piece as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    pub(super) header: Header,
    /// SHA-256 of header and changes, in lower-case hexadecimal.
    pub(super) seal: String,
    pub(super) bytes: Bytes,
    /// Bytes of header and changes as JSON lines.
    pub(super) raw_bytes: u64,
}

/// A piece as it is read: all of it, and nothing in it wrong.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    pub(super) header: Header,
    pub(super) seal: String,
    /// The changes.
    pub(super) rows: Vec<RowChunk>,
    /// Bytes of header and changes as JSON lines.
    pub(super) raw_bytes: u64,
}

impl Opened {
    /// Whether it is the piece of that name and service. Err: in what it differs.
    pub(super) fn check(&self, service: &str, name: &PieceName) -> Result<(), String> {
        let Header { from, to, .. } = &self.header;
        if self.header.service != service {
            return Err(format!("it is a piece of service {}, not {service}", self.header.service));
        }
        if (from.seq, to.seq) != (name.from, name.to) {
            return Err(format!("it holds writes {} to {}, its name says otherwise", from.seq + 1, to.seq));
        }
        Ok(())
    }
}

/// Packs changes into a piece.
pub(super) async fn pack(
    service: &str,
    changes: Changes,
    previous: Option<String>,
    bench: &Workbench,
) -> Result<Packed, String> {
    let Changes { from, to, rows } = changes;
    let (_id, format, service) = ("piece".into(), FORMAT.into(), service.to_owned());
    let header = Header { _id, format, service, from, to, previous };
    let mut chunks = vec![line(HEADER, &header)?];
    chunks.extend(bounded(rows.map_err(|e| e.to_string()).boxed()).await?);
    let seal = seal_of(&chunks);
    let raw_bytes = raw_bytes(&chunks);
    chunks.push(line(SEAL, &Seal { _id: "seal".into(), sha256: seal.clone() })?);
    let mut tables: Vec<Arc<str>> = chunks.iter().map(|chunk| Arc::clone(&chunk.table)).collect();
    tables.dedup();
    let contents = Contents { tables, rows: stream::iter(chunks.into_iter().map(Ok)).boxed() };
    let packed = archive::pack(DumpFormat::JsonlGz, contents, &bench.lanes, &bench.scratch);
    let collect = packed.bytes.try_fold(BytesMut::new(), |mut all, piece| async move {
        all.extend_from_slice(&piece);
        Ok(all)
    });
    let bytes = collect.await.map_err(|e| e.to_string())?.freeze();
    Ok(Packed { header, seal, bytes, raw_bytes })
}

/// Reads a piece and checks all of it against its seal.
pub(super) async fn open(bytes: Bytes, bench: &Workbench) -> Result<Opened, String> {
    let input = stream::iter([Ok(bytes)]).boxed();
    // Each row names its table as well.
    let limits = Limits { raw_bytes: 2 * MAX_BYTES };
    let opened = archive::unpack(DumpFormat::JsonlGz, input, limits, &bench.lanes, &bench.scratch);
    let mut chunks = bounded(opened.rows.map_err(|e| e.to_string()).boxed()).await?;
    let seal = chunks.pop().filter(|last| *last.table == *SEAL).ok_or("it has no seal")?;
    let seal: Seal = read(&seal).map_err(|e| format!("its seal is unreadable: {e}"))?;
    let found = seal_of(&chunks);
    if seal.sha256 != found {
        return Err(format!("its content has SHA-256 {found}, its seal says {}", seal.sha256));
    }
    let raw_bytes = raw_bytes(&chunks);
    let mut chunks = chunks.into_iter();
    let header = chunks.next().filter(|first| *first.table == *HEADER).ok_or("it has no header")?;
    let header: Header = read(&header).map_err(|e| format!("its header is unreadable: {e}"))?;
    if header.format != FORMAT {
        return Err(format!("it is of format `{}`, not `{FORMAT}`", header.format.escape_debug()));
    }
    if header.to.seq <= header.from.seq {
        return Err(format!("it goes from write {} to {}", header.from.seq, header.to.seq));
    }
    Ok(Opened { header, seal: seal.sha256, rows: chunks.collect(), raw_bytes })
}

/// Reads a body that is a piece into memory.
pub(super) async fn collect(size: u64, mut body: ByteStream) -> Result<Bytes, crate::store::StoreErrorKind> {
    let mut all = BytesMut::new();
    if size > MAX_BYTES {
        return Err(crate::store::StoreErrorKind::Nonsense);
    }
    while let Some(piece) = body.next().await {
        all.extend_from_slice(&piece.map_err(|e| e.kind)?);
    }
    Ok(all.freeze())
}

/// Rows into memory, as many as a piece may have.
async fn bounded(
    mut rows: futures_util::stream::BoxStream<'_, Result<RowChunk, String>>,
) -> Result<Vec<RowChunk>, String> {
    let (mut chunks, mut bytes) = (Vec::new(), 0);
    while let Some(chunk) = rows.next().await {
        let chunk = chunk?;
        bytes += chunk.lines.len() as u64;
        if bytes > MAX_BYTES {
            return Err(format!("it has more than {MAX_BYTES} bytes of changes"));
        }
        chunks.push(chunk);
    }
    Ok(chunks)
}

fn raw_bytes(chunks: &[RowChunk]) -> u64 {
    chunks.iter().map(|chunk| chunk.lines.len() as u64).sum()
}

/// How rows are cut into chunks makes no difference.
fn seal_of(chunks: &[RowChunk]) -> String {
    let mut sha = Sha256::new();
    let mut table = None;
    for chunk in chunks {
        if table != Some(&chunk.table) {
            sha.update(chunk.table.as_bytes());
            sha.update(b"\n");
            table = Some(&chunk.table);
        }
        sha.update(&chunk.lines);
    }
    HEXLOWER.encode(&sha.finalize())
}

fn line(table: &str, row: &impl Serialize) -> Result<RowChunk, String> {
    let text = serde_json::to_string(row).map_err(|e| e.to_string())?;
    Ok(RowChunk { table: table.into(), rows: 1, lines: (text + "\n").into() })
}

fn read<'c, T: Deserialize<'c>>(chunk: &'c RowChunk) -> Result<T, serde_json::Error> {
    serde_json::from_slice(&chunk.lines)
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
    use jiff::Timestamp;

    use super::*;
    use crate::{
        model::record::Way,
        sim::{clock::Clock, lanes::Lanes, recorder::Recorder},
    };

    fn bench() -> Workbench {
        let clock = Clock::new(Way::Simulated, Timestamp::UNIX_EPOCH);
        let (lanes, recorder) = (Lanes::new(&clock), Recorder::new(&clock, None));
        Workbench { stores: vec![], clock, lanes, recorder, scratch: std::env::temp_dir() }
    }

    fn position(seq: u64) -> Position {
        Position { seq, committed_at: Timestamp::from_second(seq as i64).unwrap() }
    }

    async fn packed() -> Packed {
        let chunk = |table: &str, lines: &'static str| {
            Ok(RowChunk { table: table.into(), rows: lines.lines().count() as u64, lines: lines.into() })
        };
        let rows = [
            chunk("users", "{\"_id\":\"u1\",\"n\":1}\n"),
            chunk("users", "{\"_id\":\"u2\",\"_deleted\":true}\n"),
            chunk("posts", "{\"_id\":\"p1\",\"n\":7}\n"),
        ];
        let changes = Changes { from: position(3), to: position(6), rows: stream::iter(rows).boxed() };
        pack("database", changes, Some("ab".repeat(32)), &bench()).await.unwrap()
    }

    /// The piece with one text of it replaced, and packed again by somebody who knows gzip and not the seal.
    fn forged(piece: &Packed, from: &str, to: &str) -> Bytes {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut MultiGzDecoder::new(&piece.bytes[..]), &mut text).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        std::io::Write::write_all(&mut gzip, text.replacen(from, to, 1).as_bytes()).unwrap();
        gzip.finish().unwrap().into()
    }

    #[tokio::test]
    async fn a_piece_reads_back_as_it_was_packed() {
        let piece = packed().await;
        let opened = open(piece.bytes.clone(), &bench()).await.unwrap();
        assert_eq!((&opened.header, &opened.seal), (&piece.header, &piece.seal));
        assert_eq!(opened.rows.iter().map(|chunk| chunk.rows).sum::<u64>(), 3);
        let name = |from, to| PieceName::at(Timestamp::UNIX_EPOCH, from, to);
        assert_eq!(opened.check("database", &name(3, 6)), Ok(()));
        assert!(opened.check("files", &name(3, 6)).is_err() && opened.check("database", &name(3, 7)).is_err());
    }

    #[tokio::test]
    async fn nothing_in_a_piece_can_be_changed_unnoticed() {
        let piece = packed().await;
        assert!(open(forged(&piece, "u1", "u1"), &bench()).await.is_ok(), "another writer's gzip is no damage");
        let edits = [
            ("\"n\":7", "\"n\":8"),
            ("\"seq\":6", "\"seq\":9"),
            ("\"previous\":\"ab", "\"previous\":\"cd"),
            ("database", "databank"),
            ("{\"_table\":\"posts\",\"_id\":\"p1\",\"n\":7}\n", ""),
            ("\"_table\":\"posts\"", "\"_table\":\"users\""),
            ("\"sha256\":\"", "\"sha256\":\"0"),
            ("piece/1", "piece/2"),
        ];
        for (from, to) in edits {
            assert!(open(forged(&piece, from, to), &bench()).await.is_err(), "{from} became {to}");
        }
        for cut in [0, piece.bytes.len() / 2, piece.bytes.len() - 1] {
            assert!(open(piece.bytes.slice(..cut), &bench()).await.is_err(), "cut at {cut}");
        }
    }
}
