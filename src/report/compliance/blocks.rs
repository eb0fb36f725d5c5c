//! What a compliance report says, block by block: the first page for those who decide, then everything it rests on.

use super::{Page, details};
use crate::{
    model::{
        compliance::{Beside, Compliance, Kept, Share},
        status::Colour,
    },
    report::{
        Options,
        contract::moment,
        text::{cut, plain},
    },
};

/// Columns beyond which a text from elsewhere is cut.
const LONGEST: usize = 400;

/// A part of the page. Texts are bare: each format escapes all of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    /// A title of level 1, 2, …
    Heading(u8, String),
    /// The verdict.
    Verdict(Colour, String),
    /// A paragraph.
    Paragraph(String),
    /// A list.
    Bullets(Vec<String>),
    /// A list behind its title, which a reader opens where the format allows that.
    Folded(String, Vec<String>),
    /// A table.
    Table(Vec<String>, Vec<Vec<Cell>>),
    /// A table that people fill in.
    Form(Vec<String>, Vec<Vec<Cell>>),
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Cell {
    /// What it says.
    pub(super) text: String,
    /// What its colour says beside the text.
    pub(super) standing: Option<Colour>,
    /// Whether it is short and stays in one line: a date, a word.
    pub(super) whole: bool,
}

impl Cell {
    /// A text without a colour.
    pub(super) fn of(text: impl Into<String>) -> Self {
        Cell { text: text.into(), ..Cell::default() }
    }

    /// A date or a word that no line breaks.
    pub(super) fn whole(text: impl Into<String>) -> Self {
        Cell { text: text.into(), whole: true, ..Cell::default() }
    }

    /// A text that says how something stands.
    pub(super) fn standing(standing: Colour, text: impl Into<String>) -> Self {
        Cell { text: text.into(), standing: Some(standing), ..Cell::default() }
    }
}

/// What all blocks are made with.
pub(super) struct Writer<'a> {
    pub(super) of: &'a Compliance,
    pub(super) options: &'a Options,
}

impl Writer<'_> {
    /// A text of backdraft's own, in the language asked for.
    pub(super) fn say(&self, english: &str) -> String {
        self.options.say(english).into_owned()
    }

    /// Titles of a table's columns.
    pub(super) fn heads<const N: usize>(&self, heads: [&str; N]) -> Vec<String> {
        heads.map(|head| self.say(head)).into()
    }

    pub(super) fn heading(&self, english: &str) -> Block {
        Block::Heading(2, self.say(english))
    }

    /// A moment in the plan's time zone.
    pub(super) fn moment(&self, at: jiff::Timestamp) -> String {
        moment(at, &self.of.period.time_zone)
    }

    /// The day of a moment there.
    pub(super) fn day(&self, at: jiff::Timestamp) -> String {
        self.moment(at).chars().take(10).collect()
    }
}

/// A text from elsewhere: one line, without controls, not endless.
pub(super) fn foreign(text: &str) -> String {
    cut(&plain(text), LONGEST)
}

/// The whole page.
pub(super) fn blocks(page: &Page<'_>, options: &Options) -> Vec<Block> {
    let writer = Writer { of: page.of, options };
    let mut all = first_page(&writer, page.key);
    all.extend(details::objectives(&writer));
    all.extend(details::cadence(&writer));
    all.extend(details::coverage(&writer));
    all.extend(details::findings(&writer));
    all.extend(details::controls(&writer));
    all.extend(details::drills(&writer));
    all.extend(limits(&writer));
    all.extend(sign_off(&writer));
    all
}

fn first_page(writer: &Writer<'_>, key: Option<&str>) -> Vec<Block> {
    let of = writer.of;
    let last = of.period.last();
    let (from, zone) = (of.period.from, foreign(&of.period.time_zone));
    let signature = match key {
        Some(key) => {
            format!("Signed with the key {key}: `backdraft verify-evidence` tells whether anything was changed.")
        }
        None => "This report is UNSIGNED.".into(),
    };
    let mut lines = vec![
        writer.say(&format!("Period: {from} to {last} ({zone}), made {}", writer.moment(of.made_at))),
        writer.say(&drills(of)),
        writer.say(&objectives(of)),
        writer.say(&worst_gap(of)),
        writer.say(&cadence(of)),
        writer.say(&format!("Coverage: {} of what the plan and the scenarios hold", share(of.coverage.whole))),
        writer.say(&findings(of)),
    ];
    lines.push(match &of.head {
        Some(head) => writer.say(&format!("Head of the history: {} {}", head.sequence, head.sha256)),
        None => writer.say("Head of the history: none, for this was made from records alone"),
    });
    lines.extend(of.beside.as_ref().map(|beside| writer.say(&evidence(beside))));
    lines.push(writer.say(&signature));
    vec![
        Block::Heading(1, format!("{}: {}", writer.say("RTO compliance report"), foreign(&of.platform))),
        Block::Verdict(of.standing, writer.say(verdict(of.standing))),
        Block::Bullets(lines),
        Block::Paragraph(writer.say(
            "Only real drills are evidence; drills in virtual time are listed and count for nothing. What was not tested \
             is grey, and counts. This report says what the evidence supports, not that a control or a law is complied \
             with.",
        )),
    ]
}

fn verdict(standing: Colour) -> &'static str {
    match standing {
        Colour::Green => "GREEN: every objective and every restore test was kept, with room to spare",
        Colour::Amber => "AMBER: everything was kept, barely or in part",
        Colour::Grey => "GREY: nothing was missed, and not everything was tested",
        Colour::Red => "RED: an objective or a restore test was missed",
    }
}

fn drills(of: &Compliance) -> String {
    let count = &of.completeness;
    let mut said = format!("Drills: {} ({} passed", count.drills, count.passed);
    let ends = [
        (count.failed, "failed"),
        (count.inconclusive, "inconclusive"),
        (count.interrupted, "interrupted"),
        (count.not_executed, "not executed"),
    ];
    ends.iter().filter(|(n, _)| *n > 0).for_each(|(n, word)| said.push_str(&format!(", {n} {word}")));
    said.push(')');
    let beside = [
        (count.simulated, "simulated"),
        (count.of_another_plan, "of another plan file"),
        (count.undated, "more without a date"),
    ];
    beside.iter().filter(|(n, _)| *n > 0).for_each(|(n, words)| said.push_str(&format!(", {n} {words}")));
    said
}

fn objectives(of: &Compliance) -> String {
    let count = |wanted: &[Colour]| of.objectives.iter().filter(|one| wanted.contains(&one.standing)).count();
    format!(
        "Objectives: {} of {} met, {} missed, {} untested or unmeasured",
        count(&[Colour::Green, Colour::Amber]),
        of.objectives.len(),
        count(&[Colour::Red]),
        count(&[Colour::Grey])
    )
}

/// The missed objective that is worst: one whose drill brought nothing back, else the one furthest over its limit.
fn worst_gap(of: &Compliance) -> String {
    let missed = of.objectives.iter().filter(|one| one.standing == Colour::Red);
    let worst = missed.min_by_key(|one| one.worst.is_some().then(|| one.margin_percent.unwrap_or(i64::MIN)));
    match worst {
        None => "Worst gap: none".into(),
        Some(one) => {
            let scenario = foreign(one.worst_in.as_deref().unwrap_or("-"));
            let actual = one.worst_words();
            let (name, limit) = (one.objective.words(), one.limit);
            format!("Worst gap: {name} of {} ({limit}): {actual}, in {scenario}", foreign(&one.whose))
        }
    }
}

fn cadence(of: &Compliance) -> String {
    let missed = of.cadence.iter().filter(|one| one.standing == Colour::Red).count();
    match of.cadence.first() {
        None => "Restore tests: the plan asks for none".into(),
        Some(one) => {
            let (kept, all) = (of.cadence.iter().filter(|one| one.standing == Colour::Green).count(), of.cadence.len());
            let is_unknown = |one: &&Kept| one.standing == Colour::Grey && one.windows.iter().any(|w| w.before_history);
            let unknown = match of.cadence.iter().filter(is_unknown).count() {
                0 => String::new(),
                unknown => format!(", not known for {unknown}"),
            };
            format!(
                "Restore tests every {}: kept for {kept} of {all} services, missed for {missed}{unknown}",
                one.every
            )
        }
    }
}

/// What evidence lay beside the records.
pub(super) fn evidence(beside: &Beside) -> String {
    let Beside { signed, unchecked, unsigned, none } = beside;
    format!(
        "Evidence beside the records: {signed} signed, {unchecked} with a signature that was not checked, {unsigned} \
         unsigned, {none} without any"
    )
}

fn findings(of: &Compliance) -> String {
    let open = || of.findings.iter().filter(|one| one.closed_at.is_none());
    let (all, none) = (open().count(), open().filter(|one| one.action.is_none()).count());
    let overdue = of.findings.iter().filter(|one| one.overdue).count();
    format!("Findings: {all} open, {none} without an action, {overdue} overdue")
}

/// `6 of 14 (42%)`.
pub(super) fn share(share: Share) -> String {
    format!("{} of {} ({}%)", share.tested, share.of, share.percent())
}

fn limits(writer: &Writer<'_>) -> Vec<Block> {
    let lines = writer.of.limits.iter().map(|limit| writer.say(limit)).collect();
    vec![writer.heading("What this report does not show"), Block::Bullets(lines)]
}

/// Lines that people fill in by hand.
fn sign_off(writer: &Writer<'_>) -> Vec<Block> {
    let rows = ["Reviewer", "Approver"].map(|role| {
        let blank = Cell::default();
        vec![Cell::of(writer.say(role)), blank.clone(), blank.clone(), blank]
    });
    let form = Block::Form(writer.heads(["Role", "Name", "Date", "Signature"]), rows.into());
    let of = writer.of;
    let made = format!("backdraft {} · plan {} · {}", foreign(&of.tool_version), foreign(&of.plan_sha256), of.format);
    vec![writer.heading("Review and approval"), form, Block::Paragraph(writer.say(&made))]
}
