//! Where a drill can be rigged otherwise than the house does it: another pipeline, or something between the house's own
//! pipeline and what it acts through. The world, the ledger, the checks and the monitor are not for rigging: they are
//! what a pipeline is judged by.

use std::sync::Arc;

use crate::{
    model::{naming::Layout, plan::ServiceKind, units::Span},
    pipeline::{Pipeline, Workbench, release},
    service::contract::{BucketPlatform, Platform},
};

/// Puts pipelines, and what they act through, in the place of the house's own. Whatever is not overridden stays as it is.
pub trait Rigging: Send + Sync {
    /// What the pipeline of that service works with: its stores, its recorder, its clock.
    fn bench(&self, _service: &str, bench: Workbench) -> Workbench {
        bench
    }

    /// What the pipeline of a database or a configuration reaches it through.
    fn platform(&self, _service: &str, platform: Arc<dyn Platform>) -> Arc<dyn Platform> {
        platform
    }

    /// What the pipeline of files reaches them through.
    fn buckets(&self, _service: &str, buckets: Arc<dyn BucketPlatform>) -> Arc<dyn BucketPlatform> {
        buckets
    }

    /// The pipeline of a service: the house's own, or another one made from these means.
    fn pipeline(&self, _means: Means, own: Arc<dyn Pipeline>) -> Arc<dyn Pipeline> {
        own
    }
}

/// All that a pipeline can be made from.
#[derive(Clone)]
pub struct Means {
    /// The service's name in the plan.
    pub service: String,
    /// What sort of thing it is.
    pub kind: ServiceKind,
    /// Where its backups lie and what they are called.
    pub layout: Layout,
    /// How long they are kept.
    pub retention: Span,
    /// What it works with, as rigged.
    pub bench: Workbench,
    /// How it reaches the service, as rigged.
    pub reach: Reach,
}

/// How a pipeline reaches what it protects.
#[derive(Clone)]
pub enum Reach {
    /// A source that is exported, targets that are imported into.
    Platform(Arc<dyn Platform>),
    /// Buckets.
    Buckets(Arc<dyn BucketPlatform>),
    /// A hosting provider and a repository.
    Hosting(release::Parts),
}

/// As the house rigs it.
#[derive(Debug)]
pub(super) struct AsBuilt;

impl Rigging for AsBuilt {}
