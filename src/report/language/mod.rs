//! The language of reports. What backdraft says is written in English throughout the code, and a phrase book holds each
//! sentence with its translation: docs/decisions/0025 says why. What others said (titles, causes, names, errors of
//! commands) and evidence as it was recorded stay as they are.

mod book;
mod figures;
mod template;

use std::{borrow::Cow, sync::OnceLock};

use book::PhraseBook;

/// A language of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Korean.
    Korean,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 2] = [Language::English, Language::Korean];

    /// Its IETF tag: `en`, `ko`.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Korean => "ko",
        }
    }

    /// The sentence in this language. One that the phrase book does not have is left in English, and a trace says so:
    /// a missing translation must not cost anybody a report.
    pub fn say(self, english: &str) -> Cow<'_, str> {
        let Language::Korean = self else { return Cow::Borrowed(english) };
        match korean().translate(english) {
            Some(said) => Cow::Owned(said),
            None => {
                tracing::debug!(target: "backdraft::phrase_book", english, "not in the phrase book");
                Cow::Borrowed(english)
            }
        }
    }
}

/// The phrase book in Korean, read once.
fn korean() -> &'static PhraseBook {
    static KOREAN: OnceLock<PhraseBook> = OnceLock::new();
    KOREAN.get_or_init(|| PhraseBook::read(include_str!("ko.po"), figures::korean))
}

#[cfg(test)]
mod tests;
