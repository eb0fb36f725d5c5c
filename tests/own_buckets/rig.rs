//! A user's buckets: three regions on loopback with the backups of a database, a key that may only read, and a proxy
//! that keeps what was asked.

use std::{
    process::Command,
    sync::{Arc, Mutex},
};

use backdraft::{
    emulator::s3::{
        Region,
        buckets::BucketOptions,
        control::BucketSnapshot,
        gateway::{Credentials, Gateway, Key},
        rights::Principal,
        version::PutOptions,
    },
    model::{
        naming::Layout,
        plan::{BackupPlan, DumpFormat},
        record::Way,
        units::{ByteSize, Span},
    },
    pipeline::{Pipeline, Workbench, reference::Reference},
    service::database::Database,
    sim::{clock, clock::Clock, lanes::Lanes, recorder::Recorder, seed::Seed},
    store::{Patience, SharedStore, s3::S3Store},
};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};

use crate::bench::{Bench, Ended};

pub(crate) const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-northeast-1"];

/// The plan of these tests: HookLabs' database alone, with limits that a sound backup keeps.
pub(crate) const PLAN: &str = "
format: backdraft.plan/1
platform: HookLabs Elite
time_zone: Asia/Seoul
data_classes: {}
services:
  database:
    kind: database
    rto: 2 h
    rpo: 24 h
    backup: { every: daily, at: \"03:00\", prefix: convex/daily/ }
  web:
    kind: web-application
    rto: 15 min
    rpo: 0 min
    backup: { every: realtime, prefix: web/ }
levels:
  2: { name: Database failure, causes: [corruption], rto: 2 h, rpo: 24 h, response: [restore] }
retention: 7 days
regions:
  - { name: us-east-1, bucket: backup-us-east-1 }
  - { name: eu-west-1, bucket: backup-eu-west-1 }
  - { name: ap-northeast-1, bucket: backup-ap-northeast-1 }
monitor: { check_every: 6 h, max_age: 25 h, min_size: 10 KiB }
response: { detect: 1 min, initial: 5 min, recovery: 30 min, aftermath: 24 h }
";

/// The world of one test.
pub(crate) struct Rig {
    pub(crate) bench: Bench,
    pub(crate) runtime: Runtime,
    pub(crate) regions: Vec<Arc<Region>>,
    gateway: Option<Gateway>,
    endpoints: Vec<String>,
    asked: Arc<Mutex<Vec<u8>>>,
    /// The regions' clock.
    pub(crate) clock: Clock,
    owner: Credentials,
    scratch: tempfile::TempDir,
}

impl Rig {
    /// With backups of so many days, the newest of the last 03:00 that is an hour ago.
    pub(crate) fn new(days: u32, format: DumpFormat) -> Rig {
        let scratch = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let newest = last_due();
        let clock = Clock::new(Way::Real, newest);
        let key = |principal, name: &str| Key {
            principal,
            credentials: Credentials { access_key: name.into(), secret_key: "secret".into() },
        };
        let keys = [key(Principal::Owner, "owner"), key(Principal::Reader, "reader")];
        let (regions, gateway, endpoints) = runtime.block_on(async {
            let open = |name: &&str| {
                let dir = scratch.path().join(name);
                std::fs::create_dir_all(&dir).unwrap();
                let region = Region::new(name, &clock, &dir).unwrap();
                region.objects().create_bucket(&format!("backup-{name}"), BucketOptions::versioned()).unwrap();
                region
            };
            let regions: Vec<Arc<Region>> = REGIONS.iter().map(open).collect();
            let gateway = Gateway::start_with_keys(regions.clone(), &keys, &clock).unwrap();
            back_up(&regions, &gateway, &keys[0].credentials, days, newest, format, &clock, scratch.path()).await;
            let mut endpoints = Vec::new();
            for name in REGIONS {
                let url = gateway.region_url(name).unwrap();
                endpoints.push(format!("{name}={}", proxy(url.trim_start_matches("http://"), &asked).await));
            }
            (regions, gateway, endpoints)
        });
        let [Key { credentials: owner, .. }, _] = keys;
        let (bench, gateway) = (Bench::new(), Some(gateway));
        Rig { bench, runtime, regions, gateway, endpoints, asked, clock, owner, scratch }
    }

    /// Stores with the owner's rights.
    pub(crate) fn stores(&self) -> Vec<SharedStore> {
        let gateway = self.gateway.as_ref().unwrap();
        self.regions.iter().map(|region| owners(region, gateway, &self.owner, &self.clock)).collect()
    }

    /// What a pipeline works with, in a folder of its own.
    pub(crate) fn workbench(&self, name: &str) -> Workbench {
        let scratch = self.folder(name);
        let (clock, lanes) = (self.clock.clone(), Lanes::new(&self.clock));
        Workbench { stores: self.stores(), lanes, recorder: Recorder::new(&clock, None), clock, scratch }
    }

    pub(crate) fn folder(&self, name: &str) -> std::path::PathBuf {
        let folder = self.scratch.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Writes an object as it was written at that moment.
    pub(crate) fn put(&self, region: usize, key: &str, bytes: &[u8], at: Timestamp) {
        self.clock.set(at);
        let objects = self.regions[region].objects();
        let body = objects.body(bytes).unwrap();
        objects.put(&format!("backup-{}", REGIONS[region]), key, body, PutOptions::default()).unwrap();
    }

    /// Everything that lies in the regions.
    pub(crate) fn snapshot(&self) -> Vec<BucketSnapshot> {
        let of = |(region, name): (&Arc<Region>, &&str)| region.objects().snapshot(&format!("backup-{name}")).unwrap();
        self.regions.iter().zip(&REGIONS).map(of).collect()
    }

    /// Makes the regions what they were.
    pub(crate) fn reinstate(&self, was: &[BucketSnapshot]) {
        for ((region, name), was) in self.regions.iter().zip(&REGIONS).zip(was) {
            region.objects().reinstate(&format!("backup-{name}"), None, was).unwrap();
        }
    }

    /// The binary with the plan, the buckets' addresses and the reader's key.
    pub(crate) fn command(&self, verb: &[&str], plan: &str) -> Command {
        let plan = self.bench.file("plan.yaml", plan);
        let mut words = [verb, &["--plan", &plan]].concat();
        for endpoint in &self.endpoints {
            words.extend(["--endpoint", endpoint]);
        }
        let mut command = self.bench.command(&words);
        self.with_key(&mut command);
        command
    }

    pub(crate) fn with_key(&self, command: &mut Command) {
        command.env("AWS_ACCESS_KEY_ID", "reader").env("AWS_SECRET_ACCESS_KEY", "secret");
        command.env_remove("AWS_SESSION_TOKEN").env_remove("AWS_PROFILE");
    }

    pub(crate) fn run(&self, verb: &[&str], plan: &str) -> Ended {
        self.bench.ended(&self.command(verb, plan).output().unwrap())
    }

    /// Address of the first region.
    pub(crate) fn primary(&self) -> &str {
        self.endpoints[0].split_once('=').unwrap().1
    }

    /// Every request line that came by.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let text = String::from_utf8_lossy(&asked);
        text.lines().filter(|line| line.ends_with(" HTTP/1.1")).map(str::to_owned).collect()
    }

    /// Keys of a region's dumps and manifests, in order.
    pub(crate) fn keys(&self, region: usize) -> Vec<String> {
        let bucket = format!("backup-{}", REGIONS[region]);
        self.regions[region].objects().keys(&bucket, "").unwrap().into_iter().map(|meta| meta.key).collect()
    }

    pub(crate) fn newest_dump(&self, region: usize) -> String {
        self.keys(region).into_iter().rfind(|key| !key.ends_with(".manifest.json")).unwrap()
    }

    pub(crate) fn bytes(&self, region: usize, key: &str) -> Vec<u8> {
        self.regions[region].objects().read_all(&format!("backup-{}", REGIONS[region]), key).unwrap().to_vec()
    }

    /// Changes an object behind the back of S3.
    pub(crate) fn replace(&self, region: usize, key: &str, bytes: Vec<u8>) {
        let (objects, bucket) = (self.regions[region].objects(), format!("backup-{}", REGIONS[region]));
        let mut body = objects.writer();
        body.write(&bytes).unwrap();
        objects.replace_body(&bucket, key, body.finish().unwrap()).unwrap();
    }

    pub(crate) fn remove(&self, region: usize, key: &str) {
        assert!(self.regions[region].objects().remove_key(&format!("backup-{}", REGIONS[region]), key).unwrap());
    }

    /// The newest dump with its manifest as files; returns the dump's path.
    pub(crate) fn files(&self) -> String {
        let key = self.newest_dump(0);
        let stem = key.split_once('.').unwrap().0.to_owned();
        for key in [format!("{stem}.manifest.json"), key.clone()] {
            self.bench.file(key.rsplit('/').next().unwrap(), self.bytes(0, &key));
        }
        self.bench.path(key.rsplit('/').next().unwrap()).display().to_string()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            self.runtime.block_on(gateway.shutdown());
        }
    }
}

/// A region's backup bucket over HTTP, as its owner reaches it.
fn owners(region: &Arc<Region>, gateway: &Gateway, owner: &Credentials, clock: &Clock) -> SharedStore {
    let patience = Patience { attempt_ms: 20_000, connect_ms: 20_000, read_ms: 20_000, ..Patience::default() };
    let (name, url) = (region.name(), gateway.region_url(region.name()).unwrap());
    Arc::new(S3Store::new(name, &url, &format!("backup-{name}"), owner, clock, patience))
}

/// The last 03:00 UTC that is more than an hour ago.
pub(crate) fn last_due() -> Timestamp {
    let hour_ago = clock::wall_now() - SignedDuration::from_hours(1);
    let since = (hour_ago.as_second() - 3 * 3600).rem_euclid(86_400);
    Timestamp::from_second(hour_ago.as_second() - since).unwrap()
}

#[allow(clippy::too_many_arguments)]
async fn back_up(
    regions: &[Arc<Region>],
    gateway: &Gateway,
    owner: &Credentials,
    days: u32,
    newest: Timestamp,
    format: DumpFormat,
    clock: &Clock,
    scratch: &std::path::Path,
) {
    let lanes = Lanes::new(clock);
    let first = newest - SignedDuration::from_hours(24 * i64::from(days.max(1) - 1));
    clock.set(first);
    let open = |region: &Arc<Region>| owners(region, gateway, owner, clock);
    let (folder, bench) = (scratch.join("database"), scratch.join("bench"));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::create_dir_all(&bench).unwrap();
    let database = Database::seed(ByteSize(256 << 10), Seed(7), clock.now(), &folder, &lanes).unwrap();
    let bench = Workbench {
        stores: regions.iter().map(open).collect(),
        clock: clock.clone(),
        lanes: lanes.clone(),
        recorder: Recorder::new(clock, None),
        scratch: bench,
    };
    let plan: BackupPlan = serde_json::from_value(serde_json::json!({
        "every": "daily", "at": "03:00", "prefix": "convex/daily/", "format": format,
    }))
    .unwrap();
    let layout = Layout::new(&plan, None);
    let pipeline = Reference::new(bench, Arc::new(database), "database", layout, Span::hours(24 * 7));
    for day in 0..days {
        clock.set(first + SignedDuration::from_hours(24 * i64::from(day)));
        pipeline.backup(day + 1).await.unwrap();
    }
}

/// Passes connections on and keeps what clients say.
async fn proxy(to: &str, asked: &Arc<Mutex<Vec<u8>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, to, asked) = (listener.local_addr().unwrap(), to.to_owned(), Arc::clone(asked));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(&to).await else { continue };
            let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                (client.into_split(), server.into_split());
            let asked = Arc::clone(&asked);
            tokio::spawn(async move {
                let mut piece = vec![0; 64 << 10];
                while let Ok(read @ 1..) = from_client.read(&mut piece).await {
                    asked.lock().unwrap().extend_from_slice(&piece[..read]);
                    if to_server.write_all(&piece[..read]).await.is_err() {
                        return;
                    }
                }
            });
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
        }
    });
    format!("http://{address}")
}
