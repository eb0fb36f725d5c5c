//! `backdraft history check`: fails where a service has no green drill that is young enough.
//!
//! Green for a service is a drill that went as its scenario expects, and in which the service met its own RTO and RPO:
//! both are met only where its restored data was compared with the ledger and found to be all that was promised. They
//! are held against the plan as it is now, too.

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::verify::flaws;
use crate::{
    cli::{
        Common, Ended,
        console::Console,
        keeper::{PlaceArgs, of_platform, open_to_read, waiting_words},
        selection,
    },
    error::{Error, Result},
    exit,
    model::{
        history::Summary,
        outcome::{DrillResult, Verdict},
        plan::{Plan, ServicePlan},
        record::{Judged, ObjectiveKind, Way},
        units::Span,
        words,
    },
    report::contract::moment,
    sim::clock,
};

/// How far the clocks of two machines may be apart: what is dated later than that is no evidence.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// Arguments of `history check`.
#[derive(Debug, Clone, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// How old a service's newest green drill may be.
    #[arg(long, value_name = "AGE", default_value = "35d", allow_hyphen_values = true)]
    max_age: String,
    /// Count simulated drills, too, by the day on which they were kept.
    #[arg(long)]
    simulated_counts: bool,
    /// Print what was found as JSON.
    #[arg(long)]
    json: bool,
}

/// What is known of a service.
struct Evidence<'e> {
    service: &'e str,
    /// Its newest green drill, and how old that is in milliseconds.
    green: Option<(&'e Summary, u64)>,
    fresh: bool,
}

pub(super) fn check(args: &CheckArgs, common: &Common, console: &Console) -> Ended {
    let max_age = max_age(&args.max_age)?;
    let plan = selection::plan(&common.plan)?.value;
    let history = open_to_read(&args.place)?;
    let verified = history.verify(None)?;
    let waiting = waiting_words(history.waiting()?);
    if !verified.flaws.is_empty() {
        if args.json {
            let found = json!({ "history": history.name(), "intact": false, "flaws": verified.flaws });
            console.line(format_args!("{found:#}"));
        } else {
            console.line(format_args!("CHANGED: {}: this history is no evidence of anything", history.name()));
            flaws(&verified, console);
        }
        return Ok(exit::FAILED);
    }
    let past = of_platform(history.entries()?, &plan);
    let now = clock::wall_now();
    let found: Vec<Evidence<'_>> =
        plan.services.iter().map(|(name, service)| evidence(name, service, &past, (args, max_age), now)).collect();
    let all_fresh = found.iter().all(|one| one.fresh);
    if args.json {
        console.line(format_args!("{:#}", as_json(&found, !verified.is_none(), max_age)));
    } else if verified.is_none() {
        let what = "nothing was ever kept there, so no service has a green drill";
        console.line(format_args!("NO HISTORY: {}: {what}", history.name()));
        console.line("  `backdraft run` begins one; name another with --history PLACE");
    } else {
        found.iter().for_each(|one| console.line(line(one, &plan)));
        let stale = found.iter().filter(|one| !one.fresh).count() as u64;
        let counted = if args.simulated_counts { "real or simulated" } else { "real" };
        let services = words::count(found.len() as u64, "service");
        let what = format!("a green {counted} drill in the last {max_age}");
        match all_fresh {
            true => console.line(format_args!("fresh: {services} with {what}")),
            false => console.line(format_args!("STALE: {stale} of {services} without {what}")),
        }
    }
    for uncounted in verified.unfinished.into_iter().chain(waiting).filter(|_| !args.json) {
        console.line(format_args!("not counted: {uncounted}"));
    }
    Ok(if all_fresh { exit::PASS } else { exit::FAILED })
}

fn max_age(text: &str) -> Result<Span> {
    let help = "write a whole number and a unit, more than none: 35d, 5 weeks, 48 h";
    let wrong = |why: String| Error::new(why).at("--max-age").help(help);
    match text.parse::<Span>() {
        Ok(age) if age.is_zero() => Err(wrong(format!("`{}` is no age: no drill is as young", text.escape_debug()))),
        Ok(age) => Ok(age),
        Err(_) => Err(wrong(format!("`{}` is no age", text.escape_debug()))),
    }
}

fn evidence<'e>(
    name: &'e str,
    service: &ServicePlan,
    past: &'e [Summary],
    (args, max_age): (&CheckArgs, Span),
    now: Timestamp,
) -> Evidence<'e> {
    let counts = |drill: &&Summary| args.simulated_counts || drill.way == Way::Real;
    let age = |drill: &Summary| {
        let age = now.duration_since(drill.run_at?);
        (age >= -SKEW).then(|| u64::try_from(age.as_millis().max(0)).unwrap_or(u64::MAX))
    };
    let green = past.iter().filter(counts).filter(|drill| is_green(drill, name, service));
    let green = green.filter_map(|drill| Some((drill, age(drill)?))).min_by_key(|(_, age)| *age);
    let fresh = green.is_some_and(|(_, age)| age <= max_age.millis());
    Evidence { service: name, green, fresh }
}

fn is_green(drill: &Summary, name: &str, service: &ServicePlan) -> bool {
    let whose = format!("service {name}");
    let met = |kind: ObjectiveKind, limit: Span| {
        let of_kind = |judged: &&Judged| judged.objective == kind && judged.whose == whose;
        drill.objectives.iter().find(of_kind).is_some_and(|judged| {
            let within =
                |actual: crate::model::time::Elapsed| !actual.is_redacted() && actual.total_ms() <= limit.millis();
            judged.verdict == Verdict::Met && judged.actual.is_some_and(within)
        })
    };
    drill.result == DrillResult::Pass
        && drill.services.iter().any(|drilled| drilled == name)
        && met(ObjectiveKind::Rto, service.rto)
        && met(ObjectiveKind::Rpo, service.rpo)
}

fn line(one: &Evidence<'_>, plan: &Plan) -> String {
    let state = if one.fresh { "fresh" } else { "STALE" };
    let Some((drill, age)) = one.green else {
        return format!("{state}  {}: no green drill is known", one.service);
    };
    let when = drill.run_at.map_or_else(|| "-".to_owned(), |at| moment(at, &plan.time_zone));
    let (age, id) = (words::duration(age / 1_000 * 1_000), drill.scenario.escape_debug());
    format!("{state}  {}: last green {when}, {age} ago: {id} ({})", one.service, drill.way.words())
}

/// `intact` is null where there is no history that could be.
fn as_json(found: &[Evidence<'_>], is_there: bool, max_age: Span) -> serde_json::Value {
    let services = found.iter().map(|one| {
        let green = one.green.map(|(drill, age)| {
            json!({ "scenario": drill.scenario, "way": drill.way, "run_at": drill.run_at, "age_ms": age })
        });
        json!({ "service": one.service, "fresh": one.fresh, "last_green": green })
    });
    let services: Vec<_> = services.collect();
    let fresh = found.iter().all(|one| one.fresh);
    let intact = is_there.then_some(true);
    json!({ "intact": intact, "fresh": fresh, "max_age_ms": max_age.millis(), "services": services })
}
