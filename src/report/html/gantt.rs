//! A recovery as a chart: one strip from t0 over all that follows with the objective as a line, and a bar a phase below
//! it, drawn larger where the recovery is a blink beside the objective.

use super::{
    chart::{Bar, Line, Mark, Scale},
    table::shown,
};
use crate::{
    model::{
        event::Phase,
        record::{Judged, ObjectiveKind, PhaseTimed, Record, ServiceRecord},
    },
    report::{Options, figures::Short},
};

/// The chart of one service's recovery.
#[derive(Debug)]
pub(super) struct Gantt {
    /// The whole in one sentence.
    pub(super) said: String,
    pub(super) bars: Vec<Bar>,
    pub(super) lines: Vec<Line>,
    pub(super) marks: Vec<Mark>,
    pub(super) ends: [String; 3],
    /// Start, middle and end of the phases' own scale, where it is another.
    pub(super) zoom: Option<[String; 3]>,
    pub(super) phases: Vec<Row>,
    /// Whether measured parts were taken out, so that their bars are missing.
    pub(super) redacted: bool,
}

/// One phase.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) bars: Vec<Bar>,
    /// It lies before the scale of the phases.
    pub(super) earlier: bool,
    pub(super) line: Option<Line>,
    pub(super) from: Option<Short>,
    pub(super) took: String,
    pub(super) ended: String,
    pub(super) ok: bool,
}

/// Share of the strip below which the recovery proper gets a scale of its own, as a divisor.
const BLINK: u64 = 5;

impl Gantt {
    /// `None` where no phase began.
    pub(super) fn of(record: &Record, one: &ServiceRecord, options: &Options) -> Option<Self> {
        let last = one.phases.iter().map(end_ms).max()?;
        let rto = limit(record, &format!("service {}", one.service));
        let level = limit(record, &format!("level {}", record.scope.level));
        let whole = rto.map_or(last, |rto| rto.limit.millis().max(last));
        let scale = Scale::new(0, whole.saturating_add(whole / 20));
        let redacted =
            one.phases.iter().any(|phase| phase.from.is_redacted() || phase.took.is_some_and(|t| t.is_redacted()));
        let called = |phase: &&PhaseTimed| matches!(phase.phase, Phase::Detect | Phase::Declare);
        let begun = one.phases.iter().filter(|phase| !called(phase)).map(|phase| phase.from.total_ms()).min();
        let zoom = begun.filter(|begun| !redacted && last > *begun && (last - begun) < whole / BLINK);
        let zoom = zoom.map(|begun| Scale::new(begun, last));
        let rows_scale = zoom.unwrap_or(scale);
        let line = |judged: &Judged| {
            let label = format!("{} {}", judged.objective.words(), options.say(&judged.limit.to_string()));
            scale.line(judged.limit.millis(), label)
        };
        let of_level = level.filter(|level| rto.is_none_or(|rto| rto.limit != level.limit)).and_then(|judged| {
            let level = options.say(&judged.whose).into_owned();
            scale.line(judged.limit.millis(), format!("{level}: RTO {}", options.say(&judged.limit.to_string())))
        });
        Some(Gantt {
            said: said(one, rto, options),
            bars: one.phases.iter().filter_map(|p| Some(scale.bars(p.from, p.took?))).flatten().collect(),
            lines: rto.and_then(line).into_iter().chain(of_level).collect(),
            marks: scale.marks(&marks(one)),
            ends: scale.ends(options),
            zoom: zoom.map(|zoom| zoom.ends_from_start(options)),
            phases: rows(one, rows_scale, rto.filter(|_| zoom.is_none()), options),
            redacted,
        })
    }
}

fn limit<'r>(record: &'r Record, whose: &str) -> Option<&'r Judged> {
    record.objectives.iter().find(|judged| judged.objective == ObjectiveKind::Rto && judged.whose == whose)
}

fn end_ms(phase: &PhaseTimed) -> u64 {
    phase.from.total_ms().saturating_add(phase.took.map_or(0, |took| took.total_ms()))
}

fn marks(one: &ServiceRecord) -> [(&'static str, Option<u64>); 6] {
    let time = &one.timeline;
    let known = |at: Option<crate::model::time::Elapsed>| at.filter(|at| !at.is_redacted()).map(|at| at.total_ms());
    [
        ("t0", time.t0.map(|_| 0)),
        ("t1", known(time.t1)),
        ("t2", known(time.t2)),
        ("t3", known(time.t3)),
        ("t4", known(time.t4)),
        ("t5", known(time.t5)),
    ]
}

fn rows(one: &ServiceRecord, scale: Scale, rto: Option<&Judged>, options: &Options) -> Vec<Row> {
    let row = |(number, phase): (usize, &PhaseTimed)| {
        // A phase is there once more for each recovery point that was tried.
        let attempt = one.phases[..=number].iter().filter(|earlier| earlier.phase == phase.phase).count();
        let name = options.say(phase.phase.words());
        let ended = match (phase.took, phase.ok) {
            (None, _) => "did not end",
            (Some(_), true) => "ended well",
            (Some(_), false) => "FAILED",
        };
        Row {
            name: if attempt > 1 { format!("{name} ({attempt})") } else { name.into_owned() },
            bars: phase.took.map(|took| scale.bars(phase.from, took)).unwrap_or_default(),
            earlier: scale.is_before(end_ms(phase)),
            line: rto.and_then(|rto| scale.line(rto.limit.millis(), String::new())),
            from: super::short(Some(phase.from), options),
            took: shown(phase.took, options),
            ended: options.say(ended).into_owned(),
            ok: phase.ok,
        }
    };
    one.phases.iter().enumerate().map(row).collect()
}

/// The chart in one line, for those who hear it: `database: RTA 6 min 0.6 s, RTO 2 h`.
fn said(one: &ServiceRecord, rto: Option<&Judged>, options: &Options) -> String {
    let rta = shown(one.timeline.t5, options);
    let rto = rto.map_or("-".into(), |judged| options.say(&judged.limit.to_string()).into_owned());
    format!("{}: RTA {rta}, RTO {rto}", one.service)
}
