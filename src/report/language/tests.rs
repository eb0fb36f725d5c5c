//! The phrase book: every entry is usable, sentences are said whole, and what nobody wrote is left alone.

use proptest::prelude::*;

use super::{
    Language,
    book::entries,
    template::{Pattern, Template},
};

const KOREAN: &str = include_str!("ko.po");

fn korean(english: &str) -> String {
    Language::Korean.say(english).into_owned()
}

#[test]
fn every_entry_of_the_phrase_book_is_read_and_fills_the_holes_that_it_has() {
    let entries = entries(KOREAN);
    let written = KOREAN.lines().filter(|line| line.starts_with("msgid ")).count() - 1;
    assert_eq!(entries.len(), written, "an entry is not translated, or there twice");
    for (english, said) in &entries {
        let (pattern, template) = (Pattern::read(english), Template::read(said));
        let mut asked = pattern.as_ref().map_or(Vec::new(), Pattern::names);
        let mut used = template.as_ref().map_or(Vec::new(), Template::names);
        asked.sort_unstable();
        used.sort_unstable();
        assert_eq!(asked, used, "{english}");
        assert_eq!(english.contains('{'), pattern.is_some(), "a brace without its partner: {english}");
    }
}

#[test]
fn sentences_are_said_with_their_figures_and_names_stay_as_they_are() {
    let said = [
        "RTO missed",
        "12 of 14 drills passed, 1 failed, 1 inconclusive",
        "RPA is 36 h 5 min of scenario time, over the RPO of 24 h by 12 h 5 min",
        "The pipeline restored nothing: none of 3 recovery points passed; an alarm was raised",
        "6 min assumed + 183 ms measured = 6 min 0.2 s",
        "database: 75 acknowledged writes of 600 were lost, within the RPO of 24 h; back within the RTO of 4 h",
        "backup-x was refused in verify in a, b and c: line 2: it is, well, broken; monitoring had not said so",
        "Of the service's functions nothing was checked but: ledger, query and retention.",
        "a sentence that nobody translated",
    ];
    insta::assert_snapshot!(said.map(korean).join("\n"));
    assert_eq!(Language::English.say("RTO missed"), "RTO missed");
}

#[test]
fn particles_fit_the_word_before_them() {
    assert_eq!(korean("The schedule cannot hold the RPO of 24 h"), "백업 일정으로는 RPO 24시간을 지킬 수 없음");
    assert_eq!(korean("The schedule cannot hold the RPO of 1 week"), "백업 일정으로는 RPO 1주를 지킬 수 없음");
    assert_eq!(korean("fault bit-flip was never injected"), "장애 bit-flip이(가) 주입되지 않음");
}

proptest! {
    /// Sentences that nobody wrote are left alone, in bounded time, whatever they look like.
    #[test]
    fn a_hostile_text_is_never_lost(text in "([a-z]{1,8}(, | and |: |; | of | in ){1,3}){0,120}") {
        prop_assert!(!korean(&text).is_empty() || text.is_empty());
    }
}
