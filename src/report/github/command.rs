//! Workflow commands of GitHub Actions: annotations, and keeping other text from being taken for a command.
//! <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>

use std::borrow::Cow;

use super::{missed, short};
use crate::{
    model::{
        gate::{Gate, Pace},
        origin::Origins,
        outcome::DrillResult,
        record::{ObjectiveKind, Record},
    },
    report::{
        Run, figures,
        text::{cut, plain},
    },
};

/// GitHub shows so many annotations of one kind in a step, and drops what follows without a word.
const MOST: usize = 10;

/// Annotations, a line each: errors for what failed, warnings for what is inconclusive or missed, notices for findings.
/// The gravest come first, and where there are more than GitHub shows, the last says how many.
pub fn annotations(run: &Run<'_>) -> String {
    let origins = run.origins;
    let mut all = Vec::new();
    for record in run.records {
        all.extend(of_result(record, origins));
    }
    all.extend(run.gate.into_iter().flat_map(|gate| of_gate(gate, origins)));
    all.extend(run.records.iter().filter_map(|record| of_objectives(record, origins)));
    all.extend(of_findings(run.records, origins));
    let of = |kind: Kind| -> Vec<Annotation> {
        let mut some: Vec<Annotation> = all.iter().filter(|one| one.kind == kind).cloned().collect();
        let left_out = some.len().saturating_sub(MOST);
        some.truncate(MOST);
        if let (1.., Some(last)) = (left_out, some.last_mut()) {
            last.message.push_str(&format!(" (and {left_out} more, in the summary of this step)"));
        }
        some
    };
    let lines = [Kind::Error, Kind::Warning, Kind::Notice].into_iter().flat_map(of);
    lines.map(|one| one.line() + "\n").collect()
}

/// Longest message, in columns.
const LONGEST_MESSAGE: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Error,
    Warning,
    Notice,
}

#[derive(Debug, Clone)]
struct Annotation {
    kind: Kind,
    /// File and line.
    place: Option<(String, usize)>,
    title: String,
    message: String,
}

impl Annotation {
    fn new(kind: Kind, record: &str, path: &str, origins: Option<&Origins>, title: String, message: String) -> Self {
        let origin = origins.and_then(|origins| origins.get(record));
        Annotation { kind, place: origin.map(|origin| (origin.file.clone(), origin.line(path))), title, message }
    }

    fn line(&self) -> String {
        let kind = match self.kind {
            Kind::Error => "error",
            Kind::Warning => "warning",
            Kind::Notice => "notice",
        };
        let place = self.place.as_ref().map_or(String::new(), |(file, line)| {
            // A path is not shortened: another path would be meant.
            format!("file={},line={line},", property(&plain(file)))
        });
        format!("::{kind} {place}title={}::{}", property(&short(&self.title)), data(&self.message))
    }
}

/// At what the scenario expected, or at the fault that did not bite.
fn of_result(record: &Record, origins: Option<&Origins>) -> Option<Annotation> {
    let result = record.result.result;
    let name = &record.identity.scenario;
    let toothless = record.faults.iter().position(|fault| !fault.proof.as_ref().is_some_and(|proof| proof.bit));
    let (kind, path) = match result {
        DrillResult::Pass => return None,
        DrillResult::Fail if record.result.outcome == Some(record.scenario.expect.outcome) => {
            (Kind::Error, "expect".into())
        }
        DrillResult::Fail => (Kind::Error, "expect.outcome".into()),
        DrillResult::Inconclusive => {
            (Kind::Warning, toothless.map_or("expect".into(), |number| format!("faults[{number}]")))
        }
        DrillResult::NotExecuted => (Kind::Error, "title".to_owned()),
        DrillResult::Interrupted => (Kind::Warning, "title".to_owned()),
    };
    let (title, message) = (format!("{name}: {}", result.words()), record.result.reasons.join("; "));
    Some(Annotation::new(kind, name, &path, origins, title, message))
}

/// One a drill, at its expectation: a miss that the scenario expects is a miss all the same.
fn of_objectives(record: &Record, origins: Option<&Origins>) -> Option<Annotation> {
    let missed = missed(record);
    let first = missed.first()?;
    let path = match first.objective {
        ObjectiveKind::Rto => "expect.rto",
        ObjectiveKind::Rpo => "expect.rpo",
    };
    let said = missed.iter().map(|judged| {
        let why = judged.why.as_deref().unwrap_or_default();
        format!("{} of {}, {}: {why}", judged.objective.words(), judged.whose, judged.limit)
    });
    let name = &record.identity.scenario;
    let message = said.collect::<Vec<_>>().join("; ");
    Some(Annotation::new(Kind::Warning, name, path, origins, format!("{name}: objective missed"), message))
}

fn of_gate(gate: &Gate, origins: Option<&Origins>) -> Vec<Annotation> {
    let of = |pace, kind, word: &'static str| {
        gate.of(pace).map(move |one| {
            let title = format!("{}: {word}", one.place());
            Annotation::new(kind, &one.drill, "expect", origins, title, one.figures())
        })
    };
    let mut all: Vec<_> = of(Pace::Slower, Kind::Error, "slower than the baseline allows").collect();
    all.extend(of(Pace::MaybeSlower, Kind::Warning, "maybe slower than the baseline allows, not sure"));
    if gate.of(Pace::TooFew).next().is_some() {
        let message = format!("{} plays on each side are needed: run with --repeat", gate.plays_needed);
        let title = "regression gate: played too seldom".to_owned();
        all.push(Annotation { kind: Kind::Warning, place: None, title, message });
    }
    all.extend(gate.not_comparable.iter().map(|one| {
        let drill = one.drill.as_deref().unwrap_or_default();
        let title = format!("regression gate: not comparable {drill}").trim_end().to_owned();
        Annotation::new(Kind::Warning, drill, "title", origins, title, one.why.clone())
    }));
    all
}

/// Each finding once, in the first drill that has it.
fn of_findings(records: &[Record], origins: Option<&Origins>) -> Vec<Annotation> {
    let groups = figures::findings(records);
    let annotation = |group: &figures::Group<'_>| {
        let finding = group.finding;
        let drill = group.drills.first().copied().unwrap_or_default();
        let title = format!("{}: {}", finding.severity.words(), finding.title);
        let remedies = group.remedies(str::to_owned).join(" ");
        let message = format!("{}: {}. {remedies}", group.place(), finding.what.trim_end_matches('.'));
        Annotation::new(Kind::Notice, drill, "faults", origins, title, message)
    };
    groups.iter().map(annotation).collect()
}

/// Text behind the `::` of a command.
fn data(text: &str) -> String {
    let text = cut(&plain(text), LONGEST_MESSAGE).replace("##[", "## [");
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value between its commas.
fn property(text: &str) -> String {
    let text = text.replace("##[", "## [").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    text.replace(':', "%3A").replace(',', "%2C")
}

/// Text that GitHub takes for no command: it looks for `::` at the beginning of a line, blanks aside, and for `##[`
/// anywhere in it.
pub fn no_command(text: &str) -> Cow<'_, str> {
    let is_one = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
    if !text.split(['\n', '\r']).any(is_one) {
        return Cow::Borrowed(text);
    }
    let harmless = |line: &str| {
        let blanks = line.len() - line.trim_start().len();
        let (indent, rest) = line.split_at(blanks);
        let rest = if rest.starts_with("::") { rest.replacen("::", ": :", 1) } else { rest.to_owned() };
        format!("{indent}{}", rest.replace("##[", "## ["))
    };
    // A carriage return ends a line for the runner, too.
    let lines = text.split_inclusive(['\n', '\r']).map(harmless);
    Cow::Owned(lines.collect())
}
