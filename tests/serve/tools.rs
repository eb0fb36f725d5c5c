//! The tools of whoever backs up, unmodified, in a served world.

use std::process::Output;

use crate::{
    kit::{
        browser::{program, skipped},
        root,
    },
    rig::Served,
};

#[track_caller]
fn ok(output: Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out.into_owned()
}

#[track_caller]
fn fails(output: Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success(), "{out}\n{err}");
    err.into_owned()
}

fn aws() -> bool {
    let there = program(&["aws"]).is_some();
    if !there {
        skipped("aws", "the aws command is not installed");
    }
    there
}

#[test]
fn aws_cli_reaches_two_regions_through_one_address_and_feels_a_fault_until_it_is_healed() {
    if !aws() {
        return;
    }
    let served = Served::start(&["--only", "s3"]);
    let [us, eu] = ["US_EAST_1", "EU_WEST_1"].map(|name| served.variable(&format!("BACKDRAFT_BUCKET_{name}")));
    let [us, eu] = [format!("s3://{us}/dump"), format!("s3://{eu}/dump")];
    std::fs::write(served.bench.path("dump"), b"all that there is").unwrap();
    let copy = |from: &str, to: &str| served.tool("aws", &["s3", "cp", "--no-progress", from, to]);
    ok(copy("dump", &us));
    ok(copy("dump", &eu));
    let state = served.state();
    let held = |region: &str| {
        let found = state["regions"].as_array().unwrap().iter().find(|one| one["name"] == region).unwrap();
        (found["buckets"][0]["objects"].as_u64(), found["buckets"][0]["bytes"].as_u64())
    };
    assert_eq!((held("us-east-1"), held("eu-west-1")), ((Some(1), Some(17)), (Some(1), Some(17))));

    let outage = "fault: region-outage\nmode: denied\nregions: [us-east-1]";
    let injected = served.done("/api/inject", outage);
    assert_eq!(injected["faults"][0]["proof"]["bit"], false, "nobody has met it: {injected}");
    assert!(fails(copy(&us, "back")).contains("403"));
    ok(copy(&eu, "back"));
    let seen = served.state()["faults"][0].clone();
    assert_eq!((seen["id"].as_u64(), seen["proof"]["bit"].as_bool()), (Some(1), Some(true)), "{seen}");
    let healed = served.done("/api/heal", "{\"id\": 1}");
    assert_eq!((&healed["healed"][0]["complete"], &healed["healed"][0]["proof"]["bit"]), (&true.into(), &true.into()));
    ok(copy(&us, "back"));
    assert_eq!(std::fs::read(served.bench.path("back")).unwrap(), b"all that there is");

    served.done("/api/inject", "fault: region-outage\nmode: refused\nregions: [eu-west-1]");
    let own = served.variable("BACKDRAFT_ENDPOINT_EU_WEST_1");
    let list = |more: &[&str]| served.tool("aws", &[&["s3", "ls", &eu][..], more].concat());
    assert!(fails(list(&["--endpoint-url", own])).contains("Could not connect"), "nobody listens at its own address");
    fails(list(&[]));
    served.done("/api/heal", "{\"all\": true}");
    ok(list(&["--endpoint-url", own]));
}

#[test]
fn each_key_has_its_rights_and_a_planned_lock_holds_until_its_time() {
    if !aws() {
        return;
    }
    let plan = std::fs::read_to_string(root().join("fixtures/hooklabs/plan.yaml")).unwrap();
    let bucket = "bucket: backup-us-east-1";
    let locked = plan.replacen(bucket, &format!("{bucket}\n    lock: {{ mode: compliance, keep: 2 days }}"), 1);
    assert_ne!(plan, locked);
    let file = tempfile::tempdir().unwrap();
    let path = file.path().join("plan.yaml");
    std::fs::write(&path, locked).unwrap();
    let served = Served::start(&["--only", "s3", "--plan", &path.display().to_string()]);
    let bucket = served.variable("BACKDRAFT_BUCKET_US_EAST_1").to_owned();
    assert_eq!(served.state()["regions"][0]["buckets"][0]["lock"], "compliance, 2 days");
    let api = |arguments: &[&str]| served.tool("aws", &[&["s3api"], arguments, &["--bucket", &bucket]].concat());
    std::fs::write(served.bench.path("dump"), b"all that there is").unwrap();
    let put = ok(api(&["put-object", "--key", "dump", "--body", "dump"]));
    let put: serde_json::Value = serde_json::from_str(&put).unwrap();
    let version = put["VersionId"].as_str().unwrap();
    let delete = ["delete-object", "--key", "dump", "--version-id", version];
    assert!(fails(api(&delete)).contains("AccessDenied"));
    served.done("/api/clock", "{\"ahead\": \"3 days\"}");
    ok(api(&delete));

    let as_reader = |arguments: &[&str]| {
        let key = |name: &str| served.variable(&format!("BACKDRAFT_READER_{name}")).to_owned();
        let keys = [("AWS_ACCESS_KEY_ID", key("ACCESS_KEY_ID")), ("AWS_SECRET_ACCESS_KEY", key("SECRET_ACCESS_KEY"))];
        let set: Vec<String> = keys.map(|(name, value)| format!("{name}={value}")).into();
        let words = [&["-", "aws", "s3api"], arguments, &["--bucket", &bucket]].concat();
        served.tool("env", &[&[set[0].as_str(), set[1].as_str()], &words[1..]].concat())
    };
    ok(as_reader(&["list-objects-v2"]));
    assert!(fails(as_reader(&["put-object", "--key", "other", "--body", "dump"])).contains("AccessDenied"));
}

#[test]
fn a_fault_on_a_backup_changes_what_is_fetched_and_healing_brings_back_every_byte() {
    if !aws() {
        return;
    }
    let served = Served::start(&["--only", "convex"]);
    let point =
        served.done("/api/backup", "{\"service\": \"database\"}")["backup"]["point"].as_str().unwrap().to_owned();
    let bucket = served.variable("BACKDRAFT_BUCKET_US_EAST_1");
    let listed = ok(served.tool("aws", &["s3", "ls", "--recursive", &format!("s3://{bucket}")]));
    let key = listed.split_whitespace().find(|word| word.contains(&point) && !word.contains("manifest")).unwrap();
    let fetch = || {
        ok(served.tool("aws", &["s3", "cp", "--quiet", &format!("s3://{bucket}/{key}"), "dump"]));
        std::fs::read(served.bench.path("dump")).unwrap()
    };
    let whole = fetch();
    let damage =
        "- fault: corrupt-json\n  mode: truncated\n  regions: [us-east-1]\n- fault: missing-backup\n  mode: deleted";
    let ids = served.done("/api/inject", damage);
    assert_eq!(ids["faults"].as_array().unwrap().len(), 2);
    let (status, said) = served.post("/api/heal", "{\"id\": 1}");
    assert!(status == 409 && said["error"].as_str().unwrap().contains("heal 2 first"), "{said}");
    served.done("/api/heal", "{\"id\": 2}");
    assert_ne!(fetch(), whole);
    served.done("/api/heal", "{\"id\": 1}");
    assert!(fetch() == whole, "to the byte");
}

#[test]
fn the_convex_command_exports_the_source_and_imports_into_new_deployments_alone() {
    let script = root().join("target/tools/convex/node_modules/convex/bin/main.js");
    if !script.exists() || program(&["node"]).is_none() {
        return skipped("convex", "the convex command is not installed in target/tools/convex, or Node is missing");
    }
    let served = Served::start(&["--only", "convex"]);
    let package = "{\"name\": \"mine\", \"private\": true, \"dependencies\": {\"convex\": \"1.48.0\"}}";
    std::fs::write(served.bench.path("package.json"), package).unwrap();
    let script = script.display().to_string();
    let at = |url: &str, key: &str, arguments: &[&str]| {
        let set = [format!("CONVEX_SELF_HOSTED_URL={url}"), format!("CONVEX_SELF_HOSTED_ADMIN_KEY={key}")];
        served.tool("env", &[&[set[0].as_str(), &set[1], "CI=1", "node", &script], arguments].concat())
    };
    let (url, key) = (served.variable("CONVEX_SELF_HOSTED_URL"), served.variable("CONVEX_SELF_HOSTED_ADMIN_KEY"));
    ok(at(url, key, &["export", "--path", "out.zip"]));
    let refused = fails(at(url, key, &["import", "--replace", "-y", "out.zip"]));
    assert!(refused.contains("import into a new one"), "{refused}");

    let first =
        ["URL", "ADMIN_KEY"].map(|name| served.variable(&format!("BACKDRAFT_RESTORE_CONVEX_{name}")).to_owned());
    let made = served.done("/api/provision", "");
    let second = ["url", "admin_key"].map(|name| made[name].as_str().unwrap().to_owned());
    assert_ne!(first, second);
    for (name, [url, key]) in [("first.zip", &first), ("second.zip", &second)] {
        ok(at(url, key, &["import", "out.zip"]));
        ok(at(url, key, &["export", "--path", name]));
        let listed = ok(at(url, key, &["run", "users:list", "{\"limit\": 2}"]));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&listed).unwrap().as_array().unwrap().len(), 2);
    }
    served.done("/api/inject", "fault: target-wrong-key");
    assert!(fails(at(&first[0], &first[1], &["import", "--replace", "-y", "out.zip"])).contains("BadAdminKey"));
    served.done("/api/heal", "{\"all\": true}");
    ok(at(&first[0], &first[1], &["import", "--replace", "-y", "out.zip"]));
}
