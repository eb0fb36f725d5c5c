//! Failure modes: the contract, the catalogue, and one file a fault in a folder a family. A fault changes the state of the emulated world,
//! proves that this took effect, and heals it. It never asks how the pipeline reaches that world.

use std::borrow::Cow;

use crate::{
    emulator::World,
    model::{
        event::Proof,
        family::Family,
        plan::ServiceKind,
        scenario::{FaultSpec, Moment},
        units::Percent,
    },
};

mod age;
mod artefact;
mod config_and_web;
mod network;
mod points;
mod presence;
mod process;
mod target;
mod trial;

pub use trial::{Ground, Trial};

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

    /// Whether that mode of it can; all of its modes unless it says otherwise.
    fn mode_is_for(&self, _mode: &str, kind: ServiceKind) -> bool {
        self.is_for(kind)
    }

    /// Whether that mode can strike a service that a team's own commands back up: nothing is known of their backups but
    /// which objects they are. `on_deployments` where it is restored into emulated deployments.
    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        !self.strikes_points() && !self.needs_points()
    }

    /// A drill in which that mode bites, on a service of a kind that it is for. By itself: alone, at the plan's first
    /// region, between the last backup and the disaster; of a web application, with the disaster.
    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        Trial::of(ground.entry(self.name(), mode))
    }

    /// Reads a scenario's entry; its mode is one of [`Fault::modes`].
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

/// Every fault, family by family, in the order in which they are listed.
pub static CATALOGUE: &[(Family, &[&dyn Fault])] = &[
    (Family::Artefact, artefact::FAULTS),
    (Family::Presence, presence::FAULTS),
    (Family::Age, age::FAULTS),
    (Family::Network, network::FAULTS),
    (Family::Target, target::FAULTS),
    (Family::ConfigAndWeb, config_and_web::FAULTS),
    (Family::Process, process::FAULTS),
];

/// Every fault of the catalogue.
pub fn all() -> impl Iterator<Item = &'static dyn Fault> {
    CATALOGUE.iter().flat_map(|(_, faults)| faults.iter().copied())
}

/// The fault of that name.
pub fn find(name: &str) -> Option<&'static dyn Fault> {
    all().find(|fault| fault.name() == name)
}

/// The family of the fault of that name.
pub fn family_of(name: &str) -> Option<Family> {
    let has = |faults: &&[&dyn Fault]| faults.iter().any(|fault| fault.name() == name);
    CATALOGUE.iter().find(|(_, faults)| has(faults)).map(|(family, _)| *family)
}

/// Reads a scenario's entry with the fault that it names.
///
/// # Errors
/// What is wrong with it.
pub fn prepare(spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
    let fault = find(&spec.fault).ok_or_else(|| format!("there is no fault `{}`", spec.fault))?;
    let spec = &whole(fault, spec)?;
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

/// An entry with its mode: a fault that has one alone need not be told which.
fn whole<'s>(fault: &dyn Fault, spec: &'s FaultSpec) -> Result<Cow<'s, FaultSpec>, String> {
    let name = match (fault.modes(), spec.mode.as_str()) {
        ([only], "") => only.name,
        (modes, "") => {
            let names: Vec<&str> = modes.iter().map(|mode| mode.name).collect();
            return Err(format!("fault `{}` needs a `mode`: {}", spec.fault, names.join(", ")));
        }
        (modes, named) => match modes.iter().find(|mode| mode.name == named) {
            Some(_) => return Ok(Cow::Borrowed(spec)),
            None => return Err(format!("fault `{}` has no mode `{named}`", spec.fault)),
        },
    };
    Ok(Cow::Owned(FaultSpec { mode: name.to_owned(), ..spec.clone() }))
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

/// Refuses regions to a fault that strikes none.
fn no_regions(spec: &FaultSpec) -> Result<(), String> {
    match spec.regions.is_empty() {
        true => Ok(()),
        false => Err(format!("fault `{}` strikes no backup region: remove `regions`", spec.fault)),
    }
}

/// Refuses every other moment to a fault that has its own in the middle of an import.
fn in_import(spec: &FaultSpec) -> Result<(), String> {
    match spec.when {
        Moment::DuringImport(_) => Ok(()),
        _ => Err(format!(
            "fault `{}` begins while rows are imported: write `when: {{ during-import: 50% }}`",
            spec.fault
        )),
    }
}

/// Names joined for a report; `nothing` where there are none.
fn joined<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => "nothing".into(),
        names => names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "),
    }
}
