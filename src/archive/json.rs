//! Checks JSON without building values, and says what is wrong in one line.

use serde::de::IgnoredAny;

use super::Fault;

/// Deepest nesting of a row: what serde_json's own values allow, so that whoever reads a row on can.
pub(super) const MAX_DEPTH: usize = 127;

/// Checks that a text is one JSON object, not nested too deep.
pub(super) fn check_object(text: &str) -> Result<(), Fault> {
    // Bytes must be checked to be UTF-8 before: `IgnoredAny` passes over strings without looking.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return Err(fault(&error));
    }
    match text.trim_start().chars().next() {
        Some('{') => check_depth(text),
        first => Err(Fault::NotAnObject(first.unwrap_or(' '))),
    }
}

/// Checks the nesting of what is known to be JSON: `IgnoredAny` has no limit of its own.
pub(super) fn check_depth(json: &str) -> Result<(), Fault> {
    // Most rows have fewer brackets than the limit, and need no second look.
    if json.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count() <= MAX_DEPTH {
        return Ok(());
    }
    let mut depth = 0usize;
    for byte in outside_strings(json) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
    }
    Ok(())
}

/// Appends a row that may be spread over lines as one line, without the `\n`. Rows on one line keep their spelling.
pub(super) fn push_on_one_line(json: &str, out: &mut Vec<u8>) {
    if !json.contains(['\n', '\r']) {
        return out.extend_from_slice(json.as_bytes());
    }
    let mut in_string = InString::default();
    out.extend(json.bytes().filter(|byte| in_string.feed(*byte) || !byte.is_ascii_whitespace()));
}

/// What serde_json says, without its line number: it counts from the row's start.
pub(super) fn fault(error: &serde_json::Error) -> Fault {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    Fault::Json(format!("{what} at column {}", error.column()))
}

/// The column at which text is no UTF-8, from 1, with the number of line ends before it.
pub(super) fn not_utf8(bytes: &[u8], valid_up_to: usize) -> (u64, Fault) {
    let before = &bytes[..valid_up_to];
    let lines = before.iter().filter(|byte| **byte == b'\n').count() as u64;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (lines, Fault::Utf8(column))
}

fn outside_strings(json: &str) -> impl Iterator<Item = u8> {
    let mut in_string = InString::default();
    json.bytes().filter(move |byte| !in_string.feed(*byte))
}

/// Knows whether a byte of valid JSON belongs to a string.
#[derive(Default)]
struct InString {
    inside: bool,
    escaped: bool,
}

impl InString {
    /// Takes the next byte; its quotes belong to a string.
    fn feed(&mut self, byte: u8) -> bool {
        let was_inside = self.inside;
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = self.inside,
            b'"' => self.inside = !self.inside,
            _ => {}
        }
        was_inside || self.inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_are_no_nesting() {
        let flat = format!(r#"{{"a":"{}\"","b":1}}"#, "[".repeat(500));
        assert_eq!(check_object(&flat), Ok(()));
        let at_limit = format!(r#"{{"a":{}{}}}"#, "[".repeat(MAX_DEPTH - 1), "]".repeat(MAX_DEPTH - 1));
        assert_eq!(check_object(&at_limit), Ok(()));
        assert!(serde_json::from_str::<serde_json::Value>(&at_limit).is_ok());
        let beyond = format!(r#"{{"a":{}{}}}"#, "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert_eq!(check_object(&beyond), Err(Fault::TooDeep));
    }

    #[test]
    fn a_row_on_several_lines_keeps_the_spelling_of_its_values() {
        let mut out = Vec::new();
        push_on_one_line("{\r\n  \"a b\" : 1.50,\n\t\"c\": \"x \\\" y\"\n}", &mut out);
        assert_eq!(String::from_utf8_lossy(&out), r#"{"a b":1.50,"c":"x \" y"}"#);
    }
}
