//! `backdraft history trend`: month by month, what came back and how fast, against what was promised.

use clap::Args;

use crate::{
    cli::{
        Common, Ended,
        console::Console,
        keeper::{PlaceArgs, of_platform, open_to_read, this_month},
        selection,
    },
    error::Error,
    exit,
    measure::trend::{MONTHS, Window, trend as measured},
    model::{
        time::Elapsed,
        trend::{Actuals, MonthTrend, ServiceTrend, Trend},
        words,
    },
    report,
};

/// Arguments of `history trend`.
#[derive(Debug, Clone, Args)]
pub(super) struct TrendArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Only this service.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Count simulated drills, too, by the day on which they were kept.
    #[arg(long)]
    simulated_counts: bool,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn trend(args: &TrendArgs, common: &Common, console: &Console) -> Ended {
    let plan = selection::plan(&common.plan)?.value;
    let services: Vec<String> = match &args.service {
        Some(name) => vec![name.clone()],
        None => plan.services.keys().cloned().collect(),
    };
    let history = open_to_read(&args.place)?;
    let past = of_platform(history.entries()?, &plan);
    let known = |name: &String| plan.services.contains_key(name) || past.iter().any(|d| d.services.contains(name));
    if let Some(name) = args.service.as_ref().filter(|name| !known(name)) {
        let names: Vec<&str> = plan.services.keys().map(String::as_str).collect();
        let what = format!("neither the plan nor a drill knows a service `{}`", name.escape_debug());
        return Err(Error::new(what).help(format!("the plan's services are {}", words::list(&names))).into());
    }
    let (last, time_zone, simulated) = (this_month(&plan), plan.time_zone.as_str(), args.simulated_counts);
    let mut trend = measured(&past, &Window { services: &services, last, months: MONTHS, time_zone, simulated });
    trend.services.retain(|one| args.service.as_ref().is_none_or(|name| one.service == *name));
    if args.json {
        // Made of text, numbers and lists: it always has a JSON form.
        console.line(serde_json::to_string_pretty(&trend).unwrap_or_default());
    } else {
        show(&trend, console);
    }
    Ok(exit::PASS)
}

fn show(trend: &Trend, console: &Console) {
    for service in &trend.services {
        table(service, console);
        console.line("");
    }
    let letters: Vec<String> = report::LETTERS.iter().map(|(letter, word)| format!("{letter} {word}")).collect();
    let letters = letters.join(" · ");
    console.line(format_args!("Months of {}. RTA and RPA: middle / worst of the month; {letters}", trend.time_zone));
    if trend.left_out > 0 {
        let what = words::count(trend.left_out, "simulated drill");
        console.line(format_args!("{what} left out; --simulated-counts counts them."));
    }
}

fn table(service: &ServiceTrend, console: &Console) {
    console.line(service.service.escape_debug());
    console.line(format_args!(
        "  {:7}  {:>6}  {:>6}  {:28}  {:22}  {:26}  RPO",
        "MONTH", "DRILLS", "PASSED", "RTA", "RTO", "RPA"
    ));
    for month in &service.months {
        let line = line(month);
        console.line(line.trim_end());
    }
}

fn line(month: &MonthTrend) -> String {
    let MonthTrend { month: name, drills, passed, rto, rpo } = month;
    let (drills, passed) =
        if *drills == 0 { ("-".into(), "-".into()) } else { (drills.to_string(), passed.to_string()) };
    format!(
        "  {:7}  {drills:>6}  {passed:>6}  {:28}  {:22}  {:26}  {}",
        name.to_string(),
        actual(rto),
        standing(rto),
        actual(rpo),
        standing(rpo)
    )
}

fn actual(actuals: &Actuals) -> String {
    let figure = |elapsed: Elapsed| {
        let short = report::short(elapsed);
        format!("{} {}", short.total, short.letters).trim_end().to_owned()
    };
    match (actuals.median, actuals.worst) {
        (Some(median), Some(worst)) => format!("{} / {}", figure(median), figure(worst)),
        _ => "-".into(),
    }
}

fn standing(actuals: &Actuals) -> String {
    let limit = actuals.limit.map_or_else(String::new, |limit| format!(" {limit}"));
    let missed = match (actuals.missed, actuals.without) {
        (0, _) => String::new(),
        (missed, 0) => format!(" by {missed}"),
        (missed, without) => format!(" by {missed}, {without} without"),
    };
    format!("{}{limit}{missed}", actuals.standing.words())
}
