//! Files, configuration and a change stream as backdraft's own pipelines keep them, in a user's buckets: each defect by its
//! own alarm.

use std::sync::Arc;

use backdraft::{
    emulator::{
        operator::Operator,
        s3::{Region, buckets::BucketOptions},
    },
    model::{
        naming::Layout,
        plan::DumpFormat,
        units::{ByteSize, Span},
    },
    pipeline::{
        Pipeline,
        files::{FilePipeline, Rules},
        reference::Reference,
    },
    service::{
        config::Config,
        contract::{Service, ServiceError},
        database::Database,
        files::{Amount, Files, Provider},
    },
    sim::{clock::Clock, lanes::Lanes, seed::Seed},
    store::{Patience, SharedStore, direct::DirectStore},
};
use flate2::read::MultiGzDecoder;
use jiff::SignedDuration;

use crate::{
    defects::{self, ALL, CHEAP, Case, Wanted, each_raises_its_alarms, look},
    rig::{Rig, last_due},
};

const WEEK: Span = Span::hours(24 * 7);

/// Three services with backups of backdraft's own, and a stream of changes.
fn plan(watches: &str, stream: &str) -> String {
    let stream = format!("stream: {stream}, prefix: convex/daily/");
    defects::plan(watches).replace("prefix: convex/daily/", &stream)
}

/// A stream of which the pieces of the last day are in time at any hour.
const SLOW: &str = "13 h";

fn layout(prefix: &str) -> Layout {
    Layout { prefix: prefix.into(), format: DumpFormat::JsonlGz, written_by: Default::default() }
}

/// Where the media lie.
#[derive(Debug)]
struct Home {
    region: Arc<Region>,
    clock: Clock,
}

impl Provider for Home {
    fn create(&self, bucket: &str) -> Result<SharedStore, ServiceError> {
        self.region.objects().create_bucket(bucket, BucketOptions::versioned()).unwrap();
        Ok(Arc::new(DirectStore::new(Arc::clone(&self.region), bucket, &self.clock, Patience::default())))
    }

    fn empty(&self, bucket: &str) -> Result<(), ServiceError> {
        self.region.objects().remove_all(bucket).map_err(|e| ServiceError(e.to_string()))
    }
}

/// Backups of two days of each service. The stream of the first day breaks off after a piece and four writes; on the
/// second it begins again on the backup, and five pieces follow.
fn fill(rig: &Rig) {
    let (clock, lanes) = (&rig.clock, Lanes::new(&rig.clock));
    let days = [1, 0].map(|ago| last_due() - SignedDuration::from_hours(24 * ago));
    clock.set(days[0]);
    rig.runtime.block_on(async {
        let region = Region::new("media-home", clock, &rig.folder("media")).unwrap();
        let home = Arc::new(Home { region, clock: clock.clone() });
        let amount = Amount { size: ByteSize(64 << 10), scale: 1 };
        let files = Arc::new(Files::seed("media", home, amount, Seed(1), clock.now(), &lanes).await.unwrap());
        let rules = Rules { service: "files".into(), layout: layout("files/"), retention: WEEK, target_time: None };
        let files_pipeline = FilePipeline::new(rig.workbench("files"), files.clone(), rules);

        let operator = Arc::new(Operator::default());
        let (folder, vault) = (rig.folder("config"), rig.folder("vault"));
        let config = Arc::new(Config::seed(Seed(2), clock.now(), &folder, &vault, &operator).unwrap());
        let config_pipeline =
            Reference::new(rig.workbench("config-bench"), config, "config", layout("config/"), WEEK).guarding_secrets();

        let folder = rig.folder("streamed");
        let database = Arc::new(Database::seed(ByteSize(256 << 10), Seed(7), clock.now(), &folder, &lanes).unwrap());
        let piece = async |pipeline: &Reference, at| {
            clock.set(at);
            database.write(at, 4).await.unwrap();
            pipeline.stream().await;
        };
        for (day, at) in (1..).zip(days) {
            clock.set(at);
            let bench = rig.workbench("database-bench");
            let database_pipeline = Reference::new(bench, database.clone(), "database", layout("convex/daily/"), WEEK);
            files.write(at, 3).await.unwrap();
            database.write(at, 5).await.unwrap();
            files_pipeline.backup(day).await.unwrap();
            config_pipeline.backup(day).await.unwrap();
            database_pipeline.backup(day).await.unwrap();
            for number in 1..=if day == 1 { 1 } else { 5 } {
                piece(&database_pipeline, at + SignedDuration::from_mins(number)).await;
            }
            database.write(clock.now(), 4).await.unwrap();
        }
    });
}

/// Keys of a region's pieces of the stream, and of its contents of files.
fn keys(rig: &Rig, region: usize, begin: &str) -> Vec<String> {
    rig.keys(region).into_iter().filter(|key| key.starts_with(begin)).collect()
}

fn flip(rig: &Rig, region: usize, key: &str) {
    let mut bytes = rig.bytes(region, key);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    rig.replace(region, key, bytes);
}

fn cut(rig: &Rig, region: usize, key: &str) {
    let bytes = rig.bytes(region, key);
    rig.replace(region, key, bytes[..bytes.len() - 9].to_vec());
}

/// The newest list, dump or manifest of a service in the primary.
fn newest(rig: &Rig, prefix: &str, ending: &str) -> String {
    keys(rig, 0, &format!("{prefix}backup-")).into_iter().rfind(|key| key.ends_with(ending)).unwrap()
}

/// A defect, what the plan watches and how often a piece is due, and its alarms.
type Row<'c> = (&'c str, &'c str, &'c str, &'c dyn Fn(&Rig), &'c [Wanted<'c>]);

#[test]
fn each_defect_of_own_backups_raises_its_alarm_and_no_other() {
    let rig = Rig::new(0, DumpFormat::JsonlGz);
    fill(&rig);
    let pieces = keys(&rig, 0, "convex/daily/stream/");
    assert_eq!(pieces.len(), 6, "{pieces:?}");
    // A content that the newest generation names: it does not need all that lie there.
    let list = rig.bytes(0, &newest(&rig, "files/", ".jsonl.gz"));
    let list = std::io::read_to_string(MultiGzDecoder::new(&list[..])).unwrap();
    let digest = list.split("\"sha256\":\"").nth(1).unwrap().split('"').next().unwrap();
    let shared = &layout("files/").content_key(digest);
    let rows: &[Row<'_>] = &[
        ("nothing is wrong", CHEAP, SLOW, &|_| {}, &[]),
        ("nothing is wrong, and all is read", ALL, SLOW, &|_| {}, &[]),
        (
            "a content is gone in the primary",
            CHEAP,
            SLOW,
            &|rig| rig.remove(0, shared),
            &[("files", "us-east-1", "missing", "1 of ")],
        ),
        (
            "all contents are gone in a replica",
            CHEAP,
            SLOW,
            &|rig| {
                keys(rig, 2, "files/objects/").iter().for_each(|key| rig.remove(2, key));
            },
            &[("files", "ap-northeast-1", "missing", "that it names are not there, e.g. files/objects/")],
        ),
        (
            "a content is short",
            CHEAP,
            SLOW,
            &|rig| {
                let bytes = rig.bytes(1, shared);
                rig.replace(1, shared, bytes[1..].to_vec());
            },
            &[("files", "eu-west-1", "unreadable", "have another size than it names, e.g. files/objects/")],
        ),
        ("a bit of a content, and nobody reads it", CHEAP, SLOW, &|rig| flip(rig, 0, shared), &[]),
        (
            "a bit of a content, and it is read",
            ALL,
            SLOW,
            &|rig| flip(rig, 0, shared),
            &[("files", "us-east-1", "unreadable", "1 of ")],
        ),
        (
            "a bit of the list",
            CHEAP,
            SLOW,
            &|rig| flip(rig, 0, &newest(rig, "files/", ".jsonl.gz")),
            &[("files", "us-east-1", "unreadable", "backup-")],
        ),
        (
            "the files' manifest is gone",
            CHEAP,
            SLOW,
            &|rig| rig.remove(0, &newest(rig, "files/", ".manifest.json")),
            &[("files", "us-east-1", "unreadable", "its manifest: no such object")],
        ),
        (
            "the newest generation is gone",
            CHEAP,
            SLOW,
            &|rig| {
                for region in 0..3 {
                    for ending in [".jsonl.gz", ".manifest.json"] {
                        let key =
                            keys(rig, region, "files/backup-").into_iter().rfind(|key| key.ends_with(ending)).unwrap();
                        rig.remove(region, &key);
                    }
                }
            },
            &[
                ("files", "us-east-1", "missing", "one was due at"),
                ("files", "us-east-1", "too-old", "the limit is 25 h"),
            ],
        ),
        (
            "the configuration's manifest is nonsense",
            CHEAP,
            SLOW,
            &|rig| {
                rig.replace(0, &newest(rig, "config/", ".manifest.json"), b"{}".to_vec());
            },
            &[
                ("config", "us-east-1", "unreadable", "manifest"),
                ("config", "us-east-1", "too-small", "the limit is 10 KiB"),
            ],
        ),
        (
            "the configuration is cut",
            CHEAP,
            SLOW,
            &|rig| {
                let key = newest(rig, "config/", ".jsonl.gz");
                let bytes = rig.bytes(0, &key);
                rig.replace(0, &key, bytes[..bytes.len() / 2].to_vec());
            },
            &[
                ("config", "us-east-1", "too-small", "the limit is 10 KiB"),
                ("config", "us-east-1", "unreadable", "bytes, its manifest says"),
            ],
        ),
        (
            "a dump is cut in the primary",
            CHEAP,
            SLOW,
            &|rig| cut(rig, 0, &newest(rig, "convex/daily/", ".jsonl.gz")),
            &[("database", "us-east-1", "unreadable", "bytes, its manifest says")],
        ),
        (
            "a dump is cut in a replica",
            CHEAP,
            SLOW,
            &|rig| cut(rig, 1, &newest(rig, "convex/daily/", ".jsonl.gz")),
            &[("database", "eu-west-1", "replica-behind", "the primary's manifest says")],
        ),
        (
            "the list of files is cut",
            CHEAP,
            SLOW,
            &|rig| cut(rig, 0, &newest(rig, "files/", ".jsonl.gz")),
            &[("files", "us-east-1", "unreadable", "bytes, its manifest says")],
        ),
        (
            "a replica lacks the newest configuration",
            CHEAP,
            SLOW,
            &|rig| rig.remove(1, &newest(rig, "config/", ".jsonl.gz")),
            &[("config", "eu-west-1", "replica-behind", "lacks backup-")],
        ),
        (
            "no piece comes any more",
            CHEAP,
            "5 min",
            &|_| {},
            &[
                ("database", "us-east-1", "stream-overdue", "one is due every 5 min"),
                ("database", "eu-west-1", "stream-overdue", "one is due every 5 min"),
                ("database", "ap-northeast-1", "stream-overdue", "one is due every 5 min"),
            ],
        ),
        (
            "a replica has no piece",
            CHEAP,
            SLOW,
            &|rig| pieces.iter().for_each(|key| rig.remove(1, key)),
            &[("database", "eu-west-1", "stream-overdue", "there is no piece at all")],
        ),
        (
            "a piece is gone",
            CHEAP,
            SLOW,
            &|rig| rig.remove(0, &pieces[3]),
            &[("database", "us-east-1", "stream-gap", "are in no piece; the next one is ")],
        ),
        (
            "the first piece after the newest backup is gone",
            CHEAP,
            SLOW,
            &|rig| rig.remove(2, &pieces[1]),
            &[("database", "ap-northeast-1", "stream-gap", "are in no piece; the next one is ")],
        ),
        ("a bit of a piece, and nobody reads it", CHEAP, SLOW, &|rig| flip(rig, 0, &pieces[2]), &[]),
        (
            "a bit of a piece, and it is read",
            ALL,
            SLOW,
            &|rig| flip(rig, 0, &pieces[2]),
            &[("database", "us-east-1", "unreadable", "1 of 5 pieces of the change stream")],
        ),
        (
            "a piece under another's name",
            ALL,
            SLOW,
            &|rig| {
                let other = rig.bytes(2, &pieces[3]);
                rig.replace(2, &pieces[2], other);
            },
            &[("database", "ap-northeast-1", "unreadable", "its name says otherwise")],
        ),
    ];
    let mut cases = Vec::new();
    for (name, watches, stream, breaks, alarms) in rows {
        cases.push(Case { name, plan: plan(watches, stream), breaks, alarms });
    }
    each_raises_its_alarms(&rig, &cases);
    // Configuration is smaller than the limit by nature; that is said, and wakes nobody.
    let (_, readings) = look(&rig, &plan(CHEAP, SLOW));
    let config = readings.iter().find(|reading| reading["service"] == "config").unwrap();
    assert!(config["remarks"][0].as_str().unwrap().ends_with("`min_size` is not meant for it"), "{config:#}");
    assert!(rig.asked().iter().all(|line| line.starts_with("GET /backup-")), "{:#?}", rig.asked());
    assert!(rig.bench.left_behind().is_empty());
}
