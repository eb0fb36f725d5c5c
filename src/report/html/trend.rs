//! Twelve months of RTA and RPA against their objectives, a small chart a service and objective. Each month's worst and
//! median actual as shares of the objective; a month without a drill is there, and empty.

use askama::Template;

use super::{brief, chart::percent};
use crate::{
    model::{
        status::{Status, margin_percent},
        time::Elapsed,
        trend::{Actuals, MonthTrend, Standing, Trend},
        words,
    },
    report::Options,
};

/// The charts of all services.
#[derive(Debug, Template)]
#[template(path = "report/trend.html")]
pub(super) struct Charts<'r> {
    options: &'r Options,
    left_out: u64,
    time_zone: &'r str,
    charts: Vec<Chart>,
}

/// One service and objective.
#[derive(Debug)]
struct Chart {
    title: String,
    /// Where the objective lies, from the top in percent.
    limit_y: String,
    limit: String,
    slots: Vec<Slot>,
}

/// One month.
#[derive(Debug)]
struct Slot {
    month: String,
    /// Left edge, middle and width of its column, in percent.
    x: String,
    middle: String,
    width: String,
    tested: bool,
    status: Status,
    /// From the top in percent; `None` where no drill gave an actual.
    worst: Option<String>,
    median: Option<String>,
    worst_said: String,
    median_said: String,
    /// A drill gave no actual and missed: nothing was back.
    nothing_back: u64,
    drills: u64,
}

/// How a month stands, by the worst that it gave.
fn status(actuals: &Actuals) -> Status {
    match (actuals.standing, actuals.worst, actuals.limit) {
        (Standing::Missed, ..) => Status::Missed,
        (Standing::Untested, ..) => Status::Untested,
        (Standing::Met, Some(worst), Some(limit)) => {
            Status::of_margin(margin_percent(worst.total_ms(), limit.millis()))
        }
        (Standing::Met, ..) => Status::MarginUnknown,
    }
}

/// Height of the objective's line above the ground, as a share of the chart; twice the objective fits.
const LIMIT: f64 = 50.0;

impl<'r> Charts<'r> {
    pub(super) fn of(trend: &'r Trend, options: &'r Options) -> Self {
        let mut charts = Vec::new();
        for service in &trend.services {
            let name = brief(&service.service, 40);
            charts.push(chart(format!("{name} · RTO"), &service.months, |month| &month.rto, options));
            charts.push(chart(format!("{name} · RPO"), &service.months, |month| &month.rpo, options));
        }
        Charts { options, left_out: trend.left_out, time_zone: &trend.time_zone, charts }
    }

    fn left_out_said(&self) -> String {
        let said = format!("{} not counted: simulated, or without a date", words::count(self.left_out, "drill"));
        self.options.say(&said).into_owned()
    }
}

impl Chart {
    fn first(&self) -> &str {
        self.slots.first().map_or("", |slot| &slot.month)
    }

    fn last(&self) -> &str {
        self.slots.last().map_or("", |slot| &slot.month)
    }
}

impl Slot {
    /// The colour of its worst actual.
    fn class(&self) -> &'static str {
        self.status.colour().name()
    }

    fn lost_said(&self) -> String {
        format!("nothing was back in {}", words::count(self.nothing_back, "drill"))
    }
}

fn chart(title: String, months: &[MonthTrend], of: fn(&MonthTrend) -> &Actuals, options: &Options) -> Chart {
    let limit = months.iter().rev().find_map(|month| of(month).limit);
    let limit_said = limit.map_or_else(
        || options.say("no objective judged").into_owned(),
        |limit| options.say(&limit.to_string()).into_owned(),
    );
    let width = 100.0 / months.len().max(1) as f64;
    let slot = |(index, month): (usize, &MonthTrend)| {
        let actuals = of(month);
        let y = |actual: Option<Elapsed>| actual.filter(|a| !a.is_redacted()).map(|actual| height(actual, actuals));
        let said = |actual: Option<Elapsed>| super::short(actual, options).map_or("-".into(), |short| short.total);
        let left = width * index as f64;
        Slot {
            month: month.month.to_string(),
            x: percent(left),
            middle: percent(left + width / 2.0),
            width: percent(width),
            tested: actuals.standing != Standing::Untested,
            status: status(actuals),
            worst: y(actuals.worst),
            median: y(actuals.median),
            worst_said: said(actuals.worst),
            median_said: said(actuals.median),
            nothing_back: actuals.without.min(actuals.missed),
            drills: month.drills,
        }
    };
    let slots = months.iter().enumerate().map(slot).collect();
    Chart { title, limit_y: percent(100.0 - LIMIT), limit: limit_said, slots }
}

/// From the top in percent: an actual as a share of that month's objective, cut off at twice the objective.
fn height(actual: Elapsed, actuals: &Actuals) -> String {
    let limit = actuals.limit.map_or(0, |limit| limit.millis()) as f64;
    let share = match (actual.total_ms() as f64, limit) {
        (0.0, _) => 0.0,
        (_, 0.0) => 2.0,
        (ms, limit) => (ms / limit).min(1.94),
    };
    percent((100.0 - share * LIMIT).clamp(3.0, 97.0))
}
