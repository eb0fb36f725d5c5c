//! Looks for secrets in text: line by line, by the table of rules. Says where and which rule, never the value.

use std::{io::Read, iter, ops::Range};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::rules::{Alphabet, RULES, Rule, Shape};

/// Bits a character of a random value: hexadecimal digits come to 3.7 in 32 characters, prose under such a name is short.
const ENTROPY: f64 = 3.5;

/// What follows a known prefix must not be a row of `x`: bits a character.
const PREFIXED_ENTROPY: f64 = 2.5;

/// What a PEM block begins with.
const HEAD: &str = "-----BEGIN ";

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
    RULES.iter().find(|rule| places(rule, text).next().is_some())
}

/// Where values of this rule's form stand.
pub(super) fn places<'t>(rule: &Rule, text: &'t str) -> Box<dyn Iterator<Item = Range<usize>> + 't> {
    match rule.shape {
        Shape::Prefix { of, then, at_least } => {
            Box::new(of.iter().flat_map(move |prefix| prefixed(text, prefix, then, at_least)))
        }
        Shape::Jwt => {
            Box::new(starts(text, "eyJ").filter_map(|(at, rest)| Some(at..text.len() - rest.len() + jwt(rest)?)))
        }
        Shape::PrivateKey => Box::new(text.match_indices(HEAD).filter_map(|(at, _)| Some(at..private_key(text, at)?))),
        Shape::UrlPassword => {
            Box::new(text.match_indices("://").filter_map(|(at, found)| password(text, at + found.len())))
        }
        Shape::DeployKey => Box::new(["prod:", "dev:", "preview:", "project:"].into_iter().flat_map(move |of| {
            starts(text, of).filter_map(|(at, rest)| Some(at..text.len() - rest.len() + deploy_key(rest)?))
        })),
        Shape::Entropy => Box::new(iter::empty()),
    }
}

/// Each place where a word begins with this prefix, and what follows it.
fn starts<'t>(text: &'t str, prefix: &'static str) -> impl Iterator<Item = (usize, &'t str)> + use<'t> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(prefix)
        .filter(move |(at, _)| !text[..*at].ends_with(inside))
        .map(|(at, found)| (at, &text[at + found.len()..]))
}

fn prefixed<'t>(
    text: &'t str,
    prefix: &'static str,
    then: Alphabet,
    at_least: usize,
) -> impl Iterator<Item = Range<usize>> + use<'t> {
    starts(text, prefix).filter_map(move |(at, rest)| {
        let run = run(rest, then);
        let is_one = run.len() >= at_least && entropy(run) >= PREFIXED_ENTROPY;
        is_one.then(|| at..at + prefix.len() + run.len())
    })
}

fn run(text: &str, alphabet: Alphabet) -> &str {
    &text[..text.find(|c| !alphabet.has(c)).unwrap_or(text.len())]
}

/// How much of what follows `eyJ` belongs to a token.
fn jwt(rest: &str) -> Option<usize> {
    let mut parts = rest.splitn(3, '.');
    let (head, body, signature) = (parts.next()?, parts.next()?, run(parts.next()?, Alphabet::Url));
    let whole = |part: &str| run(part, Alphabet::Url).len() == part.len();
    let is_one = whole(head)
        && whole(body)
        && head.len() >= 14
        && body.starts_with("eyJ")
        && body.len() >= 17
        && signature.len() >= 10;
    is_one.then(|| head.len() + body.len() + signature.len() + 2)
}

/// Where the private key ends that begins at this head; where its end is missing, with the text.
fn private_key(text: &str, at: usize) -> Option<usize> {
    let (label, rest) = text[at + HEAD.len()..].split_once("-----")?;
    if !label.contains("PRIVATE KEY") {
        return None;
    }
    let end = rest.find("-----END ").and_then(|end| {
        let label = end + "-----END ".len();
        rest[label..].find("-----").map(|dashes| label + dashes + "-----".len())
    });
    Some(text.len() - rest.len() + end.unwrap_or(rest.len()))
}

/// The password in what follows `://`: a user, a colon, a password, an at-sign.
fn password(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let authority = &rest[..rest.find(['/', '?', '#', '"', '\'', ' ']).unwrap_or(rest.len())];
    let (user, _) = authority.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    let is_one = password.len() >= 4 && !is_placeholder(password);
    is_one.then(|| at + name.len() + 1..at + user.len())
}

/// How much of what follows a deploy key's beginning belongs to it.
fn deploy_key(rest: &str) -> Option<usize> {
    let (name, token) = rest.split_once('|')?;
    let is_name = !name.is_empty() && run(name, Alphabet::Url) == name.replace(':', "").as_str();
    let token = run(token, Alphabet::Base64);
    (is_name && token.len() >= 16).then(|| name.len() + 1 + token.len())
}

/// Names and values of a line: of a JSON object, of a row with `_id` and `value`, or of an assignment, commented out or
/// not.
pub(super) fn pairs(line: &str) -> Vec<(String, String)> {
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

pub(super) fn random(name: &str, value: &str) -> bool {
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
