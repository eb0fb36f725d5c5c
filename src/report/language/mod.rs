//! The language of reports. What backdraft says is written in English throughout the code; a phrase book holds each
//! sentence with its translation. What others said (titles, causes, errors of commands) stays as it is.

use std::borrow::Cow;

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
    /// Its IETF tag: `en`, `ko`.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Korean => "ko",
        }
    }

    /// The sentence in this language; as it is where the phrase book does not have it.
    pub fn say(self, english: &str) -> Cow<'_, str> {
        Cow::Borrowed(english)
    }
}
