//! Which of a user's buckets are read, and how they are reached: arguments that several verbs share.

use clap::Args;

use super::credentials;
use crate::{
    assembly::buckets::{self, Bucket, Keys},
    error::{Error, Result},
    model::{plan::Plan, record::Way},
    sim::{clock, clock::Clock},
    store::SharedStore,
};

/// Arguments about the user's buckets.
#[derive(Debug, Clone, Args)]
pub(super) struct BucketArgs {
    /// Address of a region's S3 service, in the place of the plan's or Amazon's; may be given more than once.
    #[arg(long, value_name = "REGION=URL")]
    endpoint: Vec<String>,
    /// A host beyond this machine that may be asked, or a domain, such as amazonaws.com; it is only read.
    #[arg(long, value_name = "HOST")]
    allow_endpoint: Vec<String>,
}

impl BucketArgs {
    /// A store for each region of the plan, the primary first. Nothing is sent yet.
    ///
    /// # Errors
    /// When an address makes no sense or is not allowed, or there is no key.
    pub(super) fn stores(&self, plan: &Plan, clock: &Clock) -> Result<Vec<SharedStore>> {
        // What is not allowed is said before a key is looked for.
        self.open(plan, clock, &Keys::none())?;
        self.open(plan, clock, &credentials::find()?)
    }

    fn open(&self, plan: &Plan, clock: &Clock, keys: &Keys) -> Result<Vec<SharedStore>> {
        let endpoints = self.endpoints(plan)?;
        let stores = plan.regions.iter().zip(endpoints).map(|(region, endpoint)| {
            let bucket = Bucket { region: &region.name, bucket: &region.bucket, endpoint };
            buckets::open(&bucket, &self.allow_endpoint, keys, clock)
        });
        stores.collect()
    }

    /// Whether every address makes sense and may be asked, and there is a key.
    ///
    /// # Errors
    /// What is not so.
    pub(super) fn check(&self, plan: &Plan) -> Result<()> {
        self.stores(plan, &Clock::new(Way::Real, clock::wall_now())).map(drop)
    }

    /// Whether the buckets are somewhere that may be asked, so that it makes sense to look for keys.
    pub(super) fn are_given(&self, plan: &Plan) -> bool {
        let any_in_plan = plan.regions.iter().any(|region| region.endpoint.is_some());
        !self.endpoint.is_empty() || !self.allow_endpoint.is_empty() || any_in_plan
    }

    /// The address of each region of the plan.
    fn endpoints<'s>(&'s self, plan: &'s Plan) -> Result<Vec<Option<&'s str>>> {
        let mut all: Vec<Option<&str>> = plan.regions.iter().map(|region| region.endpoint.as_deref()).collect();
        for given in &self.endpoint {
            let known = given
                .split_once('=')
                .and_then(|(name, url)| Some((plan.regions.iter().position(|region| region.name == name)?, url)));
            let Some((number, url)) = known else {
                let names = plan.region_names().join(", ");
                let what = format!("--endpoint `{}` names no region of the plan", given.escape_debug());
                return Err(Error::new(what).help(format!("write REGION=URL; the plan's regions are {names}")));
            };
            all[number] = Some(url);
        }
        Ok(all)
    }
}
