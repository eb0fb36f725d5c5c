//! Every way in which a dump can be bad, and what is said about it.

use std::sync::atomic::{AtomicUsize, Ordering};

use zip::write::SimpleFileOptions;

use super::*;

/// What is said about each, by name; panics if one is accepted.
fn told(format: DumpFormat, bad: &[(&str, Vec<u8>)]) -> String {
    let told = bad.iter().map(|(name, archive)| match read(format, archive) {
        Ok((rows, _)) => panic!("{name} is accepted: {rows:?}"),
        Err(error) => format!("{name}:\n    {error}"),
    });
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn bad_json_lines_are_told_with_table_and_line() {
    let (ours, _) = packed(DumpFormat::JsonlGz, &sample());
    let plain = gz("{\"_table\":\"users\",\"a\":1}\n");
    let edited = |at: usize, byte: u8| {
        let mut archive = plain.clone();
        let at = if at > 100 { plain.len() + at - 1000 } else { at };
        archive[at] = byte;
        archive
    };
    let deep = format!("{{\"_table\":\"users\",\"a\":{}{}}}\n", "[".repeat(200_000), "]".repeat(200_000));
    let bad = [
        ("an empty object", vec![]),
        ("not gzip", b"{\"_table\":\"users\"}\n".to_vec()),
        ("an empty gzip", gz("")),
        ("cut in the body", ours[..ours.len() / 2].to_vec()),
        ("cut in the trailer", plain[..plain.len() - 3].to_vec()),
        ("without a trailer", plain[..plain.len() - 8].to_vec()),
        ("wrong CRC", edited(1000 - 8, 0)),
        ("wrong length", edited(1000 - 4, 99)),
        ("unknown compression", edited(2, 7)),
        ("reserved flags", edited(3, 0x80)),
        ("garbage at the end", [&plain[..], b"garbage"].concat()),
        ("zeros at the end", [&plain[..], &[0; 512]].concat()),
        ("another gzip at the end of ours", [ours, plain.clone()].concat()),
        ("invalid UTF-8", gz(b"{\"_table\":\"users\",\"a\":1}\n{\"_table\":\"users\",\"a\":\"\xff\"}\n")),
        ("a lost bracket", gz("{\"_table\":\"users\",\"a\":[1,2}\n")),
        ("a cut row", gz("{\"_table\":\"users\",\"a\":1}\n{\"_table\":\"users\",\"a\"")),
        ("two rows on a line", gz("{\"_table\":\"users\"}{\"_table\":\"users\"}\n")),
        ("a row on two lines", gz("{\"_table\":\"users\",\n\"a\":1}\n")),
        ("an array", gz("[{\"_table\":\"users\"}]\n")),
        ("a number", gz("{\"_table\":\"users\"}\n17\n")),
        ("a blank line", gz("{\"_table\":\"users\"}\n\n{\"_table\":\"users\"}\n")),
        ("no table", gz("{\"_table\":\"users\"}\n{\"a\":1}\n")),
        ("a number for a table", gz("{\"_table\":5}\n")),
        ("a table without a name", gz("{\"_table\":\"\"}\n")),
        ("a table that is not listed", gz("{\"_tables\":[\"users\"]}\n{\"_table\":\"posts\"}\n")),
        ("a table listed twice", gz("{\"_tables\":[\"users\",\"users\"]}\n")),
        ("a list that comes late", gz("{\"_table\":\"users\"}\n{\"_tables\":[\"users\"]}\n")),
        ("tables that are mixed", gz("{\"_table\":\"a\"}\n{\"_table\":\"b\"}\n{\"_table\":\"a\"}\n")),
        ("tables in another order", gz("{\"_tables\":[\"a\",\"b\"]}\n{\"_table\":\"b\"}\n{\"_table\":\"a\"}\n")),
        ("nested too deep", gz(deep)),
        ("nested too deep and cut", gz("[".repeat(1_000_000))),
        ("a line too long", gz(format!("{{\"_table\":\"users\",\"a\":\"{}\"}}\n", "x".repeat(16 << 20)))),
        ("a line without end", gz("{\"_table\":\"a\"}\n".to_owned() + &"x".repeat(40 << 20))),
    ];
    insta::assert_snapshot!(told(DumpFormat::JsonlGz, &bad));
}

#[test]
fn a_bad_json_object_is_told_with_table_line_and_row() {
    let text = |text: &str| gz(text);
    let bad = [
        ("an empty gzip", text("")),
        ("white space alone", text(" \n ")),
        ("an array", text("[]")),
        ("no end", text("{\"users\":[{\"a\":1},\n{\"b\":2}]")),
        ("cut in a row", text("{\"users\":[{\"a\":1},\n{\"b\":")),
        ("cut in a name", text("{\"us")),
        ("a lost bracket in a row", text("{\"users\":[{\"a\":[1,2}]}")),
        ("a lost bracket of a table", text("{\"users\":[{\"a\":1},\"posts\":[]}")),
        ("a comma too many", text("{\"users\":[{\"a\":1},]}")),
        ("a comma too few", text("{\"users\":[{\"a\":1}\n{\"a\":2}]}")),
        ("a table that is no array", text("{\"users\":{\"a\":1}}")),
        ("a row that is no object", text("{\"users\":[{\"a\":1},\n17]}")),
        ("a table twice", text("{\"users\":[],\"posts\":[],\n\"users\":[]}")),
        ("more after the end", text("{\"users\":[]}\n{}")),
        ("invalid UTF-8", gz(b"{\"users\":[{\"a\":1},\n{\"a\":\"\xc3\x28\"}]}")),
        ("a character cut at the end", gz(b"{\"users\":[]}\xc3")),
        ("nested too deep", text(&format!("{{\"users\":[{{\"a\":{}1{}}}]}}", "[".repeat(200), "]".repeat(200)))),
        ("a row too long", text(&format!("{{\"users\":[{{\"a\":\"{}\"}}]}}", "x".repeat(16 << 20)))),
    ];
    insta::assert_snapshot!(told(DumpFormat::JsonGz, &bad));
}

/// A ZIP of these entries.
fn zipped(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const LIST: (&str, &str) = ("_tables/documents.jsonl", "{\"name\":\"users\",\"id\":10001}\n");
const ROWS: (&str, &str) = ("users/documents.jsonl", "{\"a\":1}\n");
const SCHEMA: (&str, &str) = ("users/generated_schema.jsonl", "\"uniform\"\n");

#[test]
fn a_bad_snapshot_is_told_with_its_entry() {
    let good = zipped(&[LIST, ROWS, SCHEMA]);
    assert!(read(DumpFormat::ConvexZip, &good).is_ok());
    let with = |extra: (&str, &str)| zipped(&[LIST, ROWS, SCHEMA, extra]);
    let renamed = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let mut archive = with((from, "x"));
        while let Some(at) = archive.windows(from.len()).position(|window| window == from.as_bytes()) {
            archive[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
        archive
    };
    let in_directory = |offset: usize, value: u8| {
        let mut archive = good.clone();
        let at = archive.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        archive[at + offset] = value;
        archive
    };
    let bad = [
        ("an empty object", vec![]),
        ("not a ZIP", b"\x1f\x8b\x08\x00".to_vec()),
        ("cut off", good[..good.len() - 30].to_vec()),
        ("garbage at the end", [&good[..], b"garbage that is longer than the end"].concat()),
        ("garbage at the start", [b"PKgarbage", &good[..]].concat()),
        ("no list of tables", zipped(&[ROWS, SCHEMA])),
        ("no schema", zipped(&[LIST, ROWS])),
        ("no rows file", zipped(&[LIST, SCHEMA])),
        ("a table that is not listed", with(("posts/documents.jsonl", "{}\n"))),
        ("file storage", with(("_storage/documents.jsonl", "{}\n"))),
        ("a name that climbs out", with(("../../etc/passwd", "x"))),
        ("an absolute name", with(("/etc/passwd", "x"))),
        ("a backslash", renamed("usersXdocs", "users\\docs")),
        ("a NUL", renamed("usersXdocs", "users\0docs")),
        ("two entries of one name", renamed("users/document2.jsonl", "users/documents.jsonl")),
        ("an encrypted entry", in_directory(8, 1)),
        ("another compression", in_directory(10, 12)),
        ("a table name that climbs out", zipped(&[("_tables/documents.jsonl", "{\"name\":\"../x\",\"id\":1}\n")])),
        ("a table listed twice", zipped(&[(LIST.0, &LIST.1.repeat(2)), ROWS, SCHEMA])),
        ("a broken row", zipped(&[LIST, ("users/documents.jsonl", "{\"a\":1}\n{\"a\":\n"), SCHEMA])),
        ("a blank line", zipped(&[LIST, ("users/documents.jsonl", "{\"a\":1}\n\n"), SCHEMA])),
        ("a schema that is no JSON", zipped(&[LIST, ROWS, ("users/generated_schema.jsonl", "uniform\n")])),
    ];
    insta::assert_snapshot!(told(DumpFormat::ConvexZip, &bad));
}

#[test]
fn foreign_files_may_lack_the_last_line_end_and_spell_as_they_like() {
    let text = "{ \"a\" : 1.50, \"_table\":\"us\\u0065rs\", \"b\":[1, 2] }\r\n{\"_table\":\"users\",\"a\":2}";
    let two = [gz(&text[..20]), gz(&text[20..])].concat();
    let (rows, summary) = read(DumpFormat::JsonlGz, &two).unwrap();
    assert_eq!(rows, [("users".to_owned(), "{\"a\":1.50,\"b\":[1, 2]}\n{\"a\":2}\n".to_owned())]);
    assert_eq!(summary.tables[0].rows, 2);

    let text =
        "\n{\"posts\" : [ ],\r\n \"users\":[\n  {\n    \"n\": 9007199254740993,\n \"x\" : 1.0 },{\"a b\":2}\n] }\n\n";
    let (rows, _) = read(DumpFormat::JsonGz, &gz(text)).unwrap();
    let users = "{\"n\":9007199254740993,\"x\":1.0}\n{\"a b\":2}\n";
    assert_eq!(rows, [("posts".to_owned(), String::new()), ("users".to_owned(), users.to_owned())]);

    let (rows, _) =
        read(DumpFormat::ConvexZip, &zipped(&[SCHEMA, (ROWS.0, "{\"a\":1}\n{\"a\":2}"), ("users/", ""), LIST]))
            .unwrap();
    assert_eq!(rows, [("users".to_owned(), "{\"a\":1}\n{\"a\":2}\n".to_owned())]);
}

#[test]
fn a_bomb_stops_at_the_limit_and_a_dump_within_it_does_not() {
    let (bytes, summary) = packed(DumpFormat::JsonGz, &sample());
    let limit = Limits { raw_bytes: 1000 };
    assert_eq!(read_as(DumpFormat::JsonGz, &bytes, 100, limit, Way::Simulated).unwrap().1, summary);

    let pieces = Arc::new(AtomicUsize::new(0));
    let counter = pieces.clone();
    let bomb = gz(" ".repeat(64 << 20)).repeat(64);
    let count = bomb.len() / 1000;
    let input: Vec<Bytes> = bomb.chunks(1000).map(Bytes::copy_from_slice).collect();
    let input = stream::iter(input).map(Ok).inspect(move |_| _ = counter.fetch_add(1, Ordering::Relaxed));
    let scratch = tempfile::tempdir().unwrap();
    let limit = Limits { raw_bytes: 4 << 20 };
    let error = play(Way::Simulated, async |lanes| {
        unpack(DumpFormat::JsonGz, input.boxed(), limit, &lanes, scratch.path()).rows.next().await.unwrap().unwrap_err()
    });
    assert_eq!(error, ArchiveError::TooLarge { limit_bytes: 4 << 20 });
    assert!(pieces.load(Ordering::Relaxed) < count / 4, "{pieces:?} of {count}");

    let spread = zipped(&[LIST, (ROWS.0, &" ".repeat(5 << 20)), SCHEMA]);
    assert_eq!(read_as(DumpFormat::ConvexZip, &spread, 1000, limit, Way::Simulated).unwrap_err(), error);
    let members = packed(DumpFormat::JsonlGz, &large(6 << 20)).0;
    assert_eq!(read_as(DumpFormat::JsonlGz, &members, 1000, limit, Way::Simulated).unwrap_err(), error);
}

#[test]
fn a_broken_download_is_not_blamed_on_the_archive() {
    for format in FORMATS {
        let (archive, _) = packed(format, &sample());
        let cut = InputError("eu-west-1: connection broke off in the middle".into());
        let input = vec![Ok(Bytes::from(archive).slice(..50)), Err(cut.clone())];
        let scratch = tempfile::tempdir().unwrap();
        let error = play(Way::Real, async |lanes| {
            let rows = unpack(format, stream::iter(input).boxed(), ROOMY, &lanes, scratch.path()).rows;
            rows.filter_map(async |chunk| chunk.err()).boxed().next().await.unwrap()
        });
        assert_eq!(error, ArchiveError::Input(cut));
    }
}

#[test]
fn what_could_not_be_read_again_is_not_packed() {
    let chunk = |table: &str, rows, lines: &[u8]| {
        Ok(RowChunk { table: table.into(), rows, lines: Bytes::copy_from_slice(lines) })
    };
    let lost = ServiceError("the source is lost".into());
    type Case<'a> = (&'a [&'a str], Vec<Result<RowChunk, ServiceError>>);
    let cases: Vec<Case> = vec![
        (&["a"], vec![chunk("a", 1, b"{}\n"), Err(lost)]),
        (&["a"], vec![chunk("b", 1, b"{}\n")]),
        (&["a", "b"], vec![chunk("b", 1, b"{}\n"), chunk("a", 1, b"{}\n")]),
        (&["a", "a"], vec![]),
        (&[""], vec![]),
        (&["a"], vec![chunk("a", 2, b"{}\n")]),
        (&["a"], vec![chunk("a", 1, b"{}")]),
        (&["a"], vec![chunk("a", 1, b"[]\n")]),
        (&["a"], vec![chunk("a", 1, b"{\"a\":\"\xff\"}\n")]),
        (&["a"], vec![chunk("a", 1, format!("{{\"a\":\"{}\"}}\n", "x".repeat(16 << 20)).as_bytes())]),
    ];
    let mut told = Vec::new();
    for (names, chunks) in cases {
        for format in FORMATS {
            let contents = Contents {
                tables: names.iter().map(|name| Arc::from(*name)).collect(),
                rows: stream::iter(chunks.clone()).boxed(),
            };
            told.push(try_pack(format, contents, Way::Simulated).unwrap_err().to_string());
        }
    }
    for name in ["_storage", "../a", "a\\b"] {
        let tables = tables(&[(name, &[])]);
        told.push(try_pack(DumpFormat::ConvexZip, contents(&tables, 1), Way::Simulated).unwrap_err().to_string());
    }
    told.dedup();
    insta::assert_snapshot!(told.join("\n"));
}
