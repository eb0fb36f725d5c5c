//! What the gate finds, and how often it finds what is not there.

use rand::RngExt;

use super::*;
use crate::{
    measure::{record, testing::Drill},
    model::{baseline::BASELINE_FORMAT, event::Phase, gate::GateVerdict},
    sim::seed::{Rng, Seed},
};

fn machine() -> Machine {
    Machine { os: "linux".into(), arch: "x86_64".into(), cpus: 2, build: "release".into() }
}

/// One service with ten measured durations, as most drills have, each from a machine that `noise` speaks for.
fn noisy(plays: usize, mut noise: impl FnMut(&str) -> f64) -> Baseline {
    let phases = [
        Phase::Choose,
        Phase::Provision,
        Phase::Fetch,
        Phase::Verify,
        Phase::Import,
        Phase::Compare,
        Phase::CutOver,
        Phase::Check,
    ];
    let mut times = ServiceTimes::default();
    for _ in 0..plays {
        let mut ran = |what: &str| Elapsed::ran((noise(what) * 10_000.0).round() as u64, false);
        for phase in phases {
            times.phases.entry(phase).or_default().push(ran(phase.words()));
        }
        times.backups.push(ran("backups"));
        times.recovery.push(ran("t0 to t5"));
    }
    let drill = DrillTimes {
        plan_sha256: "a".into(),
        scenario_sha256: "b".into(),
        plays,
        services: [("database".to_owned(), times)].into(),
    };
    Baseline {
        format: BASELINE_FORMAT.into(),
        tool_version: "0.1.0".into(),
        machine: machine(),
        way: Way::Real,
        seed: 42,
        drills: [("database/control".to_owned(), drill)].into(),
    }
}

/// A busy machine: times vary by a third, and one in ten takes up to five times as long.
fn busy(rng: &mut Rng) -> f64 {
    let steady = 1.0 + rng.random_range(0.0..0.33);
    if rng.random_range(0..10) == 0 { steady * rng.random_range(1.0..5.0) } else { steady }
}

#[test]
fn a_run_on_a_busy_machine_in_which_nothing_changed_is_a_regression_in_one_of_twenty_at_the_most() {
    let mut false_alarms = 0;
    let (runs, plays) = (2_000, 6);
    for run in 0..runs {
        let mut rng = Seed(run).rng();
        let [before, now] = [(); 2].map(|()| noisy(plays, |_| busy(&mut rng)));
        // Nothing may be slower at all: the strictest limit there is.
        false_alarms += u64::from(compare(&before, &now, 0).verdict() == GateVerdict::Regression);
    }
    // The gate can raise alarms in this setting, or the test would show nothing.
    assert!((1..=runs / 20).contains(&false_alarms), "{false_alarms} of {runs}");
}

#[test]
fn a_phase_that_takes_twice_as_long_is_found_by_name_with_five_plays() {
    let steady = |rng: &mut Rng| 1.0 + rng.random_range(0.0..0.2);
    for run in 0..200 {
        let mut rng = Seed(run).rng();
        let before = noisy(5, |_| steady(&mut rng));
        let now = noisy(5, |what| steady(&mut rng) * if what == "import" { 2.0 } else { 1.0 });
        let gate = compare(&before, &now, 20);
        let slower: Vec<_> = gate.of(Pace::Slower).map(|one| one.stretch.as_str()).collect();
        assert_eq!((gate.verdict(), &slower[..]), (GateVerdict::Regression, &["import"][..]), "run {run}");
        let times = gate.of(Pace::Slower).next().unwrap().times.unwrap();
        assert!(times.low > 1.2 && (1.6..2.4).contains(&times.middle) && times.high >= times.middle, "{times:?}");
    }
}

#[test]
fn one_slow_play_of_five_is_no_regression_and_a_shift_that_noise_can_explain_is_a_warning() {
    let mut play = 0;
    let outlier = noisy(5, |what| {
        play += usize::from(what == "import");
        if what == "import" && play == 3 { 40.0 } else { 1.0 }
    });
    let steady = noisy(5, |_| 1.0);
    assert_eq!(compare(&steady, &outlier, 20).verdict(), GateVerdict::Held);
    // Slower in four of five plays: more likely than not, and not sure.
    let mut play = 0;
    let mostly = noisy(5, |what| {
        play += usize::from(what == "import");
        if what == "import" && play != 3 { 2.0 } else { 1.0 }
    });
    let gate = compare(&steady, &mostly, 20);
    assert_eq!((gate.verdict(), gate.of(Pace::MaybeSlower).count()), (GateVerdict::Held, 1));
}

#[test]
fn too_few_plays_are_inconclusive_and_say_how_many_are_needed() {
    let (before, now) = (noisy(4, |_| 1.0), noisy(4, |_| 3.0));
    let gate = compare(&before, &now, 20);
    assert_eq!((gate.verdict(), gate.of(Pace::TooFew).count(), gate.plays_needed), (GateVerdict::Inconclusive, 10, 5));
    assert_eq!(plays_needed(&before), 5);
    assert_eq!(compare(&noisy(5, |_| 1.0), &noisy(5, |_| 3.0), 20).of(Pace::Slower).count(), 10);
}

#[test]
fn what_takes_a_few_milliseconds_is_slower_only_where_it_takes_five_more() {
    let of = |millis: f64| noisy(8, |_| millis / 10_000.0);
    assert_eq!(compare(&of(2.0), &of(7.0), 20).verdict(), GateVerdict::Held);
    assert_eq!(compare(&of(2.0), &of(8.0), 20).verdict(), GateVerdict::Regression);
    assert_eq!(compare(&of(0.0), &of(6.0), 20).of(Pace::Slower).next().unwrap().times, None);
}

#[test]
fn what_is_not_the_same_drill_on_the_same_machine_is_not_compared_and_does_not_pass() {
    let before = noisy(5, |_| 1.0);
    let said = |change: &dyn Fn(&mut Baseline)| {
        let mut now = before.clone();
        change(&mut now);
        let gate = compare(&before, &now, 20);
        assert_eq!(gate.verdict(), GateVerdict::Inconclusive);
        gate.not_comparable.iter().map(|one| one.why.clone()).collect::<Vec<_>>().join("; ")
    };
    let whys = [
        said(&|now| now.machine.cpus = 4),
        said(&|now| now.way = Way::Simulated),
        said(&|now| now.seed = 7),
        said(&|now| now.drills.values_mut().for_each(|drill| drill.plan_sha256 = "c".into())),
        said(&|now| now.drills.values_mut().for_each(|drill| drill.scenario_sha256 = "c".into())),
        said(&|now| now.drills = now.drills.values().map(|drill| ("other".to_owned(), drill.clone())).collect()),
        said(&|now| now.drills.values_mut().for_each(|drill| drill.services.clear())),
        said(&|now| now.drills.values_mut().for_each(|drill| drill.plays = 6)),
    ];
    insta::assert_snapshot!(whys.join("\n"));
}

fn of(drill: &Drill) -> Record {
    record(drill.inputs())
}

#[test]
fn what_is_simulated_or_assumed_is_compared_exactly_and_once_is_enough() {
    let before = baseline(&[of(&Drill::control().simulated())], machine()).unwrap();
    let gate = compare(&before, &before, 20);
    assert!(gate.verdict() == GateVerdict::Held && gate.compared.iter().all(|one| one.pace == Pace::Held));
    assert_eq!(plays_needed(&before), 1);
    let slower = baseline(&[of(&Drill::control().slower(2).simulated())], machine()).unwrap();
    let gate = compare(&before, &slower, 20);
    assert_eq!(gate.verdict(), GateVerdict::Regression);
    let assumed = gate.compared.iter().filter(|one| one.basis == Basis::Assumed);
    assert_eq!(
        assumed.map(|one| (one.stretch.as_str(), one.pace)).collect::<Vec<_>>(),
        [("declare", Pace::Held), ("detect", Pace::Held), ("t0 to t5", Pace::Held)]
    );
}

#[test]
fn a_play_that_went_otherwise_or_whose_times_were_taken_out_is_in_no_baseline() {
    assert_eq!(baseline(&[of(&Drill::silently_wrong()), of(&Drill::toothless())], machine()), None);
    let mut redacted = of(&Drill::control());
    redacted.redact_measured();
    let times = baseline(&[of(&Drill::control()), redacted], machine()).unwrap().drills["database/control"].clone();
    assert_eq!((times.plays, times.services["database"].recovery.len()), (2, 1));
}
