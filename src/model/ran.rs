//! What became of a command that a drill ran.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time::Elapsed;

/// A command that was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ran {
    /// Which of the plan's commands.
    pub role: Role,
    /// The command as the plan has it.
    pub command: String,
    /// How it ended.
    pub ended: CommandEnd,
    /// How long it took.
    pub took: Elapsed,
    /// Whether the clock that it read was the story's; the wall clock where not.
    pub scenario_time: bool,
    /// How many bytes it printed.
    pub printed_bytes: u64,
    /// The last lines that it printed, standard output and standard error as they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_lines: Vec<String>,
    /// Processes that it left running. After a backup they were ended; after a restore they may be the service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_running: Vec<String>,
    /// Files outside of its own folders that were written while it ran, as far as was looked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrote_outside: Vec<String>,
}

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Makes a backup.
    Backup,
    /// Checks backups.
    Verify,
    /// Prints recovery points.
    List,
    /// Makes a place to restore into.
    Provision,
    /// Restores.
    Restore,
    /// Asks the restored service.
    Query,
}

impl Role {
    /// As people read it, and as the plan names it.
    pub const fn words(self) -> &'static str {
        match self {
            Role::Backup => "backup",
            Role::Verify => "verify",
            Role::List => "list",
            Role::Provision => "provision",
            Role::Restore => "restore",
            Role::Query => "query",
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommandEnd {
    /// With an exit code.
    Exited(i32),
    /// By a signal of that number.
    Killed(i32),
    /// The time limit, in milliseconds, ended it and all that it had started.
    TimeLimit(u64),
    /// It could not be started.
    NotStarted(String),
}

impl CommandEnd {
    /// Whether it says that all went well.
    pub const fn is_success(&self) -> bool {
        matches!(self, CommandEnd::Exited(0))
    }
}

impl std::fmt::Display for CommandEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CommandEnd::Exited(code) => write!(f, "exit code {code}"),
            CommandEnd::Killed(signal) => write!(f, "ended by signal {signal}"),
            CommandEnd::TimeLimit(millis) => write!(f, "ended by the time limit of {}", super::units::Span(*millis)),
            CommandEnd::NotStarted(why) => write!(f, "could not be started: {why}"),
        }
    }
}
