//! Quantities as people write them in a plan: `15 min`, `1 MiB`, `64 KiB/s`, `50%`, `03:00`, `day 4 12:00`.
//! Each is a number with its unit in the type; a bare number is refused, so that no unit is ever guessed.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Makes a type read and write itself as one string, in YAML, JSON and JSON Schema alike.
macro_rules! written_as_text {
    ($type:ident, $pattern:literal, $example:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "pattern": $pattern, "examples": [$example]})
            }
        }
    };
}

/// A length of time, in milliseconds. Written `500 ms`, `30 s`, `15 min`, `2 h`, `7 days`, `1 week`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub u64);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// From whole minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Span(minutes * 60_000)
    }
    /// From whole hours.
    pub const fn hours(hours: u64) -> Self {
        Span(hours * 3_600_000)
    }
    /// Length in milliseconds.
    pub const fn millis(self) -> u64 {
        self.0
    }
    /// Whether it is no time at all.
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }
    /// As a standard duration.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

/// Milliseconds per unit, longest first; the first spelling is the one that is written.
const SPAN_UNITS: &[(u64, &[&str])] = &[
    (604_800_000, &["weeks", "week", "w"]),
    (86_400_000, &["days", "day", "d"]),
    (3_600_000, &["h", "hour", "hours"]),
    (60_000, &["min", "minute", "minutes"]),
    (1_000, &["s", "second", "seconds"]),
    (1, &["ms"]),
];

impl FromStr for Span {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let hint = "write a whole number and a unit: 500 ms, 30 s, 15 min, 2 h, 7 days, 1 week";
        let (number, unit) = split_unit(text, "duration", hint)?;
        let factor = SPAN_UNITS
            .iter()
            .find(|(_, names)| names.contains(&unit))
            .ok_or_else(|| format!("`{text}`: `{unit}` is no unit of time; {hint}"))?
            .0;
        number.checked_mul(factor).map(Span).ok_or_else(|| format!("`{text}` is too long a time"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0 min");
        }
        // 24 h and 48 h are how plans say it, so days start where hours stop being read easily.
        let unit = SPAN_UNITS
            .iter()
            .find(|(ms, _)| self.0.is_multiple_of(*ms) && !(*ms == 86_400_000 && self.0 <= 2 * 86_400_000));
        let (ms, names) = unit.unwrap_or(&(1, &["ms"]));
        let count = self.0 / ms;
        let name = if count == 1 && names[0].ends_with('s') && names[0].len() > 2 { names[1] } else { names[0] };
        write!(f, "{count} {name}")
    }
}
written_as_text!(Span, r"^[0-9]+ ?(ms|s|seconds?|min|minutes?|h|hours?|d|days?|w|weeks?)$", "15 min");

/// A number of bytes. Written `512 B`, `64 KiB`, `4 MiB`, `10 GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

const BYTE_UNITS: &[(u64, &str)] = &[(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")];

impl FromStr for ByteSize {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let hint = "write a whole number and a unit: 512 B, 64 KiB, 4 MiB, 10 GiB";
        let (number, unit) = split_unit(text, "size", hint)?;
        let factor = BYTE_UNITS
            .iter()
            .find(|(_, name)| *name == unit)
            .ok_or_else(|| format!("`{text}`: `{unit}` is no unit of size; {hint}"))?
            .0;
        number.checked_mul(factor).map(ByteSize).ok_or_else(|| format!("`{text}` is too large a size"))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (factor, name) =
            BYTE_UNITS.iter().find(|(b, _)| self.0 >= *b && self.0.is_multiple_of(*b)).unwrap_or(&(1, "B"));
        write!(f, "{} {name}", self.0 / factor)
    }
}
written_as_text!(ByteSize, r"^[0-9]+ ?(B|KiB|MiB|GiB)$", "4 MiB");

/// A transfer rate in bytes per second. Written `64 KiB/s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub u64);

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let hint = "write a size and `/s`: 64 KiB/s, 50 MiB/s";
        let size = text.strip_suffix("/s").ok_or_else(|| format!("`{text}` is no transfer rate; {hint}"))?;
        let bytes = size.parse::<ByteSize>()?.0;
        if bytes == 0 { Err(format!("`{text}`: a rate of zero never ends; {hint}")) } else { Ok(Rate(bytes)) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", ByteSize(self.0))
    }
}
written_as_text!(Rate, r"^[0-9]+ ?(B|KiB|MiB|GiB)/s$", "64 KiB/s");

/// A share in whole percent, 0 to 100. Written `50%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(pub u8);

impl Percent {
    /// That share of a number, rounded down.
    pub fn of(self, whole: u64) -> u64 {
        (u128::from(whole) * u128::from(self.0) / 100) as u64
    }
}

impl FromStr for Percent {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let hint = "write a whole number from 0 to 100 and a percent sign: 50%";
        let number = text.strip_suffix('%').and_then(|n| n.trim().parse::<u8>().ok()).filter(|n| *n <= 100);
        number.map(Percent).ok_or_else(|| format!("`{text}` is no share; {hint}"))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}
written_as_text!(Percent, r"^[0-9]{1,3} ?%$", "50%");

/// A time of day in UTC, to the minute. Written `03:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    /// Minutes since midnight UTC, below 1440.
    pub minutes: u16,
}

impl FromStr for TimeOfDay {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once(':').and_then(|(h, m)| {
            let in_form = h.len() == 2 && m.len() == 2;
            Some((h.parse::<u16>().ok()?, m.parse::<u16>().ok()?)).filter(|(h, m)| in_form && *h < 24 && *m < 60)
        });
        let (hours, minutes) =
            parsed.ok_or_else(|| format!("`{text}` is no time of day; write HH:MM in UTC: 03:00"))?;
        Ok(TimeOfDay { minutes: hours * 60 + minutes })
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}
written_as_text!(TimeOfDay, r"^[0-2][0-9]:[0-5][0-9]$", "03:00");

/// A moment of the scenario's history: day (the first is 1) and time of day in UTC. Written `day 4 12:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayTime {
    /// Day of the history, from 1.
    pub day: u32,
    /// Time of day, UTC.
    pub time: TimeOfDay,
}

impl DayTime {
    /// Milliseconds since the start of day 1.
    pub fn millis(self) -> u64 {
        u64::from(self.day - 1) * 86_400_000 + u64::from(self.time.minutes) * 60_000
    }
}

impl FromStr for DayTime {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let hint = "write `day N HH:MM`, the first day being 1: day 4 12:00";
        let rest = text.strip_prefix("day ").ok_or_else(|| format!("`{text}` is no moment of the history; {hint}"))?;
        let (day, time) =
            rest.split_once(' ').ok_or_else(|| format!("`{text}` is no moment of the history; {hint}"))?;
        let day = day.parse::<u32>().ok().filter(|d| (1..=3660).contains(d));
        let day = day.ok_or_else(|| format!("`{text}`: the day must be a number from 1 to 3660; {hint}"))?;
        Ok(DayTime { day, time: time.parse()? })
    }
}

impl fmt::Display for DayTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "day {} {}", self.day, self.time)
    }
}
written_as_text!(DayTime, r"^day [0-9]+ [0-2][0-9]:[0-5][0-9]$", "day 4 12:00");

fn split_unit<'t>(text: &'t str, noun: &str, hint: &str) -> Result<(u64, &'t str), String> {
    let text = text.trim();
    if text.starts_with('-') {
        return Err(format!("`{text}`: a {noun} cannot be negative; {hint}"));
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..digits].parse::<u64>().map_err(|_| format!("`{text}` is no {noun}; {hint}"))?;
    match text[digits..].trim() {
        "" => Err(format!("`{text}` has no unit; {hint}")),
        unit => Ok((number, unit)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quantity_without_a_unit_or_below_zero_is_refused_with_a_hint() {
        let refusals = [
            "15".parse::<Span>().unwrap_err(),
            "-5 min".parse::<Span>().unwrap_err(),
            "2 fortnights".parse::<Span>().unwrap_err(),
            "4 MB".parse::<ByteSize>().unwrap_err(),
            "fast".parse::<Rate>().unwrap_err(),
            "101%".parse::<Percent>().unwrap_err(),
            "25:00".parse::<TimeOfDay>().unwrap_err(),
            "day 0 12:00".parse::<DayTime>().unwrap_err(),
        ];
        insta::assert_snapshot!(refusals.join("\n"));
    }

    #[test]
    fn spans_read_as_a_plan_writes_them() {
        let shown: Vec<String> =
            [0, 500, 30_000, 900_000, 7_200_000, 86_400_000, 172_800_000, 259_200_000, 604_800_000]
                .map(|ms| Span(ms).to_string())
                .into();
        assert_eq!(shown, ["0 min", "500 ms", "30 s", "15 min", "2 h", "24 h", "48 h", "3 days", "1 week"]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_unchanged(n in 0u64..1 << 50, day in 1u32..3660, minutes in 0u16..1440) {
            prop_assert_eq!(Span(n).to_string().parse::<Span>(), Ok(Span(n)));
            prop_assert_eq!(ByteSize(n).to_string().parse::<ByteSize>(), Ok(ByteSize(n)));
            let moment = DayTime { day, time: TimeOfDay { minutes } };
            prop_assert_eq!(moment.to_string().parse::<DayTime>(), Ok(moment));
        }
    }
}
