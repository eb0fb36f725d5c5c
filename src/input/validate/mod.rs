//! What is well typed and still cannot be: names that lead nowhere, moments out of order, expectations that contradict
//! themselves. Every error of a file is reported, each with the line and column of the value at fault.

mod actions;
mod commands;
mod faults;
mod files;
mod incident;
mod plan;
mod regions;
mod scenario;

pub use actions::actions;
pub use faults::entries;
pub use plan::plan;
pub use scenario::scenario;

use super::{explain::shown_sentence, load::Loaded};
use crate::{
    error::Error,
    model::{
        plan::{CopyClass, LockPlan, MonitorPlan, Retrieval, ServiceKind, SyncRule},
        units::Span,
    },
};

/// What a scenario may ask of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultInfo {
    /// Its name in the catalogue.
    pub name: &'static str,
    /// Its modes.
    pub modes: Vec<&'static str>,
    /// Whether it strikes recovery points, so that `generations` says which.
    pub takes_generations: bool,
    /// Whether it changes nothing before the first recovery point.
    pub needs_points: bool,
    /// Kinds of service that it can strike.
    pub kinds: Vec<ServiceKind>,
    /// Modes that can strike a service that a team's own commands back up.
    pub on_commands: Vec<&'static str>,
    /// The same where it is restored into emulated deployments.
    pub on_deployments: Vec<&'static str>,
    /// Names of the parameters that it takes under `with`.
    pub parameters: Vec<&'static str>,
}

/// The longest time that a file may state: ten years. It keeps every sum of times far from overflow.
const MAX_SPAN: Span = Span::hours(24 * 3653);

/// The unit of an object lock.
const DAY: Span = Span::hours(24);

/// The errors found in one file, as they are gathered.
struct Findings<'f, T> {
    file: &'f Loaded<T>,
    errors: Vec<Error>,
}

impl<'f, T> Findings<'f, T> {
    fn of(file: &'f Loaded<T>) -> Self {
        Findings { file, errors: Vec::new() }
    }

    fn add(&mut self, path: &str, what: impl Into<String>, help: impl Into<String>) {
        let (what, help) = (shown_sentence(&what.into()), shown_sentence(&help.into()));
        self.errors.push(self.file.error(path, what).help(help));
    }

    fn unless(&mut self, holds: bool, path: &str, what: impl Into<String>, help: impl Into<String>) {
        if !holds {
            self.add(path, what, help);
        }
    }

    /// Whether the file says something at a path, be it what holds without it.
    fn says(&self, path: &str) -> bool {
        self.file.places.has(path)
    }

    fn text(&mut self, path: &str, text: &str) {
        self.unless(!text.trim().is_empty(), path, format!("`{path}` is empty"), "write a few words");
    }

    fn span(&mut self, path: &str, span: Span) {
        let what = format!("`{path}` is longer than ten years");
        self.unless(span <= MAX_SPAN, path, what, "write a time that a plan can mean");
    }

    fn monitor(&mut self, path: &str, monitor: &MonitorPlan) {
        for (field, span, example) in
            [("check_every", monitor.check_every, "6 h"), ("max_age", monitor.max_age, "26 h")]
        {
            let path = format!("{path}.{field}");
            self.unless(span > Span::ZERO, &path, format!("`{path}` is zero"), format!("write a time: {example}"));
            self.span(&path, span);
        }
        self.span(&format!("{path}.replica_grace"), monitor.replica_grace);
        let what = "a monitor that watches nothing sees nothing";
        let help = "name what it looks at, or remove the line: then it looks at all but the contents";
        self.unless(!monitor.watches.is_empty(), &format!("{path}.watches"), what, help);
    }

    fn lock(&mut self, path: &str, lock: Option<LockPlan>) {
        let Some(lock) = lock else { return };
        let whole = lock.keep >= DAY && lock.keep.millis().is_multiple_of(DAY.millis());
        let what = format!("an object lock of {} cannot be set: buckets count in whole days", lock.keep);
        self.unless(whole, &format!("{path}.keep"), what, "write a number of days: 7 days");
        self.span(&format!("{path}.keep"), lock.keep);
    }

    fn sync(&mut self, path: &str, rules: &[SyncRule]) {
        for (i, rule) in rules.iter().enumerate() {
            let path = format!("{path}[{i}]");
            let into = &rule.into;
            let sound = into.ends_with('/') && into.split_terminator('/').all(|step| !matches!(step, "" | "." | ".."));
            let what = format!("`{into}` is no folder of a bucket");
            self.unless(sound, &format!("{path}.into"), what, "write a path that ends in `/`: `full/`");
            let overlaps = |other: &&SyncRule| other.into.starts_with(&**into) || into.starts_with(&*other.into);
            if let Some(first) = rules[..i].iter().find(overlaps) {
                let what = format!("`{into}` and `{}` are one folder in another", first.into);
                self.add(&format!("{path}.into"), what, "give each rule a folder of its own");
            }
            for (n, end) in rule.include.iter().enumerate().filter(|(_, end)| end.is_empty() || end.contains('*')) {
                let what = format!("`{end}` is no ending of a name");
                self.add(&format!("{path}.include[{n}]"), what, "write the ending alone: `.jpg`");
            }
            let offered = rule.class != CopyClass::DeepArchive || rule.retrieval != Retrieval::Expedited;
            let what = "the deep archive offers no expedited retrieval";
            self.unless(offered, &format!("{path}.retrieval"), what, "write `standard` or `bulk`");
        }
    }

    fn done(mut self) -> Vec<Error> {
        self.errors.sort_by_key(|error| position(error.place.as_deref()));
        self.errors
    }
}

/// Line and column of a place, so that errors come in the order of the file.
fn position(place: Option<&str>) -> (usize, usize) {
    let mut numbers = place.unwrap_or_default().rsplit(':').map(|n| n.parse::<usize>().unwrap_or(0));
    let column = numbers.next().unwrap_or(0);
    (numbers.next().unwrap_or(0), column)
}
