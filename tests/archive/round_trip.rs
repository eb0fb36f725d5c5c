//! What is packed is what is read, for every form of rows, chunks and lanes, and for the tools that others use.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use proptest::prelude::*;

use super::*;

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<u64>().prop_map(|n| n.to_string()),
        prop_oneof![
            Just("1.50"),
            Just("-0.0"),
            Just("1e-7"),
            Just("12345678901234567890123"),
            Just("null"),
            Just("true")
        ]
        .prop_map(str::to_owned),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((key(), inner), 0..4).prop_map(|members| object(&members)),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![Just("_table".to_owned()), Just("_tables".to_owned()), "[a-z_]{1,6}", any::<String>()]
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(key, value)| format!("{}:{value}", serde_json::to_string(key).unwrap())).collect();
    format!("{{{}}}", members.join(","))
}

fn any_tables() -> impl Strategy<Value = Tables> {
    let row = prop::collection::vec((key(), value()), 0..5).prop_map(|members| object(&members));
    let name = prop_oneof![
        "[a-z]{1,3}",
        "[A-Za-z가-힣\"'. :-]{1,12}".prop_filter("a folder's name", |name| name != "." && name != "..")
    ];
    prop::collection::btree_map(name, prop::collection::vec(row, 0..12), 0..5)
        .prop_map(|tables: BTreeMap<String, Vec<String>>| tables.into_iter().collect::<Tables>())
        .prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_rows_come_back_unchanged_with_the_same_digests(
        tables in any_tables(),
        chunk in 1usize..8,
        piece in 1usize..400,
    ) {
        for format in FORMATS {
            let (archive, packed) = try_pack(format, contents(&tables, chunk), Way::Simulated).unwrap();
            let (found, read) = read_as(format, &archive, piece, ROOMY, Way::Simulated).unwrap();
            prop_assert_eq!(&found, &as_lines(&tables));
            prop_assert_eq!(read, packed, "{:?}", format);
        }
    }

    #[test]
    fn the_object_form_reads_any_spelling_of_the_same_dump(tables in any_tables()) {
        let (archive, packed) = packed(DumpFormat::JsonGz, &tables);
        let value: serde_json::Value = serde_json::from_slice(&gunzip(&archive)).unwrap();
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        let (found, read) = read(DumpFormat::JsonGz, &gz(pretty)).unwrap();
        let canonical = as_lines(&tables).into_iter().map(|(name, lines)| {
            let row = |row| serde_json::from_str::<serde_json::Value>(row).unwrap().to_string() + "\n";
            (name, lines.lines().map(row).collect::<String>())
        });
        prop_assert_eq!(found, canonical.collect::<Vec<_>>());
        prop_assert_eq!(read.tables.len(), packed.tables.len());
    }
}

/// As this crate's own library for gzip reads it, all members.
fn gunzip(archive: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(archive), &mut text).unwrap();
    text
}

#[test]
fn the_bytes_do_not_depend_on_lanes_or_chunks_and_several_members_come_back() {
    let tables = large(3 << 20);
    for format in FORMATS {
        let in_line = try_pack(format, contents(&tables, 7), Way::Simulated).unwrap();
        let parallel = try_pack(format, contents(&tables, 1000), Way::Real).unwrap();
        assert!(in_line == parallel, "{format:?}");
        for way in [Way::Simulated, Way::Real] {
            let (found, read) = read_as(format, &in_line.0, 10_000, ROOMY, way).unwrap();
            assert!(found == as_lines(&tables), "{format:?} {way:?}");
            assert_eq!(read, in_line.1);
        }
    }
}

#[test]
fn a_dump_that_was_packed_again_by_gzip_reads_the_same() {
    let tables = large(3 << 20);
    for format in [DumpFormat::JsonlGz, DumpFormat::JsonGz] {
        let (archive, packed) = packed(format, &tables);
        let (found, read) = read(format, &gz(gunzip(&archive))).unwrap();
        assert!(found == as_lines(&tables), "{format:?}");
        assert_eq!(read.tables, packed.tables);
        assert_ne!(read.stored_sha256, packed.stored_sha256);
    }
}

#[test]
fn the_forms_are_what_their_readers_elsewhere_expect() {
    let text = |format| String::from_utf8(gunzip(&packed(format, &sample()).0)).unwrap();
    insta::assert_snapshot!("json_lines", text(DumpFormat::JsonlGz));
    insta::assert_snapshot!("json_object", text(DumpFormat::JsonGz));
    let archive = packed(DumpFormat::ConvexZip, &sample()).0;
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let mut listing = String::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let text = std::io::read_to_string(&mut entry).unwrap();
        listing += &format!("--- {name}\n{text}");
    }
    insta::assert_snapshot!("convex_zip", listing);
}

#[test]
fn gunzip_and_unzip_read_what_is_packed() {
    let tables = large(3 << 20);
    let (archive, _) = packed(DumpFormat::JsonlGz, &tables);
    match piped("gunzip", &["-c"], &archive) {
        Some(text) => assert!(text == gunzip(&archive)),
        None => eprintln!("skipped: gunzip is not installed"),
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.zip");
    std::fs::write(&path, packed(DumpFormat::ConvexZip, &tables).0).unwrap();
    match piped("unzip", &["-p", path.to_str().unwrap(), "c/documents.jsonl"], &[]) {
        Some(text) => assert!(text == as_lines(&tables)[2].1.as_bytes()),
        None => eprintln!("skipped: unzip is not installed"),
    }
}

/// What a command writes when it is fed with `input`; `None` where it is not installed.
fn piped(command: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(command).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    assert!(output.status.success(), "{command} refuses it");
    Some(output.stdout)
}

#[test]
fn packing_and_unpacking_hold_a_few_pieces_at_a_time() {
    let taken = Arc::new(AtomicUsize::new(0));
    let lines = "{\"a\":\"0123456789\"}\n".repeat(50_000);
    let counter = taken.clone();
    let chunk = RowChunk { table: "t".into(), rows: 50_000, lines: lines.into() };
    let rows = stream::repeat(Ok(chunk)).inspect(move |_| _ = counter.fetch_add(1, Ordering::Relaxed)).take(64);
    let contents = Contents { tables: vec!["t".into()], rows: rows.boxed() };
    let scratch = tempfile::tempdir().unwrap();
    play(Way::Simulated, async |lanes| {
        let mut packed = pack(DumpFormat::JsonlGz, contents, &lanes, scratch.path());
        let first = packed.bytes.next().await.unwrap().unwrap();
        assert!(taken.load(Ordering::Relaxed) < 8, "chunks are taken in as pieces are handed out");

        let mut members = vec![first];
        while let Some(member) = packed.bytes.next().await {
            members.push(member.unwrap());
        }
        taken.store(0, Ordering::Relaxed);
        let counter = taken.clone();
        let input = stream::iter(members).map(Ok).inspect(move |_| _ = counter.fetch_add(1, Ordering::Relaxed));
        let mut unpacked = unpack(DumpFormat::JsonlGz, input.boxed(), ROOMY, &lanes, scratch.path());
        let first = unpacked.rows.next().await.unwrap().unwrap();
        assert!(first.lines.len() < 2 << 20 && taken.load(Ordering::Relaxed) < 12);
    });
}
