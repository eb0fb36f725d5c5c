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
    clean(text, 80)
}

/// A sentence with texts from a file in it, as it may be shown.
pub(super) fn shown_sentence(text: &str) -> String {
    clean(text, 2_000)
}

fn clean(text: &str, longest: usize) -> String {
    let shown = text.chars().take(longest).map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let more = text.chars().nth(longest).map(|_| '…');
    shown.chain(more).collect()
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
            let near = nearest::nearest(variant, expected.iter().copied()).filter(|_| expected.len() > 1);
            let near = near.map(|near| format!("did you mean `{near}`? Otherwise ")).unwrap_or_default();
            let what = format!("{} cannot be `{}`", named(&path, noun), shown(variant));
            (what, near + &write_instead(schema, &path))
        }
        // The quantities of the model say what is wrong and, after the last semicolon, what to write.
        serde_saphyr::Error::Message { msg, .. } if msg.contains("; write ") => {
            let (what, help) = msg.rsplit_once("; ").unwrap_or((msg, ""));
            (format!("{}: {}", named(&path, noun), shown(what)), help.to_owned())
        }
        serde_saphyr::Error::MergeKeyNotAllowed { .. } => {
            ("merge keys (`<<`) are not part of this format".to_owned(), "write the fields out".to_owned())
        }
        _ => return misfit(at, &path, places, schema, noun),
    };
    Error::new(what).at(places.show(at)).help(help)
}

/// A value of the wrong form. The parser notices some of them late, at the first thing inside or after them.
fn misfit(at: Place, path: &str, places: &Places, schema: &Value, noun: &str) -> Error {
    let around = path.match_indices(['.', '[']).map(|(end, _)| &path[..end]).chain([path]);
    let fits = |path: &str| form::fits(schema, path, &places.node(path).kind);
    let mut found = around.into_iter().find(|path| !fits(path)).map(|path| (path.to_owned(), places.node(path).at));
    if found.is_none() && !matches!(places.node(path).kind, Kind::Text(_)) {
        found = places.text_before(at);
    }
    let (path, at) = found.unwrap_or_else(|| (path.to_owned(), at));
    let what = match &places.node(&path).kind {
        Kind::Text(text) if text.is_empty() || text == "~" => "is empty".to_owned(),
        Kind::Text(text) => format!("cannot be `{}`", shown(text)),
        Kind::List(_) => "cannot be a list".to_owned(),
        Kind::Mapping(_) => "cannot be a mapping".to_owned(),
    };
    let what = format!("{} {what}", named(&path, noun));
    Error::new(what).at(places.show(at)).help(write_instead(schema, &path))
}

/// A field that is not there: the place is that of the mapping which lacks it.
fn missing(field: &str, path: &str, places: &Places, schema: &Value, noun: &str) -> Error {
    let lacks = |path: &str| match &places.node(path).kind {
        Kind::Mapping(entries) => entries.iter().all(|entry| entry.key != field),
        _ => false,
    };
    let mut whose = path;
    while !(whose.is_empty() || lacks(whose) && form::requires(schema, whose, field)) {
        whose = parent(whose);
    }
    let form = form::at(schema, &outline::joined(whose, field)).map(|form| format!(" and {form}")).unwrap_or_default();
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

/// A path as it is spoken of; the file itself where it is empty.
fn named(path: &str, noun: &str) -> String {
    if path.is_empty() { format!("the {noun}") } else { format!("`{}`", shown(path)) }
}

/// The path without its last step.
fn parent(path: &str) -> &str {
    path.rfind(['.', '[']).map_or("", |end| &path[..end])
}
