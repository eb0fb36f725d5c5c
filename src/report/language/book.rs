//! A phrase book: English sentences, with holes for what differs, each with its translation. Read from a gettext PO
//! file, which translators have tools for.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

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
        let search = Search { book: self, patience: Cell::new(PATIENCE), done: RefCell::default() };
        search.look_up(english)
    }

    fn whole(&self, english: &str) -> Option<String> {
        self.whole.get(english).cloned().or_else(|| (self.figure)(english))
    }
}

/// The search for one sentence and for those within it.
pub(super) struct Search<'b> {
    book: &'b PhraseBook,
    /// How many comparisons it may still cost.
    patience: Cell<u32>,
    /// What was looked up already: different readings of a sentence share most of their parts.
    done: RefCell<HashMap<String, Option<String>>>,
}

impl Search<'_> {
    /// The sentence, or the part of one, translated.
    pub(super) fn look_up(&self, english: &str) -> Option<String> {
        if english.is_empty() || english.len() > LONGEST {
            return english.is_empty().then(String::new);
        }
        if let Some(said) = self.book.whole(english) {
            return Some(said);
        }
        if let Some(said) = self.done.borrow().get(english) {
            return said.clone();
        }
        let fitting = self.book.patterns.iter().find_map(|(pattern, template)| {
            let holes = pattern.holes(english, self)?;
            Some(template.fill(&holes))
        });
        let said = fitting.or_else(|| self.look_up(&uncapitalised(english)?));
        self.done.borrow_mut().insert(english.to_owned(), said.clone());
        said
    }

    /// Takes one comparison from what the search may cost; `None` where nothing is left.
    pub(super) fn compare(&self) -> Option<()> {
        self.patience.set(self.patience.get().checked_sub(1)?);
        Some(())
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
