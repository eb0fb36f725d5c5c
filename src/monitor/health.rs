//! Whether a service says that it is well: one GET of its health address.

use std::time::Duration;

use reqwest::{Url, redirect};

use crate::sim::clock::Clock;

/// Longest time that an answer may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Asks once. A redirect is no answer: it is a page that says something else.
///
/// # Errors
/// Why it is not well, or why that is not known, in words.
pub async fn ask(address: &str, clock: &Clock) -> Result<String, String> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
    let url = url.ok_or("this is no address: write https:// and where its health is told")?;
    // The process may have a provider already; any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().redirect(redirect::Policy::none()).build();
    let http = http.map_err(|e| format!("no HTTP client can be had: {}", e.without_url()))?;
    let watch = clock.stopwatch();
    let answer = clock.limit(LIMIT, http.get(url).send()).await.ok_or_else(|| format!("no answer in {LIMIT:?}"))?;
    let status =
        answer.map_err(|e| if e.is_connect() { "no connection" } else { "the connection broke off" })?.status();
    match status.is_success() {
        true => Ok(format!("answered {} in {}", status.as_u16(), watch.elapsed())),
        false => Err(format!("answered {}", status.as_u16())),
    }
}
