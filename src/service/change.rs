//! The lines of a change stream: which row a line speaks of, and whether it says that the row is gone.

use std::borrow::Cow;

use serde::Deserialize;

/// What every row of our own begins with.
const OPENING: &str = r#"{"_id":""#;

/// The field that marks a deletion. Document databases keep names with a leading `_` for themselves.
const DELETED: &str = r#""_deleted""#;

/// A line of a change stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'l> {
    /// The row's id.
    pub id: Cow<'l, str>,
    /// Whether the row is gone.
    pub deleted: bool,
}

impl<'l> Change<'l> {
    /// Reads a line; `None` where it is no JSON object with a text as its `_id`.
    pub fn read(line: &'l [u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        match leading_id(text) {
            Some(id) if !text.contains(DELETED) => Some(Change { id: id.into(), deleted: false }),
            _ => Fields::read(text).map(|fields| Change { id: fields.id, deleted: fields.deleted }),
        }
    }
}

/// The id of a row on its line; `None` where it has none.
pub fn row_id(line: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(line).ok()?;
    leading_id(text).map(Cow::from).or_else(|| Fields::read(text).map(|fields| fields.id))
}

/// Appends the line that says that a row is gone.
pub fn push_deletion(id: &str, out: &mut Vec<u8>) {
    let id = serde_json::Value::from(id);
    out.extend_from_slice(format!("{{\"_id\":{id},{DELETED}:true}}\n").as_bytes());
}

/// The id of a line that begins with it, spelled without an escape.
fn leading_id(text: &str) -> Option<&str> {
    let (id, _) = text.strip_prefix(OPENING)?.split_once('"')?;
    (!id.contains('\\')).then_some(id)
}

#[derive(Deserialize)]
struct Fields<'l> {
    #[serde(rename = "_id", borrow)]
    id: Cow<'l, str>,
    #[serde(rename = "_deleted", default)]
    deleted: bool,
}

impl<'l> Fields<'l> {
    fn read(text: &'l str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(String, bool)> {
        Change::read(line.as_bytes()).map(|change| (change.id.into_owned(), change.deleted))
    }

    #[test]
    fn a_line_is_read_whatever_its_spelling_and_text_in_a_row_deletes_nothing() {
        let mut deletion = Vec::new();
        push_deletion("a\"b", &mut deletion);
        let known = |id: &str, deleted| Some((id.to_owned(), deleted));
        assert_eq!(read(&String::from_utf8(deletion).unwrap()), known("a\"b", true));
        assert_eq!(read("{\"_id\":\"k1\",\"n\":1}\n"), known("k1", false));
        assert_eq!(read(r#"{ "n": 1, "_id" : "k\u0031" }"#), known("k1", false));
        assert_eq!(read(r#"{"_id":"k1","text":"says \"_deleted\":true"}"#), known("k1", false));
        assert_eq!(read(r#"{"_deleted":true,"_id":"k1"}"#), known("k1", true));
        assert_eq!(read(r#"{"id":"k1"}"#), None);
        assert_eq!(read(r#"{"_id":7}"#), None);
        assert_eq!(row_id(br#"{"n":{"_id":"inner"},"_id":"outer"}"#).as_deref(), Some("outer"));
    }
}
