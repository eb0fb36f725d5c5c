//! A foreign S3 in the place of emulated regions: which one may be used, and the buckets that are made in it and removed
//! again. Nothing else in it is touched.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use data_encoding::HEXLOWER;
use reqwest::Url;

use super::{
    buckets::{Keys, covers, is_loopback},
    folder,
};
use crate::{
    emulator::{
        Site,
        s3::{
            Region,
            buckets::BucketOptions,
            foreign::{Endpoint, Storage as Opened},
            gateway::Credentials,
        },
    },
    error::{Error, Result},
    model::{plan::Plan, scenario::Scenario},
    sim::{clock::Clock, secret},
};

/// Region that requests are signed for where nobody says another: what every emulator takes.
pub const REGION: &str = "us-east-1";

/// A foreign storage that drills may use.
pub struct Storage {
    said: String,
    endpoint: Endpoint,
    /// What the names of all buckets of this run begin with.
    prefix: String,
    drills: AtomicU64,
}

impl Storage {
    /// The storage at an address, as the user named it (`said`). Nothing is sent yet. `allowed` names the hosts beyond this
    /// machine in which buckets may be made.
    ///
    /// # Errors
    /// When the address makes no sense, or lies beyond this machine and is not allowed.
    pub fn at(said: &str, url: &str, region: &str, allowed: &[String], keys: &Keys) -> Result<Storage> {
        let host = host(url)?;
        if !is_loopback(&host) && !allowed.iter().any(|name| covers(name, &host)) {
            let beyond =
                format!("the storage lies beyond this machine, at {host}, and is used only where you allow it");
            let help = format!(
                "name the host with --allow-endpoint {host}; drills make buckets of their own there, and remove them"
            );
            return Err(Error::new(beyond).help(help));
        }
        let random = secret::secret::<6>().map_err(|e| Error::new("no name for buckets can be had").because(e))?;
        Ok(Storage::known(said, url, region, &format!("bd-{}-", HEXLOWER.encode(&random)), keys))
    }

    /// A storage in which an earlier run made buckets whose names begin so.
    pub fn known(said: &str, url: &str, region: &str, prefix: &str, keys: &Keys) -> Storage {
        let credentials = Credentials { access_key: keys.access_key.clone(), secret_key: keys.secret_key.clone() };
        let endpoint = Endpoint {
            url: url.trim_end_matches('/').to_owned(),
            region: region.to_owned(),
            credentials,
            session_token: keys.session_token.clone(),
        };
        Storage { said: said.to_owned(), endpoint, prefix: prefix.to_owned(), drills: AtomicU64::new(0) }
    }

    /// As the user named it.
    pub fn said(&self) -> &str {
        &self.said
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// Region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.endpoint.region
    }

    /// What the names of all buckets of this run begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Removes every bucket of this run that is there. How many there were.
    ///
    /// # Errors
    /// Why it cannot be asked, or what it does not remove.
    pub async fn remove(&self) -> std::result::Result<usize, String> {
        Opened::at(&self.endpoint)?.remove(&self.prefix).await
    }
}

/// The host of an address.
fn host(url: &str) -> Result<String> {
    let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let plain = parsed.filter(|url| url.username().is_empty() && url.password().is_none() && url.path() == "/");
    let Some(parsed) = plain.filter(|url| url.query().is_none() && url.fragment().is_none()) else {
        let wrong = Error::new("the storage's address is none of an S3 service");
        return Err(wrong.help(
            "write `endpoint:http://127.0.0.1:PORT`, without a path, a user or a password; keys are taken from AWS_ACCESS_KEY_ID \
             and AWS_SECRET_ACCESS_KEY",
        ));
    };
    Ok(parsed.host_str().unwrap_or_default().to_owned())
}

/// Why a drill needs what no foreign storage does for it; `None` where it does not.
pub fn undrillable(plan: &Plan, scenario: &Scenario) -> Option<String> {
    let locks = scenario.history.lock.is_some() || plan.regions.iter().any(|region| region.lock.is_some());
    locks.then(|| {
        "its objects are locked for days of the scenario, and a foreign storage counts them by the wall clock: no lock would \
         run out when it should, and none could be removed after the drill"
            .to_owned()
    })
}

/// The plan's regions, each with a fresh bucket in the storage.
pub(super) async fn sites(
    storage: &Storage,
    plan: &Plan,
    clock: &Clock,
    scratch: &std::path::Path,
) -> Result<Vec<Site>> {
    let failed = |why: String| Error::new(format!("no bucket can be made at {}", storage.url())).because(why);
    let opened = Opened::at(&storage.endpoint).map_err(failed)?;
    let drill = storage.drills.fetch_add(1, Ordering::Relaxed);
    let mut sites = Vec::new();
    for (number, region) in plan.regions.iter().enumerate() {
        let real = format!("{}{drill}-{number}", storage.prefix);
        let foreign = opened.make(&real, &region.bucket).await.map_err(failed)?;
        let dir = folder(scratch, &format!("region-{}", region.name))?;
        let made = Region::over(foreign, &region.name, clock, &dir).map_err(|e| {
            Error::new(format!("region {} cannot be emulated", region.name)).at(dir.display().to_string()).because(e)
        })?;
        let known = made.objects().create_bucket(&region.bucket, BucketOptions::versioned());
        known.map_err(|e| Error::new(e.to_string()))?;
        sites.push(Site { region: Arc::clone(&made), bucket: region.bucket.clone() });
    }
    Ok(sites)
}
