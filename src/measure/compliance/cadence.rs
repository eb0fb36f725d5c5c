//! Whether each service was restored for a test as often as the plan says.
//!
//! A plan that says a month or longer (28 days and more) is held to calendar months, since that is how checklists are
//! gone through; a shorter one to pieces of that many days from the period's beginning. Whether there was a test before the
//! history began cannot be known: that is grey, and no miss.

use jiff::{ToSpan, civil::Date};

use super::Case;
use crate::model::{
    compliance::{Kept, Window},
    status::Colour,
    units::Span,
};

const DAY: u64 = 86_400_000;

/// Every service of the plan; none where the plan asks for no restore tests.
pub(super) fn cadence(case: &Case<'_>) -> Vec<Kept> {
    let Some(every) = case.inputs.plan.testing.restore_every else { return Vec::new() };
    let pieces = pieces(case.inputs.from, case.inputs.to, every);
    let of = |service: &String| {
        let windows: Vec<Window> = pieces.iter().map(|(from, to)| window(case, service, *from, *to)).collect();
        // One month without a test is not made good by the next; a month that is not over is no failure yet.
        let missing = windows.iter().any(|window| window.standing == Colour::Red);
        let shown = windows.iter().any(|window| window.standing == Colour::Green);
        // Nor does a test say anything of a time of which nothing is known.
        let unknown = windows.iter().any(|window| window.before_history);
        let standing = match (missing, unknown, shown) {
            (true, ..) => Colour::Red,
            (false, false, true) => Colour::Green,
            _ => Colour::Grey,
        };
        Kept { service: service.clone(), every, windows, standing }
    };
    case.inputs.plan.services.keys().map(of).collect()
}

fn window(case: &Case<'_>, service: &str, from: Date, to: Date) -> Window {
    let day = |at| case.zone.to_datetime(at).date();
    let within = |at| (from..to).contains(&day(at));
    let of_it =
        case.drills.iter().filter(|drill| within(drill.at) && drill.summary().services.iter().any(|s| s == service));
    let tests = of_it.filter(|drill| drill.is_restore_test()).count() as u64;
    let began_later = case.began().is_some_and(|began| began > from);
    let (standing, before_history) = match tests {
        0 if day(case.inputs.made_at) < to => (Colour::Grey, false),
        0 if began_later => (Colour::Grey, true),
        0 => (Colour::Red, false),
        _ => (Colour::Green, false),
    };
    Window { from, to, tests, standing, before_history }
}

/// The period in pieces, the last one cut off where it ends.
fn pieces(from: Date, to: Date, every: Span) -> Vec<(Date, Date)> {
    let days = (every.millis() / DAY).clamp(1, 3_660);
    let step = |begin: Date| match days {
        28.. => {
            let months = ((days + 15) / 30).max(1) as i64;
            begin.first_of_month().checked_add(months.months())
        }
        _ => begin.checked_add((days as i64).days()),
    };
    let mut all = Vec::new();
    let mut begin = from;
    while begin < to {
        let end = step(begin).unwrap_or(to).min(to);
        all.push((begin, end));
        begin = end;
    }
    all
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_month_is_one_of_the_calendar_and_shorter_pieces_are_days() {
        let said = |every: &str, from, to| -> Vec<String> {
            let pieces = pieces(from, to, every.parse().unwrap());
            pieces.iter().map(|(from, to)| format!("{from} {to}")).collect()
        };
        let months = ["2026-01-15 2026-02-01", "2026-02-01 2026-03-01", "2026-03-01 2026-03-10"];
        assert_eq!(said("30 days", date(2026, 1, 15), date(2026, 3, 10)), months);
        assert_eq!(
            said("1 week", date(2026, 2, 1), date(2026, 2, 10)),
            ["2026-02-01 2026-02-08", "2026-02-08 2026-02-10"]
        );
        assert_eq!(
            said("90 days", date(2026, 1, 1), date(2026, 7, 1)),
            ["2026-01-01 2026-04-01", "2026-04-01 2026-07-01"]
        );
        assert_eq!(said("1 min", date(2026, 1, 1), date(2026, 1, 3)).len(), 2);
        assert!(said("30 days", Date::MAX, Date::MAX).is_empty());
    }
}
