//! Reads what somebody wants to break: entries as scenarios have them, in YAML or JSON, held against the plan and the
//! catalogue. Nothing has been changed when one of them cannot be.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    error::Error,
    fault::{self, Fault, Injection, Onset},
    input::{
        load::{self, Loaded},
        outline::Places,
        validate::{self, FaultInfo},
    },
    model::{
        plan::Plan,
        scenario::{FaultSpec, Moment, Scenario},
        units::Percent,
    },
};

/// What errors call the text that somebody sent.
const NAME: &str = "entry";

/// An entry that can be injected.
pub(super) struct Ready {
    pub(super) spec: FaultSpec,
    pub(super) injection: Box<dyn Injection>,
    pub(super) onset: Onset,
}

/// Entries as somebody gave them.
pub(super) struct Entries {
    specs: Vec<FaultSpec>,
    /// Where they stand in the text that they came in, and how many lines and columns that was moved to be read; `None`
    /// where they came in none.
    text: Option<(Places, Moved)>,
}

type Moved = (usize, usize);

/// As a scenario has them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Below {
    faults: Vec<FaultSpec>,
}

impl Entries {
    /// One that came in no text.
    pub(super) fn one(spec: FaultSpec) -> Self {
        Entries { specs: vec![spec], text: None }
    }

    /// Those of a text: one, or a list as below `faults:` of a scenario.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(super) fn read(text: &str) -> Result<Entries, String> {
        let first = text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with('#'));
        let Some(first) = first else { return Err("there is no entry in it; `fault: NAME` begins one".into()) };
        let is_list = first.starts_with('[') || first.starts_with("- ") || first == "-";
        // Both are read as what they are a part of, so that every value has its place.
        let (head, moved) = if is_list { ("faults:\n", (1, 1)) } else { ("faults:\n-\n", (2, 2)) };
        let lines = text.lines().map(|line| format!("{:1$}{line}\n", "", moved.1));
        let whole: String = [head.to_owned()].into_iter().chain(lines).collect();
        let read = load::read_text::<Below>(&whole, NAME, "entry").map_err(|e| moved_back(e, moved).to_string())?;
        if read.value.faults.is_empty() {
            return Err("the list holds no entry".into());
        }
        Ok(Entries { specs: read.value.faults, text: Some((read.places, moved)) })
    }

    /// Readies them for a world in which the story's services are.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub(super) fn ready(self, plan: &Plan, story: &Scenario, infos: &[FaultInfo]) -> Result<Vec<Ready>, String> {
        let specs = self.specs.into_iter().map(now).collect::<Result<Vec<_>, _>>()?;
        let mut said = Loaded::unplaced(Scenario { faults: specs.clone(), ..story.clone() }, Path::new(NAME));
        let moved = self.text.map(|(places, moved)| {
            said.places = places;
            moved
        });
        let in_words = |wrong: Error| match moved {
            Some(moved) => moved_back(wrong, moved).to_string(),
            None => Error { place: None, ..wrong }.to_string(),
        };
        let wrong: Vec<String> = validate::entries(&said, plan, infos).into_iter().map(in_words).collect();
        if !wrong.is_empty() {
            return Err(wrong.join("\n"));
        }
        specs.into_iter().map(prepare).collect()
    }
}

/// An error whose place is that of the text as it came.
fn moved_back(error: Error, (lines, columns): Moved) -> Error {
    let place = error.place.as_deref().map(|place| {
        let mut parts = place.rsplitn(3, ':');
        let number = |part: Option<&str>| part.and_then(|part| part.parse::<usize>().ok());
        match (number(parts.next()), number(parts.next()), parts.next()) {
            (Some(column), Some(line), Some(name)) => {
                format!("{name}:{}:{}", line.saturating_sub(lines).max(1), column.saturating_sub(columns).max(1))
            }
            _ => place.to_owned(),
        }
    });
    Error { place, ..error }
}

/// An entry whose moment is now, where it named one that is as good as now.
fn now(spec: FaultSpec) -> Result<FaultSpec, String> {
    let no = |why: &str| Err(format!("fault `{}`: {why}", spec.fault));
    match spec.when {
        Moment::AfterLastBackup | Moment::AtDisaster => Ok(spec.at(Moment::AtDisaster)),
        Moment::DuringFetch(Percent(100)) => {
            no("when all of a dump has been sent, the fetch is over: write a share below 100%")
        }
        Moment::DuringFetch(_) if spec.lasts.is_some() => {
            no("one that begins in the middle of a fetch has no moment to count from: remove `lasts`")
        }
        Moment::DuringFetch(_) => Ok(spec),
        Moment::BeforeBackupOfDay(_) | Moment::At(_) => {
            no("no history is to come here that would have such a moment: leave `when` out, and it begins at once")
        }
        Moment::DuringImport(_) => {
            no("backdraft imports nothing here, your commands do: leave `when` out, and it begins at once")
        }
    }
}

fn prepare(spec: FaultSpec) -> Result<Ready, String> {
    let injection = match begun_now(&spec) {
        Ok(injection) => injection,
        Err(why) => return Err(fault::find(&spec.fault).and_then(|fault| why_never(fault, &spec)).unwrap_or(why)),
    };
    let onset = Onset::of(spec.when);
    // What it is told as later says nothing of a moment that nobody named.
    let spec = if onset == Onset::Now { spec.at(Moment::default()) } else { spec };
    Ok(Ready { spec, injection, onset })
}

/// Some faults begin with the disaster at the earliest, others spoil backups that are still to come: now is both.
fn begun_now(spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
    let before_a_backup = || fault::prepare(&spec.clone().at(Moment::BeforeBackupOfDay(1)));
    match (fault::prepare(spec), spec.when) {
        (Err(_), Moment::AtDisaster) => before_a_backup(),
        (prepared, _) => prepared,
    }
}

/// Why a fault can never act here; `None` where it can. One that can only begin in an import strikes the process that
/// restores, and that is somebody else's here.
fn why_never(fault: &dyn Fault, spec: &FaultSpec) -> Option<String> {
    let in_import = spec.clone().at(Moment::DuringImport(Percent(50)));
    let only_there = begun_now(spec).is_err() && fault::prepare(&in_import).is_ok();
    only_there.then(|| {
        format!(
            "fault `{}` strikes the process that restores, in the middle of an import; here that process is yours, so \
             break it yourself",
            fault.name()
        )
    })
}

/// The catalogue's example of a fault as an entry that begins at once, and why it can never act here, if so.
pub(super) fn example(fault: &dyn Fault) -> (Option<FaultSpec>, Option<String>) {
    let read = Entries::read(fault.example()).ok().and_then(|mut entries| entries.specs.pop());
    let Some(spec) = read else { return (None, None) };
    let spec = match spec.when {
        Moment::DuringFetch(_) => spec,
        _ => spec.at(Moment::default()),
    };
    let why = why_never(fault, &spec.clone().at(Moment::AtDisaster));
    (Some(spec), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_of_the_catalogue_is_an_entry_and_only_faults_on_our_own_restore_cannot_act() {
        let mut never = Vec::new();
        for fault in fault::all() {
            let (spec, why) = example(fault);
            let spec = spec.unwrap_or_else(|| panic!("{} has no example that can be read", fault.name()));
            assert_eq!(spec.fault, fault.name());
            never.extend(why.map(|_| fault.name()));
        }
        assert_eq!(never, ["restore-killed", "restore-hangs"]);
    }

    #[test]
    fn one_entry_and_a_list_are_read_from_yaml_and_json_alike_and_errors_name_the_line_that_was_sent() {
        let region = |text: &str| Entries::read(text).ok().unwrap().specs.pop().unwrap().regions;
        assert_eq!(region("fault: region-outage\nregions: [a]"), ["a"]);
        assert_eq!(region("# why\n- fault: region-outage\n  regions: [b]"), ["b"]);
        assert_eq!(region("{\"fault\": \"region-outage\",\n\"regions\": [\"c\"]}"), ["c"]);
        assert_eq!(Entries::read("[{\"fault\": \"x\"}, {\"fault\": \"y\"}]").ok().unwrap().specs.len(), 2);
        let wrong = |text: &str| Entries::read(text).err().unwrap();
        assert!(
            wrong("fault: region-outage\nregion: a").starts_with("entry:2:1: "),
            "{}",
            wrong("fault: x\nregion: a")
        );
        assert!(wrong("- fault: x\n  region: a").starts_with("entry:2:3: "), "{}", wrong("- fault: x\n  region: a"));
        assert!(
            ["", "[]", "{}", "fault: [", "\u{0}", "- - -", "faults: []"]
                .into_iter()
                .all(|text| Entries::read(text).is_err())
        );
    }
}
