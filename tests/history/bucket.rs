//! The same below a prefix of a bucket, over real HTTP to the embedded gateway.

use std::{
    path::PathBuf,
    process::{Command, Output},
    sync::Arc,
    thread,
};

use backdraft::{
    emulator::s3::{
        Region,
        buckets::BucketOptions,
        gateway::{Credentials, Gateway},
    },
    history::{Bucket, History},
    model::record::Way,
    sim::{clock, clock::Clock},
    store::{LockMode, Patience, PutOptions, SharedStore, StoreErrorKind, s3::S3Store},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::runtime::Runtime;

use crate::{
    kit,
    rig::{append, record},
};

const BUCKET: &str = "evidence";

struct World {
    runtime: Runtime,
    region: Arc<Region>,
    gateway: Option<Gateway>,
    store: SharedStore,
    scratch: tempfile::TempDir,
}

impl World {
    fn new(options: BucketOptions) -> World {
        let (scratch, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
        let (region, gateway, store) = runtime.block_on(async {
            let clock = Clock::new(Way::Real, clock::wall_now());
            let region = Region::new("us-east-1", &clock, scratch.path()).unwrap();
            region.objects().create_bucket(BUCKET, options).unwrap();
            let keys = Credentials { access_key: "owner".into(), secret_key: "secret".into() };
            let gateway = Gateway::start(vec![region.clone()], &keys, &clock).unwrap();
            let patience = Patience { attempt_ms: 20_000, connect_ms: 20_000, read_ms: 20_000, ..Patience::default() };
            let url = gateway.region_url("us-east-1").unwrap();
            let store: SharedStore = Arc::new(S3Store::new("us-east-1", &url, BUCKET, &keys, &clock, patience));
            (region, gateway, store)
        });
        World { runtime, region, gateway: Some(gateway), store, scratch }
    }

    fn history(&self, lock: Option<(LockMode, u32)>) -> History {
        let bucket = Bucket::new(self.store.clone(), "s3://evidence/drills", "drills/", lock).unwrap();
        History::new(Box::new(bucket), &self.marks())
    }

    fn marks(&self) -> PathBuf {
        self.scratch.path().join("marks")
    }

    fn keys(&self) -> Vec<String> {
        self.region.objects().keys(BUCKET, "").unwrap().into_iter().map(|meta| meta.key).collect()
    }

    /// Writes over an object, as somebody with a key can.
    fn overwrite(&self, key: &str, bytes: Vec<u8>) {
        let body = stream::iter([Ok(Bytes::from(bytes))]).boxed();
        self.runtime.block_on(self.store.put_with(key, body, &PutOptions::default())).unwrap();
    }

    fn read(&self, key: &str) -> Vec<u8> {
        self.region.objects().read_all(BUCKET, key).unwrap().to_vec()
    }

    fn flaws(&self) -> Vec<(u64, String)> {
        let flaws = self.history(None).verify(None).unwrap().flaws;
        flaws.into_iter().map(|flaw| (flaw.sequence, flaw.what)).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            self.runtime.block_on(gateway.shutdown());
        }
    }
}

#[test]
fn a_bucket_keeps_a_chain_and_every_change_in_it_is_named() {
    let world = World::new(BucketOptions::default());
    let history = world.history(None);
    assert_eq!(history.verify(None).unwrap().head, None);
    let heads: Vec<_> = (1..=4).map(|seed| append(&history, seed)).collect();
    assert_eq!(world.keys().len(), 8, "{:?}", world.keys());
    let entries = history.entries().unwrap();
    assert_eq!(history.record(&entries[2]).unwrap(), record(3));
    assert_eq!(history.verify(Some(&heads[3])).unwrap().flaws, []);
    assert_eq!(std::fs::read_dir(world.marks()).unwrap().count(), 0);

    let entry = |n: u64| format!("drills/entries/{n:09}.json");
    let record = |n: u64| format!("drills/records/{n:09}.json.gz");
    let snapshot = world.region.objects().snapshot(BUCKET).unwrap();
    let edited = |n: u64| String::from_utf8(world.read(&entry(n))).unwrap().replace("pass", "fail").into_bytes();
    let swapped = || {
        let [one, other] = [2, 3].map(|n| world.read(&entry(n)));
        world.overwrite(&entry(2), other);
        world.overwrite(&entry(3), one);
    };
    let cases: [(&str, u64, &dyn Fn()); 6] = [
        ("edited", 2, &|| world.overwrite(&entry(2), edited(2))),
        ("the last edited", 4, &|| world.overwrite(&entry(4), edited(4))),
        ("removed", 3, &|| assert!(world.region.objects().remove_key(BUCKET, &entry(3)).unwrap())),
        ("swapped", 2, &swapped),
        ("record edited", 1, &|| world.overwrite(&record(1), b"other".to_vec())),
        ("record removed", 4, &|| assert!(world.region.objects().remove_key(BUCKET, &record(4)).unwrap())),
    ];
    for (what, number, change) in cases {
        world.region.objects().reinstate(BUCKET, None, &snapshot).unwrap();
        assert_eq!(world.flaws(), [], "{what}");
        change();
        assert_eq!(world.flaws().first().map(|flaw| flaw.0), Some(number), "{what}: {:?}", world.flaws());
    }
}

#[test]
fn two_that_write_to_a_bucket_at_once_do_not_fork_its_chain() {
    let world = World::new(BucketOptions::default());
    thread::scope(|scope| {
        for writer in 0..3 {
            let world = &world;
            scope.spawn(move || {
                let history = world.history(None);
                (0..4).for_each(|n| drop(append(&history, 10 * writer + n)));
            });
        }
    });
    let history = world.history(None);
    let verified = history.verify(None).unwrap();
    assert_eq!((verified.entries, verified.flaws.len(), verified.unfinished), (12, 0, None));
    let mut seeds: Vec<u64> =
        history.entries().unwrap().iter().map(|entry| history.record(entry).unwrap().identity.seed).collect();
    seeds.sort_unstable();
    assert_eq!(seeds, (0..3).flat_map(|w| (0..4).map(move |n| 10 * w + n)).collect::<Vec<_>>());
}

#[test]
fn a_record_whose_entry_was_never_written_gets_one_and_the_chain_goes_on() {
    let world = World::new(BucketOptions::default());
    append(&world.history(None), 1);
    append(&world.history(None), 2);
    assert!(world.region.objects().remove_key(BUCKET, "drills/entries/000000002.json").unwrap());
    let verified = world.history(None).verify(None).unwrap();
    assert_eq!((verified.flaws.len(), verified.unfinished.is_some()), (0, true));
    assert_eq!(world.history(None).repair().unwrap().len(), 1);
    assert_eq!(append(&world.history(None), 3).sequence, 3);
    assert_eq!(world.flaws(), []);
    // A copy of a record is none that a killed run left.
    world.overwrite("drills/records/000000004.json.gz", world.read("drills/records/000000002.json.gz"));
    let copied = "its record is a copy of that of entry 2, and it has no line".to_owned();
    let verified = world.history(None).verify(None).unwrap();
    assert_eq!((world.flaws(), verified.unfinished), (vec![(4, copied.clone())], None));
    assert!(world.history(None).repair().unwrap_err().to_string().contains(&copied));
}

#[test]
fn object_lock_holds_what_was_written_and_a_bucket_without_it_refuses() {
    let world = World::new(BucketOptions::with_lock());
    append(&world.history(Some((LockMode::Compliance, 30))), 1);
    for key in world.keys() {
        let versions = world.runtime.block_on(world.store.versions(&key)).unwrap();
        let [only] = &versions[..] else { panic!("one version of {key}") };
        let removed = world.runtime.block_on(world.store.delete_version(&key, &only.version));
        assert_eq!(removed.unwrap_err().kind, StoreErrorKind::Denied, "{key}");
    }
    assert_eq!(world.flaws(), []);

    let without = World::new(BucketOptions::default());
    let history = without.history(Some((LockMode::Governance, 30)));
    let mark = history.begin(&crate::rig::unended(&record(1))).unwrap();
    let refused = history.append(&record(1), mark, clock::wall_now()).unwrap_err().to_string();
    insta::assert_snapshot!(refused);
    // The record is not lost: without the lock the next start takes it in.
    assert_eq!(without.history(None).take_in_finished(clock::wall_now()).unwrap(), 1);
    assert_eq!(without.history(None).entries().unwrap().len(), 1);
}

#[test]
fn run_keeps_its_drills_in_a_bucket_that_is_named_and_asks_it() {
    let world = World::new(BucketOptions::with_lock());
    let url = world.gateway.as_ref().unwrap().region_url("us-east-1").unwrap();
    let ask = |words: &[&str]| -> Output {
        let plan = kit::root().join("fixtures/hooklabs/plan.yaml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_backdraft"));
        command.args(words).arg("--plan").arg(plan).args(["--history", "s3://evidence/drills"]);
        command.args(["--history-endpoint", &url, "--history-region", "us-east-1"]).current_dir(world.scratch.path());
        command.env("AWS_ACCESS_KEY_ID", "owner").env("AWS_SECRET_ACCESS_KEY", "secret");
        command.env_remove("AWS_SESSION_TOKEN").output().unwrap()
    };
    let control = kit::root().join("scenarios/files/control.yaml").display().to_string();
    let lock = ["--history-lock-days", "400", "--history-lock-mode", "compliance"];
    let ran = ask(&[&["run", "--simulate", "--out", "out", &control], &lock[..]].concat());
    let said = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    let head = said.split_once("1 record appended, head ").unwrap().1.trim();
    assert!(said.contains("history: s3://evidence/drills: "), "{said}");
    let verified = ask(&["history", "verify", "--head", head]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let version = world.runtime.block_on(world.store.versions("drills/entries/")).unwrap()[0].version.clone();
    let removed = world.store.delete_version("drills/entries/000000001.json", &version);
    assert_eq!(world.runtime.block_on(removed).unwrap_err().kind, StoreErrorKind::Denied);
    // Somebody with the key writes another entry on top.
    let edited = String::from_utf8(world.read("drills/entries/000000001.json")).unwrap().replace("pass", "fail");
    world.overwrite("drills/entries/000000001.json", edited.into_bytes());
    let verified = ask(&["history", "verify"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&verified.stdout).contains("entry 1: it was written anew"), "{verified:?}");
}
