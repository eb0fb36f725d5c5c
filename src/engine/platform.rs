//! The platform that the service runs on, as the pipeline sees it: it gives out empty targets, and knows which one is
//! live. Checks run on what is live, never on what a pipeline says it has filled.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::{
    pipeline::Platform,
    service::contract::{Service, ServiceError, Target},
};

/// The service's home after the disaster.
pub(super) struct Live {
    service: Arc<dyn Service>,
    target: Mutex<Option<Arc<dyn Target>>>,
}

impl Live {
    pub(super) fn new(service: Arc<dyn Service>) -> Self {
        Live { service, target: Mutex::new(None) }
    }

    /// What users of the service reach now.
    pub(super) fn target(&self) -> Option<Arc<dyn Target>> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Platform for Live {
    async fn provision(&self) -> Result<Arc<dyn Target>, ServiceError> {
        self.service.provision().await
    }

    async fn cut_over(&self, target: Arc<dyn Target>) -> Result<(), ServiceError> {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(target);
        Ok(())
    }
}
