//! What an import does to a deployment, mode by mode, and how it fails.

use backdraft::{
    emulator::convex::{condition::Condition, ids},
    service::contract::Platform,
};
use serde_json::json;

use super::world::{World, zip};

const LIST: &str = "{\"name\":\"a\",\"id\":10001}\n{\"name\":\"b\",\"id\":10002}\n";

fn id(table: u32, number: u8) -> String {
    ids::encode(table, [number; 16])
}

fn row(table: u32, number: u8, n: &str) -> String {
    format!("{{\"_id\":\"{}\",\"_creationTime\":1.5,\"n\":{n}}}", id(table, number))
}

/// Rows of `a` and `b`, with their types.
fn archive(a: &str, b: &str) -> Vec<u8> {
    zip(&[
        ("_tables/documents.jsonl", LIST),
        ("a/documents.jsonl", a),
        ("a/generated_schema.jsonl", "\"uniform\"\n"),
        ("b/documents.jsonl", b),
        ("b/generated_schema.jsonl", "\"uniform\"\n"),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mode_touches_what_it_should_and_asks_where_something_would_be_deleted() {
    let world = World::new().await;
    let fresh = world.fresh();
    let (api, clock) = (&fresh.api, &world.clock);
    let (a1, a2, b1) = (row(10_001, 1, "36"), row(10_001, 2, "36.0"), row(10_002, 3, "-9007199254740993"));
    let first = archive(&format!("{a1}\n{a2}\n"), &format!("{b1}\n"));

    let (unconfirmed, state) = api.ask_import("requireEmpty", "zip", None, &first, clock).await;
    assert_eq!(state["require_manual_confirmation"], false);
    let summary = "Import change summary:\ntable | create | delete |\n-------------------------\na     | 2      | 0 of 0 \
                   |\nb     | 1      | 0 of 0 |\nOnce the import has started, it will run in the background.\nInterrupting \
                   `npx convex import` will not cancel it.";
    assert_eq!(state["message_to_confirm"], summary);
    assert!(fresh.tables().await.is_empty(), "nothing is visible before it is confirmed");
    assert_eq!(api.import("requireEmpty", "zip", None, &first, clock).await["state"], "completed");
    let tables = fresh.tables().await;
    assert_eq!((&tables["a"], &tables["b"]), (&vec![a1.clone(), a2.clone()], &vec![b1.clone()]), "to the byte");

    let state = api.import("requireEmpty", "zip", None, &first, clock).await;
    let told = "Hit an error while importing:\nTable a already exists. Please choose a new table name or use \
                replace/append modes.";
    assert_eq!(state["error_message"], told);

    let third = row(10_001, 9, "1");
    let state = api.import("append", "jsonLines", Some("a"), third.as_bytes(), clock).await;
    assert_eq!(state["state"], "completed", "{state}");
    assert_eq!(fresh.tables().await["a"], [a1.clone(), a2.clone(), row(10_001, 9, "1.0")], "no types: a float");

    // `a` is listed and has no documents: it is emptied. `b` is not mentioned: it stays.
    let emptied = zip(&[("_tables/documents.jsonl", "{\"name\":\"a\",\"id\":10001}\n")]);
    let (_, state) = api.ask_import("replace", "zip", None, &emptied, clock).await;
    assert_eq!(state["require_manual_confirmation"], true);
    assert!(state["message_to_confirm"].as_str().unwrap().contains("a     | 0      | 3 of 3 |"), "{state}");
    api.import("replace", "zip", None, &emptied, clock).await;
    let tables = fresh.tables().await;
    assert_eq!((tables["a"].len(), tables["b"].len()), (0, 1));

    let only_c = api.import("replaceAll", "csv", Some("c"), b"name,age\nAda,36\n\"Lo, ve\",x\n", clock).await;
    assert_eq!(only_c["state"], "completed", "{only_c}");
    let tables = fresh.tables().await;
    assert_eq!(tables.keys().collect::<Vec<_>>(), ["c"], "what is not mentioned is gone");
    assert!(
        tables["c"][0].ends_with(r#""name":"Ada","age":36.0}"#)
            && tables["c"][1].ends_with(r#""name":"Lo, ve","age":"x"}"#)
    );
    assert!(tables["c"].iter().all(|row| row.starts_with("{\"_id\":\"") && row.contains("\"_creationTime\":")));

    api.json("/api/perform_import", json!({ "importId": unconfirmed })).await;
    api.until("_system/cli/queryImport", json!({ "importId": unconfirmed }), &["completed"], clock).await;
    world.hosted.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_types_an_archive_turns_every_integer_into_a_float() {
    let world = World::new().await;
    let fresh = world.fresh();
    let untyped = zip(&[("_tables/documents.jsonl", LIST), ("a/documents.jsonl", &row(10_001, 1, "36"))]);
    assert_eq!(fresh.api.import("replace", "zip", None, &untyped, &world.clock).await["state"], "completed");
    assert_eq!(fresh.tables().await["a"], [row(10_001, 1, "36.0")]);
    world.hosted.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_imported_is_told_in_a_deployments_words_and_changes_nothing() {
    let world = World::new().await;
    let fresh = world.fresh();
    let good = row(10_001, 1, "1");
    let with_rows = |rows: &str| archive(rows, "");
    let broken_crc = {
        let mut bytes = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        bytes.start_file("a/documents.jsonl", stored).unwrap();
        std::io::Write::write_all(&mut bytes, good.as_bytes()).unwrap();
        let mut bytes = bytes.finish().unwrap().into_inner();
        let at = bytes.windows(4).position(|four| four == b"\"n\":").unwrap();
        bytes[at + 4] = b'7';
        bytes
    };
    let cases: [(&str, Option<&str>, Vec<u8>, &str); 9] = [
        ("zip", None, b"no zip at all, but long enough to be cut in two".to_vec(), "invalid zip file"),
        ("zip", None, Vec::new(), "invalid zip file"),
        ("zip", None, broken_crc, "invalid zip file"),
        ("zip", None, with_rows(&format!("{good}\n{{\"n\":")), "Row 2 wasn't valid JSON: "),
        ("zip", None, with_rows(&format!("{good}\n{good}\n")), "Objects in table \"a\" have duplicate _id fields"),
        ("zip", None, with_rows("{\"_id\":\"nonsense\"}\n"), "invalid _id 'nonsense'"),
        ("jsonLines", Some("a"), b"[1]".to_vec(), "Row 1 wasn't valid JSON: "),
        ("jsonArray", Some("a"), b"{\"n\":1}".to_vec(), "Row 1 wasn't valid JSON: "),
        ("zip", None, zip(&[("../etc/documents.jsonl", "")]), "invalid table name"),
    ];
    for (format, table, bytes, expected) in cases {
        let state = fresh.api.import("replace", format, table, &bytes, &world.clock).await;
        let told = state["error_message"].as_str().unwrap_or_default();
        assert!(told.starts_with("Hit an error while importing:\n") && told.contains(expected), "{expected}: {state}");
    }
    assert!(fresh.tables().await.is_empty());
    let unknown = fresh.api.post("/api/perform_import", json!({ "importId": "none" })).await;
    assert_eq!(unknown.status(), 404);
    let into_source = world.source_api().import("replace", "zip", None, &archive(&good, ""), &world.clock).await;
    assert!(into_source["error_message"].as_str().unwrap().contains("takes no imports"), "{into_source}");
    world.hosted.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_import_leaves_all_as_it_was_but_for_appending() {
    let world = World::new().await;
    let fresh = world.fresh();
    let (api, clock) = (&fresh.api, &world.clock);
    let rows: String = (0..50).map(|n| row(10_001, n, "1") + "\n").collect();
    let more: String = (50..100).map(|n| row(10_001, n, "1") + "\n").collect();
    api.import("replace", "zip", None, &archive(&rows, ""), clock).await;
    let fail = Condition { import_fails_after: Some(20), ..Condition::default() };
    fresh.deployment.set_condition(fail);
    let state = api.import("replace", "zip", None, &archive(&more, ""), clock).await;
    assert_eq!(state["state"], "failed");
    assert_eq!(fresh.tables().await["a"].join("\n") + "\n", rows);
    let state = api.import("append", "zip", None, &archive(&more, ""), clock).await;
    assert_eq!((&state["state"], fresh.tables().await["a"].len()), (&json!("failed"), 70), "appending is not atomic");
    assert_eq!(fresh.deployment.struck().imports_failed, 2);
    let small = api.import("replace", "zip", None, &archive(&row(10_001, 1, "1"), ""), clock).await;
    assert_eq!(small["state"], "completed", "an import that ends before does not meet it");
    world.hosted.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipelines_restore_arrives_to_the_byte_and_changes_on_top_of_it() {
    let world = World::new().await;
    let source = world.database.source();
    let export = source.export().await.unwrap();
    let (tables, since) = (export.contents.tables.clone(), export.position);
    use backdraft::service::contract::Service;
    use futures_util::TryStreamExt;
    let chunks: Vec<_> = export.contents.rows.try_collect().await.unwrap();
    world.database.write(world.clock.now() + jiff::SignedDuration::from_hours(5), 200).await.unwrap();
    let changes: Vec<_> = source.changes(since).await.unwrap().rows.try_collect().await.unwrap();

    let target = world.hosted.provision().await.unwrap();
    target.begin(&tables).await.unwrap();
    for chunk in chunks {
        target.stage(chunk).await.unwrap();
    }
    for chunk in changes {
        target.apply(chunk).await.unwrap();
    }
    target.commit().await.unwrap();
    let sorted = |mut tables: super::world::Tables| {
        tables.values_mut().for_each(|rows| rows.sort());
        tables
    };
    let fresh = super::world::gather(target.read_back().await.unwrap()).await;
    assert!(sorted(fresh) == sorted(world.source().await));
    let served = world.hosted.deployments().len();
    target.discard().await.unwrap();
    assert!(target.read_back().await.is_err(), "the deployment is gone");
    assert_eq!(world.hosted.deployments().len(), served - 1);
    world.hosted.shutdown().await;
}
