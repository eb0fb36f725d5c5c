//! Figures in Korean: numbers, durations with how they are known, and the particles that follow a word.

/// A figure in Korean; `None` where the text is none.
pub(super) fn korean(text: &str) -> Option<String> {
    if matches!(text, "-" | "?" | "[measured]" | "RTO" | "RPO" | "RTA" | "RPA")
        || text.chars().all(|c| c.is_ascii_digit() || "%.,/+×".contains(c))
    {
        return Some(text.replace("[measured]", "[측정값]"));
    }
    size(text).or_else(|| elapsed(text))
}

/// `4.0 MiB`: the same in every language.
fn size(text: &str) -> Option<String> {
    let (number, unit) = text.split_once(' ')?;
    let is_size = number.parse::<f64>().is_ok() && matches!(unit, "B" | "KiB" | "MiB" | "GiB" | "TiB" | "MiB/s");
    is_size.then(|| text.to_owned())
}

/// `6 min assumed + 183 ms measured = 6 min 0.2 s`.
fn elapsed(text: &str) -> Option<String> {
    if let Some((parts, sum)) = text.split_once(" = ") {
        return Some(format!("{} = {}", elapsed(parts)?, elapsed(sum)?));
    }
    let parts: Option<Vec<String>> = text.split(" + ").map(part).collect();
    Some(parts?.join(" + "))
}

/// A duration, and how it is known.
fn part(text: &str) -> Option<String> {
    let bases = [
        (" assumed", " 가정"),
        (" measured", " 측정"),
        (" simulated", " 모의"),
        (" projected", " 추정"),
        (" of scenario time", " (시나리오 시간)"),
    ];
    let known = bases.iter().find_map(|(english, korean)| Some((text.strip_suffix(english)?, *korean)));
    let (length, basis) = known.unwrap_or((text, ""));
    if length == "[measured]" {
        return Some(format!("[측정값]{basis}"));
    }
    Some(format!("{}{basis}", duration(length)?))
}

/// `3 days 2 h 5 min`.
fn duration(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(' ').collect();
    let (pairs, []) = words.as_chunks::<2>() else { return None };
    let said: Option<Vec<String>> = pairs.iter().map(|[number, unit]| one(number, unit)).collect();
    said.filter(|said| !said.is_empty()).map(|said| said.join(" "))
}

fn one(number: &str, unit: &str) -> Option<String> {
    number.parse::<f64>().ok()?;
    let unit = match unit {
        "ms" => "밀리초",
        "s" => "초",
        "min" => "분",
        "h" => "시간",
        "day" | "days" => "일",
        "week" | "weeks" => "주",
        _ => return None,
    };
    Some(format!("{number}{unit}"))
}

/// Puts a text behind another. A particle in both its forms, `은(는)`, becomes the one that fits what stands before it,
/// where that ends in a Korean syllable or a digit; else both forms stay, as is usual in print.
pub(super) fn join(said: &mut String, text: &str) {
    const PARTICLES: [(&str, &str, &str); 4] =
        [("은(는)", "은", "는"), ("이(가)", "이", "가"), ("을(를)", "을", "를"), ("와(과)", "과", "와")];
    for (both, closed, open) in PARTICLES {
        if let Some(rest) = text.strip_prefix(both) {
            let one = match said.chars().rev().find(|c| !"”’\"'`".contains(*c)).and_then(ends_closed) {
                Some(true) => closed,
                Some(false) => open,
                None => both,
            };
            said.push_str(one);
            said.push_str(rest);
            return;
        }
    }
    said.push_str(text);
}

/// Whether a syllable, or a digit as it is read, ends in a consonant.
fn ends_closed(last: char) -> Option<bool> {
    match last {
        '가'..='힣' => Some(!(u32::from(last) - u32::from('가')).is_multiple_of(28)),
        '0' | '1' | '3' | '6' | '7' | '8' => Some(true),
        '2' | '4' | '5' | '9' => Some(false),
        _ => None,
    }
}
