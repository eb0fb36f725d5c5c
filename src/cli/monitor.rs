//! `backdraft monitor`: looks at the newest backup of every service in the user's own buckets, tells whom the plan
//! names, and leaves its figures for Prometheus. Once, or again and again until it is stopped.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::{
    Common, Ended, buckets::BucketArgs, console::Console, discreet, output::write_file, selection, session::Session,
};
use crate::{
    environment::{redact, without_secrets},
    error::{Error, Result},
    exit,
    model::{
        plan::{AlertForm, Plan},
        record::Way,
        units::Span,
        words,
    },
    monitor::{
        Aspect, Means, Omission,
        alerts::{Lost, STATE_FORMAT, State},
        prometheus,
        reading::{Reading, Verdict},
        round::look_at_all,
        webhook::{Persistence, Sender, Webhook},
    },
    sim::{clock, clock::Clock, lanes::Lanes},
};

/// Shortest time between two looks.
const SHORTEST: Span = Span(1_000);

/// Largest state file that is read, in bytes.
const MAX_STATE_BYTES: u64 = 4 << 20;

/// Arguments of `monitor`.
#[derive(Debug, Clone, Args)]
pub(super) struct MonitorArgs {
    #[command(flatten)]
    buckets: BucketArgs,
    /// Print what was seen as JSON.
    #[arg(long)]
    json: bool,
    /// Write the figures to this file, for Prometheus' textfile collector.
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
    /// Send alerts as JSON there, beside those that the plan names; may be given more than once.
    #[arg(long, value_name = "URL")]
    webhook: Vec<String>,
    /// Send alerts in Slack's form there; may be given more than once.
    #[arg(long, value_name = "URL")]
    slack_webhook: Vec<String>,
    /// Remember in this file what was told, so that a later run tells what is new alone.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Look again and again, this far apart, until stopped.
    #[arg(long, value_name = "EVERY")]
    watch: Option<Span>,
}

/// What every look needs.
struct Watchman<'w> {
    args: &'w MonitorArgs,
    plan: &'w Plan,
    webhooks: Vec<Webhook>,
    sender: Sender,
    stores: Vec<crate::store::SharedStore>,
    means: Means,
    clock: Clock,
    console: &'w Console,
}

pub(super) fn monitor(args: &MonitorArgs, common: &Common, console: &Console) -> Ended {
    let plan = selection::plan(&common.plan)?.value;
    if let Some(every) = args.watch.filter(|every| *every < SHORTEST) {
        let what = format!("--watch {every} leaves no time to look");
        return Err(Error::new(what).help(format!("write {SHORTEST} or more: 5 min")).into());
    }
    let webhooks = webhooks(&plan, &args.webhook, &args.slack_webhook)?;
    let mut state = args.state.as_deref().map_or(Ok(State::default()), read_state)?;
    let session = Session::start(false)?;
    let ended = session.carry_out(async |scratch: &Path| -> Result<u8> {
        let clock = Clock::new(Way::Real, clock::wall_now());
        let watchman = Watchman {
            stores: args.buckets.stores(&plan, &clock)?,
            sender: Sender::new(&clock, Persistence::default()).map_err(Error::new)?,
            means: Means { lanes: Lanes::new(&clock), scratch: scratch.to_owned() },
            plan: &plan,
            webhooks,
            args,
            clock,
            console,
        };
        loop {
            let code = watchman.look(&mut state).await?;
            match args.watch {
                Some(every) => watchman.clock.sleep(every.duration()).await,
                None => return Ok(code),
            }
        }
    })?;
    Ok(ended.unwrap_or(Ok(exit::INTERRUPTED))?)
}

impl Watchman<'_> {
    async fn look(&self, state: &mut State) -> Result<u8> {
        let now = clock::wall_now();
        // What lies in a bucket is called as others please, and what a provider answers may quote a key.
        let readings = discreet::readings(look_at_all(self.plan, &self.stores, &self.means, now).await);
        let platform = redact(&self.plan.platform);
        state.take(&readings, now);
        let lost = state.tell(&platform, &self.webhooks, &self.sender, now).await;
        if let Some(path) = &self.args.state {
            // A state is made of text, numbers and lists: it always has a JSON form.
            let json = serde_json::to_string_pretty(state).unwrap_or_default();
            write_file(path, &(json + "\n"))?;
        }
        if let Some(path) = &self.args.prometheus {
            write_file(path, &prometheus::render(&readings, state, &self.webhooks, now))?;
        }
        self.show(&readings, &lost, now);
        let alarmed = readings.iter().any(|reading| reading.verdict == Verdict::Alarm) || !lost.is_empty();
        Ok(if alarmed { exit::FAILED } else { exit::PASS })
    }

    fn show(&self, readings: &[Reading], lost: &[Lost], now: Timestamp) {
        if self.args.json {
            let said = json!({
                "format": "backdraft.monitor/1", "platform": redact(&self.plan.platform), "looked_at": now,
                "readings": readings, "lost_alerts": lost,
            });
            return self.console.line(said);
        }
        show_readings(readings, now, self.console);
        for Lost { webhook, why, news } in lost {
            let news = words::count(*news, "change");
            self.console.line(format_args!("LOST   alert to {webhook}: {why}; it would have told of {news}"));
        }
    }
}

/// A line a service and region, what is wrong or remarkable below it.
pub(super) fn show_readings(readings: &[Reading], now: Timestamp, console: &Console) {
    let width = |get: fn(&Reading) -> &str| readings.iter().map(|r| get(r).chars().count()).max().unwrap_or(0);
    let (services, regions) = (width(|r| &r.service), width(|r| &r.region));
    for reading in readings {
        let verdict = match reading.verdict {
            Verdict::Ok => "ok",
            Verdict::Alarm => "ALARM",
            Verdict::NotLookedAt => "-",
        };
        let (service, region) = (&reading.service, &reading.region);
        let told = match (&reading.newest, reading.written_at, reading.verdict) {
            (_, _, Verdict::NotLookedAt) => format!("not looked at: {}", reading.remarks.join("; ")),
            (Some(newest), Some(at), _) => {
                let age = u64::try_from(now.duration_since(at).as_millis()).unwrap_or(0);
                let size = reading.size_bytes.map_or_else(String::new, |bytes| format!(", {}", words::bytes(bytes)));
                format!("{}{size}, {} old", newest.escape_debug(), words::hours(age))
            }
            _ => "no backup was seen".to_owned(),
        };
        console.line(format_args!("{verdict:5}  {service:services$}  {region:regions$}  {told}"));
        for alarm in &reading.alarms {
            console.line(format_args!("       {}: {}", alarm.kind.words(), alarm.detail));
        }
        if reading.verdict != Verdict::NotLookedAt {
            reading.remarks.iter().for_each(|remark| console.line(format_args!("       remark: {remark}")));
            for line in scope(reading) {
                console.line(format_args!("       {line}"));
            }
        }
    }
}

/// What a verdict rests on, and what it says nothing of.
fn scope(reading: &Reading) -> Vec<String> {
    let words = |aspects: &[Aspect]| aspects.iter().map(|aspect| aspect.words()).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    if !reading.looked_at.is_empty() {
        lines.push(format!("looked at: {}", words(&reading.looked_at)));
    }
    let mut rest: &[Omission] = &reading.not_looked_at;
    while let Some(first) = rest.first() {
        // What has one reason, and stands together, is said together.
        let same = rest.iter().take_while(|omission| omission.why == first.why).count();
        let aspects: Vec<Aspect> = rest[..same].iter().map(|omission| omission.aspect).collect();
        lines.push(format!("not looked at: {} ({})", words(&aspects), first.why));
        rest = &rest[same..];
    }
    lines
}

/// The plan's webhooks, and those given.
///
/// # Errors
/// When an address is not there or makes no sense. No error holds an address.
pub(super) fn webhooks(plan: &Plan, json: &[String], slack: &[String]) -> Result<Vec<Webhook>> {
    let mut all = Vec::new();
    for alert in &plan.alerts {
        let name = &alert.url_env;
        let help = "set it to the webhook's URL, or remove the alert from the plan";
        let missing = || Error::new(format!("the plan sends alerts to the URL in {name}, which is not set")).help(help);
        let url = env::var(name).ok().filter(|url| !url.is_empty()).ok_or_else(missing)?;
        let named = |why: String| Error::new(format!("{name}: {why}")).help(help);
        all.push(Webhook::new(&url, alert.form).map_err(named)?);
    }
    let given = json.iter().map(|url| (url, AlertForm::Json)).chain(slack.iter().map(|url| (url, AlertForm::Slack)));
    for (url, form) in given {
        all.push(Webhook::new(url, form).map_err(|why| Error::new(why).help("write https:// and where alerts go"))?);
    }
    Ok(all)
}

/// What an earlier run remembered; nothing where there was none.
fn read_state(path: &Path) -> Result<State> {
    let wrong = |why: String| {
        let help = "give the file of an earlier run, or one that is not there yet";
        Error::new("this is no state of the monitor").at(path.display().to_string()).because(why).help(help)
    };
    let meta = match fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(State::default()),
        meta => meta.map_err(|e| wrong(e.to_string()))?,
    };
    if !meta.is_file() || meta.len() > MAX_STATE_BYTES {
        return Err(wrong("it is no file, or a very large one".into()));
    }
    let text = fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let state: State = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
    match state.format == STATE_FORMAT {
        // What an earlier version remembered may hold secrets.
        true => without_secrets(state).map(|cleaned| cleaned.value).map_err(|e| wrong(e.to_string())),
        false => Err(wrong(format!("it is of format `{}`, not `{STATE_FORMAT}`", state.format.escape_debug()))),
    }
}
