//! The PostgreSQL pipelines of fixtures/pipelines/, played with the system's own programs: what is right comes back whole,
//! what is silently wrong is found for its reason. Skipped, visibly, where PostgreSQL or what the scripts call is not
//! installed; `BACKDRAFT_REQUIRE_TOOLS` with `postgresql` in it makes that a failure.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use backdraft::{
    model::record::Way,
    process::Environment,
    service::{
        contract::{Contents, Structure},
        place::Probe,
        probed::postgresql::Postgresql,
    },
    sim::clock::Clock,
};
use futures_util::StreamExt;
use serde_json::Value;
use tempfile::TempDir;

/// Whether a test cannot be run here; says so.
fn is_skipped(tools: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = |tool: &str| std::env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    let has_server = on_path("pg_ctl") || Path::new("/usr/lib/postgresql").is_dir();
    let missing: Vec<&str> = ["psql", "pg_dump"].iter().chain(tools).copied().filter(|tool| !on_path(tool)).collect();
    if has_server && missing.is_empty() {
        return false;
    }
    println!(
        "SKIPPED: PostgreSQL's server is {}, missing programs: {missing:?}",
        if has_server { "there" } else { "missing" }
    );
    let required = std::env::var("BACKDRAFT_REQUIRE_TOOLS").unwrap_or_default();
    assert!(!required.split(',').any(|tool| tool == "postgresql"), "PostgreSQL is required, and something is missing");
    true
}

/// A folder that another user may walk through, as the server's user must where the harness is root.
fn scratch() -> TempDir {
    tempfile::Builder::new().prefix("backdraft-t").tempdir().unwrap()
}

fn backdraft(scratch: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backdraft"));
    command.env("TMPDIR", scratch).env("BACKDRAFT_HISTORY", "none").current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Plays a scenario of a pipeline: whether it went as expected, and its record.
fn play(plan: &str, scenario: &str) -> (bool, Value, String) {
    let scratch = scratch();
    let out = scratch.path().join("out");
    let at = |name: &str| PathBuf::from("fixtures/pipelines").join(name);
    let mut run = backdraft(scratch.path());
    let run = run.arg("run").arg(at(scenario)).arg("--plan").arg(at(plan)).arg("--out").arg(&out).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    let record = fs::read_dir(out.join("records")).unwrap_or_else(|_| panic!("{said}")).next().unwrap().unwrap();
    let record = serde_json::from_slice(&fs::read(record.path()).unwrap()).unwrap();
    (run.status.success(), record, said)
}

/// Result and detail of a check in a record.
fn check(record: &Value, name: &str) -> (Option<bool>, String) {
    let events = record["events"].as_array().unwrap();
    let found = events.iter().find(|event| event["event"] == "checked" && event["check"] == name);
    let found = found.unwrap_or_else(|| panic!("no check {name}"));
    (found["passed"].as_bool(), found["detail"].as_str().unwrap().to_owned())
}

/// Lost time by the ledger, in milliseconds.
fn lost_ms(record: &Value) -> u64 {
    let service = record["services"].as_array().unwrap().first().unwrap();
    service["exposure"]["rpa"]["scenario_ms"].as_u64().unwrap_or_else(|| panic!("{service}"))
}

/// What was lost, in milliseconds, by a restore that brings all of its point back.
fn comes_back(plan: &str, scenario: &str) -> u64 {
    let (passed, record, said) = play(plan, scenario);
    assert!(passed, "{said}");
    assert_eq!(check(&record, "ledger").0, Some(true), "{said}");
    let (structure, detail) = check(&record, "structure");
    assert_eq!(structure, Some(true), "{detail}");
    for kind in ["sequences", "indexes", "constraints", "roles", "rights", "owners"] {
        assert!(detail.contains(kind), "{kind} were not compared: {detail}");
    }
    lost_ms(&record)
}

#[test]
fn a_dump_in_the_custom_format_brings_rows_and_structure_back() {
    if !is_skipped(&["aws"]) {
        _ = comes_back("pg-dump/plan.yaml", "pg-dump/scenarios/control.yaml");
    }
}

#[test]
fn plain_sql_that_stops_at_the_first_error_brings_rows_and_structure_back() {
    if !is_skipped(&["aws"]) {
        _ = comes_back("pg-sql/plan.yaml", "pg-sql/scenarios/control.yaml");
    }
}

#[test]
fn a_base_backup_and_archived_wal_lose_less_than_two_minutes() {
    if is_skipped(&["aws", "rclone", "pg_basebackup"]) {
        return;
    }
    let lost = comes_back("pg-pitr/plan.yaml", "pg-pitr/scenarios/control.yaml");
    assert!(lost > 0 && lost < 120_000, "{lost} ms");
}

#[test]
fn a_restore_stops_at_a_moment_of_the_story() {
    // Without libfaketime the server's clock is that of the day on which the test is run.
    if is_skipped(&["aws", "rclone", "pg_basebackup", "faketime"]) {
        return;
    }
    let (passed, record, said) =
        play("pg-pitr/plan-to-a-moment.yaml", "pg-pitr/scenarios-to-a-moment/before-a-mistake.yaml");
    assert!(passed, "{said}");
    let lost = lost_ms(&record);
    assert!((600_000..700_000).contains(&lost), "ten minutes before the disaster, and a minute's batch: {lost} ms");
}

#[test]
fn wal_that_was_lost_in_an_outage_ends_what_can_be_restored() {
    if is_skipped(&["aws", "rclone", "pg_basebackup"]) {
        return;
    }
    let scenario = "pg-pitr/scenarios-careless-archive/gap-in-the-wal.yaml";
    let (passed, record, said) = play("pg-pitr/plan-careless-archive.yaml", scenario);
    assert!(passed, "{said}");
    let lost = lost_ms(&record);
    assert!(lost > 1_000_000, "from the outage on, twenty minutes before the disaster: {lost} ms");
}

#[test]
fn owners_and_rights_that_a_restore_left_out_are_found_although_every_row_is_back() {
    if is_skipped(&["aws"]) {
        return;
    }
    let scenario = "pg-dump/scenarios-without-owners/owners-and-rights-left-out.yaml";
    let (passed, record, said) = play("pg-dump/plan-without-owners.yaml", scenario);
    assert!(!passed && said.contains("silently wrong"), "{said}");
    let (structure, detail) = check(&record, "structure");
    assert_eq!((check(&record, "ledger").0, structure), (Some(true), Some(false)), "{said}");
    assert!(detail.contains("owner of analytics was “app” and is “postgres”"), "{detail}");
}

#[test]
fn tables_that_psql_lost_without_on_error_stop_are_found_although_every_command_exits_with_0() {
    if is_skipped(&["aws"]) {
        return;
    }
    let (passed, record, said) = play("pg-sql/plan-careless.yaml", "pg-sql/scenarios-careless/errors-passed-over.yaml");
    assert!(!passed && said.contains("silently wrong"), "{said}");
    let events = record["events"].as_array().unwrap();
    let ran: Vec<_> = events.iter().filter(|event| event["event"] == "ran").collect();
    assert!(!ran.is_empty() && ran.iter().all(|ran| ran["ended"]["exited"] == 0), "{said}");
    assert_eq!(check(&record, "ledger").0, Some(false), "{said}");
}

fn lives(pid: &str) -> bool {
    // One that has ended and was not waited for is a zombie, and no server.
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !status.is_empty() && !status.rsplit(')').next().unwrap().trim_start().starts_with('Z')
}

fn until<T>(what: &str, patience: Duration, mut found: impl FnMut() -> Option<T>) -> T {
    let looks = (0..patience.as_millis() / 10).find_map(|_| {
        std::thread::sleep(Duration::from_millis(10));
        found()
    });
    looks.unwrap_or_else(|| panic!("{what}: waited {} s in vain", patience.as_secs()))
}

#[test]
fn a_server_of_a_killed_run_is_ended_by_the_next_start() {
    if is_skipped(&["aws"]) {
        return;
    }
    let scratch = scratch();
    let mut run = backdraft(scratch.path());
    run.args([
        "run",
        "fixtures/pipelines/pg-dump/scenarios/control.yaml",
        "--plan",
        "fixtures/pipelines/pg-dump/plan.yaml",
    ]);
    run.arg("--out").arg(scratch.path().join("out")).stdout(Stdio::null()).stderr(Stdio::null());
    let mut run = run.spawn().unwrap();
    let server = until("a server", Duration::from_secs(60), || {
        let is_base = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("backdraft-");
        let base = fs::read_dir(scratch.path()).ok()?.flatten().find(is_base)?;
        let drill = fs::read_dir(base.path()).ok()?.flatten().next()?;
        let pid = fs::read_to_string(drill.path().join("shop/pg/data/postmaster.pid")).ok()?;
        pid.contains("ready").then(|| pid.lines().next().unwrap_or_default().to_owned())
    });
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(lives(&server), "the killed run is to leave its server");
    let next = backdraft(scratch.path())
        .args(["run", "scenarios/database/control-empty.yaml", "--simulate", "--plan", "fixtures/hooklabs/plan.yaml"])
        .arg("--out")
        .arg(scratch.path().join("next"))
        .output()
        .unwrap();
    assert!(next.status.success(), "{}", String::from_utf8_lossy(&next.stderr));
    // A server sees within a minute by itself that its folder is gone: it is to be ended before that.
    until("the server's end", Duration::from_secs(10), || (!lives(&server)).then_some(()));
}

async fn tell(probe: &Postgresql, statement: &str) {
    let mut psql = tokio::process::Command::new("psql");
    psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", statement]).envs(probe.variables());
    let told = psql.output().await.unwrap();
    assert!(told.status.success(), "{statement}: {}", String::from_utf8_lossy(&told.stderr));
}

/// Names of what is not as it was.
fn changed(was: &Structure, is: &Structure) -> Vec<String> {
    was.iter().filter(|(name, what)| is.get(*name) != Some(*what)).map(|(name, _)| name.clone()).collect()
}

/// What is done to a database, and what of its structure is not as it was then.
const DAMAGE: &[(&str, &[&str])] = &[
    ("SELECT setval('users_number_seq', 1)", &["sequence users_number_seq"]),
    ("DROP INDEX users_account_number_idx", &["index users_account_number_idx of users"]),
    ("ALTER TABLE payments DROP CONSTRAINT payments_amount", &["constraint payments_amount of payments"]),
    ("ALTER TABLE posts DROP CONSTRAINT posts_user_id_fkey", &["constraint posts_user_id_fkey of posts"]),
    ("ALTER TABLE users ALTER email DROP NOT NULL", &["column users.email"]),
    ("REVOKE SELECT ON users FROM reporting", &["right of reporting on users"]),
    ("ALTER TABLE subscriptions OWNER TO postgres", &["owner of subscriptions", "owner of subscriptions_number_seq"]),
    ("REVOKE reporting FROM analyst", &["membership analyst in reporting"]),
    ("ALTER ROLE app NOLOGIN", &["role app"]),
    ("ALTER ROLE analyst PASSWORD NULL", &["role analyst"]),
    ("DROP EXTENSION pg_trgm CASCADE", &["extension pg_trgm", "index posts_title_words of posts"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_of_a_database_s_structure_is_seen_to_be_missing() {
    if is_skipped(&[]) {
        return;
    }
    let scratch = scratch();
    let clock = Clock::new(Way::Real, "2026-11-01T00:00:00Z".parse().unwrap());
    let environment = Environment::in_folder(scratch.path(), scratch.path());
    let probe = Postgresql::new(scratch.path(), environment, Vec::new(), &clock).unwrap();
    let tables = ["users", "subscriptions", "payments", "posts"].map(Into::into).to_vec();
    let row = r#"{"_id":"u1","_creationTime":1.5,"email":"a@b","accountNumber":9007199254740993,"creditBalance":2.0}"#;
    let rows = backdraft::service::contract::RowChunk {
        table: "users".into(),
        rows: 2,
        lines: format!("{row}\n{}\n", row.replace("u1", "u2").replace("a@b", "c@d")).into(),
    };
    probe.fill(Contents { tables, rows: futures_util::stream::iter([Ok(rows)]).boxed() }).await.unwrap();

    let mut was = probe.structure().await.unwrap().unwrap();
    for (statement, wanted) in DAMAGE {
        if statement.contains("pg_trgm") && !was.contains_key("extension pg_trgm") {
            println!("SKIPPED: this PostgreSQL has no extension pg_trgm");
            continue;
        }
        tell(&probe, statement).await;
        let is = probe.structure().await.unwrap().unwrap();
        assert_eq!(changed(&was, &is), *wanted, "{statement}");
        was = is;
    }
    assert_eq!(was["sequence users_number_seq"], "gives 2 next, and a row has 2 already");
    probe.close().await;
}
