//! The dotenv form, read as strictly as an operator would want: what cannot be read is an error with its line, never a
//! variable that is silently missing. Values are taken as they stand; nothing is expanded, because a `$` in a password
//! is a dollar.

use std::fmt::Write as _;

/// A variable with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, without quotes. May be secret, so this type has no `Debug` that shows it.
    pub value: String,
}

impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

/// A line that cannot be read. Says what is wrong, never what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct DotenvError {
    /// From 1.
    pub line: usize,
    /// What is wrong with it and what to write instead.
    pub why: &'static str,
}

/// Reads a file: `NAME=value` lines, `#` comments, an optional `export`, single and double quotes, values over several
/// lines between quotes. In double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes; in single quotes nothing is.
///
/// # Errors
/// The first line that cannot be read, or a name that is set twice.
pub fn parse(text: &str) -> Result<Vec<Variable>, DotenvError> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found: Vec<Variable> = Vec::new();
    let mut line = 1;
    while !rest.is_empty() {
        let (first, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = first.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            (rest, line) = (after, line + 1);
            continue;
        }
        let bad = |why| DotenvError { line, why };
        let (name, value) = rest.split_once('=').ok_or(bad("write NAME=value"))?;
        let name = named(name).map_err(bad)?;
        if found.iter().any(|known| known.name == name) {
            return Err(bad("the variable is set twice, and nobody knows which one counts; keep one of them"));
        }
        let (value, after) = valued(value).map_err(bad)?;
        line += rest[..rest.len() - after.len()].matches('\n').count();
        found.push(Variable { name: name.to_owned(), value });
        rest = after;
    }
    Ok(found)
}

fn named(before: &str) -> Result<&str, &'static str> {
    let name = before.trim();
    let name = name.strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace)).unwrap_or(name).trim();
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    match first && letters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        true => Ok(name),
        false => Err("a name has letters, digits and `_`, and begins with no digit; write NAME=value"),
    }
}

/// A value, and what follows its line.
fn valued(text: &str) -> Result<(String, &str), &'static str> {
    let text = text.trim_start_matches([' ', '\t']);
    let (value, after) = match text.chars().next() {
        Some('\'') => {
            let (value, after) = text[1..].split_once('\'').ok_or("the single quote is never closed")?;
            (value.to_owned(), after)
        }
        Some('"') => quoted(&text[1..])?,
        _ => {
            let (line, after) = text.split_once('\n').unwrap_or((text, ""));
            return Ok((bare(line), after));
        }
    };
    let (rest, next) = after.split_once('\n').unwrap_or((after, ""));
    let rest = rest.trim();
    match rest.is_empty() || rest.starts_with('#') {
        true => Ok((value, next)),
        false => Err("something follows the closing quote; only a comment may"),
    }
}

/// An unquoted value ends at the line's end, or at a `#` after white space.
fn bare(line: &str) -> String {
    let comment = line.char_indices().find(|(at, c)| *c == '#' && (*at == 0 || line[..*at].ends_with([' ', '\t'])));
    line[..comment.map_or(line.len(), |(at, _)| at)].trim().to_owned()
}

fn quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match letters.next().map(|(_, c)| c) {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some(c @ ('"' | '\\' | '$')) => value.push(c),
                _ => return Err("an escape that nobody knows; write `\\\\` for a backslash"),
            },
            letter => value.push(letter),
        }
    }
    Err("the double quote is never closed")
}

/// Writes variables so that [`parse`] reads them back as they are.
pub fn render<'v>(variables: impl IntoIterator<Item = (&'v str, &'v str)>) -> String {
    let mut text = String::new();
    for (name, value) in variables {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@,+=|%?&".contains(c);
        let written = match value.chars().all(plain) {
            true => writeln!(text, "{name}={value}"),
            false => writeln!(text, "{name}=\"{}\"", escaped(value)),
        };
        // Writing to a string cannot fail.
        debug_assert!(written.is_ok());
    }
    text
}

fn escaped(value: &str) -> String {
    let mut text = String::new();
    for letter in value.chars() {
        match letter {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '"' | '\\' | '$' => text.extend(['\\', letter]),
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap().into_iter().map(|v| (v.name, v.value)).collect()
    }

    #[test]
    fn each_spelling_is_read_as_an_application_reads_it() {
        let text =
            "\u{feff}# head\n\nA=1\r\n export B = two words  # comment\nC='it''\n".replace("'it''", "'it # is $x'");
        let text = text + "D=\"a\\n\\\"b\\\" \\$c\" # why\nE=\nF=\"-----BEGIN\nkey\n-----END\"\nG=a#b=c\nH='x\ny'";
        let read = pairs(&text);
        let wanted = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "it # is $x"),
            ("D", "a\n\"b\" $c"),
            ("E", ""),
            ("F", "-----BEGIN\nkey\n-----END"),
            ("G", "a#b=c"),
            ("H", "x\ny"),
        ];
        assert_eq!(read, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line_and_without_its_text() {
        let wrong = [
            "A=1\nhunter2\n",
            "A=\"x\ny\"\n1B=hunter2",
            "A=1\nA=2",
            "\nA='hunter2",
            "A=\"hunter2",
            "A='a' hunter2",
            "A=\"\\q\"",
        ];
        let said = wrong.map(|text| parse(text).unwrap_err().to_string());
        insta::assert_snapshot!(said.join("\n"));
        assert!(said.iter().all(|said| !said.contains("hunter2")));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(values in proptest::collection::vec(any::<String>(), 0..6)) {
            let named: Vec<(String, String)> =
                values.into_iter().enumerate().map(|(n, value)| (format!("V{n}"), value)).collect();
            let text = render(named.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            prop_assert_eq!(pairs(&text), named);
        }
    }
}
