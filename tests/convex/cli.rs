//! The unmodified `convex` command. It is looked for in target/tools/convex, where `.ci/run` installs it; where it is not,
//! the test says so and is skipped. `BACKDRAFT_REQUIRE_TOOLS` names tools for which a skip is a failure.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use backdraft::{
    emulator::{
        convex::condition::{Condition, Cut},
        link::LinkState,
    },
    model::units::Percent,
    service::database::hosted::Address,
    sim::clock::Clock,
};
use serde_json::json;

use super::world::World;

/// Longest time that a call may take; some of the tool's failures are to hang.
const LIMIT: Duration = Duration::from_secs(60);

/// The command, in a project that depends on it.
struct Project {
    script: PathBuf,
    folder: PathBuf,
    clock: Clock,
}

/// How a call ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ended {
    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    #[track_caller]
    fn says(self, code: i32, text: &str) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(self.err.contains(text), "not said: {text}\n{self:#?}");
    }
}

impl Project {
    /// `None` where the tool or Node is missing.
    fn new(folder: PathBuf, clock: &Clock) -> Option<Project> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/convex/node_modules/convex/bin/main.js");
        let node = std::process::Command::new("node").arg("--version").stdout(Stdio::null()).status();
        if !script.exists() || !node.is_ok_and(|status| status.success()) {
            let required = std::env::var("BACKDRAFT_REQUIRE_TOOLS").unwrap_or_default();
            let told =
                "SKIPPED convex: not installed; it needs Node and, in target/tools/convex, tests/convex/package.json";
            println!("{told}");
            assert!(!required.split(',').any(|name| name == "convex"), "{told}");
            return None;
        }
        std::fs::create_dir(&folder).unwrap();
        let package = json!({ "name": "drill", "private": true, "dependencies": { "convex": "1.48.0" } });
        std::fs::write(folder.join("package.json"), package.to_string()).unwrap();
        Some(Project { script, folder, clock: clock.clone() })
    }

    async fn with(&self, environment: &[(&str, &str)], args: &[&str]) -> Ended {
        let run = tokio::process::Command::new("node")
            .arg(&self.script)
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &self.folder)
            .env("CI", "1")
            .env("NO_PROXY", "127.0.0.1")
            .envs(environment.iter().copied())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = self.clock.limit(LIMIT, run).await.unwrap_or_else(|| panic!("{args:?} hangs")).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    async fn run(&self, at: &Address, args: &[&str]) -> Ended {
        let environment = [("CONVEX_SELF_HOSTED_URL", &*at.url), ("CONVEX_SELF_HOSTED_ADMIN_KEY", &*at.key)];
        self.with(&environment, args).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_convex_command_reads_a_deployment_unmodified() {
    let world = World::new().await;
    let Some(convex) = Project::new(world.scratch.path().join("project"), &world.clock) else { return };
    let source = world.hosted.source_address();
    let documents = world.source().await;

    let tables = convex.run(source, &["data"]).await.ok().out;
    assert_eq!(tables.lines().map(str::to_owned).collect::<Vec<_>>(), documents.keys().cloned().collect::<Vec<_>>());
    let newest = convex.run(source, &["data", "users", "--format", "jsonl", "--limit", "3"]).await.ok().out;
    let lines: Vec<&str> = newest.lines().collect();
    let last_id = &documents["users"].last().unwrap()[8..40];
    assert!(lines.len() == 3 && lines[0].contains(last_id), "the newest comes first: {newest}");
    assert!(lines[0].contains("\"revision\": 0n") || lines[0].contains("n, "), "integers are integers: {newest}");
    convex.run(source, &["data", "nowhere"]).await.says(0, "There are no documents in this table.");

    let listed = convex.run(source, &["run", "users:list", "{\"limit\": 2}"]).await.ok().out;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert!(listed[0]["accountNumber"]["$integer"].is_string(), "{listed}");
    let unknown = convex.run(source, &["run", "users:nothing"]).await;
    assert!(unknown.err.contains("Available functions:") && unknown.err.contains("users:list"), "{unknown:#?}");
    unknown.says(1, "Could not find function for 'users:nothing'");

    let wrong = Address { key: "prod:hooklabs-production|wrong".into(), ..source.clone() };
    convex.run(&wrong, &["export", "--path", "wrong.zip"]).await.says(1, "401 Unauthorized: BadAdminKey");
    world.hosted.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_convex_command_exports_and_what_goes_wrong_is_as_it_is_known() {
    let world = World::new().await;
    let Some(convex) = Project::new(world.scratch.path().join("project"), &world.clock) else { return };
    let (source, deployment) = (world.hosted.source_address(), world.source_deployment());

    let key = [("CONVEX_DEPLOY_KEY", &*source.key), ("CONVEX_PROVISION_HOST", &*source.url)];
    convex.with(&key, &["export", "--path", "by-key.zip"]).await.ok();
    let whole = std::fs::read(convex.folder.join("by-key.zip")).unwrap();
    zip::ZipArchive::new(std::io::Cursor::new(&whole)).unwrap();

    let cut = |length_told| {
        let download_cut = Some(Cut { after: Percent(40), length_told });
        deployment.set_condition(Condition { download_cut, ..Condition::default() });
    };
    cut(false);
    convex.run(source, &["export", "--path", "cut.zip"]).await.ok();
    assert_eq!(
        std::fs::read(convex.folder.join("cut.zip")).unwrap(),
        whole[..whole.len() * 40 / 100],
        "exit code 0, and not whole"
    );
    cut(true);
    let broken = convex.run(source, &["export", "--path", "broken.zip"]).await;
    assert_eq!(broken.code, Some(1), "{broken:#?}");
    assert!(std::fs::metadata(convex.folder.join("broken.zip")).unwrap().len() < whole.len() as u64);

    deployment.set_condition(Condition { export_fails: true, ..Condition::default() });
    let failed = convex.run(source, &["export", "--path", "failed.zip"]).await;
    assert!(failed.code == Some(1) && !convex.folder.join("failed.zip").exists(), "{failed:#?}");

    deployment.set_condition(Condition { export_stuck: true, ..Condition::default() });
    world.source_api().post("/api/export/request/zip", json!({})).await.error_for_status().unwrap();
    let busy = "A snapshot export is already requested or in progress.";
    convex.run(source, &["export", "--path", "stuck.zip"]).await.says(1, busy);
    world.hosted.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_convex_command_restores_what_it_exported_and_is_refused_where_it_must() {
    let world = World::new().await;
    let Some(convex) = Project::new(world.scratch.path().join("project"), &world.clock) else { return };
    let fresh = world.fresh();
    let at = &fresh.address;
    let source = world.source().await;
    let rows: usize = source.values().map(Vec::len).sum();

    let export = ["export", "--path", "out.zip", "--include-file-storage"];
    convex.run(world.hosted.source_address(), &export).await.ok();
    let added = convex.run(at, &["import", "out.zip"]).await;
    assert!(added.err.contains("Import change summary:"), "{added:#?}");
    added.says(0, &format!("Added {rows} documents"));
    assert!(fresh.tables().await == source, "to the byte, every integer an integer");

    let again = convex.run(at, &["import", "out.zip"]).await;
    again.says(1, "Please choose a new table name or use replace/append modes.");
    let unasked = convex.run(at, &["import", "--replace", "out.zip"]).await;
    unasked.says(1, "Cannot prompt for input in non-interactive terminals");

    std::fs::write(convex.folder.join("extra.jsonl"), "{\"n\": 1}\n{\"n\": 2}\n").unwrap();
    std::fs::write(convex.folder.join("extra.csv"), "n\n3\n").unwrap();
    std::fs::write(convex.folder.join("extra.json"), "[{\"n\": 4}]").unwrap();
    convex
        .run(at, &["import", "--table", "extra", "extra.jsonl"])
        .await
        .says(0, "Added 2 documents to table \"extra\"");
    convex.run(at, &["import", "--append", "--table", "extra", "extra.csv"]).await.ok();
    convex.run(at, &["import", "--append", "--table", "extra", "extra.json"]).await.ok();
    let extra = fresh.tables().await["extra"].concat();
    assert!(
        (1..=4).all(|n| extra.contains(&format!("\"n\":{n}.0}}")) || extra.contains(&format!("\"n\": {n}.0}}"))),
        "{extra}"
    );

    std::fs::write(convex.folder.join("bad.zip"), b"PK\x03\x04 and nothing that follows it").unwrap();
    convex.run(at, &["import", "--replace", "-y", "bad.zip"]).await.says(1, "invalid zip file");
    fresh.deployment.set_condition(Condition { import_fails_after: Some(100), ..Condition::default() });
    convex.run(at, &["import", "--replace", "-y", "out.zip"]).await.says(1, "Hit an error while importing:");
    fresh.deployment.set_condition(Condition::default());
    convex.run(at, &["import", "--replace-all", "-y", "out.zip"]).await.says(0, &format!("Added {rows} documents"));
    assert!(fresh.tables().await == source, "what the archive does not mention is gone");

    fresh.deployment.link().set(LinkState::Refused);
    let down = convex.run(at, &["import", "--replace", "-y", "out.zip"]).await;
    assert_eq!(down.code, Some(1), "{down:#?}");
    world.hosted.shutdown().await;
}
