//! A pipeline of the team's own: the commands that back a service up and restore it, unmodified, and how a drill writes
//! to the service and reads back what was restored.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de};

use super::super::units::Span;

/// A service's own commands. A drill runs them in a folder of its own, with an environment that holds nothing of the
/// caller's cloud.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandPlan {
    /// How a drill writes to the service and reads it back.
    pub probe: Probe,
    /// Folder with the scripts, relative to the plan's file. A copy of it is where commands run; nothing is copied where
    /// none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Makes one backup. Exit code 0 says that it is made; every other one is an alarm, also where it reached a region.
    pub backup: Command,
    /// Checks the backups. Exit code 0 says that they are good; every other one is an alarm. Runs after each backup,
    /// or as often as `every` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Command>,
    /// Prints the recovery points that there are, one a line. For the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<Command>,
    /// Makes the empty place to restore into, where the drill's own is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision: Option<Command>,
    /// Restores. Exit code 0 says that the service is back.
    pub restore: Command,
    /// Asks the restored service what its users ask. Exit code 0 says that it answers as it should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Command>,
    /// Exit codes by which `restore` says that nothing can be restored. Every other one but 0 says that it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refuses_with: Vec<u8>,
    /// Whether changes are kept between the backups, so that any acknowledged write may be the last one that is restored:
    /// archived WAL, a change stream. Otherwise what is restored must be a backup that was made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub continuous: bool,
    /// Variables for the commands, beside those that a drill sets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Longest time that one command may take.
    #[serde(default = "time_limit", skip_serializing_if = "is_time_limit")]
    pub time_limit: Span,
}

const TIME_LIMIT: Span = Span::minutes(10);

fn time_limit() -> Span {
    TIME_LIMIT
}

fn is_time_limit(given: &Span) -> bool {
    *given == TIME_LIMIT
}

/// How a drill writes to a service and reads it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// An emulated Convex deployment, reached over HTTP; commands find it as the `convex` CLI does, and another, empty
    /// one, to try backups in, by `CONVEX_TEST_URL` and `CONVEX_TEST_ADMIN_KEY`.
    Convex,
    /// A PostgreSQL cluster of the drill's own; commands find it by `PGHOST`, `PGPORT`, `PGUSER`, `PGDATABASE`.
    Postgresql,
    /// A SQLite file, which the application keeps open; commands find it by `SQLITE_DATABASE`.
    Sqlite,
    /// A bucket with files; commands find it by `SOURCE_BUCKET`.
    Bucket,
    /// A folder with files; commands find it by `SOURCE_FOLDER`.
    Folder,
    /// Commands of the team's own.
    Command(CommandProbe),
}

impl Probe {
    /// Its name in files.
    pub const fn name(&self) -> &'static str {
        match self {
            Probe::Convex => "convex",
            Probe::Postgresql => "postgresql",
            Probe::Sqlite => "sqlite",
            Probe::Bucket => "bucket",
            Probe::Folder => "folder",
            Probe::Command(_) => "command",
        }
    }
}

/// Commands that put rows in and print them. A row is a line of JSON: `{"table":"users","row":{"_id":"…",…}}`, a row that
/// is to go `{"table":"users","deleted":"<_id>"}`; `{"table":"users"}` alone says that there is such a table, rows or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandProbe {
    /// Takes rows on its standard input, which are committed when it exits with 0.
    pub write: Command,
    /// Prints every row.
    pub read: Command,
    /// The disaster: removes all that the service held, and leaves an empty place.
    pub lose: Command,
}

/// A command: a line for `sh -c`, a list of a program and its arguments, or either under `run` with its own limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What is run.
    pub run: Run,
    /// Longest time that it may take, where it is not the pipeline's.
    pub time_limit: Option<Span>,
    /// Time between two runs, for what is not run with each backup.
    pub every: Option<Span>,
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Run {
    /// By the shell.
    Shell(String),
    /// A program and its arguments.
    Argv(Vec<String>),
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Run::Shell(line) => f.write_str(line),
            Run::Argv(argv) => f.write_str(&argv.join(" ")),
        }
    }
}

/// The long form of a command.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Long {
    /// A line for `sh -c`, or a list of a program and its arguments.
    run: Run,
    /// Longest time that it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_limit: Option<Span>,
    /// Time between two runs; for `verify`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every: Option<Span>,
}

impl Serialize for Command {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Command { run, time_limit: None, every: None } => run.serialize(serializer),
            Command { run, time_limit, every } => {
                Long { run: run.clone(), time_limit: *time_limit, every: *every }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> de::Visitor<'de> for Forms {
            type Value = Command;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a command line, a list of a program and its arguments, or `run:` with one of them")
            }
            fn visit_str<E: de::Error>(self, line: &str) -> Result<Command, E> {
                Ok(Run::Shell(line.to_owned()).into())
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut words: A) -> Result<Command, A::Error> {
                let mut argv = Vec::new();
                while let Some(word) = words.next_element()? {
                    argv.push(word);
                }
                Ok(Run::Argv(argv).into())
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Command, A::Error> {
                let Long { run, time_limit, every } = Long::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Command { run, time_limit, every })
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl From<Run> for Command {
    fn from(run: Run) -> Self {
        Command { run, time_limit: None, every: None }
    }
}

impl JsonSchema for Command {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Command".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (run, long) = (generator.subschema_for::<Run>(), generator.subschema_for::<Long>());
        schemars::json_schema!({"anyOf": [run, long]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_in_each_of_its_forms_and_written_in_the_shortest() {
        let yaml = "[./backup.sh --all, [./backup.sh, --all], {run: ./verify.sh, every: 1 week}]\n";
        let read: Vec<Command> = serde_saphyr::from_str(yaml).unwrap();
        assert_eq!(read[0].run, Run::Shell("./backup.sh --all".into()));
        assert_eq!(read[1].run, Run::Argv(vec!["./backup.sh".into(), "--all".into()]));
        assert_eq!((&read[2].run, read[2].every), (&Run::Shell("./verify.sh".into()), Some(Span::hours(168))));
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Command>>(&written).unwrap(), read, "{written}");
        assert!(serde_json::from_str::<Command>(r#"{"run":"x","evry":"1 h"}"#).is_err());
    }

    #[test]
    fn probes_have_their_names() {
        let read: Vec<Probe> =
            serde_saphyr::from_str("[sqlite, {command: {write: ./w, read: ./r, lose: ./l}}]").unwrap();
        assert_eq!((read[0].name(), read[1].name()), ("sqlite", "command"));
    }
}
