//! Storages for regions to lie in, whichever are there: a region of our own behind an address of its own, which always is;
//! SeaweedFS (`weed`) and moto (`moto_server`) on the PATH, LocalStack in a
//! container (`--features containers`, an engine and its image), or one that runs already, named by
//! `BACKDRAFT_TEST_S3_ENDPOINT`. What is missing is skipped, visibly; `BACKDRAFT_REQUIRE_TOOLS` with `seaweedfs`, `moto` or
//! `localstack` in it makes that a failure.

#![allow(dead_code, reason = "each test uses its part")]

use std::{
    fs,
    io::Write,
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use backdraft::{
    assembly::storage::REGION,
    emulator::s3::{
        Region,
        foreign::Endpoint,
        gateway::{Credentials, Gateway},
    },
    model::record::Way,
    sim::clock::{Clock, wall_now},
};

/// How long a storage may take until buckets can be made in it, in milliseconds.
const START: u64 = 60_000;

/// A storage that runs as long as this lives.
pub struct Running {
    pub name: &'static str,
    pub url: String,
    process: Option<Child>,
    ours: Option<Gateway>,
    #[cfg(feature = "containers")]
    container: Option<backdraft::assembly::containers::Running>,
    _scratch: tempfile::TempDir,
}

impl Running {
    pub fn credentials() -> Credentials {
        Credentials { access_key: "test".into(), secret_key: "test".into() }
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            url: self.url.clone(),
            region: REGION.into(),
            credentials: Running::credentials(),
            session_token: None,
        }
    }

    /// Ends it. A container must be ended; a process ends by itself.
    pub async fn stop(mut self) {
        #[cfg(feature = "containers")]
        if let Some(container) = self.container.take() {
            container.stop().await.unwrap();
        }
        if let Some(gateway) = self.ours.take() {
            gateway.shutdown().await;
        }
        self.process.take().into_iter().for_each(end);
    }

    fn of(name: &'static str, url: String, process: Option<Child>, scratch: tempfile::TempDir) -> Running {
        Running {
            name,
            url,
            process,
            ours: None,
            #[cfg(feature = "containers")]
            container: None,
            _scratch: scratch,
        }
    }

    /// Waits until a bucket can be made and removed again.
    async fn when_up(self) -> Running {
        let clock = Clock::new(Way::Real, wall_now());
        let since = clock.stopwatch();
        let storage = backdraft::emulator::s3::foreign::Storage::at(&self.endpoint()).unwrap();
        loop {
            let why = match storage.make("bd-test-is-up", "up").await {
                Ok(_) => match storage.remove("bd-test-is-up").await {
                    Ok(_) => return self,
                    Err(why) => why,
                },
                Err(why) => why,
            };
            assert!(since.elapsed().total_ms() < START, "{} did not come up: {why}", self.name);
            clock.sleep(Duration::from_millis(200)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.take().into_iter().for_each(end);
    }
}

fn end(mut process: Child) {
    let _ = process.kill();
    let _ = process.wait();
}

/// Starts a storage, or says why it is not there.
type Start = fn() -> Result<Running, String>;

/// Every storage that is there, one after another.
pub async fn each(mut with: impl AsyncFnMut(&Running)) {
    let starts: [(&str, Start); 4] = [("ours", ours), ("endpoint", named), ("seaweedfs", seaweedfs), ("moto", moto)];
    for (name, start) in starts {
        match start() {
            Ok(running) => {
                let running = running.when_up().await;
                with(&running).await;
                running.stop().await;
            }
            Err(why) => skipped(name, &why),
        }
    }
    match localstack().await {
        Ok(running) => {
            with(&running).await;
            running.stop().await;
        }
        Err(why) => skipped("localstack", &why),
    }
}

/// One storage, not ours where one is there that has all that drills need.
pub async fn any() -> Running {
    for start in [named, seaweedfs] {
        if let Ok(running) = start() {
            return running.when_up().await;
        }
    }
    match localstack().await {
        Ok(running) => running,
        Err(why) => {
            skipped("seaweedfs", &format!("neither `weed` on the PATH nor LocalStack: {why}; taking our own S3"));
            ours().unwrap()
        }
    }
}

/// A region of our own, which plays the storage of somebody else.
#[allow(clippy::unnecessary_wraps, reason = "one of several that may be missing")]
fn ours() -> Result<Running, String> {
    let (clock, scratch) = (Clock::new(Way::Real, wall_now()), tempfile::tempdir().unwrap());
    let region = Region::new(REGION, &clock, scratch.path()).unwrap();
    let gateway = Gateway::start(vec![region], &Running::credentials(), &clock).unwrap();
    let url = gateway.region_url(REGION).unwrap();
    let mut running = Running::of("ours", url, None, scratch);
    running.ours = Some(gateway);
    Ok(running)
}

/// Says so past the test runner's capture, so that a green line is not taken for proof.
pub fn skipped(name: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {name}: {why}");
    let required = std::env::var("BACKDRAFT_REQUIRE_TOOLS").unwrap_or_default();
    assert!(!required.split(',').any(|one| one == name), "{name} is required: {why}");
}

fn named() -> Result<Running, String> {
    let url = std::env::var("BACKDRAFT_TEST_S3_ENDPOINT");
    let url = url.map_err(|_| "BACKDRAFT_TEST_S3_ENDPOINT names none".to_owned())?;
    Ok(Running::of("endpoint", url, None, tempfile::tempdir().unwrap()))
}

fn seaweedfs() -> Result<Running, String> {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().display();
    let keys = r#"{"identities":[{"name":"test","credentials":[{"accessKey":"test","secretKey":"test"}],"actions":["Admin"]}]}"#;
    fs::write(scratch.path().join("keys.json"), keys).unwrap();
    let ports: Vec<u16> = free_ports(8);
    let mut command = Command::new("weed");
    command.args(["server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-master.telemetry=false"]);
    command.args(["-volume.max=300", "-master.volumeSizeLimitMB=64", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
    command.args([format!("-dir={dir}"), format!("-s3.config={dir}/keys.json")]);
    let names = ["master.port", "volume.port", "filer.port", "s3.port"];
    for (name, pair) in names.iter().zip(ports.chunks(2)) {
        command.args([format!("-{name}={}", pair[0]), format!("-{name}.grpc={}", pair[1])]);
    }
    let process = start(command)?;
    Ok(Running::of("seaweedfs", format!("http://127.0.0.1:{}", ports[6]), Some(process), scratch))
}

/// Asked for by name alone: some versions (5.2.1) answer uploads in parts with what the SDK does not understand.
fn moto() -> Result<Running, String> {
    if std::env::var_os("BACKDRAFT_TEST_MOTO").is_none() {
        return Err("not asked for by BACKDRAFT_TEST_MOTO=1; version 5.2.1 fails at uploads in parts".into());
    }
    let ports = free_ports(1);
    let mut command = Command::new("moto_server");
    command.args(["-H", "127.0.0.1", "-p", &ports[0].to_string()]);
    let process = start(command)?;
    Ok(Running::of("moto", format!("http://127.0.0.1:{}", ports[0]), Some(process), tempfile::tempdir().unwrap()))
}

fn start(mut command: Command) -> Result<Child, String> {
    let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    started.map_err(|e| format!("`{}` cannot be started: {e}", command.get_program().display()))
}

/// Ports that are free now, all held until each is known.
fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

#[cfg(feature = "containers")]
async fn localstack() -> Result<Running, String> {
    // An engine or an image that is not there is no failure of the test; anything else is.
    let container = match backdraft::assembly::containers::Image::LocalStack.start().await {
        Ok(container) => container,
        Err(error) => {
            let why = error.to_string();
            let absent = ["Docker", "client", "pull", "image"].iter().any(|word| why.contains(word));
            assert!(absent, "LocalStack did not come up: {why}");
            return Err(why);
        }
    };
    let mut running = Running::of("localstack", container.url.clone(), None, tempfile::tempdir().unwrap());
    running.container = Some(container);
    Ok(running.when_up().await)
}

#[cfg(not(feature = "containers"))]
async fn localstack() -> Result<Running, String> {
    Err("this test was built without --features containers".into())
}
