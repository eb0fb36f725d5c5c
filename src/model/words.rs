//! Figures in words, the one way in which records and reports write them.

/// `1 row`, `3 rows`, `2 copies`.
pub fn count(n: u64, noun: &str) -> String {
    match (n, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, None) if noun.ends_with('x') => format!("{n} {noun}es"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{n} {stem}ies"),
        _ => format!("{n} {noun}s"),
    }
}

/// `a, b and c`; nothing for nothing.
pub fn list<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// A time in milliseconds, as people say it: `183 ms`, `6 min 0.2 s`, `9 h 12 min`, `3 days 2 h`. Rounded to a tenth
/// of a second from one second on, to a second from one hour on.
pub fn duration(millis: u64) -> String {
    // Plans say 24 h and 48 h, so days begin above.
    in_units(millis, millis > 2 * 86_400_000)
}

/// The same without days, for columns of figures to be compared: `60 h 5 min`.
pub fn hours(millis: u64) -> String {
    in_units(millis, false)
}

fn in_units(millis: u64, days: bool) -> String {
    let step = match millis {
        0..1_000 => return format!("{millis} ms"),
        1_000..3_600_000 => 100,
        _ => 1_000,
    };
    let rounded = millis.saturating_add(step / 2) / step * step;
    let (mut minutes, seconds) = (rounded / 60_000, rounded % 60_000);
    let mut parts = Vec::new();
    if days {
        parts.push(count(minutes / 1_440, "day"));
        minutes %= 1_440;
    }
    for (amount, unit) in [(minutes / 60, "h"), (minutes % 60, "min")] {
        if amount > 0 {
            parts.push(format!("{amount} {unit}"));
        }
    }
    match (seconds / 1_000, seconds % 1_000 / 100) {
        (0, 0) => {}
        (whole, 0) => parts.push(format!("{whole} s")),
        (whole, tenths) => parts.push(format!("{whole}.{tenths} s")),
    }
    parts.join(" ")
}

/// A number of bytes, rounded: `512 B`, `4.0 MiB`.
pub fn bytes(n: u64) -> String {
    let (mut value, mut unit) = (n as f64, "B");
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1_024.0 {
            break;
        }
        (value, unit) = (value / 1_024.0, next);
    }
    if unit == "B" { format!("{n} B") } else { format!("{value:.1} {unit}") }
}

/// A fault as people read it: `name (mode)`, or the name alone where it has no choice of modes.
pub fn fault(name: &str, mode: &str) -> String {
    if mode.is_empty() { name.to_owned() } else { format!("{name} ({mode})") }
}

/// A value of a label as Prometheus and OpenMetrics quote it: backslash, quotation mark and line feed are escaped.
pub fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_say_them() {
        let shown: Vec<String> =
            [0, 183, 1_000, 12_340, 59_960, 360_183, 3_600_000, 33_120_400, 86_400_000, 172_800_000, 266_400_000]
                .map(duration)
                .into();
        let said = [
            "0 ms",
            "183 ms",
            "1 s",
            "12.3 s",
            "1 min",
            "6 min 0.2 s",
            "1 h",
            "9 h 12 min",
            "24 h",
            "48 h",
            "3 days 2 h",
        ];
        assert_eq!(shown, said);
        assert!(duration(u64::MAX).contains("days"));
        assert_eq!(hours(216_300_000), "60 h 5 min");
        assert_eq!(
            [count(1, "row"), count(0, "row"), count(2, "copy"), count(2, "day")].join(" "),
            "1 row 0 rows 2 copies 2 days"
        );
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!([bytes(512), bytes(4 << 20), bytes(u64::MAX)], ["512 B", "4.0 MiB", "16777216.0 TiB"]);
    }
}
