//! A scenario's entry of a fault: which, on what, at which moment, and for how long.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    units::{DayTime, Percent, Span},
    words,
};

/// A fault to inject: which, on what, when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Its name in the catalogue: `backdraft list faults`.
    pub fault: String,
    /// One of the fault's modes; may be left out where it has one alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// The service that it strikes; every one of the scenario's where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Regions it strikes; all of the plan's where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// Recovery points it strikes, where it strikes any.
    #[serde(default, skip_serializing_if = "Generations::is_default")]
    pub generations: Generations,
    /// Its moment.
    #[serde(default, skip_serializing_if = "Moment::is_default")]
    pub when: Moment,
    /// For a while: time until it is over, counted from its moment. Without it a fault lasts until the drill heals it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
    /// Further parameters; each fault documents its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, serde_json::Value>,
}

impl FaultSpec {
    /// It as people read it.
    pub fn name(&self) -> String {
        words::fault(&self.fault, &self.mode)
    }

    /// The same with a parameter.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: impl Into<serde_json::Value>) -> Self {
        self.with.insert(parameter.to_owned(), value.into());
        self
    }

    /// The same at another moment.
    #[must_use]
    pub fn at(self, when: Moment) -> Self {
        FaultSpec { when, ..self }
    }

    /// The same for a while.
    #[must_use]
    pub fn lasting(self, span: Span) -> Self {
        FaultSpec { lasts: Some(span), ..self }
    }

    /// The same in every region.
    #[must_use]
    pub fn everywhere(self) -> Self {
        FaultSpec { regions: Vec::new(), ..self }
    }
}

/// Which recovery points a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Generations {
    /// The newest one.
    #[default]
    Latest,
    /// Every one that exists at the moment.
    All,
    /// That many, the newest first.
    Newest(u32),
}

impl Generations {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
    /// How many it takes at the most.
    pub fn count(self) -> usize {
        match self {
            Generations::Latest => 1,
            Generations::All => usize::MAX,
            Generations::Newest(n) => n as usize,
        }
    }
}

/// When a fault begins. It lasts until the drill heals it, or as long as its entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Between the last backup and the disaster: one hour after that backup.
    #[default]
    AfterLastBackup,
    /// With the disaster.
    AtDisaster,
    /// Just before the backup of that day.
    BeforeBackupOfDay(u32),
    /// At a moment of the history.
    At(DayTime),
    /// While the restore fetches, once that share of the newest dump has been sent by a struck region.
    DuringFetch(Percent),
    /// While the restore imports: once that share of the newest backup's rows (or files) has been staged. The import waits
    /// until the fault has begun.
    DuringImport(Percent),
}

impl Moment {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
