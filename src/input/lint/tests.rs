//! Each rule fires where it should, alone, and is silent on a sound plan and just beyond its limit.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::*;
use crate::{input::load::load_plan, model::units::Span};

fn sound() -> Loaded<Plan> {
    load_plan(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/plans/sound.yaml")).unwrap()
}

/// The rules that fire on the sound plan once it is edited.
fn fired(edit: impl FnOnce(&mut Plan)) -> Vec<&'static str> {
    let mut plan = sound();
    edit(&mut plan.value);
    lint(&plan).into_iter().map(|weakness| weakness.id).collect()
}

/// The rules about copies that fire on the sound plan once its media are copied by these rules, with their severity and
/// the number of the rule that they speak of.
fn copied(rules: serde_json::Value) -> Vec<String> {
    let mut plan = sound();
    let files = serde_json::json!({
        "kind": "files", "rto": "4 h", "rpo": "3 days", "backup": {"every": "daily", "at": "03:00", "sync": rules},
    });
    plan.value.services.insert("media".into(), serde_json::from_value(files).unwrap());
    let found = lint(&plan).into_iter().filter(|weakness| weakness.id != "copies-in-one-region");
    let shown = |weakness: Weakness| {
        let number = weakness.path.split(['[', ']']).nth(1).unwrap_or("-").to_owned();
        format!("{} {} {number}", weakness.severity.words(), weakness.id)
    };
    found.map(shown).collect()
}

fn contact(call: bool) -> crate::model::plan::Contact {
    let mut contact = serde_json::json!({"name": "Chief", "address": "chief@example.com", "kind": "team"});
    if call {
        contact["call"] = serde_json::json!({"after": "5 min"});
    }
    serde_json::from_value(contact).unwrap()
}

fn database(plan: &mut Plan) -> &mut ServicePlan {
    plan.services.get_mut("database").unwrap()
}

const HOUR: Span = Span::hours(1);
const DAY: Span = Span::hours(24);

#[test]
fn a_sound_plan_has_no_weakness() {
    assert_eq!(lint(&sound()), []);
}

#[test]
fn each_rule_fires_alone_on_a_plan_with_its_one_defect() {
    type Edit = fn(&mut Plan);
    let defects: &[(&str, Edit)] = &[
        ("rpo-below-interval", |p| database(p).rpo = DAY),
        ("rpo-one-bad-generation", |p| database(p).rpo = Span(2 * DAY.0)),
        ("realtime-without-replication", |p| p.services.get_mut("web").unwrap().backup.replication = None),
        ("class-promised-more-often", |p| p.data_classes.get_mut("orders").unwrap().schedule.push(Cadence::Realtime)),
        ("class-held-nowhere", |p| p.data_classes.get_mut("orders").unwrap().service = None),
        ("retention-of-class", |p| p.data_classes.get_mut("orders").unwrap().schedule.push(Cadence::Monthly)),
        ("service-looser-than-levels", |p| database(p).rto = Span::hours(5)),
        ("monitor-age-below-interval", |p| p.monitor.max_age = DAY),
        ("content-unread", |p| p.testing.verify_every = None),
        ("response-eats-rto", |p| p.response.detect = Span::minutes(6)),
        ("response-slower-than-rto", |p| p.response.recovery = Span::minutes(31)),
        ("single-region", |p| p.regions.truncate(1)),
        ("no-lock-holds", |p| p.regions.iter_mut().for_each(|region| region.lock = None)),
        ("contacts-never-called", |p| p.contacts = vec![contact(true), contact(false)]),
        ("copies-in-one-region", |p| {
            let mut files = p.services["database"].clone();
            files.kind = crate::model::plan::ServiceKind::Files;
            files.backup.sync = vec![serde_json::from_str(r#"{"into": "full/"}"#).unwrap()];
            p.services.insert("media".into(), files);
        }),
    ];
    for (id, defect) in defects {
        assert_eq!(fired(defect), [*id]);
    }
    // One day of retention is thin for the service and for the class alike, so this rule cannot fire alone.
    let thin = fired(|p| p.retention = DAY);
    assert!(thin.contains(&"retention-of-service"), "{thin:?}");
    // Those about one rule of copying are in the next test.
    let of_one_copy = [
        "copies-by-size",
        "copies-follow-deletions",
        "copies-leave-types-out",
        "copies-slower-than-rto",
        "copies-dated-in-full",
    ];
    let ids: BTreeSet<&str> =
        defects.iter().map(|(id, _)| *id).chain(["retention-of-service"]).chain(of_one_copy).collect();
    assert_eq!(ids.len(), RULES.len(), "a rule without its test");
}

#[test]
fn a_rule_of_copying_is_judged_by_its_folder_and_by_what_stands_beside_it() {
    let full = r#"{"into": "full/", "dated": true}"#;
    let table: &[(&[&str], &[&str])] = &[
        (&[full], &[]),
        (&[r#"{"into": "a/"}"#], &[]),
        (&[r#"{"into": "a/", "size_only": true}"#], &["high copies-by-size 0"]),
        (
            &[r#"{"into": "a/", "size_only": true, "dated": true}"#],
            &["medium copies-dated-in-full 0", "low copies-by-size 0"],
        ),
        (&[r#"{"into": "a/", "delete": true}"#], &["high copies-follow-deletions 0"]),
        (&[full, r#"{"into": "a/", "delete": true}"#], &["medium copies-follow-deletions 1"]),
        (
            &[r#"{"into": "a/", "delete": true, "dated": true}"#],
            &["medium copies-dated-in-full 0", "low copies-follow-deletions 0"],
        ),
        (&[r#"{"into": "a/", "include": [".jpg"]}"#], &["high copies-leave-types-out 0"]),
        (&[full, r#"{"into": "a/", "include": [".jpg", ".png"]}"#], &["medium copies-leave-types-out 1"]),
        (&[r#"{"into": "a/", "class": "GLACIER"}"#], &["high copies-slower-than-rto 0"]),
        (&[r#"{"into": "a/", "class": "GLACIER"}"#, full], &["medium copies-slower-than-rto 0"]),
        (&[r#"{"into": "a/", "class": "GLACIER", "retrieval": "expedited"}"#], &[]),
        (&[r#"{"into": "a/", "class": "STANDARD_IA"}"#], &[]),
    ];
    for (rules, expected) in table {
        let list: Vec<serde_json::Value> = rules.iter().map(|rule| serde_json::from_str(rule).unwrap()).collect();
        assert_eq!(copied(list.into()), *expected, "{rules:?}");
    }
}

#[test]
fn just_beyond_its_limit_a_rule_is_silent() {
    type Edit = fn(&mut Plan);
    let sound: &[Edit] = &[
        |p| database(p).rpo = Span(2 * DAY.0 + 1),
        |p| p.data_classes.get_mut("orders").unwrap().schedule.push(Cadence::Weekly),
        |p| p.retention = Span(2 * DAY.0),
        |p| {
            database(p).backup.stream = Some(Span::minutes(5));
            database(p).rpo = DAY;
            p.data_classes.get_mut("orders").unwrap().schedule.push(Cadence::Realtime);
        },
        |p| database(p).rto = Span::hours(4),
        |p| p.monitor.max_age = Span(DAY.0 + HOUR.0),
        |p| p.testing.verify_every = Some(HOUR),
        |p| p.response.initial = Span::minutes(8),
        |p| p.response.recovery = Span::minutes(29),
        |p| p.contacts = vec![contact(true)],
    ];
    for (i, edit) in sound.iter().enumerate() {
        assert_eq!(fired(edit), [""; 0], "edit {i}");
    }
}

#[test]
fn a_monitor_with_half_the_interval_lies_half_of_the_day() {
    let mut plan = sound();
    plan.value.monitor.max_age = Span::hours(12);
    plan.value.monitor.check_every = Span::hours(6);
    let why = lint(&plan).remove(0).why;
    assert!(why.contains("12 h of every 24 h (50% of the time), by 2 of the 4 looks a day"), "{why}");
}
