//! Sending an alert: one POST, with a time limit, tried again where another try may help. The address is a secret: who
//! knows it may write there, so nothing here prints more of it than scheme and host.

use std::{fmt, time::Duration};

use data_encoding::HEXLOWER;
use reqwest::{StatusCode, Url, header::RETRY_AFTER, redirect};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    model::{plan::AlertForm, words},
    sim::clock::Clock,
};

/// How patiently an alert is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Persistence {
    /// Tries, the first included.
    pub attempts: u32,
    /// For one try, in milliseconds.
    pub attempt_ms: u64,
    /// Shortest wait before another try, in milliseconds; it doubles from try to try.
    pub backoff_ms: u64,
}

impl Default for Persistence {
    fn default() -> Self {
        Persistence { attempts: 4, attempt_ms: 5_000, backoff_ms: 500 }
    }
}

/// Longest wait that a server may ask for, in seconds.
const MAX_RETRY_AFTER: u64 = 30;

/// Where alerts go.
#[derive(Clone)]
pub struct Webhook {
    url: Url,
    form: AlertForm,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({self}, {:?})", self.form)
    }
}

/// Scheme and host alone.
impl fmt::Display for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.url.scheme(), self.url.host_str().unwrap_or_default())
    }
}

impl Webhook {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, without the address.
    pub fn new(url: &str, form: AlertForm) -> Result<Self, String> {
        let url = Url::parse(url.trim()).map_err(|e| format!("the webhook's address cannot be read: {e}"))?;
        match url.scheme() {
            "https" | "http" if url.has_host() => Ok(Webhook { url, form }),
            _ => Err("the webhook's address does not begin with https:// or http://".to_owned()),
        }
    }

    /// What is sent there.
    pub fn form(&self) -> AlertForm {
        self.form
    }

    /// Its host.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// A name that is the same from run to run and gives nothing away.
    pub fn id(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.url.as_str().as_bytes())[..8])
    }
}

/// Sends alerts.
#[derive(Debug, Clone)]
pub struct Sender {
    http: reqwest::Client,
    clock: Clock,
    persistence: Persistence,
}

/// How a try failed.
struct Failed {
    why: String,
    /// Whether another try may help.
    passing: bool,
    /// How long the server asks to wait.
    wait: Option<Duration>,
}

impl Sender {
    /// A sender that waits on this clock.
    ///
    /// # Errors
    /// When no TLS can be had, in words.
    pub fn new(clock: &Clock, persistence: Persistence) -> Result<Self, String> {
        // The process may have a provider already; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A redirect would carry the alert, and what the address gives away, to somewhere that nobody named.
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).build();
        let http = http.map_err(|e| format!("no HTTP client can be had: {}", e.without_url()))?;
        Ok(Sender { http, clock: clock.clone(), persistence })
    }

    /// Sends one alert.
    ///
    /// # Errors
    /// When it is lost: how the last try failed, and how many there were.
    pub async fn send(&self, webhook: &Webhook, body: &Value) -> Result<(), String> {
        let mut tried = 1;
        loop {
            let limit = Duration::from_millis(self.persistence.attempt_ms);
            let late = || Failed { why: format!("no answer in {limit:?}"), passing: true, wait: None };
            let failed = match self.clock.limit(limit, self.post(webhook, body)).await.unwrap_or_else(|| Err(late())) {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            if !failed.passing || tried >= self.persistence.attempts {
                return Err(format!("{} ({})", failed.why, words::count(u64::from(tried), "try")));
            }
            let doubled = self.persistence.backoff_ms.saturating_mul(1 << (tried - 1).min(16));
            self.clock.sleep(failed.wait.unwrap_or(Duration::from_millis(doubled))).await;
            tried += 1;
        }
    }

    async fn post(&self, webhook: &Webhook, body: &Value) -> Result<(), Failed> {
        let answer = self.http.post(webhook.url.clone()).json(body).send().await.map_err(|e| {
            let why = if e.is_connect() { "no connection" } else { "the connection broke off" };
            Failed { why: why.into(), passing: true, wait: None }
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let asked = answer.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse::<u64>().ok());
        Err(Failed {
            why: format!("answered {}", status.as_u16()),
            passing: status.is_server_error()
                || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT),
            wait: asked.map(|seconds| Duration::from_secs(seconds.min(MAX_RETRY_AFTER))),
        })
    }
}
