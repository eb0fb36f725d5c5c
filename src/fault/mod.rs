//! Failure modes: the contract, the catalogue, and one file a fault. A fault changes the state of the emulated world,
//! proves that this took effect, and heals it. It never asks how the pipeline reaches that world.

use crate::{
    emulator::World,
    model::{
        event::Proof,
        plan::ServiceKind,
        scenario::{FaultSpec, Moment},
        units::Percent,
    },
};

mod api_outage;
mod bad_deploy;
mod compromised_account;
mod config_dump;
mod corrupt_json;
mod damaged_file;
mod dns_stale;
mod homes;
mod hosting_api_down;
mod lying_health_check;
mod missing_backup;
mod mistaken_deletion;
mod points;
mod region_outage;
mod rewrite;
mod rollback_target_gone;
mod secret_leaked;
mod secret_store_lost;
mod stale_dump;
mod stream_gap;
mod variable_missing;
mod wrong_url;

/// A kind of fault: its entry in the catalogue.
pub trait Fault: Send + Sync {
    /// Its name in scenarios.
    fn name(&self) -> &'static str;

    /// What goes wrong, in one line.
    fn summary(&self) -> &'static str;

    /// Its modes, each with what it changes.
    fn modes(&self) -> &'static [Mode];

    /// Whether it can strike a service of that kind.
    fn is_for(&self, kind: ServiceKind) -> bool {
        kind != ServiceKind::WebApplication
    }

    /// Whether it strikes recovery points, so that `generations` says which.
    fn strikes_points(&self) -> bool;

    /// Whether it changes nothing where there is no recovery point yet.
    fn needs_points(&self) -> bool {
        self.strikes_points()
    }

    /// Whether it can begin in the middle of a fetch.
    fn begins_in_fetch(&self) -> bool {
        false
    }

    /// Further parameters, each with what it means.
    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    /// A scenario's entry as an example, in YAML.
    fn example(&self) -> &'static str;

    /// Reads a scenario's entry.
    ///
    /// # Errors
    /// What is wrong with it and what to write instead.
    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String>;
}

/// One way in which a fault shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// Its name in scenarios.
    pub name: &'static str,
    /// What it changes.
    pub summary: &'static str,
}

/// A parameter under `with:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it means, with its form and default.
    pub summary: &'static str,
}

/// When a fault begins to act, once it is injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onset {
    /// At once.
    Now,
    /// When that share of the newest dump has been sent.
    AfterShare(Percent),
}

impl Onset {
    /// What a scenario's moment means for the injection.
    pub fn of(moment: Moment) -> Self {
        match moment {
            Moment::DuringFetch(share) => Onset::AfterShare(share),
            _ => Onset::Now,
        }
    }
}

/// One fault of one drill.
pub trait Injection: Send {
    /// Changes the world and says what was changed.
    ///
    /// # Errors
    /// Why it cannot be injected here; then nothing was changed.
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String>;

    /// Whether it took effect, with what was seen. Asked once, before healing.
    fn proof(&self, world: &World) -> Proof;

    /// Puts back what it changed. `false` where that was not possible in full.
    fn heal(&mut self, world: &World) -> bool;
}

/// Every fault, in the order in which they are listed.
pub static CATALOGUE: &[&dyn Fault] = &[
    &api_outage::ApiOutage,
    &bad_deploy::BadDeploy,
    &compromised_account::CompromisedAccount,
    &corrupt_json::CorruptJson,
    &damaged_file::DamagedFile,
    &dns_stale::DnsStale,
    &hosting_api_down::HostingApiDown,
    &lying_health_check::LyingHealthCheck,
    &missing_backup::MissingBackup,
    &mistaken_deletion::MistakenDeletion,
    &region_outage::RegionOutage,
    &rollback_target_gone::RollbackTargetGone,
    &secret_leaked::SecretLeaked,
    &secret_store_lost::SecretStoreLost,
    &stale_dump::StaleDump,
    &stream_gap::StreamGap,
    &variable_missing::VariableMissing,
    &wrong_url::WrongUrl,
];

/// The fault of that name.
pub fn find(name: &str) -> Option<&'static dyn Fault> {
    CATALOGUE.iter().copied().find(|fault| fault.name() == name)
}

/// Reads a scenario's entry with the fault that it names.
///
/// # Errors
/// What is wrong with it.
pub fn prepare(spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
    let fault = find(&spec.fault).ok_or_else(|| format!("there is no fault `{}`", spec.fault))?;
    let mode = fault.modes().iter().find(|mode| mode.name == spec.mode);
    mode.ok_or_else(|| format!("fault `{}` has no mode `{}`", spec.fault, spec.mode))?;
    for name in spec.with.keys() {
        if !fault.parameters().iter().any(|parameter| parameter.name == name) {
            return Err(format!("fault `{}` has no parameter `{name}`", spec.fault));
        }
    }
    if matches!(spec.when, Moment::DuringFetch(_)) && !fault.begins_in_fetch() {
        return Err(format!("fault `{}` cannot begin in the middle of a fetch", spec.fault));
    }
    fault.prepare(spec)
}

/// Reads a parameter of a scenario's entry; `None` where it is not given.
fn parameter<T: serde::de::DeserializeOwned>(spec: &FaultSpec, name: &str) -> Result<Option<T>, String> {
    let value = spec.with.get(name).map(|value| serde_json::from_value(value.clone()));
    value.transpose().map_err(|e| format!("parameter `{name}` of fault `{}`: {e}", spec.fault))
}

/// Refuses a moment that a fault cannot have.
fn only_now(onset: Onset, fault: &str) -> Result<(), String> {
    match onset {
        Onset::Now => Ok(()),
        Onset::AfterShare(_) => Err(format!("fault `{fault}` cannot begin in the middle of a fetch")),
    }
}

/// Names joined for a report; `nothing` where there are none.
fn joined<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => "nothing".into(),
        names => names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "),
    }
}
