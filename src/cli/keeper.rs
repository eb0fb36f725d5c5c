//! Keeping drills in a history: where it is, and what is done for it before, between and after drills. Arguments that
//! several verbs share.

use std::{
    cell::RefCell,
    env,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use serde_json::json;

use super::{console::Console, credentials, session::Cast, unended};
use crate::{
    assembly::buckets::{self, Keys},
    error::{Error, Result},
    history::{self, Announced, Bucket, Folder, History, Mark, Waiting},
    measure::trend::{MONTHS, Window, trend},
    model::{
        history::{Entry, Head, Summary},
        plan::Plan,
        record::{Record, Way},
        trend::{Month, Trend},
        words,
    },
    sim::{clock, clock::Clock},
    store::LockMode,
};

/// Where a history is unless somebody says otherwise.
const DEFAULT: &str = "reports/history";

/// Where marks lie whose history is in a bucket.
const MARKS: &str = "reports/marks";

/// Says it; `none` keeps none.
const VARIABLE: &str = "BACKDRAFT_HISTORY";

/// Where the history is.
#[derive(Debug, Clone, Args)]
pub(super) struct PlaceArgs {
    /// Where the history is: a folder, or s3://bucket/prefix. Without it BACKDRAFT_HISTORY says so, else it is
    /// reports/history.
    #[arg(long, value_name = "PLACE")]
    history: Option<String>,
    /// Address of the S3 service of the history's bucket; Amazon's where none is given.
    #[arg(long, value_name = "URL")]
    history_endpoint: Option<String>,
    /// Region of the history's bucket; AWS_REGION where none is given.
    #[arg(long, value_name = "NAME")]
    history_region: Option<String>,
    /// A host beyond this machine that the history may be on, or a domain, such as amazonaws.com: drills that are kept
    /// there write to that bucket, below that prefix, and nowhere else.
    #[arg(long, value_name = "HOST")]
    history_allow_endpoint: Vec<String>,
}

/// Whether and where drills are kept.
#[derive(Debug, Clone, Args)]
pub(super) struct KeepArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Keep these drills in no history.
    #[arg(long, conflicts_with = "history")]
    no_history: bool,
    /// Hold what is written to the history's bucket by object lock for so many days.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    history_lock_days: Option<u32>,
    /// How firmly: governance may be lifted by who has the right, compliance by nobody before its time.
    #[arg(long, value_name = "MODE", value_enum, default_value_t = Firmness::Governance)]
    history_lock_mode: Firmness,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Firmness {
    Governance,
    Compliance,
}

impl PlaceArgs {
    /// Whether the command line says where it is.
    pub(super) fn is_named(&self) -> bool {
        self.history.is_some()
    }

    /// The history, to be read; `None` where none is kept.
    ///
    /// # Errors
    /// When its place makes no sense or may not be asked, or there is no key to it.
    pub(super) fn open(&self) -> Result<Option<History>> {
        self.open_with(None)
    }

    fn open_with(&self, lock: Option<(LockMode, u32)>) -> Result<Option<History>> {
        let said = env::var(VARIABLE).ok().filter(|text| !text.is_empty());
        let place = self.history.clone().or(said).unwrap_or_else(|| DEFAULT.to_owned());
        if place == "none" {
            return Ok(None);
        }
        let Some(address) = place.strip_prefix("s3://") else {
            if lock.is_some() {
                let what = "--history-lock-days holds objects of a bucket, and this history is a folder";
                return Err(Error::new(what).at(place).help("give the history as s3://bucket/prefix"));
            }
            let dir = Path::new(&place);
            return Ok(Some(History::new(Box::new(Folder::new(dir)), &dir.join("marks"))));
        };
        let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
        if bucket.is_empty() {
            let what = format!("`{}` names no bucket", place.escape_debug());
            return Err(Error::new(what).help("write s3://bucket/prefix"));
        }
        let store = self.store(bucket)?;
        let place = format!("s3://{}", address.trim_end_matches('/'));
        // A drill is played on this machine, whatever its history is.
        let safe = |c: char| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '_' };
        let marks = PathBuf::from(MARKS).join(address.trim_end_matches('/').chars().map(safe).collect::<String>());
        Ok(Some(History::new(Box::new(Bucket::new(store, &place, prefix, lock)?), &marks)))
    }

    fn store(&self, bucket: &str) -> Result<crate::store::SharedStore> {
        let said = env::var("AWS_REGION").ok().filter(|name| !name.is_empty());
        let region = self.history_region.clone().or(said).ok_or_else(|| {
            let what = format!("it is not known in which region bucket `{}` is", bucket.escape_debug());
            Error::new(what).help("give it with --history-region NAME")
        })?;
        let bucket = buckets::Bucket { region: &region, bucket, endpoint: self.history_endpoint.as_deref() };
        let clock = Clock::new(Way::Real, clock::wall_now());
        let open = |keys: &Keys| buckets::open_to_write(&bucket, &self.history_allow_endpoint, keys, &clock);
        // What is not allowed is said before a key is looked for.
        open(&Keys::none())?;
        open(&credentials::find()?)
    }
}

/// Keeps drills as they are played.
pub(super) struct Keeper {
    history: History,
    /// The run that was announced, and how many of its drills have begun.
    run: RefCell<(Option<Announced>, u64)>,
    appended: RefCell<(u64, Option<Head>)>,
}

/// What a report needs of earlier drills.
pub(super) struct Past {
    /// Of the last twelve months and of this plan's platform, oldest first.
    pub(super) drills: Vec<Summary>,
    pub(super) trend: Trend,
    pub(super) head: Option<Head>,
}

impl Keeper {
    /// Opens the history, if one is kept, and puts right what killed runs left: their last write, the records of drills
    /// that had ended, and a record of each that had not. The session has begun, so their scratch folders are gone.
    ///
    /// # Errors
    /// When it cannot be written to, or is not as it was written. Nothing has been played yet.
    pub(super) fn open(args: &KeepArgs, console: &Console) -> Result<Option<Keeper>> {
        if args.no_history {
            return Ok(None);
        }
        let mode = match args.history_lock_mode {
            Firmness::Governance => LockMode::Governance,
            Firmness::Compliance => LockMode::Compliance,
        };
        let Some(history) = args.place.open_with(args.history_lock_days.map(|days| (mode, days)))? else {
            return Ok(None);
        };
        let note = |what: String| {
            let text = format!("history: {what}");
            console.note("history-repaired", text, json!({ "history": history.name(), "what": what }));
        };
        history.repair()?.into_iter().for_each(&note);
        // What cannot be read at the end of the run is refused before it begins.
        history.entries()?;
        match history.take_in_finished(clock::wall_now())? {
            0 => {}
            n => note(format!("took in {} that a killed run left", words::count(n as u64, "record"))),
        }
        let unended = history.unended()?;
        let unbegun = history.unbegun(&unended)?;
        for (mark, unended) in unended {
            let (has_begun, record) = (unended.has_begun, unended::record(unended));
            let head = history.append(&record, mark, clock::wall_now())?;
            let what = if has_begun { "was killed before it ended" } else { "had not begun when its run was killed" };
            note(format!("{} {what}; entry {} says so", record.identity.scenario, head.sequence));
        }
        for mut left in unbegun {
            let drills = left.drills();
            let mut last = None;
            for unended in &drills {
                let mark = history.begin_of(&mut left.run, unended)?;
                last = Some(history.append(&unended::record(unended.clone()), mark, clock::wall_now())?.sequence);
            }
            left.run.end()?;
            if let Some(last) = last {
                let had = if drills.len() == 1 { "1 drill had" } else { &format!("{} drills had", drills.len()) };
                note(format!("{had} not begun when their run was killed; entries up to {last} say so"));
            }
        }
        Ok(Some(Keeper { history, run: RefCell::new((None, 0)), appended: RefCell::new((0, None)) }))
    }

    /// Writes down which drills are going to be played, in this order and so many times over.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(super) fn announce(&self, casts: &[Cast], rounds: usize) -> Result<()> {
        let run = unended::announcement(casts, rounds).map(|announcement| self.history.announce(&announcement));
        *self.run.borrow_mut() = (run.transpose()?, 0);
        Ok(())
    }

    /// Writes down that a drill begins: the next of those that were announced.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(super) fn begin(&self, cast: &Cast) -> Result<Mark> {
        let mut run = self.run.borrow_mut();
        let number = run.1;
        run.1 += 1;
        match &mut run.0 {
            None => self.history.begin(&unended::unended(cast, None)),
            Some(run) => self.history.begin_of(run, &unended::unended(cast, Some(run.place(number)))),
        }
    }

    /// Every drill that was announced has its record.
    ///
    /// # Errors
    /// When what was written down cannot be taken away.
    pub(super) fn all_played(&self) -> Result<()> {
        self.run.borrow_mut().0.take().map_or(Ok(()), Announced::end)
    }

    /// Appends the record of a drill.
    ///
    /// # Errors
    /// When it cannot be written; a later start will.
    pub(super) fn append(&self, record: &Record, mark: Mark) -> Result<()> {
        let head = self.history.append(record, mark, clock::wall_now())?;
        let mut appended = self.appended.borrow_mut();
        *appended = (appended.0 + 1, Some(head));
        Ok(())
    }

    /// What is known of drills of this plan's platform.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(super) fn past(&self, plan: &Plan) -> Result<Past> {
        Ok(past(self.history.entries()?, self.appended.borrow().1.clone(), plan))
    }

    /// What was kept, and the head that a careful reader writes down elsewhere.
    pub(super) fn words(&self) -> String {
        let appended = self.appended.borrow();
        let count = words::count(appended.0, "record");
        let head = appended.1.as_ref().map_or_else(String::new, |head| format!(", head {}", head_words(head)));
        format!("history: {}: {count} appended{head}", self.history.name())
    }
}

/// What these entries tell of drills of this plan's platform in the last twelve months.
pub(super) fn past(entries: Vec<Entry>, head: Option<Head>, plan: &Plan) -> Past {
    let services: Vec<String> = plan.services.keys().cloned().collect();
    let last = this_month(plan);
    let first = last.up_to(MONTHS)[0];
    let zone = zone(plan);
    let recent = |drill: &Summary| drill.run_at.is_some_and(|at| Month::of(at, &zone) >= first);
    let drills: Vec<Summary> = of_platform(entries, plan).into_iter().filter(recent).collect();
    let window = Window { services: &services, last, months: MONTHS, time_zone: &plan.time_zone, simulated: false };
    let trend = trend(&drills, &window);
    Past { drills, trend, head }
}

/// As `--head` reads it.
pub(super) fn head_words(head: &Head) -> String {
    format!("{}:{}", head.sequence, head.sha256)
}

/// The plan's time zone.
pub(super) fn zone(plan: &Plan) -> TimeZone {
    TimeZone::get(&plan.time_zone).unwrap_or(TimeZone::UTC)
}

/// The month that it is there.
pub(super) fn this_month(plan: &Plan) -> Month {
    Month::of(clock::wall_now(), &zone(plan))
}

/// Drills of the plan's platform, each with its date.
pub(super) fn of_platform(entries: Vec<Entry>, plan: &Plan) -> Vec<Summary> {
    entries.into_iter().map(Entry::dated).filter(|drill| drill.platform == plan.platform).collect()
}

/// What lies beside a chain that is not in it yet, in words; `None` where nothing does.
pub(super) fn waiting_words(waiting: Waiting) -> Option<String> {
    let drills = |count, what: &str| (count > 0).then(|| format!("{} {what}", words::count(count, "drill")));
    let left = drills(waiting.left, "of a killed run: the next run makes the record");
    let living = drills(waiting.living, "being played just now");
    let said: Vec<String> = left.into_iter().chain(living).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// What to do where there is no history.
pub(super) fn none_here(history: &History) -> Error {
    let help = "`backdraft run` begins one; name another with --history PLACE";
    Error::new("there is no history here").at(history.name()).help(help)
}

/// A history that is to be read must be kept somewhere.
///
/// # Errors
/// When it is not, or as [`PlaceArgs::open`].
pub(super) fn open_to_read(place: &PlaceArgs) -> Result<history::History> {
    place.open()?.ok_or_else(|| {
        Error::new("no history is kept").help("BACKDRAFT_HISTORY is `none`; name one with --history PLACE")
    })
}
