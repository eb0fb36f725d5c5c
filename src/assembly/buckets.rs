//! A user's own buckets: reached where the user allows it by name, and only to be read; but for the one that the user
//! names to keep a history in.

use std::{net::IpAddr, sync::Arc};

use reqwest::Url;

use crate::{
    emulator::s3::gateway::Credentials,
    error::{Error, Result},
    sim::clock::Clock,
    store::{
        Patience, SharedStore,
        read_only::ReadOnly,
        s3::{Access, S3Store},
    },
};

/// Beyond the machine, answers take longer than in the emulated world.
const PATIENCE: Patience =
    Patience { attempts: 3, connect_ms: 5_000, read_ms: 20_000, attempt_ms: 15_000, backoff_ms: 200 };

/// A key to buckets, as the environment or a profile gives it.
#[derive(Clone)]
pub struct Keys {
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// What a temporary key needs beside it.
    pub session_token: Option<String>,
}

impl Keys {
    /// No keys: with them a bucket can be named, not read.
    pub fn none() -> Self {
        Keys { access_key: String::new(), secret_key: String::new(), session_token: None }
    }
}

/// A bucket.
pub struct Bucket<'b> {
    /// Region that requests are signed for.
    pub region: &'b str,
    /// Its name.
    pub bucket: &'b str,
    /// Address of the region's S3 service; Amazon's where `None`.
    pub endpoint: Option<&'b str>,
}

/// Opens a bucket to be read. Nothing is sent yet. `allowed` names the hosts beyond this machine that may be asked.
///
/// # Errors
/// When the address makes no sense, or lies beyond this machine and is not allowed.
pub fn open(bucket: &Bucket<'_>, allowed: &[String], keys: &Keys, clock: &Clock) -> Result<SharedStore> {
    let help = |host: &str| format!("name the host with --allow-endpoint {host}; it is read, never written");
    Ok(Arc::new(ReadOnly(reach(bucket, allowed, help, keys, clock)?)))
}

/// Opens the bucket that a history is kept in, to be read and written. Nothing is sent yet. `allowed` as in [`open`].
///
/// # Errors
/// As [`open`].
pub fn open_to_write(bucket: &Bucket<'_>, allowed: &[String], keys: &Keys, clock: &Clock) -> Result<SharedStore> {
    let help = |host: &str| {
        format!("name the host with --history-allow-endpoint {host}: the history is written there, nothing else is")
    };
    Ok(Arc::new(reach(bucket, allowed, help, keys, clock)?))
}

fn reach(
    bucket: &Bucket<'_>,
    allowed: &[String],
    help: impl Fn(&str) -> String,
    keys: &Keys,
    clock: &Clock,
) -> Result<S3Store> {
    let amazon = format!("https://s3.{}.amazonaws.com", bucket.region);
    let endpoint = bucket.endpoint.unwrap_or(&amazon);
    let url = Url::parse(endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else {
        let wrong = Error::new(format!("`{}` is no address of an S3 service", endpoint.escape_debug()));
        return Err(wrong.help("write `https://` and a host; `http://127.0.0.1:PORT` for a service of this machine"));
    };
    let host = url.host_str().unwrap_or_default();
    let is_here = is_loopback(host);
    if !is_here && !allowed.iter().any(|name| covers(name, host)) {
        let beyond = format!(
            "bucket {} lies beyond this machine, at {host}, and is asked only where you allow it",
            bucket.bucket
        );
        return Err(Error::new(beyond).help(help(host)));
    }
    let credentials = Credentials { access_key: keys.access_key.clone(), secret_key: keys.secret_key.clone() };
    let access = Access {
        credentials,
        session_token: keys.session_token.clone(),
        // Amazon wants the bucket in the host's name; services of other makers mostly cannot do that.
        path_style: bucket.endpoint.is_some(),
    };
    let address = endpoint.trim_end_matches('/');
    Ok(S3Store::with_access(bucket.region, address, bucket.bucket, &access, clock, PATIENCE))
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether an allowed name is that host, or a domain that it belongs to.
pub(super) fn covers(name: &str, host: &str) -> bool {
    let name = name.trim_start_matches('.').to_ascii_lowercase();
    !name.is_empty() && (host == name || host.strip_suffix(&name).is_some_and(|rest| rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_what_is_allowed_by_name_is_reached() {
        assert!(["127.0.0.1", "127.9.9.9", "localhost", "[::1]"].into_iter().all(is_loopback));
        assert!(!["127.0.0.1.example.com", "10.0.0.1", "localhost.example.com"].into_iter().any(is_loopback));
        assert!(covers("amazonaws.com", "s3.us-east-1.amazonaws.com") && covers("a.example", "a.example"));
        assert!(!covers("amazonaws.com", "evilamazonaws.com") && !covers("", "a.example") && !covers("com.", "a.com"));
    }
}
