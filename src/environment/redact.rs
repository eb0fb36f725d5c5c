//! Takes secrets out of what is told: out of a text, and out of every text of a value. What matches a rule is replaced by
//! what it was, and nothing else is touched. What was taken out once is not found again.

use std::{borrow::Cow, ops::Range};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    rules::{RULES, Rule, Shape},
    scan::{pairs, places, random},
};

/// A value without secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct Cleaned<T> {
    /// The value.
    pub value: T,
    /// Whether something was taken out of it.
    pub changed: bool,
    /// Whether something was taken out of a name in it: whatever refers to it by that name no longer does.
    pub renamed: bool,
}

/// The text without the secrets in it: `[REDACTED: an AWS access key]` stands where one stood.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut found: Vec<(Range<usize>, &Rule)> =
        RULES.iter().flat_map(|rule| places(rule, text).map(move |place| (place, rule))).collect();
    if let Some(rule) = by_entropy() {
        found.extend(assigned(text).chain(in_rows(text)).map(|place| (place, rule)));
    }
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    // Of two that overlap the one that begins first is named, and both go.
    found.sort_by_key(|(place, _)| (place.start, usize::MAX - place.end));
    let (mut clean, mut told) = (String::with_capacity(text.len()), 0);
    for (place, rule) in found {
        if place.start >= told {
            clean.push_str(&text[told..place.start]);
            clean.push_str(&mark(rule));
        }
        told = told.max(place.end);
    }
    clean.push_str(&text[told..]);
    Cow::Owned(clean)
}

/// The value without the secrets in any of its texts and names.
///
/// # Errors
/// When the value has no JSON form, or is none any more without its secrets.
pub fn without_secrets<T: Serialize + DeserializeOwned>(value: T) -> Result<Cleaned<T>, serde_json::Error> {
    let mut json = serde_json::to_value(&value)?;
    let mut sieve = Sieve::default();
    sieve.value(None, &mut json);
    let Sieve { changed, renamed } = sieve;
    let value = if changed { serde_json::from_value(json)? } else { value };
    Ok(Cleaned { value, changed, renamed })
}

#[derive(Default)]
struct Sieve {
    changed: bool,
    renamed: bool,
}

impl Sieve {
    fn value(&mut self, name: Option<&str>, value: &mut Value) {
        match value {
            Value::String(text) => {
                let named = name.filter(|name| random(name, text)).and(by_entropy()).map(mark);
                let clean = named.or_else(|| owned(redact(text)));
                if let Some(clean) = clean {
                    (*text, self.changed) = (clean, true);
                }
            }
            Value::Array(all) => all.iter_mut().for_each(|one| self.value(name, one)),
            Value::Object(fields) => {
                fields.iter_mut().for_each(|(name, value)| self.value(Some(name), value));
                if fields.keys().any(|name| matches!(redact(name), Cow::Owned(_))) {
                    (self.changed, self.renamed) = (true, true);
                    *fields = rename(std::mem::take(fields));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The fields under names without secrets. No field goes: of two names that are the same then, one is numbered.
fn rename(fields: Map<String, Value>) -> Map<String, Value> {
    let mut renamed = Map::new();
    for (name, value) in fields {
        let name = redact(&name).into_owned();
        let numbered = (2..).map(|n| format!("{name} {n}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !renamed.contains_key(name));
        renamed.insert(free.unwrap_or(name), value);
    }
    renamed
}

fn owned(text: Cow<'_, str>) -> Option<String> {
    if let Cow::Owned(text) = text { Some(text) } else { None }
}

/// What stands for a secret. No rule finds it, nor what it stands in.
fn mark(rule: &Rule) -> String {
    format!("[REDACTED: {}]", rule.what)
}

fn by_entropy() -> Option<&'static Rule> {
    RULES.iter().find(|rule| matches!(rule.shape, Shape::Entropy))
}

/// Random values behind a name that says secret, wherever in the text: `PAYMENT_API_KEY=…`, `"token": "…"`.
fn assigned(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let between = [' ', '\t', '"', '\'', '\\'];
    text.match_indices(['=', ':']).filter_map(move |(at, _)| {
        let before = text[..at].trim_end_matches(between);
        let name = before.rfind(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c));
        let name = &before[name.map_or(0, |last| last + before[last..].chars().next().map_or(1, char::len_utf8))..];
        let after = text[at + 1..].trim_start_matches(between);
        let value = &after[..after.find(|c: char| c.is_whitespace() || between.contains(&c)).unwrap_or(after.len())];
        let from = text.len() - after.len();
        random(name, value.trim_end_matches([',', ';', ')', '}', ']'])).then(|| from..from + value.len())
    })
}

/// Lines that are JSON rows with a secret under its name: the whole line, for a value may be written in many ways.
fn in_rows(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let start = text.as_ptr() as usize;
    let rows = text.lines().filter(|line| line.trim_start().starts_with('{'));
    rows.filter(|line| pairs(line).iter().any(|(name, value)| random(name, value))).map(move |line| {
        let from = line.as_ptr() as usize - start;
        from..from + line.len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> String {
        ["AK", "IA", "4KQ9ZTW2BX7MRV1L"].concat()
    }

    #[test]
    fn only_the_secret_goes_and_nothing_is_found_in_what_stands_for_it() {
        let token = "4Kq9ZtW2bX7mRv1LpDf8sHj3";
        let texts = [
            (format!("the key {}, lost", key()), "the key [REDACTED: an AWS access key], lost"),
            ("at postgres://app:hunter22@db/x".into(), "at postgres://app:[REDACTED: a password in a URL]@db/x"),
            (
                format!("error: exit 1: API_TOKEN={token}, HOME=/root"),
                "error: exit 1: API_TOKEN=[REDACTED: a random value under a name that says secret] HOME=/root",
            ),
            (
                ["a -----BEGIN PRIVATE", " KEY-----\nMIIE\n-----END PRIVATE", " KEY----- b"].concat(),
                "a [REDACTED: a private key] b",
            ),
            (
                format!("row\n{{\"_id\":\"API_TOKEN\",\"value\":\"{token}\"}}\nend"),
                "row\n[REDACTED: a random value under a name that says secret]\nend",
            ),
            (format!("{0} {0}", key()), "[REDACTED: an AWS access key] [REDACTED: an AWS access key]"),
        ];
        for (text, clean) in texts {
            assert_eq!(redact(&text), clean);
            assert_eq!(redact(clean), clean);
            assert!(matches!(redact(clean), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn a_value_loses_secrets_in_texts_and_names_and_no_field() {
        let other = ["AK", "IA", "9ZTW2BX7MRV1L4KQ"].concat();
        let value = serde_json::json!({
            key(): 1, other: 2, "list": [format!("x {}", key())], "password": "4Kq9ZtW2bX7mRv1LpDf8sHj3", "n": 1.5
        });
        let cleaned = without_secrets(value).unwrap();
        assert!(cleaned.changed && cleaned.renamed);
        assert_eq!(
            cleaned.value,
            serde_json::json!({
                "[REDACTED: an AWS access key]": 1,
                "[REDACTED: an AWS access key] 2": 2,
                "list": ["x [REDACTED: an AWS access key]"],
                "password": "[REDACTED: a random value under a name that says secret]",
                "n": 1.5
            })
        );
        let clean = without_secrets(cleaned.value.clone()).unwrap();
        assert_eq!((clean.value, clean.changed, clean.renamed), (cleaned.value, false, false));
    }
}
