//! The environment of a team's commands: the emulated world as their tools look for it, and what a drill has to say.

use std::{path::PathBuf, sync::Arc};

use super::CommandPipeline;
use crate::{
    model::ran::Role,
    process::{
        Environment,
        faked_time::{self, Shared},
    },
};

/// Variables by which programs find a proxy, and one that nobody answers at: what is meant for another machine fails at
/// once, wherever a program heeds them.
const PROXIES: &[&str] = &["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
const NOWHERE: &str = "http://127.0.0.1:9";

/// The world around a service, as commands find it.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The service's name in the plan.
    pub service: String,
    /// The one address of all regions.
    pub endpoint: String,
    /// Each region, the primary first.
    pub regions: Vec<SurroundingRegion>,
    /// Access key and secret that open them and nothing else.
    pub access_key: String,
    /// The secret of the access key.
    pub secret_key: String,
    /// The library that moves the clock of programs, where it is installed.
    pub faketime: Option<PathBuf>,
    /// What programs on a moved clock share.
    pub shared: Option<Arc<Shared>>,
}

/// A region as commands find it.
#[derive(Debug, Clone)]
pub struct SurroundingRegion {
    /// Its name.
    pub name: String,
    /// The plan's bucket in it.
    pub bucket: String,
    /// An address of its own.
    pub endpoint: String,
}

impl Surroundings {
    /// The variables of it.
    pub fn cloud(&self) -> Vec<(String, String)> {
        let primary = self.regions.first();
        let first = |of: fn(&SurroundingRegion) -> &str| primary.map_or("", of).to_owned();
        let mut named = vec![
            ("AWS_ENDPOINT_URL".to_owned(), self.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID".into(), self.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY".into(), self.secret_key.clone()),
            ("AWS_REGION".into(), first(|region| &region.name)),
            ("AWS_DEFAULT_REGION".into(), first(|region| &region.name)),
            ("AWS_EC2_METADATA_DISABLED".into(), "true".into()),
            ("NO_PROXY".into(), "127.0.0.1,localhost".into()),
            ("no_proxy".into(), "127.0.0.1,localhost".into()),
            // Many tools ask nobody, and tell nobody, where it is set.
            ("CI".into(), "1".into()),
            ("BACKDRAFT_SERVICE".into(), self.service.clone()),
            ("BACKDRAFT_BUCKET".into(), first(|region| &region.bucket)),
            ("BACKDRAFT_REGIONS".into(), self.names()),
        ];
        for name in PROXIES {
            named.push(((*name).to_owned(), NOWHERE.to_owned()));
        }
        for region in &self.regions {
            let suffix = suffix(&region.name);
            named.push((format!("BACKDRAFT_BUCKET_{suffix}"), region.bucket.clone()));
            named.push((format!("BACKDRAFT_ENDPOINT_{suffix}"), region.endpoint.clone()));
        }
        named
    }

    /// Each region's name, the primary's first.
    pub(super) fn names_of_regions(&self) -> impl Iterator<Item = String> {
        self.regions.iter().map(|region| region.name.clone())
    }

    fn names(&self) -> String {
        self.names_of_regions().collect::<Vec<_>>().join(" ")
    }
}

/// A region's name as it can stand in a variable's: `US_EAST_1`.
fn suffix(region: &str) -> String {
    region.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

impl CommandPipeline {
    pub(super) fn environment(&self, role: Role) -> Environment {
        let now = self.bench.clock.now();
        let faked = self.surroundings.faketime.as_ref().map(|library| faked_time::variables(library, now));
        let of_plan = self.plan.env.iter().map(|(name, value)| (name.clone(), value.clone()));
        self.workspace
            .environment()
            .clone()
            .with_all(self.surroundings.cloud())
            .with_all(self.place.variables())
            .with_all(of_plan)
            .with("BACKDRAFT_PHASE", role.words())
            .with("BACKDRAFT_NOW", now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
            .with("BACKDRAFT_SCRATCH", self.workspace.scratch().display().to_string())
            .with_all(faked.into_iter().flatten())
            .with_all(self.surroundings.shared.iter().map(|shared| shared.variable()))
    }
}
