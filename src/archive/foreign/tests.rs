//! Foreign files, each sound and each broken.

use std::io::Write;

use ::zip::{ZipWriter, write::SimpleFileOptions};
use flate2::{Compression, write::GzEncoder};
use futures_util::stream;
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{model::record::Way, sim::clock::Clock};

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn zipped(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(name, SimpleFileOptions::default()).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

/// A tar of one member, as `tar` writes it.
fn tarred(bytes: &[u8]) -> Vec<u8> {
    let mut header = [0; tar::BLOCK];
    header[..4].copy_from_slice(b"file");
    header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut all = [&header[..], bytes].concat();
    all.resize(all.len().next_multiple_of(tar::BLOCK) + 2 * tar::BLOCK, 0);
    all
}

/// What a glance says, and what a whole reading does, in pieces of 7 bytes.
fn looked(name: &str, bytes: &[u8]) -> [Result<(), String>; 2] {
    let kind = Kind::of_name(name);
    let head = &bytes[..bytes.len().min(HEAD_BYTES as usize)];
    let tail = &bytes[bytes.len().saturating_sub(TAIL_BYTES as usize)..];
    let glanced = glance(kind, head, tail, bytes.len() as u64);
    let clock = Clock::new(Way::Simulated, Timestamp::UNIX_EPOCH);
    let pieces: Vec<_> = bytes.chunks(7).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (lanes, scratch) = (Lanes::new(&clock), std::env::temp_dir());
    let whole = check(kind, stream::iter(pieces).boxed(), &lanes, &scratch);
    [glanced, runtime.block_on(whole)].map(|result| result.map_err(|e| e.to_string()))
}

const LINES: &[u8] = b"{\"a\":1,\"b\":\"\xc3\xa9\"}\n{\"a\":[-2.5e+3,true,null,{}]}\n";

#[test]
fn what_is_sound_passes_and_what_is_not_is_told_by_its_form() {
    let sound: [(&str, Vec<u8>); 10] = [
        ("a.jsonl.gz", gz(LINES)),
        ("a.jsonl", LINES.to_vec()),
        ("a.json", b" {\"a\": [1, 2]}\n".to_vec()),
        ("a.tar", tarred(b"hello")),
        ("a.tgz", gz(&tarred(&[7; 3000]))),
        ("a.zip", zipped("t/documents.jsonl", LINES)),
        (".env.gz", gz(b"A=1\n")),
        ("a.sql", b"select 1;".to_vec()),
        ("a.sql.zst", b"\x28\xb5\x2f\xfdrest".to_vec()),
        ("a.dump.age", vec![0; 9]),
    ];
    for (name, bytes) in &sound {
        assert_eq!(looked(name, bytes), [Ok(()), Ok(())], "{name}");
    }
    let cut = |name: &str| {
        let bytes = &sound.iter().find(|(sound, _)| *sound == name).unwrap().1;
        bytes[..bytes.len() - 9].to_vec()
    };
    let flipped = |name: &str, at: usize| {
        let mut bytes = sound.iter().find(|(sound, _)| *sound == name).unwrap().1.clone();
        bytes[at] ^= 4;
        bytes
    };
    let page = b"<html>503 Service Unavailable</html>".to_vec();
    let mut bad_zip = zipped("t.jsonl", &[LINES, b"{\"a\":\n"].concat());
    let broken: Vec<(&str, Vec<u8>)> = vec![
        ("a.jsonl.gz", Vec::new()),
        ("a.jsonl.gz", page.clone()),
        ("a.jsonl.gz", cut("a.jsonl.gz")),
        ("a.jsonl.gz", gz(b"<html>")),
        ("a.jsonl.gz", gz(&[LINES, b"{\"a\"\n"].concat())),
        ("a.jsonl", cut("a.jsonl")),
        ("a.json", page.clone()),
        ("a.json", b"{\"a\":1} {".to_vec()),
        ("a.tar", cut("a.tar")),
        ("a.tar", flipped("a.tar", 3)),
        ("a.tgz", cut("a.tgz")),
        ("a.zip", cut("a.zip")),
        ("a.zip", flipped("a.zip", 50)),
        ("a.zip", std::mem::take(&mut bad_zip)),
        ("a.sql.zst", page),
    ];
    let told: Vec<String> = broken
        .into_iter()
        .map(|(name, bytes)| {
            let [glanced, whole] = looked(name, &bytes).map(|result| result.err().unwrap_or_else(|| "-".into()));
            format!("{name} ({} bytes)\n  glance: {glanced}\n  whole:  {whole}", bytes.len())
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_name_says_what_a_file_is_or_nothing() {
    let words = |name: &str| Kind::of_name(name).words().unwrap_or_else(|| "-".into());
    let told =
        ["d/x.JSON.gz", "x.tar.gz", "x.tgz", "x.sql.gz", "x.zip", "x.ndjson", "x.dump", "x.json.gpg", "tar"].map(words);
    assert_eq!(told, ["JSON in gzip", "tar in gzip", "tar in gzip", "gzip", "ZIP", "JSON lines", "-", "-", "-"]);
}

fn walks(text: &[u8], many: bool, piece: usize) -> bool {
    let mut walker = json::Walker::new(many);
    text.chunks(piece.max(1)).all(|piece| walker.feed(piece).is_ok()) && walker.finish().is_ok()
}

#[test]
fn what_is_no_json_is_told_wherever_it_is_cut() {
    let deep = "[".repeat(2_000);
    let bad = [
        "",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "[1,]",
        "[,1]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "[1 2]",
        "[}",
        "]",
        "tru",
        "trux",
        "nul",
        "\"a",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\u{1f}\"",
        "\"\n\"",
        "{}{}",
        "1,2",
        &deep,
    ];
    for text in bad {
        for piece in [1, 3, 4_096] {
            assert!(!walks(text.as_bytes(), false, piece), "{text:?} in pieces of {piece}");
        }
    }
    assert!(
        !walks(b"\"\xff\"", false, 1)
            && !walks(b"\"\xe2\x82\"", false, 1)
            && walks("\"\u{20ac}\"".as_bytes(), false, 1)
    );
    assert!(walks(b"", true, 1) && walks(b"{}\n\n[1, -0.5e+3]\n", true, 1) && !walks(b"{}\n{", true, 1));
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(|n| serde_json::json!(n)),
        ".{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::vec((".{0,3}", inner), 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// What serde_json takes is taken, and what it does not take is not, wherever the pieces are cut.
    #[test]
    fn the_walker_agrees_with_serde_json(
        value in any_json(), edits in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..128), 0..3), piece in 1usize..9,
    ) {
        let mut text = value.to_string().into_bytes();
        for (at, byte) in edits {
            let at = at.index(text.len());
            if byte % 4 == 0 { text.truncate(at); } else { text[at] = byte; }
            if text.is_empty() { break; }
        }
        let many = serde_json::Deserializer::from_slice(&text).into_iter::<serde_json::Value>().all(|one| one.is_ok());
        let one = serde_json::from_slice::<serde_json::Value>(&text).is_ok();
        // serde_json refuses numbers that no f64 holds, and halves of surrogate pairs; a walker has no values.
        if one { prop_assert!(walks(&text, false, piece) && walks(&text, true, piece)); }
        let lenient = String::from_utf8_lossy(&text);
        if !one && !lenient.contains("\\u") && !lenient.contains(['e', 'E']) { prop_assert!(!walks(&text, false, piece)); }
        if many && !text.is_empty() { prop_assert!(walks(&text, true, piece)); }
    }

    /// Whatever bytes stand under whatever name, looking at them ends, with a word.
    #[test]
    fn any_bytes_can_be_looked_at(
        bytes in proptest::collection::vec(any::<u8>(), 0..1_500), sound in 0usize..5, name in 0usize..8,
        at in any::<prop::sample::Index>(),
    ) {
        let names = ["a.gz", "a.jsonl.gz", "a.tgz", "a.zip", "a.tar", "a.json", "a.xz", "a"];
        let begins = [vec![], gz(LINES), zipped("t.jsonl", LINES), tarred(b"x"), LINES.to_vec()];
        // Something sound, with other bytes from somewhere on.
        let mut all = begins[sound].clone();
        all.truncate(at.index(all.len() + 1));
        all.extend(bytes);
        let _ = looked(names[name], &all);
    }
}
