//! The parsers' complaints in our words: what is wrong, where, and what to write instead.

use serde_json::Value;
use serde_saphyr::granit_parser::{ErrorKind, ScanError};

use super::{
    form, nearest,
    outline::{self, Kind, Place, Places},
};
use crate::error::Error;

/// A text from a file as it may be shown: no control characters, not endless.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

/// A file that is not YAML.
pub(super) fn scan(file: &str, error: &ScanError) -> Error {
    let at = Place { line: error.marker().line(), column: error.marker().col() + 1 };
    let tab = || ("a tab stands in the indentation".to_owned(), "indent with spaces");
    let (what, help) = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return outline::too_deep(file, at),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => tab(),
        ErrorKind::DirectiveDisallowed => {
            ("directives (`%`) are not part of this format".to_owned(), "remove the line")
        }
        ErrorKind::UnknownAnchor => (
            "anchors (`&name`) and aliases (`*name`) are not part of this format".to_owned(),
            "write the value out where it is needed",
        ),
        _ => (
            format!("this is not YAML: {}", shown(&error.info())),
            "check the indentation, and put text that holds `: `, ` #`, `{` or `[` in quotes",
        ),
    };
    Error::new(what).at(format!("{file}:{}:{}", at.line, at.column)).help(help)
}

/// A file that is YAML, but not what it should be. `schema` is the JSON Schema of what it should be.
pub(super) fn typed(error: &serde_saphyr::Error, places: &Places, schema: &Value, noun: &str) -> Error {
    let error = error.without_snippet();
    let at = error.location().filter(|l| l.line() > 0).map_or(Place { line: 1, column: 1 }, |l| Place {
        line: usize::try_from(l.line()).unwrap_or(usize::MAX),
        column: usize::try_from(l.column()).unwrap_or(usize::MAX),
    });
    let path = places.path_at(at);
    let (what, help) = match error {
        serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
            let whose = named(parent(&path), noun);
            (format!("{whose} has no field `{}`", shown(field)), nearest::suggest(field, expected))
        }
        serde_saphyr::Error::SerdeMissingField { field, .. } => return missing(field, &path, places, schema, noun),
        serde_saphyr::Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("`{}` is no value of {}", shown(variant), named(&path, noun)), nearest::suggest(variant, expected))
        }
        // The quantities of the model: what is wrong, and after the last semicolon what to write.
        serde_saphyr::Error::Message { msg, .. } => match msg.rsplit_once("; ") {
            Some((what, help)) => (format!("{}: {}", named(&path, noun), shown(what)), help.to_owned()),
            None => (format!("{}: {}", named(&path, noun), shown(msg)), write_instead(schema, &path)),
        },
        serde_saphyr::Error::MergeKeyNotAllowed { .. } => {
            ("merge keys (`<<`) are not part of this format".to_owned(), "write the fields out".to_owned())
        }
        _ => (format!("{} {}", named(&path, noun), found(places, &path)), write_instead(schema, &path)),
    };
    Error::new(what).at(places.show(at)).help(help)
}

/// A field that is not there: the place is that of the mapping which lacks it.
fn missing(field: &str, path: &str, places: &Places, schema: &Value, noun: &str) -> Error {
    let lacks = |path: &str| match &places.node(path).kind {
        Kind::Mapping(entries) => entries.iter().all(|entry| entry.key != field),
        _ => false,
    };
    let mut whose = path;
    while !lacks(whose) && !whose.is_empty() {
        whose = parent(whose);
    }
    let inner = if whose.is_empty() { field.to_owned() } else { format!("{whose}.{field}") };
    let form = form::at(schema, &inner).map(|form| format!(" and {form}")).unwrap_or_default();
    Error::new(format!("{} lacks the field `{field}`", named(whose, noun)))
        .at(places.of_key(whose))
        .help(format!("add `{field}:`{form}"))
}

fn write_instead(schema: &Value, path: &str) -> String {
    match form::at(schema, path) {
        Some(form) => format!("write {form}"),
        None => "see docs/schema for what belongs here".to_owned(),
    }
}

fn found(places: &Places, path: &str) -> String {
    match &places.node(path).kind {
        Kind::Text(text) if text.is_empty() || text == "~" => "is empty".to_owned(),
        Kind::Text(text) => format!("cannot be `{}`", shown(text)),
        Kind::List(_) => "cannot be a list".to_owned(),
        Kind::Mapping(_) => "cannot be a mapping".to_owned(),
    }
}

/// A path as it is spoken of; the file itself where it is empty.
fn named(path: &str, noun: &str) -> String {
    if path.is_empty() { format!("the {noun}") } else { format!("`{}`", shown(path)) }
}

/// The path without its last step.
fn parent(path: &str) -> &str {
    path.rfind(['.', '[']).map_or("", |end| &path[..end])
}
