//! What a status page shows: `status.json`. Foreign text in it is plain text without control characters.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::text::Text;

/// Version of the status format that this build writes.
pub const STATUS_FORMAT: &str = "backdraft.status/1";

/// The state of a component, from good to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It works, and that was shown.
    Operational,
    /// Nothing was shown of it yet.
    Unknown,
    /// It works in part, or what was restored is not yet verified.
    Degraded,
    /// It does not work, or its data is wrong.
    Outage,
}

/// The platform at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `backdraft.status/1`.
    pub format: String,
    /// The platform's name.
    pub platform: String,
    /// The drill that this is of.
    pub drill: String,
    /// The time zone that times are shown in.
    pub time_zone: String,
    /// When something last happened, in scenario time; `None` before anything did.
    pub updated_at: Option<Timestamp>,
    /// The same as people read it.
    pub updated: String,
    /// The worst state of any component.
    pub overall: State,
    /// The same in words.
    pub headline: Text,
    /// Every component, in the plan's order.
    pub components: Vec<ComponentStatus>,
    /// The incident; `None` where there is none.
    pub incident: Option<IncidentStatus>,
    /// What users need to know beyond the states, such as what was lost.
    pub notices: Vec<Text>,
    /// What this page takes for granted.
    pub remark: Option<Text>,
}

impl Status {
    /// As `status.json` holds it.
    pub fn json(&self) -> String {
        // Strings, numbers and lists always have a JSON form.
        serde_json::to_string_pretty(self).map(|json| json + "\n").unwrap_or_default()
    }
}

/// A component at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentStatus {
    /// Its name.
    pub name: Text,
    /// Its state.
    pub state: State,
    /// The state in words.
    pub word: Text,
    /// When it came into this state, in scenario time; `None` where that was before the incident.
    pub since_at: Option<Timestamp>,
    /// The same in words.
    pub since: Option<Text>,
}

/// An incident so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentStatus {
    /// When it began, in scenario time.
    pub began_at: Timestamp,
    /// The same in words.
    pub began: Text,
    /// When recovery is expected; `None` once it is over.
    pub expected: Option<Text>,
    /// Whether every service is back and verified.
    pub over: bool,
    /// What is known and done, oldest first.
    pub updates: Vec<Update>,
}

/// One entry of an incident's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// When, as people read it.
    pub at: String,
    /// Which sort of news.
    pub stage: Stage,
    /// The sort in a word.
    pub word: Text,
    /// What happened.
    pub text: Text,
}

/// Sorts of news in an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Somebody noticed.
    Detected,
    /// Recovery was decided.
    Declared,
    /// A service is being restored.
    Restoring,
    /// A service answers; its data is being verified.
    Restored,
    /// A service is back, and what came back was compared with the ledger.
    Verified,
    /// What came back could not be verified.
    Unverified,
    /// What came back is wrong.
    Wrong,
    /// The restore ended without a service.
    GivenUp,
    /// The drill was stopped.
    Stopped,
}
