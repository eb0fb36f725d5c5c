//! What is checked on a restored service: the contract, and one file a check. A check asks what users reach now, the
//! ledger and the world around them, never what a pipeline says.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::{
    emulator::World,
    model::{
        event::{CheckResult, Claim, Comparison},
        plan::ServiceKind,
        units::Span,
    },
    service::contract::{Ledger, ServiceError, Structure, View},
    sim::lanes::Lanes,
};

pub mod addresses;
mod claim;
mod found;
pub mod health;
mod judge;
pub mod ledger;
pub mod query;
pub mod retention;
pub mod secrets;
pub mod structure;
pub mod variables;

pub use claim::recognise;

/// What a check may look at.
pub struct Evidence {
    /// What users of the service reach.
    pub view: Arc<dyn View>,
    /// The truth.
    pub ledger: Arc<dyn Ledger>,
    /// What the pipeline says that it restored.
    pub claim: Claim,
    /// The world that it runs in.
    pub world: Arc<World>,
    /// Where to compute.
    pub lanes: Lanes,
    /// How long backups may be kept; `None` where nobody says.
    pub kept: Option<Kept>,
    /// What was there beside the rows when the disaster came, or why nobody knows; `None` where rows are all.
    pub structure: Option<Result<Structure, ServiceError>>,
    comparison: OnceCell<Result<Comparison, ServiceError>>,
}

/// How long a service's backups may be kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The service.
    pub service: String,
    /// From the moment a backup was written to the one at which a newer one was, and the old one had to go.
    pub at_the_longest: Span,
}

impl Evidence {
    /// Puts the evidence together.
    pub fn new(view: Arc<dyn View>, ledger: Arc<dyn Ledger>, claim: Claim, world: &Arc<World>, lanes: &Lanes) -> Self {
        let (world, lanes) = (Arc::clone(world), lanes.clone());
        Evidence { view, ledger, claim, world, lanes, kept: None, structure: None, comparison: OnceCell::new() }
    }

    /// The same with what the plan says of how long backups are kept.
    #[must_use]
    pub fn kept(self, kept: Kept) -> Self {
        Evidence { kept: Some(kept), ..self }
    }

    /// The same with what was there beside the rows.
    #[must_use]
    pub fn structured(self, structure: Option<Result<Structure, ServiceError>>) -> Self {
        Evidence { structure, ..self }
    }

    /// The restored state against the ledger; computed once, and shared by all who ask.
    ///
    /// # Errors
    /// When the target cannot be read.
    pub async fn comparison(&self) -> Result<Comparison, ServiceError> {
        let compare = || ledger::compare(&self.view, &self.ledger, &self.claim, &self.lanes);
        self.comparison.get_or_init(compare).await.clone()
    }
}

/// One thing that must hold of a restored service.
#[async_trait]
pub trait Check: Send + Sync {
    /// Its name in the catalogue.
    fn name(&self) -> &'static str;

    /// What it does, in one line.
    fn summary(&self) -> &'static str;

    /// What is proved when it passes.
    fn proves(&self) -> &'static str;

    /// Whether it can be asked of services of that kind.
    fn is_for(&self, kind: ServiceKind) -> bool;

    /// Whether it can be asked of a service whose backups a team's own commands write, in whatever form.
    fn is_for_commands(&self) -> bool {
        true
    }

    /// Whether there is something to ask in this drill. Where there is not, nothing is said of the check.
    fn is_asked(&self, _: &Evidence) -> bool {
        true
    }

    /// Runs it. A check that could not run says neither passed nor failed.
    async fn run(&self, evidence: &Evidence) -> CheckResult;
}

/// All checks, in the order in which they run.
pub static CATALOGUE: &[&dyn Check] = &[
    &ledger::LedgerCheck,
    &query::QueryCheck,
    &structure::StructureCheck,
    &variables::VariablesCheck,
    &addresses::AddressesCheck,
    &secrets::SecretsCheck,
    &health::HealthCheck,
    &retention::RetentionCheck,
];

/// The result of a check: its outcome, or why it could not run.
fn result(check: &dyn Check, outcome: Result<Outcome, ServiceError>) -> CheckResult {
    let (passed, detail) = match outcome {
        Ok(Outcome::Passed(detail)) => (Some(true), detail),
        Ok(Outcome::Failed(detail)) => (Some(false), detail),
        Ok(Outcome::NothingToAsk(why)) => (None, why),
        Err(failed) => (None, format!("the restored service could not be read: {failed}")),
    };
    CheckResult { check: check.name().to_owned(), passed, detail, places: Vec::new() }
}

/// How a check that ran ended.
enum Outcome {
    /// With what was looked at.
    Passed(String),
    /// With what is wrong.
    Failed(String),
    /// With what is missing to ask by.
    NothingToAsk(String),
}

#[cfg(test)]
mod fake;
