//! Tables of defects: what is broken, what the plan asks for, and the alarms that must be raised, and no others.

use serde_json::Value;

use crate::rig::{PLAN, Rig};

/// The plan of these tests: files and configuration beside the database, and what the monitor watches.
pub(crate) fn plan(watches: &str) -> String {
    const SERVICES: &str = "
  files:
    kind: files
    rto: 4 h
    rpo: 24 h
    backup: { every: daily, at: \"03:00\", prefix: files/ }
  config:
    kind: config
    rto: 1 h
    rpo: 24 h
    backup: { every: daily, at: \"03:00\", prefix: config/ }
levels:";
    let monitor = format!("min_size: 10 KiB, watches: [{watches}] }}");
    PLAN.replacen("\nlevels:", SERVICES, 1).replace("min_size: 10 KiB }", &monitor)
}

/// All that costs no reading of a dump, and everything.
pub(crate) const CHEAP: &str = "missing, too-small, too-old, replica-behind, manifest";
pub(crate) const ALL: &str = "missing, too-small, too-old, replica-behind, manifest, contents";

/// An alarm: service, region, kind, and what its detail must say.
pub(crate) type Wanted<'c> = (&'c str, &'c str, &'c str, &'c str);

/// A defect by its name, the plan that is looked with, and its alarms.
pub(crate) struct Case<'c> {
    pub(crate) name: &'c str,
    pub(crate) plan: String,
    pub(crate) breaks: &'c dyn Fn(&Rig),
    pub(crate) alarms: &'c [Wanted<'c>],
}

/// What a look says, and how it ended.
pub(crate) fn look(rig: &Rig, plan: &str) -> (Option<i32>, Vec<Value>) {
    let said = rig.run(&["monitor", "--json"], plan);
    assert_eq!(said.err, "", "{}", said.out);
    let found: Value = serde_json::from_str(&said.out).unwrap();
    (said.code, found["readings"].as_array().unwrap().clone())
}

/// Every alarm: service, region, kind and what was seen.
pub(crate) fn alarms(readings: &[Value]) -> Vec<[String; 4]> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |reading: &Value| {
        let alarms = reading["alarms"].as_array().unwrap().clone();
        let (service, region) = (text(&reading["service"]), text(&reading["region"]));
        alarms.into_iter().map(move |a| [service.clone(), region.clone(), text(&a["kind"]), text(&a["detail"])])
    };
    readings.iter().flat_map(of).collect()
}

/// Breaks each thing by itself, and looks.
pub(crate) fn each_raises_its_alarms(rig: &Rig, cases: &[Case<'_>]) {
    let sound = rig.snapshot();
    let mut wrong = Vec::new();
    for Case { name, plan, breaks, alarms: wanted } in cases {
        breaks(rig);
        let (code, readings) = look(rig, plan);
        let found = alarms(&readings);
        let is_told = |(service, region, kind, words): &Wanted<'_>| {
            let same = |a: &&[String; 4]| a[0] == *service && a[1] == *region && a[2] == *kind;
            found.iter().filter(same).any(|alarm| alarm[3].contains(words))
        };
        let ends = code == Some(i32::from(!wanted.is_empty()));
        if found.len() != wanted.len() || !wanted.iter().all(is_told) || !ends {
            wrong.push(format!("{name}: wanted {wanted:#?}, found {found:#?}, exit code {code:?}"));
        }
        rig.reinstate(&sound);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
