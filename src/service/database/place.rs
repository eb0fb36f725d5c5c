//! The database's deployments as commands find them: by the variables that the `convex` CLI reads.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{
    Database,
    hosted::{Address, Hosted},
};
use crate::{
    model::event::Position,
    service::{
        contract::{Platform, Service, ServiceError, Target},
        place::Place,
    },
};

/// The deployment that commands work on: the source, and after the disaster a new one.
pub struct Deployments {
    rows: Arc<Database>,
    hosted: Arc<Hosted>,
    /// Where commands may restore to try a backup.
    for_tests: Address,
    new: Mutex<Option<(Arc<dyn Target>, Address)>>,
}

impl Deployments {
    /// Begins with the source, and an empty deployment to try backups in.
    ///
    /// # Errors
    /// When no port or no folder can be had for that one.
    pub fn new(rows: Arc<Database>, hosted: Arc<Hosted>) -> Result<Self, ServiceError> {
        let for_tests = hosted.for_tests()?;
        Ok(Deployments { rows, hosted, for_tests, new: Mutex::default() })
    }

    fn provisioned(&self) -> Option<(Arc<dyn Target>, Address)> {
        self.new.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Place for Deployments {
    fn variables(&self) -> Vec<(String, String)> {
        let new = self.provisioned();
        let address = new.as_ref().map_or(self.hosted.source_address(), |(_, address)| address);
        vec![
            ("CONVEX_SELF_HOSTED_URL".into(), address.url.clone()),
            ("CONVEX_SELF_HOSTED_ADMIN_KEY".into(), address.key.clone()),
            ("CONVEX_TEST_URL".into(), self.for_tests.url.clone()),
            ("CONVEX_TEST_ADMIN_KEY".into(), self.for_tests.key.clone()),
        ]
    }

    fn position(&self) -> Position {
        self.rows.ledger().last()
    }

    fn load(&self) -> (u64, u64) {
        (self.rows.rows(), self.rows.seeded_bytes())
    }

    async fn provision(&self) -> Result<(), ServiceError> {
        let new = self.hosted.provision_at()?;
        *self.new.lock().unwrap_or_else(PoisonError::into_inner) = Some(new);
        Ok(())
    }

    async fn cut_over(&self) -> Result<(), ServiceError> {
        let Some((target, _)) = self.provisioned() else {
            return Err(ServiceError("no new deployment was made".into()));
        };
        self.rows.cut_over(target).await
    }
}
