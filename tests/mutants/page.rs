//! docs/mutants.md, made from the catalogues and from what the exploration found.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::PathBuf,
};

use backdraft::model::outcome::Outcome;
use serde::{Deserialize, Serialize};

use crate::{
    catalogue::{MUTANTS, Mutant},
    habits::HABITS,
    kit,
};

/// What the exploration found when it was run last. Scenarios that are younger are not counted.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Explored {
    /// Scenarios that were played with a mutant, by its name, each with whether it failed.
    pub(crate) played: BTreeMap<String, BTreeMap<String, bool>>,
}

impl Explored {
    /// The scenarios that fail with a mutant.
    pub(crate) fn catching(&self, mutant: &str) -> Vec<&str> {
        let played = self.played.get(mutant).into_iter().flatten();
        played.filter(|(_, failed)| **failed).map(|(id, _)| id.as_str()).collect()
    }
}

/// Where it is kept.
pub(crate) fn found() -> PathBuf {
    kit::root().join("tests/mutants/explored.json")
}

/// The page.
pub(crate) fn path() -> PathBuf {
    kit::root().join("docs/mutants.md")
}

/// What was found last.
pub(crate) fn explored() -> Explored {
    serde_json::from_str(&fs::read_to_string(found()).unwrap()).unwrap()
}

const OPENING: &str = "\
# Who watches the harness

A green drill is worth what its checks would have caught. So the harness is drilled too: `tests/mutants/` holds
pipelines that are broken on purpose, mutants of the reference pipeline with one mistake each that a team can make, and
plays each of them in the scenario that must catch it. It also holds correct pipelines with odd habits, which no scenario
may blame. `cargo test --test mutants` plays them all, in simulated time.

No mutant is a switch in the pipeline: each is something put between the pipeline and what it acts through (a store, a
source, a target, a bucket, a recorder), or around it, by `assembly::rigging`. A scenario catches a mutant when the drill
*fails*; a drill that is inconclusive has caught nothing. The test also wants the ending that stands here, and a
pass of the reference pipeline in the same scenario.

This page is made by that test (`UPDATE_MUTANTS=1 cargo test --test mutants page`). The last column says in
how many of the scenarios that drill the same service the mutant fails, as found by
`cargo test --test mutants -- --ignored`, which plays each mutant in all of these; younger scenarios are not counted.
";

/// The scenarios that drill what the mutant's own scenario drills. Files copied by rule have another pipeline, of which
/// these are no mutants; what its rules lose is in tests/as_written.rs.
pub(crate) fn reachable(mutant: &Mutant, scenarios: &[String]) -> Vec<String> {
    let services = |id: &str| kit::scenario(id).service.names().to_vec();
    let own = services(mutant.scenario);
    let is_by_rule = |id: &str| kit::scenario(id).history.sync.is_some();
    let reachable = |id: &&String| services(id).iter().any(|name| own.contains(name)) && !is_by_rule(id);
    scenarios.iter().filter(reachable).cloned().collect()
}

/// The page's text.
pub(crate) fn text(explored: &Explored) -> String {
    let mut page = format!("{OPENING}\n## {} mutants\n\n", MUTANTS.len());
    page.push_str("| mutant | what it does | must be caught by | which ends | fails in |\n|---|---|---|---|---|\n");
    for mutant in MUTANTS {
        let Mutant { name, does, scenario, ends, .. } = mutant;
        let ends = if *ends == Outcome::Recovered { "recovered, with the wrong alarms" } else { ends.words() };
        let (times, all) = (explored.catching(name).len(), explored.played.get(*name).map_or(0, BTreeMap::len));
        writeln!(page, "| `{name}` | {does} | `{scenario}` | {ends} | {times} of {all} |").unwrap();
    }
    let catching = |mutant: &Mutant| (mutant.name, explored.catching(mutant.name));
    let alone = MUTANTS.iter().map(catching).filter(|(_, by)| by.len() == 1);
    let alone: Vec<String> = alone.map(|(name, by)| format!("`{name}` (`{}`)", by[0])).collect();
    writeln!(page, "\nOne scenario alone stands between these and a green report: {}.", alone.join(", ")).unwrap();
    let all: BTreeSet<&str> = explored.played.values().flat_map(BTreeMap::keys).map(String::as_str).collect();
    let idle = all.iter().filter(|id| !MUTANTS.iter().any(|mutant| explored.catching(mutant.name).contains(*id)));
    let idle: Vec<String> = idle.map(|id| format!("`{id}`")).collect();
    writeln!(page, "\nThese scenarios catch no mutant: {}.", idle.join(", ")).unwrap();
    writeln!(page, "\n## {} odd habits that are no mistakes\n", HABITS.len()).unwrap();
    page.push_str("| habit | what it does | must pass in |\n|---|---|---|\n");
    for habit in HABITS {
        let scenarios: Vec<String> = habit.scenarios.iter().map(|id| format!("`{id}`")).collect();
        writeln!(page, "| `{}` | {} | {} |", habit.name, habit.does, scenarios.join(", ")).unwrap();
    }
    page.push_str(
        "\nAn empty table is in every drill of the database, and `database/control-empty` drills a database with nothing \
         in it.\n",
    );
    page
}
