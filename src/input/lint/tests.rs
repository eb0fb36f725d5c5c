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
    ];
    for (id, defect) in defects {
        assert_eq!(fired(defect), [*id]);
    }
    // One day of retention is thin for the service and for the class alike, so this rule cannot fire alone.
    let thin = fired(|p| p.retention = DAY);
    assert!(thin.contains(&"retention-of-service"), "{thin:?}");
    let ids: BTreeSet<&str> = defects.iter().map(|(id, _)| *id).chain(["retention-of-service"]).collect();
    assert_eq!(ids.len(), RULES.len(), "a rule without its test");
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
