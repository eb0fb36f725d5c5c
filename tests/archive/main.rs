//! The dump formats from outside: what is packed comes back, and nothing that is not exactly a dump gets through.
#![allow(clippy::unwrap_used, missing_docs)]

mod corruption;
mod refusals;
mod round_trip;

use std::{io::Write, path::Path, sync::Arc};

use backdraft::{
    archive::{ArchiveError, InputError, Limits, Summary, pack, unpack},
    model::{plan::DumpFormat, record::Way},
    service::contract::{Contents, RowChunk, ServiceError},
    sim::{clock::Clock, lanes::Lanes},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;

const FORMATS: [DumpFormat; 3] = [DumpFormat::JsonlGz, DumpFormat::JsonGz, DumpFormat::ConvexZip];
const ROOMY: Limits = Limits { raw_bytes: 1 << 30 };

/// Tables with their rows, each a JSON object on one line.
type Tables = Vec<(String, Vec<String>)>;

fn tables(of: &[(&str, &[&str])]) -> Tables {
    of.iter().map(|(name, rows)| ((*name).to_owned(), rows.iter().map(|row| (*row).to_owned()).collect())).collect()
}

/// A little of everything.
fn sample() -> Tables {
    tables(&[
        (
            "users",
            &[r#"{"_id":"u1","name":"김하늘","n":9223372036854775807}"#, r#"{"_id":"u2","name":"Ada","x":1.50}"#],
        ),
        ("empty", &[]),
        ("posts", &[r#"{"_id":"p1","tags":["a",{"b":[null,true]}],"text":"line\nbreak \"quoted\" \\"}"#, "{}"]),
        ("nothing", &[]),
    ])
}

/// About so many bytes of rows in two tables, with an empty one between them.
fn large(bytes: usize) -> Tables {
    let row =
        |n: usize| format!(r#"{{"_id":"row{n}","text":"{}","n":{}}}"#, "lorem ipsum 다람쥐 ".repeat(n % 40), n * 7919);
    let rows: Vec<String> = (0..)
        .map(row)
        .scan(0, |sum, row| {
            (*sum < bytes).then(|| {
                *sum += row.len();
                row
            })
        })
        .collect();
    let half = rows.len() / 2;
    vec![("a".into(), rows[..half].to_vec()), ("b".into(), vec![]), ("c".into(), rows[half..].to_vec())]
}

/// Runs a drill's worth of work under a clock of that way.
fn play<T>(way: Way, work: impl AsyncFnOnce(Lanes) -> T) -> T {
    let simulated = way == Way::Simulated;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(simulated).build().unwrap();
    runtime.block_on(async { work(Lanes::new(&Clock::new(way, Timestamp::UNIX_EPOCH))).await })
}

fn contents(tables: &Tables, rows_a_chunk: usize) -> Contents {
    let mut chunks = Vec::new();
    for (name, rows) in tables {
        for rows in rows.chunks(rows_a_chunk) {
            let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
            chunks.push(Ok::<_, ServiceError>(RowChunk {
                table: name.as_str().into(),
                rows: rows.len() as u64,
                lines: lines.into(),
            }));
        }
    }
    Contents {
        tables: tables.iter().map(|(name, _)| Arc::from(name.as_str())).collect(),
        rows: stream::iter(chunks).boxed(),
    }
}

fn try_pack(format: DumpFormat, contents: Contents, way: Way) -> Result<(Vec<u8>, Summary), ArchiveError> {
    let scratch = tempfile::tempdir().unwrap();
    let packed = play(way, async |lanes| {
        let mut packed = pack(format, contents, &lanes, scratch.path());
        let mut bytes = Vec::new();
        while let Some(piece) = packed.bytes.next().await {
            bytes.extend_from_slice(&piece?);
        }
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "scratch is left as it was");
        Ok((bytes, packed.summary.get()))
    })?;
    Ok((packed.0, packed.1.expect("a summary at the end")))
}

fn packed(format: DumpFormat, tables: &Tables) -> (Vec<u8>, Summary) {
    try_pack(format, contents(tables, 100), Way::Simulated).unwrap()
}

/// Rows by table as lines, and the summary.
type Read = (Vec<(String, String)>, Summary);

fn read_as(format: DumpFormat, archive: &[u8], piece: usize, limits: Limits, way: Way) -> Result<Read, ArchiveError> {
    let scratch = tempfile::tempdir().unwrap();
    let read = play(way, async |lanes| read_on(&lanes, scratch.path(), format, archive, piece, limits).await);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "scratch is left as it was");
    read
}

async fn read_on(
    lanes: &Lanes,
    scratch: &Path,
    format: DumpFormat,
    archive: &[u8],
    piece: usize,
    limits: Limits,
) -> Result<Read, ArchiveError> {
    let pieces: Vec<Result<Bytes, InputError>> =
        archive.chunks(piece.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let mut unpacked = unpack(format, stream::iter(pieces).boxed(), limits, lanes, scratch);
    let mut found: Vec<(String, String)> = Vec::new();
    while let Some(chunk) = unpacked.rows.next().await {
        let chunk = chunk.inspect_err(|_| assert_eq!(unpacked.summary.get(), None))?;
        let lines = std::str::from_utf8(&chunk.lines).unwrap();
        assert_eq!(lines.matches('\n').count() as u64, chunk.rows);
        match found.last_mut().filter(|(name, _)| **name == *chunk.table) {
            Some((_, rows)) => rows.push_str(lines),
            None => found.push((chunk.table.to_string(), lines.to_owned())),
        }
    }
    Ok((found, unpacked.summary.get().expect("a summary at the end")))
}

fn read(format: DumpFormat, archive: &[u8]) -> Result<Read, ArchiveError> {
    read_as(format, archive, 64 << 10, ROOMY, Way::Simulated)
}

/// What reading should give.
fn as_lines(tables: &Tables) -> Vec<(String, String)> {
    tables.iter().map(|(name, rows)| (name.clone(), rows.iter().map(|row| format!("{row}\n")).collect())).collect()
}

/// A gzip file as any other program writes it.
fn gz(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(text.as_ref()).unwrap();
    gz.finish().unwrap()
}
