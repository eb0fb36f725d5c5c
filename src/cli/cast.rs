//! What is to be played: a scenario with its plan, its seed, how time passes, and the storage.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{discreet, selection::Chosen};
use crate::{
    error::{Error, Result},
    input::load::Loaded,
    model::{plan::Plan, record::Way, scenario::Scenario},
};

/// One drill to be played: who it is, and what is played.
pub(super) struct Cast {
    pub(super) id: String,
    pub(super) plan: Arc<Plan>,
    pub(super) plan_sha256: String,
    /// Folder of the plan's file.
    pub(super) beside: PathBuf,
    pub(super) scenario: Arc<Scenario>,
    pub(super) scenario_sha256: String,
    pub(super) seed: u64,
    pub(super) way: Way,
    /// The foreign storage that it is played on, as it was named.
    pub(super) storage: Option<String>,
}

/// What all drills of one run have in common.
pub(super) struct Troupe {
    plan: Arc<Plan>,
    plan_sha256: String,
    beside: PathBuf,
    seed: u64,
    way: Way,
    storage: Option<String>,
}

impl Troupe {
    /// # Errors
    /// When a name in the plan is a secret.
    pub(super) fn new(plan: &Loaded<Plan>, seed: u64, way: Way) -> Result<Self> {
        let told = discreet::told("plan", plan.value.clone())?;
        let beside = plan.path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Troupe { plan: Arc::new(told), plan_sha256: plan.sha256.clone(), beside, seed, way, storage: None })
    }

    /// The same, on a foreign storage of that name.
    pub(super) fn on(self, storage: Option<&str>) -> Self {
        Troupe { storage: storage.map(str::to_owned), ..self }
    }

    /// One scenario, to be played.
    ///
    /// # Errors
    /// When a name in it, or its own, is a secret.
    pub(super) fn cast(&self, one: Chosen) -> Result<Cast> {
        self.cast_of(one.id, one.scenario.value, one.scenario.sha256)
    }

    /// A scenario that is no file, to be played.
    ///
    /// # Errors
    /// When a name in it, or its own, is a secret.
    pub(super) fn cast_of(&self, id: String, scenario: Scenario, scenario_sha256: String) -> Result<Cast> {
        let named = discreet::told("scenario", BTreeMap::from([(id, scenario)]));
        let place = || Error::new("there is no scenario");
        let (id, scenario) = named?.pop_first().ok_or_else(place)?;
        Ok(Cast {
            id,
            plan: Arc::clone(&self.plan),
            plan_sha256: self.plan_sha256.clone(),
            beside: self.beside.clone(),
            scenario: Arc::new(scenario),
            scenario_sha256,
            seed: self.seed,
            way: self.way,
            storage: self.storage.clone(),
        })
    }
}
