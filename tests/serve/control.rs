//! The control API by hand: who may ask, what is refused and how, and what happens to the world.

use serde_json::Value;

use crate::rig::{Served, ask, client, wait_for};

#[track_caller]
fn refused(served: &Served, path: &str, body: &str, status: u16, words: &str) {
    let (code, said) = served.post(path, body);
    assert!(code == status && said["error"].as_str().unwrap().contains(words), "{code} {said}");
}

#[test]
fn nobody_without_the_token_of_another_name_or_of_another_site_is_answered() {
    let served = Served::start(&["--only", "s3"]);
    let token = served.variable("BACKDRAFT_CONTROL_TOKEN").to_owned();
    let get = || client().get(served.url("/api/state"));
    let heal = |origin: &str| {
        let asked = client().post(served.url(&format!("/heal-all?token={token}"))).header("origin", origin);
        ask(asked.header("content-type", "application/x-www-form-urlencoded"))
    };
    served.done("/api/inject", "fault: region-outage\nmode: denied");
    for (request, words) in [
        (get(), "a token is needed"),
        (get().bearer_auth("0123"), "another one's"),
        (client().get(served.url("/?token=")), "another one's"),
        (get().bearer_auth(&token).header("host", "evil.example"), "another name leads here"),
        (get().bearer_auth(&token).header("origin", "http://evil.example"), "another site"),
        (client().get(served.url("/nothing")), "a token is needed"),
    ] {
        let (status, text) = ask(request);
        assert!(status == 403 && text.contains(words), "{status} {text}");
    }
    assert_eq!(heal("http://127.0.0.1:1").0, 403);
    assert_eq!(served.state()["faults"].as_array().unwrap().len(), 1, "nothing was healed");
    assert_eq!(heal(served.variable("BACKDRAFT_CONTROL_URL")).0, 303);
    assert_eq!(served.state()["faults"].as_array().unwrap().len(), 0);
}

#[test]
fn what_cannot_be_broken_is_refused_with_its_line_and_in_the_words_of_the_catalogue() {
    let served = Served::start(&["--only", "s3,convex"]);
    let inject = |body: &str, status, words: &str| refused(&served, "/api/inject", body, status, words);
    inject(
        "- fault: region-outage\n  mode: denied\n- fault: region-outag",
        422,
        "entry:3:10: there is no fault `region-outag`\n  help: did you mean `region-outage`?",
    );
    inject("fault: region-outage\nmode: x", 422, "entry:2:7: `region-outage` has no mode `x`");
    inject("fault: region-outage\nmode: denied\nregions: [eu-west-2]", 422, "did you mean `eu-west-1`?");
    inject(
        "fault: region-outage\nmode: slow-link\nwith: { rate: fast }",
        422,
        "parameter `rate` of fault `region-outage`",
    );
    inject("fault: bad-deploy\nmode: broken-build", 422, "it strikes services of these kinds: web application");
    inject("fault: corrupt-json\nmode: truncated", 422, "no recovery point exists");
    inject("fault: restore-killed", 422, "here that process is yours");
    inject("fault: region-outage\nmode: denied\nwhen: { at: day 4 03:00 }", 422, "leave `when` out");
    inject("fault: region-outage\nmodus: denied", 400, "entry:2:1: ");
    inject("{\"fault\": ", 400, "this is not YAML");
    inject("", 400, "there is no entry in it");
    inject("a: &a [*a]", 400, "entry:");
    let (status, _) = served.post("/api/inject", "x".repeat(100_000));
    assert_eq!(status, 413);
    refused(&served, "/api/heal", "{\"id\": 7}", 404, "no fault acts that has the number 7");
    refused(&served, "/api/heal", "{}", 400, "{\"all\": true}");
    refused(&served, "/api/backup", "{\"service\": \"<b>\"}", 404, "there are: database");
    refused(&served, "/api/write", "{\"service\": \"database\", \"writes\": 0}", 400, "from 1 to");
    refused(&served, "/api/clock", "{\"ahead\": \"0 s\"}", 400, "ahead");
    refused(&served, "/api/nothing", "{}", 404, "nothing at this address");
    let state = served.state();
    assert_eq!(
        (state["faults"].as_array().unwrap().len(), state["regions"][0]["link"]["state"].as_str()),
        (0, Some("up"))
    );
}

#[test]
fn of_a_list_that_cannot_be_injected_whole_nothing_stays() {
    let served = Served::start(&["--only", "s3,convex"]);
    // The second finds no backup, once the first has been injected.
    let both = "- fault: region-outage\n  mode: denied\n- fault: corrupt-json\n  mode: truncated";
    refused(&served, "/api/inject", both, 422, "fault `corrupt-json (truncated)` cannot be injected here");
    let state = served.state();
    assert_eq!(state["faults"].as_array().unwrap().len(), 0);
    assert!(state["regions"].as_array().unwrap().iter().all(|one| one["link"]["conditions"] == 0), "{state}");
    assert!(state["done"][0]["what"].as_str().unwrap().contains("taken back"), "{}", state["done"]);
}

#[test]
fn every_example_of_the_catalogue_can_be_injected_or_says_why_not_and_all_heal() {
    let served = Served::start(&["--days", "3"]);
    let before = objects(&served.state());
    let families = served.get("/api/faults").1["families"].as_array().unwrap().clone();
    let (mut injected, mut refused) = (0, Vec::new());
    for fault in families.iter().flat_map(|family| family["faults"].as_array().unwrap()) {
        let name = fault["name"].as_str().unwrap();
        let (status, said) = served.post("/api/inject", fault["example"].to_string());
        assert_eq!(status == 200, fault["why_not_here"].is_null() && status != 422, "{name}: {said}");
        match status {
            200 => {
                injected += 1;
                let healed = served.done("/api/heal", "{\"all\": true}");
                assert_eq!(healed["healed"][0]["complete"], true, "{name}: {healed}");
            }
            _ => refused.push(name.to_owned()),
        }
    }
    assert!(injected > 50, "only {injected}");
    // The config's dump has no such table, this plan's dumps are no archives, it keeps no stream, no bad deployment came
    // before, and two strike a process that is not here.
    let known = ["table-dropped", "schema-file-missing", "climbing-entry", "stream-gap", "restore-killed"];
    assert_eq!(refused, [&known[..], &["rollback-target-gone", "restore-hangs"]].concat());
    assert_eq!(objects(&served.state()), before, "everything is as it was");
    assert!(served.state()["services"].as_array().unwrap().iter().all(|one| one["ails"].is_null()));
}

/// Objects and bytes of every bucket.
fn objects(state: &Value) -> Vec<(u64, u64)> {
    let buckets = state["regions"].as_array().unwrap().iter().flat_map(|one| one["buckets"].as_array().unwrap());
    buckets.map(|one| (one["objects"].as_u64().unwrap(), one["bytes"].as_u64().unwrap())).collect()
}

#[test]
fn a_fault_that_lasts_a_while_is_over_when_its_time_has_come_on_the_worlds_clock() {
    let served = Served::start(&["--only", "s3"]);
    served.done("/api/inject", "fault: region-outage\nmode: denied\nlasts: 8 min");
    assert_eq!(served.state()["faults"].as_array().unwrap().len(), 1);
    served.done("/api/clock", "{\"ahead\": \"9 min\"}");
    wait_for("the end of the fault", || served.state()["faults"].as_array().unwrap().is_empty().then_some(()));
    let done = served.state()["done"][0]["what"].as_str().unwrap().to_owned();
    assert!(done.contains("region-outage (denied) healed; it did not bite"), "{done}");
}

#[test]
fn the_status_page_and_the_hosting_provider_tell_of_a_bad_deployment_until_it_is_healed() {
    let served = Served::start(&["--only", "hosting"]);
    let page = format!("{}/status.json", served.variable("BACKDRAFT_STATUS_PAGE_URL"));
    let status = |state: &str| {
        wait_for(state, || {
            let seen: Value = serde_json::from_str(&ask(client().get(&page)).1).unwrap();
            let first = seen["components"][0]["state"] == state;
            first.then_some(seen)
        })
    };
    let users = || {
        let host = served.variable("BACKDRAFT_HOSTING_DOMAIN");
        let address = format!("http://{}/api/health", served.variable("BACKDRAFT_HOSTING_ADDRESS"));
        ask(client().get(address).header("host", host)).0
    };
    assert!(status("operational")["incident"].is_null());
    assert_eq!(users(), 200);
    served.done("/api/inject", "fault: bad-deploy\nmode: broken-build");
    assert_eq!(users(), 500);
    assert!(status("outage")["incident"]["began"]["en"].as_str().unwrap().starts_with("Began "));
    served.done("/api/heal", "{\"all\": true}");
    assert_eq!(users(), 200);
    assert!(status("operational")["incident"].is_null());
}

#[test]
fn days_of_history_leave_backups_of_each_day_and_writes_and_backups_go_on_by_hand() {
    let served = Served::start(&["--days", "2", "--only", "convex"]);
    let before = objects(&served.state());
    assert!(before[0].0 >= 4, "dump and manifest of each day: {before:?}");
    assert_eq!(before[0], before[1], "in every region");
    let rows = served.state()["services"][0]["rows"].as_u64().unwrap();
    served.done("/api/write", "{\"service\": \"database\", \"writes\": 2000}");
    let after = served.state()["services"][0]["rows"].as_u64().unwrap();
    assert_ne!(rows, after);
    let made = served.done("/api/backup", "{\"service\": \"database\"}");
    assert_eq!(made["backup"]["rows"].as_u64(), Some(after), "{made}");
    assert_eq!(objects(&served.state())[0].0, before[0].0 + 2);
    served.done("/api/inject", "fault: region-outage\nmode: denied\nregions: [eu-west-1]");
    let made = served.done("/api/backup", "{\"service\": \"database\"}");
    assert!(made["backup"]["missing_in"][0].as_str().unwrap().contains("eu-west-1"), "{made}");
    served.done("/api/inject", "fault: region-outage\nmode: denied");
    refused(&served, "/api/backup", "{\"service\": \"database\"}", 422, "the backup of database failed");
}
