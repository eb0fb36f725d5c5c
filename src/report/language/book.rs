//! A phrase book: English sentences, with holes for what differs, each with its translation. Read from a gettext PO
//! file, which translators have tools for.

use std::{cell::Cell, collections::HashMap};

use super::template::{Pattern, Template};

/// Longer texts are not sentences of ours.
const LONGEST: usize = 4_096;

/// How many comparisons one sentence may cost. Ours take a few hundred; a hostile text must not take for ever.
const PATIENCE: u32 = 20_000;

/// English sentences with their translations.
#[derive(Debug)]
pub(super) struct PhraseBook {
    /// Sentences without holes.
    whole: HashMap<String, String>,
    /// Sentences with holes, those with most text of their own first.
    patterns: Vec<(Pattern, Template)>,
    /// What needs no entry: numbers, durations, sizes. `None` for everything else.
    figure: fn(&str) -> Option<String>,
}

impl PhraseBook {
    /// Reads a PO file that was compiled in. What is not translated, or cannot be used, is left out: the tests look at
    /// each entry.
    pub(super) fn read(po: &str, figure: fn(&str) -> Option<String>) -> Self {
        let mut book = PhraseBook { whole: HashMap::new(), patterns: Vec::new(), figure };
        for (english, said) in entries(po) {
            match (Pattern::read(&english), Template::read(&said)) {
                (Some(pattern), Some(template)) => book.patterns.push((pattern, template)),
                _ => drop(book.whole.insert(english, said)),
            }
        }
        book.patterns.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.own_text()));
        book
    }

    /// The sentence translated; `None` where the book does not have it.
    pub(super) fn translate(&self, english: &str) -> Option<String> {
        self.look_up(english, &Cell::new(PATIENCE))
    }

    /// The same, at most so many comparisons on.
    pub(super) fn look_up(&self, english: &str, patience: &Cell<u32>) -> Option<String> {
        if english.is_empty() || english.len() > LONGEST {
            return english.is_empty().then(String::new);
        }
        if let Some(said) = self.whole.get(english) {
            return Some(said.clone());
        }
        if let Some(said) = (self.figure)(english) {
            return Some(said);
        }
        let fitting = self.patterns.iter().find_map(|(pattern, template)| {
            let holes = pattern.holes(english, self, patience)?;
            Some(template.fill(&holes))
        });
        fitting.or_else(|| self.look_up(&uncapitalised(english)?, patience))
    }
}

/// A sentence as it is written within another one; `None` where that makes no difference.
fn uncapitalised(english: &str) -> Option<String> {
    let (first, rest) = english.split_at_checked(1)?;
    let is_capital = first.bytes().all(|b| b.is_ascii_uppercase());
    is_capital.then(|| format!("{}{rest}", first.to_ascii_lowercase()))
}

/// Sentences with their translations, in the file's order.
pub(super) fn entries(po: &str) -> Vec<(String, String)> {
    let Ok(catalog) = polib::po_file::parse_from_reader(po.as_bytes()) else { return Vec::new() };
    let translated = catalog.messages().filter(|message| message.is_translated() && !message.msgid().is_empty());
    translated.filter_map(|message| Some((message.msgid().to_owned(), message.msgstr().ok()?.to_owned()))).collect()
}
