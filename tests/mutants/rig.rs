//! Rigging made of closures: each part of the reference pipeline's surroundings can be wrapped, and the pipeline itself.

use std::sync::Arc;

use backdraft::{
    assembly::rigging::{Means, Rigging},
    pipeline::{Pipeline, Workbench},
    service::contract::{BucketPlatform, Platform},
};

type BenchFn = Box<dyn Fn(&str, Workbench) -> Workbench + Send + Sync>;
type PlatformFn = Box<dyn Fn(Arc<dyn Platform>) -> Arc<dyn Platform> + Send + Sync>;
type BucketsFn = Box<dyn Fn(Arc<dyn BucketPlatform>) -> Arc<dyn BucketPlatform> + Send + Sync>;
type PipelineFn = Box<dyn Fn(Means, Arc<dyn Pipeline>) -> Arc<dyn Pipeline> + Send + Sync>;

/// What is put in the place of the house's own; what is `None` stays.
#[derive(Default)]
pub(crate) struct Rig {
    bench: Option<BenchFn>,
    platforms: Vec<(&'static str, PlatformFn)>,
    buckets: Option<BucketsFn>,
    pipeline: Option<PipelineFn>,
}

/// Nothing is replaced yet.
pub(crate) fn rig() -> Rig {
    Rig::default()
}

impl Rig {
    /// What every pipeline works with.
    pub(crate) fn bench(self, with: impl Fn(&str, Workbench) -> Workbench + Send + Sync + 'static) -> Self {
        Rig { bench: Some(Box::new(with)), ..self }
    }

    /// What the pipeline of the service with that name reaches it through.
    pub(crate) fn platform(
        mut self,
        of: &'static str,
        with: impl Fn(Arc<dyn Platform>) -> Arc<dyn Platform> + Send + Sync + 'static,
    ) -> Self {
        self.platforms.push((of, Box::new(with)));
        self
    }

    /// What the pipeline of files reaches them through.
    pub(crate) fn buckets(
        self,
        with: impl Fn(Arc<dyn BucketPlatform>) -> Arc<dyn BucketPlatform> + Send + Sync + 'static,
    ) -> Self {
        Rig { buckets: Some(Box::new(with)), ..self }
    }

    /// The pipelines.
    pub(crate) fn pipeline(
        self,
        with: impl Fn(Means, Arc<dyn Pipeline>) -> Arc<dyn Pipeline> + Send + Sync + 'static,
    ) -> Self {
        Rig { pipeline: Some(Box::new(with)), ..self }
    }
}

impl Rigging for Rig {
    fn bench(&self, service: &str, bench: Workbench) -> Workbench {
        self.bench.as_ref().map_or_else(|| bench.clone(), |with| with(service, bench.clone()))
    }

    fn platform(&self, service: &str, platform: Arc<dyn Platform>) -> Arc<dyn Platform> {
        let with = self.platforms.iter().filter(|(of, _)| *of == service);
        with.fold(platform, |platform, (_, with)| with(platform))
    }

    fn buckets(&self, _: &str, buckets: Arc<dyn BucketPlatform>) -> Arc<dyn BucketPlatform> {
        match &self.buckets {
            Some(with) => with(buckets),
            None => buckets,
        }
    }

    fn pipeline(&self, means: Means, own: Arc<dyn Pipeline>) -> Arc<dyn Pipeline> {
        match &self.pipeline {
            Some(with) => with(means, own),
            None => own,
        }
    }
}
