//! How a service did month by month: what its drills gave, against its objectives. A month without a drill is there,
//! and is untested.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{time::Elapsed, units::Span};

/// A month of the calendar. Written `2026-03`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month in which that moment lies, there.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        let local = zone.to_datetime(at);
        Month { year: local.year(), month: local.month() }
    }

    /// The one before.
    #[must_use]
    pub fn before(self) -> Self {
        match self.month {
            1 => Month { year: self.year.saturating_sub(1), month: 12 },
            month => Month { month: month - 1, ..self },
        }
    }

    /// That many months up to this one, oldest first.
    pub fn up_to(self, months: usize) -> Vec<Month> {
        let mut all: Vec<Month> =
            std::iter::successors(Some(self), |month| Some(month.before())).take(months).collect();
        all.reverse();
        all
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let first = format!("{text}-01").parse::<Date>();
        let first = first.map_err(|_| format!("`{}` is no month; write 2026-03", text.escape_debug()))?;
        Ok(Month { year: first.year(), month: first.month() })
    }
}

impl From<Month> for String {
    fn from(month: Month) -> String {
        month.to_string()
    }
}

impl TryFrom<String> for Month {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Services by months.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trend {
    /// Time zone in which months begin and end.
    pub time_zone: String,
    /// Months, oldest first, without gaps.
    #[schemars(with = "Vec<String>")]
    pub months: Vec<Month>,
    /// Those of the plan, in its order, then others that were drilled.
    pub services: Vec<ServiceTrend>,
    /// Drills that are not counted: simulated ones unless they were asked for, and those without a date.
    pub left_out: u64,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceTrend {
    /// Its name in the plan.
    pub service: String,
    /// One for each month of the trend, in that order.
    pub months: Vec<MonthTrend>,
}

/// One service in one month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MonthTrend {
    /// Which.
    #[schemars(with = "String")]
    pub month: Month,
    /// Drills of that service, whatever their end.
    pub drills: u64,
    /// Of them, those that went as their scenario expects.
    pub passed: u64,
    /// Recovery times (RTA) against the RTO.
    pub rto: Actuals,
    /// Losses (RPA) against the RPO.
    pub rpo: Actuals,
}

/// What the drills of a month gave, against one objective.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Actuals {
    /// Missed where one drill missed it, else met where one met it, else untested.
    pub standing: Standing,
    /// The objective, as the month's last drill that judged it had it; `None` where none did.
    pub limit: Option<Span>,
    /// The greatest actual. A drill after which nothing was back has none: it is missed, and counted in `without`.
    pub worst: Option<Elapsed>,
    /// The actual in the middle; of an even number the greater of the two.
    pub median: Option<Elapsed>,
    /// Drills that met it.
    pub met: u64,
    /// Drills that missed it.
    pub missed: u64,
    /// Drills that could not judge it.
    pub unjudged: u64,
    /// Drills that gave no actual, judged or not.
    pub without: u64,
}

/// How an objective stands in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Every drill that judged it met it, and one did.
    Met,
    /// A drill missed it.
    Missed,
    /// No drill judged it.
    #[default]
    Untested,
}

impl Standing {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Standing::Met => "met",
            Standing::Missed => "missed",
            Standing::Untested => "untested",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_counted_back_over_the_turn_of_the_year_and_read_as_they_are_written() {
        let february: Month = "2026-02".parse().unwrap();
        let all: Vec<String> = february.up_to(3).iter().map(ToString::to_string).collect();
        assert_eq!(all, ["2025-12", "2026-01", "2026-02"]);
        assert_eq!(serde_json::from_str::<Month>("\"2026-02\"").unwrap(), february);
        assert!(
            ["2026-13", "2026", "2026-2", "2026-02-03", "", "february"].iter().all(|t| t.parse::<Month>().is_err())
        );
    }

    #[test]
    fn a_month_begins_where_the_plan_is() {
        let at = "2026-02-28T16:00:00Z".parse().unwrap();
        let month = |zone| Month::of(at, &TimeZone::get(zone).unwrap()).to_string();
        assert_eq!([month("UTC"), month("Asia/Seoul")], ["2026-02", "2026-03"]);
    }
}
