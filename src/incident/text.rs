//! Texts in both languages, and moments and durations as each of them writes them.

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::model::{
    time::{Basis, Elapsed},
    words,
};

/// A language that texts are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Korean.
    Ko,
}

impl Lang {
    /// Both.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Ko];

    /// Its tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ko => "ko",
        }
    }

    /// The one of two texts that is in this language.
    pub(super) fn pick<T>(self, en: T, ko: T) -> T {
        match self {
            Lang::En => en,
            Lang::Ko => ko,
        }
    }
}

/// One text in every language. There is no other way to make one, so that no translation can be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// English.
    pub en: String,
    /// Korean.
    pub ko: String,
}

impl Text {
    /// From both.
    pub(super) fn new(en: impl Into<String>, ko: impl Into<String>) -> Self {
        Text { en: en.into(), ko: ko.into() }
    }

    /// In one language.
    pub fn get(&self, lang: Lang) -> &str {
        lang.pick(&self.en, &self.ko)
    }
}

/// The time zone in which people read times.
#[derive(Debug, Clone)]
pub(super) struct Zone(TimeZone);

impl Zone {
    /// The zone of that name. Where this machine has no data of it, times are in UTC, and say so.
    pub(super) fn of(name: &str) -> Self {
        Zone(TimeZone::get(name).unwrap_or(TimeZone::UTC))
    }

    fn show(&self, at: Timestamp, form: &str) -> String {
        at.to_zoned(self.0.clone()).strftime(form).to_string()
    }

    /// `2026-11-04 21:00 KST`.
    pub(super) fn minute(&self, at: Timestamp) -> String {
        self.show(at, "%Y-%m-%d %H:%M %Z")
    }

    /// `2026-11-04 21:00:07 KST`.
    pub(super) fn second(&self, at: Timestamp) -> String {
        self.show(at, "%Y-%m-%d %H:%M:%S %Z")
    }

    /// `21:00`, with the date where that is another than that of `day`.
    pub(super) fn short(&self, at: Timestamp, day: Timestamp) -> String {
        let same = self.show(at, "%F") == self.show(day, "%F");
        self.show(at, if same { "%H:%M" } else { "%Y-%m-%d %H:%M" })
    }

    /// `2026-11-04 21:00 ~ 23:05 (KST)`: the start rounded down to the minute and the end up, so that no window is told
    /// shorter than it was.
    pub(super) fn window(&self, from: Timestamp, to: Timestamp) -> String {
        let to = up_to_the_minute(to);
        format!("{} ~ {} ({})", self.show(from, "%Y-%m-%d %H:%M"), self.short(to, from), self.show(from, "%Z"))
    }
}

/// The whole minute at or after a moment.
pub(super) fn up_to_the_minute(at: Timestamp) -> Timestamp {
    let over = at.as_millisecond().rem_euclid(60_000);
    if over == 0 { at } else { later(at, 60_000 - over.unsigned_abs()) }
}

/// A moment so many milliseconds after another; the last one that there is where it would be beyond.
pub(super) fn later(at: Timestamp, millis: u64) -> Timestamp {
    let by = jiff::SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX));
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// A time in milliseconds as a language says it: `2 h 5 min`, `2시간 5분`.
pub(super) fn duration(lang: Lang, millis: u64) -> String {
    let said = words::duration(millis);
    if lang == Lang::En {
        return said;
    }
    let mut korean = Vec::new();
    let mut parts = said.split(' ');
    while let (Some(amount), Some(unit)) = (parts.next(), parts.next()) {
        let unit = match unit {
            "day" | "days" => "일",
            "h" => "시간",
            "min" => "분",
            "s" => "초",
            _ => "밀리초",
        };
        korean.push(format!("{amount}{unit}"));
    }
    korean.join(" ")
}

/// A duration with how each part of it is known.
pub(super) fn elapsed(lang: Lang, time: Elapsed) -> String {
    if lang == Lang::En {
        return time.to_string();
    }
    let lasted: Vec<_> = time.parts().filter(|(_, part)| part.millis() != Some(0)).collect();
    let part = |(basis, part): &(Basis, crate::model::time::Measured)| {
        let basis = match basis {
            Basis::Measured => "실측",
            Basis::Assumed => "가정",
            Basis::Projected => "추정",
            Basis::Simulated => "모의",
            Basis::Scenario => "시나리오 시각 기준",
        };
        match part.millis() {
            Some(ms) => format!("{} {basis}", duration(lang, ms)),
            None => "[measured]".to_owned(),
        }
    };
    let said: Vec<String> = lasted.iter().map(part).collect();
    match lasted.len() {
        0 => duration(lang, 0),
        1 => said.join(""),
        _ if time.is_redacted() => said.join(" + "),
        _ => format!("{} = {}", said.join(" + "), duration(lang, time.total_ms())),
    }
}

/// Names one after another: `a, b and c`, `a, b, c`.
pub(super) fn list(lang: Lang, items: &[String]) -> String {
    lang.pick(words::list(items), items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::units::Span;

    #[test]
    fn times_and_durations_read_as_each_language_writes_them() {
        let (zone, at) = (Zone::of("Asia/Seoul"), "2026-11-04T12:00:01Z".parse::<Timestamp>().unwrap());
        assert_eq!(zone.window(at, later(at, 7_500_000)), "2026-11-04 21:00 ~ 23:06 (KST)");
        assert_eq!(zone.window(at, later(at, 4 * 3_600_000)), "2026-11-04 21:00 ~ 2026-11-05 01:01 (KST)");
        assert_eq!(Zone::of("Nowhere/Atall").minute(at), "2026-11-04 12:00 UTC");
        assert_eq!(duration(Lang::Ko, 7_500_200), "2시간 5분");
        let mixed = Elapsed::assumed(Span::minutes(6)).plus(Elapsed::ran(1_500, false));
        assert_eq!(elapsed(Lang::Ko, mixed), "6분 가정 + 1.5초 실측 = 6분 1.5초");
        assert_eq!(elapsed(Lang::En, mixed), mixed.to_string());
    }
}
