//! Families of faults: what sort of thing goes wrong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A family of faults, in the order in which reports show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// What a backup is made of: bytes, rows, archives, manifests.
    Artefact,
    /// What is there at all.
    Presence,
    /// How old it really is.
    Age,
    /// The way to a region, and the region.
    Network,
    /// Where the data is restored to.
    Target,
    /// Configuration and web applications.
    ConfigAndWeb,
    /// People and programs that should act, and do not.
    Process,
}

impl Family {
    /// Every family, in order.
    pub const ALL: [Family; 7] = [
        Family::Artefact,
        Family::Presence,
        Family::Age,
        Family::Network,
        Family::Target,
        Family::ConfigAndWeb,
        Family::Process,
    ];

    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Family::Artefact => "artefact",
            Family::Presence => "presence",
            Family::Age => "age",
            Family::Network => "region and network",
            Family::Target => "target",
            Family::ConfigAndWeb => "config and web",
            Family::Process => "process",
        }
    }
}
