//! The regression gate in reports: which duration is slower, by how much, and how sure that is; then what is only a
//! suspicion, and what could not be compared.

use super::{
    Options,
    page::Page,
    text::{markdown, plain, wrap},
};
use crate::model::{
    gate::{Gate, GateVerdict, Pace},
    words,
};

/// What is said of a gate: a head, then lines, each with a word that says what it is.
pub(super) struct Said {
    pub(super) head: String,
    pub(super) lines: Vec<(String, String)>,
}

/// Comparisons that were played too seldom are said once, not each.
pub(super) fn said(gate: &Gate, options: &Options) -> Said {
    let verdict = options.say(gate.verdict().words()).into_owned();
    let count = words::count(gate.compared.len() as u64, "duration");
    let limit = format!("{count} compared with the baseline, {}% slower allowed", gate.allowed_percent);
    let head = format!("{}: {verdict}. {}", options.say("Regression gate"), options.say(&limit));
    let mut lines = Vec::new();
    let mut add = |word: &str, text: String| lines.push((options.say(word).into_owned(), text));
    for (pace, word) in [(Pace::Slower, "slower"), (Pace::MaybeSlower, "maybe slower"), (Pace::Changed, "changed")] {
        gate.of(pace).for_each(|one| add(word, format!("{}: {}", one.place(), options.say(&one.figures()))));
    }
    let seldom = gate.of(Pace::TooFew).count();
    if seldom > 0 {
        let sentence = format!(
            "{} were played too seldom to tell noise from a change: {} plays on each side are needed (--repeat {})",
            words::count(seldom as u64, "measured duration"),
            gate.plays_needed,
            gate.plays_needed
        );
        add("too few", options.say(&sentence).into_owned());
    }
    for one in &gate.not_comparable {
        let drill = one.drill.as_deref().map_or(String::new(), |drill| format!("{drill}: "));
        add("not compared", format!("{drill}{}", options.say(&one.why)));
    }
    if gate.verdict() != GateVerdict::Held && gate.compared.is_empty() {
        add("not compared", options.say("nothing of this run is in the baseline as it is now").into_owned());
    }
    gate.notes.iter().for_each(|note| add("note", options.say(note).into_owned()));
    Said { head, lines }
}

/// The block that a terminal shows.
pub(super) fn block(gate: &Gate, options: &Options, width: usize) -> String {
    let Said { head, lines } = said(gate, options);
    let lines = lines.iter().map(|(word, text)| wrap(&format!("  {word}  "), &plain(text), width));
    let all: Vec<String> = [wrap("", &plain(&head), width)].into_iter().chain(lines).collect();
    all.join("\n") + "\n"
}

/// The section of a page, in full.
pub(super) fn section(page: &mut Page, gate: &Gate, options: &Options) {
    let Said { head, lines } = said(gate, options);
    page.heading(2, &options.say("Regression gate"));
    page.paragraph(&markdown(&head));
    if !lines.is_empty() {
        page.bullets(&lines.iter().map(|(word, text)| format!("**{word}** {}", markdown(text))).collect::<Vec<_>>());
    }
    page.paragraph(&options.say(
        "A measured duration is called slower only where its whole interval lies above what is allowed; all comparisons \
         together call it so by chance in one run of twenty at the most.",
    ));
}
