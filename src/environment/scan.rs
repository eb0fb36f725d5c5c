//! Looks for secrets in text: line by line, by the table of rules. Says where and which rule, never the value.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::rules::{Alphabet, RULES, Rule, Shape};

/// Bits a character of a random value: hexadecimal digits come to 3.7 in 32 characters, prose under such a name is short.
const ENTROPY: f64 = 3.5;

/// What follows a known prefix must not be a row of `x`: bits a character.
const PREFIXED_ENTROPY: f64 = 2.5;

/// Shortest value that entropy is asked of, in characters.
const RANDOM_LEN: usize = 16;

/// Bytes of one object that are looked at, inflated. Configuration is small; more is no configuration.
const OBJECT_BYTES: u64 = 16 << 20;

/// A secret that stands where it should not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// Line, from 1.
    pub line: usize,
    /// Name of the rule.
    pub rule: &'static str,
    /// What it is.
    pub what: &'static str,
    /// The variable's name, where it has one.
    pub name: Option<String>,
}

impl std::fmt::Display for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)?;
        match &self.name {
            Some(name) => write!(f, " in {name} ({})", self.rule),
            None => write!(f, " ({})", self.rule),
        }
    }
}

/// Looks through a text; at most one leak a line. Comments are text like any other.
pub fn scan(text: &str) -> Vec<Leak> {
    let lines = text.lines().zip(1..);
    let leak = |(text, line): (&str, usize)| {
        let pairs = pairs(text);
        let named = pairs.iter().find_map(|(name, value)| Some((rule_of(name, value)?, Some(name.clone()))));
        let (rule, name) = named.or_else(|| Some((by_form(text)?, None)))?;
        Some(Leak { line, rule: rule.id, what: rule.what, name })
    };
    lines.filter_map(leak).collect()
}

/// Looks through a stored object: as it is, or inflated where it is gzip, as far as it can be inflated.
///
/// # Errors
/// When it is too large to be configuration. What was not looked through is not known to be clean.
pub fn scan_object(bytes: &[u8]) -> Result<Vec<Leak>, String> {
    let mut text = Vec::new();
    let read = match bytes.starts_with(&[0x1f, 0x8b]) {
        true => MultiGzDecoder::new(bytes).take(OBJECT_BYTES + 1).read_to_end(&mut text),
        false => bytes.take(OBJECT_BYTES + 1).read_to_end(&mut text),
    };
    if let Err(e) = read {
        tracing::debug!("an object inflates to {} bytes and breaks off: {e}", text.len());
    }
    match text.len() as u64 > OBJECT_BYTES {
        true => Err(format!("it has more than {} MiB", OBJECT_BYTES >> 20)),
        false => Ok(scan(&String::from_utf8_lossy(&text))),
    }
}

/// The rule by which a variable's value is secret.
pub fn rule_of(name: &str, value: &str) -> Option<&'static Rule> {
    by_form(value).or_else(|| RULES.iter().find(|rule| matches!(rule.shape, Shape::Entropy) && random(name, value)))
}

/// Whether a variable must be redacted: its name says so, or its value does.
pub fn is_secret(name: &str, value: &str) -> bool {
    says_secret(name) || rule_of(name, value).is_some()
}

/// The first rule on the form of values that finds something.
fn by_form(text: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| match rule.shape {
        Shape::Prefix { of, then, at_least } => of.iter().any(|prefix| prefixed(text, prefix, then, at_least)),
        Shape::Jwt => starts(text, "eyJ").any(is_jwt),
        Shape::PrivateKey => text
            .split("-----BEGIN ")
            .skip(1)
            .any(|rest| rest.split_once("-----").is_some_and(|(label, _)| label.contains("PRIVATE KEY"))),
        Shape::UrlPassword => text.split("://").skip(1).any(has_password),
        Shape::DeployKey => {
            ["prod:", "dev:", "preview:", "project:"].iter().any(|of| starts(text, of).any(is_deploy_key))
        }
        Shape::Entropy => false,
    })
}

/// What follows each place where a word begins with this prefix.
fn starts<'t>(text: &'t str, prefix: &str) -> impl Iterator<Item = &'t str> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(prefix)
        .filter(move |(at, _)| !text[..*at].ends_with(inside))
        .map(|(at, found)| &text[at + found.len()..])
}

fn prefixed(text: &str, prefix: &str, then: Alphabet, at_least: usize) -> bool {
    starts(text, prefix).any(|rest| {
        let run = run(rest, then);
        run.len() >= at_least && entropy(run) >= PREFIXED_ENTROPY
    })
}

fn run(text: &str, alphabet: Alphabet) -> &str {
    &text[..text.find(|c| !alphabet.has(c)).unwrap_or(text.len())]
}

/// What follows `eyJ`.
fn is_jwt(rest: &str) -> bool {
    let mut parts = rest.splitn(3, '.');
    let mut next = || parts.next().map(|part| run(part, Alphabet::Url));
    let (head, body) = (next().unwrap_or_default(), next().unwrap_or_default());
    head.len() >= 14
        && body.starts_with("eyJ")
        && body.len() >= 17
        && next().is_some_and(|signature| signature.len() >= 10)
}

/// What follows `://`: a user, a colon, a password, an at-sign.
fn has_password(rest: &str) -> bool {
    let authority = &rest[..rest.find(['/', '?', '#', '"', '\'', ' ']).unwrap_or(rest.len())];
    let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
    password.is_some_and(|(_, password)| password.len() >= 4 && !is_placeholder(password))
}

fn is_deploy_key(rest: &str) -> bool {
    rest.split_once('|').is_some_and(|(name, token)| {
        let is_name = !name.is_empty() && run(name, Alphabet::Url) == name.replace(':', "").as_str();
        is_name && run(token, Alphabet::Base64).len() >= 16
    })
}

/// Names and values of a line: of a JSON object, of a row with `_id` and `value`, or of an assignment, commented out or
/// not.
fn pairs(line: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(line) {
        if let (Some(id), Some(value)) = (value["_id"].as_str(), value["value"].as_str()) {
            found.push((id.to_owned(), value.to_owned()));
        }
        strings(&value, &mut found);
        return found;
    }
    let line = line.trim_start_matches(['#', ' ', '\t', '"', '\'']);
    let line = line.strip_prefix("export ").unwrap_or(line);
    if let Some((name, value)) = line.split_once(['=', ':']) {
        let name = name.trim_end_matches([' ', '\t', '"', '\'']);
        let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
        if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
            found.push((name.to_owned(), value.to_owned()));
        }
    }
    found
}

fn strings(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Value::String(text) = value {
                    found.push((name.clone(), text.clone()));
                }
                strings(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        _ => {}
    }
}

/// Whether a name says that its value is secret.
fn says_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let parts: Vec<&str> = name.split('_').collect();
    let has = |words: &[&str]| parts.iter().any(|part| words.contains(part));
    if has(&["PUBLIC", "PUBLISHABLE"]) {
        return false;
    }
    let key = ["API_KEY", "ACCESS_KEY", "DEPLOY_KEY", "ADMIN_KEY", "PRIVATE_KEY", "ENCRYPTION_KEY", "SIGNING_KEY"];
    has(&["SECRET", "SECRETS", "TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIALS", "APIKEY"])
        || key.iter().any(|key| name == *key || name.ends_with(&format!("_{key}")))
}

fn random(name: &str, value: &str) -> bool {
    let dense = value.chars().all(|c| c.is_ascii_graphic()) && !value.contains("://");
    says_secret(name) && dense && value.len() >= RANDOM_LEN && !is_placeholder(value) && entropy(value) >= ENTROPY
}

/// Text that stands for a value: `[REDACTED]`, `<your key>`, `${KEY}`, `your_api_key`, `****`.
fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    value.starts_with(['[', '<', '$', '{', '%'])
        || ["redacted", "your_", "your-", "example", "changeme", "placeholder"].iter().any(|word| lower.contains(word))
        || lower.chars().all(|c| lower.starts_with(c))
}

/// Shannon entropy in bits a character.
fn entropy(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = text.len().max(1) as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / length).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests;
