//! A world that is served by the binary until it is dropped.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::bench::Bench;

/// Looks every 20 ms, for at most 60 s.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..3000 {
        if let Some(seen) = look() {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("waited in vain for {what}");
}

pub(crate) struct Served {
    pub(crate) bench: Bench,
    pub(crate) page: String,
    pub(crate) environment: BTreeMap<String, String>,
    run: Child,
}

impl Served {
    /// Starts, with these arguments besides a small size, and waits until everything listens.
    pub(crate) fn start(arguments: &[&str]) -> Served {
        let bench = Bench::new();
        let all = [&["serve", "--json", "--size", "64 KiB"], arguments].concat();
        let mut run = bench.command(&all).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(run.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let said: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
        let variables = said["environment"].as_object().unwrap().iter();
        let environment = variables.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        Served { bench, page: said["control_page"].as_str().unwrap().to_owned(), environment, run }
    }

    pub(crate) fn variable(&self, name: &str) -> &str {
        self.environment.get(name).unwrap_or_else(|| panic!("no {name} among {:?}", self.environment.keys()))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.variable("BACKDRAFT_CONTROL_URL"))
    }

    /// A tool in the world, as a shell would run it in which the lines were pasted.
    pub(crate) fn tool(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.bench.path(""));
        command.env("AWS_MAX_ATTEMPTS", "1").envs(&self.environment).args(arguments);
        command.current_dir(self.bench.path("")).stdin(Stdio::null()).output().unwrap()
    }

    /// Asks the API with the token: status and body.
    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        self.answer(client().get(self.url(path)))
    }

    pub(crate) fn post(&self, path: &str, body: impl Into<String>) -> (u16, Value) {
        self.answer(client().post(self.url(path)).body(body.into()))
    }

    /// The same, where it must be done.
    #[track_caller]
    pub(crate) fn done(&self, path: &str, body: impl Into<String>) -> Value {
        let (status, body) = self.post(path, body);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) fn state(&self) -> Value {
        self.get("/api/state").1
    }

    fn answer(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let (status, text) = ask(request.bearer_auth(self.variable("BACKDRAFT_CONTROL_TOKEN")));
        (status, serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}")))
    }

    /// A form of the page, as a browser sends it without scripts: status, where it leads, and the page.
    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> (u16, Option<String>, String) {
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let token = self.variable("BACKDRAFT_CONTROL_TOKEN");
        let request = client()
            .post(self.url(&format!("{path}?token={token}")))
            .header("origin", self.variable("BACKDRAFT_CONTROL_URL"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"));
        runtime().block_on(async {
            let answer = request.send().await.unwrap();
            let leads = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
            (answer.status().as_u16(), leads, answer.text().await.unwrap())
        })
    }

    pub(crate) fn page(&self) -> String {
        let (status, text) = ask(client().get(&self.page));
        assert_eq!(status, 200, "{text}");
        text
    }

    pub(crate) fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.run), signal).unwrap();
    }

    /// Its exit code, once it has one.
    pub(crate) fn end(&mut self) -> Option<i32> {
        wait_for("the end", || self.run.try_wait().unwrap()).code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.run.try_wait().unwrap().is_none() {
            self.send(Signal::TERM);
            self.run.wait().unwrap();
        }
    }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

pub(crate) fn ask(request: reqwest::RequestBuilder) -> (u16, String) {
    runtime().block_on(async {
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
