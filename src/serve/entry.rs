//! Reads what somebody wants to break: entries as scenarios have them, in YAML or JSON, held against the plan and the
//! catalogue. Nothing has been changed when one of them cannot be.

use std::path::Path;

use crate::{
    fault::{self, Fault, Injection, Onset},
    input::{
        load::{self, Loaded},
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

/// The entries of a text: one, or a list as below `faults:` of a scenario.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn read(text: &str) -> Result<Vec<FaultSpec>, String> {
    let is_list = text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with('#'));
    let is_list = is_list.is_some_and(|line| line.starts_with('[') || line.starts_with("- ") || line == "-");
    let read = match is_list {
        true => load::read_text::<Vec<FaultSpec>>(text, NAME, "list of entries"),
        false => load::read_text::<FaultSpec>(text, NAME, "entry").map(|one| vec![one]),
    };
    match read.map_err(|e| e.to_string())? {
        none if none.is_empty() => Err("the list holds no entry".into()),
        entries => Ok(entries),
    }
}

/// Readies entries for a world in which the story's services are.
///
/// # Errors
/// Everything that is wrong with any of them.
pub(super) fn ready(
    entries: Vec<FaultSpec>,
    plan: &Plan,
    story: &Scenario,
    infos: &[FaultInfo],
) -> Result<Vec<Ready>, String> {
    let entries = entries.into_iter().map(now).collect::<Result<Vec<_>, _>>()?;
    let said = Loaded::unplaced(Scenario { faults: entries.clone(), ..story.clone() }, Path::new(NAME));
    let wrong = validate::entries(&said, plan, infos);
    if !wrong.is_empty() {
        return Err(wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    }
    entries.into_iter().map(prepare).collect()
}

/// An entry whose moment is now, where it named one that is as good as now.
fn now(spec: FaultSpec) -> Result<FaultSpec, String> {
    let no = |why: &str| Err(format!("fault `{}`: {why}", spec.fault));
    match spec.when {
        Moment::AfterLastBackup | Moment::AtDisaster => Ok(spec.at(Moment::AtDisaster)),
        Moment::DuringFetch(Percent(100)) => no("when all of a dump has been sent, the fetch is over: write a share below 100%"),
        Moment::DuringFetch(_) if spec.lasts.is_some() => {
            no("one that begins in the middle of a fetch has no moment to count from: remove `lasts`")
        }
        Moment::DuringFetch(_) => Ok(spec),
        Moment::BeforeBackupOfDay(_) | Moment::At(_) => {
            no("no history is to come here that would have such a moment: leave `when` out, and it begins at once")
        }
        Moment::DuringImport(_) => no("backdraft imports nothing here, your commands do: leave `when` out, and it begins at once"),
    }
}

fn prepare(spec: FaultSpec) -> Result<Ready, String> {
    if let Some(why) = fault::find(&spec.fault).and_then(|fault| why_never(fault, &spec)) {
        return Err(why);
    }
    let injection = fault::prepare(&spec)?;
    Ok(Ready { onset: Onset::of(spec.when), injection, spec })
}

/// Why a fault can never act here; `None` where it can. One that can only begin in an import strikes the process that
/// restores, and that is somebody else's here.
fn why_never(fault: &dyn Fault, spec: &FaultSpec) -> Option<String> {
    let in_import = spec.clone().at(Moment::DuringImport(Percent(50)));
    let only_there = fault::prepare(spec).is_err() && fault::prepare(&in_import).is_ok();
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
    let Some(spec) = read(fault.example()).ok().and_then(|mut entries| entries.pop()) else { return (None, None) };
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
    fn one_entry_and_a_list_are_read_from_yaml_and_json_alike() {
        let region = |text: &str| read(text).unwrap().pop().unwrap().regions;
        assert_eq!(region("fault: region-outage\nregions: [a]"), ["a"]);
        assert_eq!(region("# why\n- fault: region-outage\n  regions: [b]"), ["b"]);
        assert_eq!(region("{\"fault\": \"region-outage\", \"regions\": [\"c\"]}"), ["c"]);
        assert_eq!(read("[{\"fault\": \"x\"}, {\"fault\": \"y\"}]").unwrap().len(), 2);
        let wrong = read("fault: region-outage\nregion: a").unwrap_err();
        assert!(wrong.contains("entry:2:1") && wrong.contains("regions"), "{wrong}");
        assert!(read("[]").is_err() && read("").is_err());
    }
}
