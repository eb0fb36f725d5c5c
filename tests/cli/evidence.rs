//! Evidence: signed by a run, verified offline by backdraft, by openssl and by a published verifier of another ecosystem;
//! whatever is changed afterwards is named. Tools that are missing are skipped, visibly; `BACKDRAFT_REQUIRE_TOOLS` with
//! `openssl` or `securesystemslib` in it makes that a failure.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    process::Command,
};

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::bench::{Bench, Ended};

const RUN: [&str; 7] =
    ["run", "--simulate", "--quiet", "--out", "{out}", "--only", "database/corrupt-truncated-latest"];

/// A run signed with a new key; the public key's path.
fn signed() -> (Bench, String) {
    let bench = Bench::new();
    let key = bench.path("key.pem").display().to_string();
    assert_eq!(bench.run(&["keygen", "--out", &key]).code, Some(0));
    let run = bench.run(&[&RUN[..], &["--sign-key", &key]].concat());
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    let public = bench.path("key.pub.pem").display().to_string();
    (bench, public)
}

fn verify(bench: &Bench, more: &[&str]) -> Ended {
    bench.run(&[&["verify-evidence", "{out}"][..], more].concat())
}

/// What was said, without the digests, which change with every version.
fn without_digests(text: &str) -> String {
    let mut settings = String::new();
    for word in text.split_inclusive([' ', '\n', ',', ')', ';']) {
        let hex = |c: char| c.is_ascii_hexdigit();
        let bare = word.trim_start_matches("sha256:");
        match bare.len() > 60 && bare.chars().take(60).all(hex) {
            true => settings.push_str(&word.replace(&bare[..64], "[digest]")),
            false => settings.push_str(word),
        }
    }
    settings
}

fn tool(name: &str, found: bool) -> bool {
    if !found {
        println!("SKIPPED: {name} is not installed");
        let required = std::env::var("BACKDRAFT_REQUIRE_TOOLS").unwrap_or_default();
        assert!(!required.split(',').any(|one| one == name), "{name} is required and not installed");
    }
    found
}

/// A file of the evidence, edited.
fn edit(bench: &Bench, name: &str, change: impl FnOnce(String) -> String) {
    let path = bench.path("out").join(name);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, change(text)).unwrap();
}

#[test]
fn a_signed_run_verifies_with_its_key_and_with_no_other() {
    let (bench, public) = signed();
    let other = bench.path("other.pem").display().to_string();
    bench.run(&["keygen", "--out", &other]);
    let other = other.replace(".pem", ".pub.pem");
    let (good, unchecked, wrong) =
        (verify(&bench, &["--key", &public]), verify(&bench, &[]), verify(&bench, &["--key", &other]));
    assert_eq!((good.code, unchecked.code, wrong.code), (Some(0), Some(3), Some(1)));
    insta::assert_snapshot!(without_digests(&[good.out, unchecked.out, wrong.out].join("---\n")));
    let report = fs::read_to_string(bench.path("out/report.md")).unwrap();
    assert!(report.contains("Signed with the key sha256:") && !report.contains("UNSIGNED"), "{report}");
}

#[test]
fn an_unsigned_run_says_so_first_and_is_refused_where_a_key_is_asked_for() {
    let bench = Bench::new();
    assert_eq!(bench.run(&RUN).code, Some(0));
    assert!(fs::read_to_string(bench.path("out/report.md")).unwrap().contains("This report is UNSIGNED."));
    let (key, unsigned) = (bench.path("key.pem").display().to_string(), verify(&bench, &[]));
    bench.run(&["keygen", "--out", &key]);
    let asked = verify(&bench, &["--key", &bench.path("key.pub.pem").display().to_string()]);
    assert_eq!((unsigned.code, asked.code), (Some(0), Some(1)));
    insta::assert_snapshot!(unsigned.out + "---\n" + &asked.out);
}

#[test]
fn the_environment_names_the_key_too_and_an_unsigned_run_takes_the_place_of_a_signed_one() {
    let bench = Bench::new();
    let key = bench.path("key.pem");
    bench.run(&["keygen", "--out", &key.display().to_string()]);
    let mut run = bench.command(&RUN);
    assert_eq!(run.env("BACKDRAFT_SIGN_KEY", &key).output().unwrap().status.code(), Some(0));
    assert!(bench.path("out/evidence.dsse.json").exists());
    // The signature of what was there before must not stand beside what is there now.
    assert_eq!(bench.run(&[&RUN[..], &["--seed", "9"]].concat()).code, Some(0));
    assert!(!bench.path("out/evidence.dsse.json").exists());
    assert!(verify(&bench, &[]).out.starts_with("UNSIGNED, intact\n"));
}

#[test]
fn whatever_is_changed_afterwards_is_named() {
    type Change = fn(&Bench);
    const RECORD: &str = "records/database/corrupt-truncated-latest.json";
    let changes: [(&str, Change); 10] = [
        ("edited", |bench| edit(bench, RECORD, |text| text.replacen("\"pass\"", "\"fail\"", 1))),
        ("removed", |bench| fs::remove_file(bench.path("out/report.md")).unwrap()),
        ("added", |bench| fs::write(bench.path("out/records/database/invented.json"), "{}").unwrap()),
        ("a link", |bench| {
            let (file, away) = (bench.path("out/report.md"), bench.path("away.md"));
            fs::rename(&file, &away).unwrap();
            symlink(away, file).unwrap();
        }),
        ("statement edited", |bench| edit(bench, "evidence.json", |text| text.replace("WARNED", "PASSED"))),
        ("statement removed", |bench| fs::remove_file(bench.path("out/evidence.json")).unwrap()),
        ("statement and signed payload edited", |bench| {
            let edited = |text: &str| text.replace("WARNED", "PASSED");
            edit(bench, "evidence.json", |text| edited(&text));
            edit(bench, "evidence.dsse.json", |text| {
                let mut envelope: Value = serde_json::from_str(&text).unwrap();
                let payload = BASE64.decode(envelope["payload"].as_str().unwrap().as_bytes()).unwrap();
                envelope["payload"] = BASE64.encode(edited(&String::from_utf8(payload).unwrap()).as_bytes()).into();
                envelope.to_string()
            });
        }),
        ("no signature in the envelope", |bench| {
            edit(bench, "evidence.dsse.json", |text| {
                let mut envelope: Value = serde_json::from_str(&text).unwrap();
                envelope["signatures"] = json!([]);
                envelope.to_string()
            });
        }),
        ("envelope cut short", |bench| edit(bench, "evidence.dsse.json", |text| text[..512].to_owned())),
        ("no envelope", |bench| edit(bench, "evidence.dsse.json", |_| "\u{1b}[2J{".into())),
    ];
    let mut said = String::new();
    for (name, change) in changes {
        let (bench, public) = signed();
        change(&bench);
        let ended = verify(&bench, &["--key", &public]);
        assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{name}");
        assert!(!ended.out.contains('\u{1b}'));
        said += &format!("{name}:\n{}\n", without_digests(&ended.out));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn the_end_of_the_history_must_be_the_one_that_was_written_down() {
    let bench = Bench::new();
    assert_eq!(bench.run(&RUN).code, Some(0));
    let sha256 = "ab".repeat(32);
    let add = |bench: &Bench| {
        edit(bench, "evidence.json", |text| {
            let mut statement: Value = serde_json::from_str(&text).unwrap();
            let configuration = statement["predicate"]["configuration"].as_array_mut().unwrap();
            configuration.retain(|one| one["name"] != "history");
            let history =
                json!({ "name": "history", "digest": { "sha256": sha256 }, "annotations": { "sequence": "7" } });
            configuration.push(history);
            statement.to_string()
        });
    };
    add(&bench);
    let right = verify(&bench, &["--head", &format!("7:{sha256}")]);
    let wrong = verify(&bench, &["--head", &format!("8:{sha256}")]);
    assert_eq!((right.code, wrong.code), (Some(0), Some(1)), "{}", right.out);
    assert!(wrong.out.contains("  history: the evidence names entry 7 with sha256 abab"), "{}", wrong.out);
    for head in ["7", "7:ab", "0:", &format!("x:{sha256}"), &format!("0:{sha256}")] {
        let ended = verify(&bench, &["--head", head]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{head}");
        assert!(ended.err.contains("is no head"), "{}", ended.err);
    }
}

#[test]
fn a_key_is_never_overwritten_and_nobody_else_may_read_it() {
    let bench = Bench::new();
    let key = bench.path("key.pem").display().to_string();
    assert_eq!(bench.run(&["keygen", "--out", &key]).code, Some(0));
    let mode = |name: &str| fs::metadata(bench.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("key.pem"), mode("key.pub.pem")), (0o600, 0o644));
    let before = fs::read(&key).unwrap();
    let again = bench.run(&["keygen", "--out", &key]);
    fs::remove_file(&key).unwrap();
    let beside = bench.run(&["keygen", "--out", &key]);
    assert_eq!((again.code, beside.code), (Some(2), Some(2)));
    assert!(!bench.path("key.pem").exists(), "half a pair is written");
    let nowhere = bench.run(&["keygen", "--out", &bench.path("no/such/key.pem").display().to_string()]);
    assert_eq!(nowhere.code, Some(2));
    assert!(nowhere.err.contains("no/such/key.pem: the key cannot be written"), "{}", nowhere.err);
    fs::write(&key, before).unwrap();
    insta::assert_snapshot!(again.err + &beside.err);
}

#[test]
fn what_is_no_key_and_no_evidence_is_refused_before_anything_is_played() {
    let bench = Bench::new();
    let plan = "fixtures/hooklabs/plan.yaml";
    let runs = [plan, "fixtures", "no/such/key.pem"].map(|key| bench.run(&[&RUN[..], &["--sign-key", key]].concat()));
    assert!(!bench.path("out").exists(), "something was written");
    let folder = bench.path("tmp").display().to_string();
    let verified = [
        bench.run(&["verify-evidence", &folder]),
        bench.run(&["verify-evidence", "no/such/folder"]),
        bench.run(&["verify-evidence", &folder, "--key", plan]),
    ];
    let all: Vec<Ended> = runs.into_iter().chain(verified).collect();
    assert!(all.iter().all(|ended| (ended.code, ended.out.as_str()) == (Some(2), "")));
    insta::assert_snapshot!(all.iter().map(|ended| ended.err.as_str()).collect::<String>());
}

#[test]
fn openssl_reads_the_keys_and_verifies_the_signature() {
    let found = Command::new("openssl").arg("version").output().is_ok_and(|said| said.status.success());
    if !tool("openssl", found) {
        return;
    }
    let (bench, public) = signed();
    let text = fs::read_to_string(bench.path("out/evidence.dsse.json")).unwrap();
    let envelope: Value = serde_json::from_str(&text).unwrap();
    let part = |value: &Value| BASE64.decode(value.as_str().unwrap().as_bytes()).unwrap();
    let payload = part(&envelope["payload"]);
    let kind = envelope["payloadType"].as_str().unwrap();
    // The encoding of the protocol, written out again on purpose.
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend(payload);
    let (message, mut other) = (bench.file("message", &message), message.clone());
    other.push(b' ');
    let other = bench.file("other", other);
    let signature = bench.file("signature", part(&envelope["signatures"][0]["sig"]));
    let holds = |message: &str| {
        let arguments = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", &public, "-sigfile", &signature, "-in"];
        Command::new("openssl").args(arguments).arg(message).output().unwrap().status.success()
    };
    assert!(holds(&message) && !holds(&other));
    let shell = |script: &str| {
        let ended = Command::new("sh").args(["-c", script]).current_dir(bench.path("")).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap()
    };
    // The public key of the private one is the one that was written, and its id is what the docs say.
    assert_eq!(shell("openssl pkey -in key.pem -pubout"), fs::read_to_string(&public).unwrap());
    let id = shell("openssl pkey -pubin -in key.pub.pem -outform DER | openssl dgst -sha256 -r");
    assert_eq!(id.split(' ').next(), envelope["signatures"][0]["keyid"].as_str());
    // And the other way round: a key of openssl's signs.
    shell(
        "openssl genpkey -algorithm ed25519 -out theirs.pem && openssl pkey -in theirs.pem -pubout -out theirs.pub.pem",
    );
    let theirs = |name: &str| bench.path(name).display().to_string();
    assert_eq!(bench.run(&[&RUN[..], &["--sign-key", &theirs("theirs.pem")]].concat()).code, Some(0));
    assert_eq!(verify(&bench, &["--key", &theirs("theirs.pub.pem")]).code, Some(0));
}

#[test]
fn a_published_verifier_of_another_ecosystem_accepts_the_evidence_and_refuses_what_was_edited() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let own = here.join("target/tools/bin/python3");
    let python = if own.exists() { own } else { PathBuf::from("python3") };
    let knows = ["-c", "import securesystemslib.dsse, in_toto_attestation, cryptography"];
    let found = Command::new(&python).args(knows).output().is_ok_and(|said| said.status.success());
    if !tool("securesystemslib", found) {
        return;
    }
    let (bench, public) = signed();
    let judged = || {
        let script = here.join("tests/evidence.py");
        let said = Command::new(&python).arg(script).arg(bench.path("out")).arg(&public).output().unwrap();
        (said.status.success(), String::from_utf8(said.stdout).unwrap(), String::from_utf8(said.stderr).unwrap())
    };
    let (accepted, subjects, why) = judged();
    assert!(accepted, "{why}");
    let mut written: Vec<String> = bench.written().into_iter().map(|(name, _)| name).collect();
    written.retain(|name| !name.starts_with("evidence."));
    assert_eq!(subjects.lines().collect::<Vec<_>>(), written);
    edit(&bench, "evidence.dsse.json", |text| {
        let mut envelope: Value = serde_json::from_str(&text).unwrap();
        let payload = BASE64.decode(envelope["payload"].as_str().unwrap().as_bytes()).unwrap();
        let payload = String::from_utf8(payload).unwrap().replace("WARNED", "PASSED");
        envelope["payload"] = BASE64.encode(payload.as_bytes()).into();
        envelope.to_string()
    });
    let (accepted, _, why) = judged();
    assert!(!accepted && why.contains("the signature does not hold"), "{why}");
}
