//! The shape of rows: which fields a table has, of which JSON types, and what names a row. Looked at chunk by chunk on
//! the lanes, put together in order.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::Options;
use crate::{model::words, service::contract::RowChunk};

/// JSON types, null first: it mixes with any other.
const KINDS: [&str; 6] = ["null", "true or false", "a number", "text", "a list", "an object"];
const NULL: usize = 0;
const TEXT: usize = 3;

/// Most fields of a table that are followed: documents that name their fields by data have no schema.
const MAX_FIELDS: usize = 512;

/// Looks at chunks.
#[derive(Debug, Clone)]
pub(super) struct Looker {
    id_field: Arc<str>,
    /// The tables that a field may refer to; any where that is not known yet.
    tables: Option<Arc<BTreeSet<String>>>,
}

/// What one chunk shows.
#[derive(Debug, Default)]
pub(super) struct Seen {
    fields: Vec<Field>,
    /// Rows without a name, and the number of the first in the chunk.
    unnamed: u64,
    first_unnamed: Option<u64>,
    /// Digests of what names the rows.
    pub(super) ids: Vec<u128>,
    /// Digests of what rows refer to, by field.
    pub(super) references: Vec<(String, Vec<u128>)>,
}

/// A field of a table.
#[derive(Debug, Clone)]
struct Field {
    name: String,
    /// How many rows have it, by type.
    kinds: [u64; KINDS.len()],
}

impl Looker {
    pub(super) fn new(id_field: &str, tables: Option<BTreeSet<String>>) -> Self {
        Looker { id_field: id_field.into(), tables: tables.map(Arc::new) }
    }

    /// Looks at every row of a chunk.
    pub(super) fn look(&self, chunk: &RowChunk) -> Seen {
        let mut seen = Seen::default();
        for (number, row) in (0..).zip(chunk.lines.split_inclusive(|byte| *byte == b'\n')) {
            // The reader has checked that each line is one object; what cannot be read as one has no name.
            let named = serde_json::from_slice::<Members<'_>>(row).is_ok_and(|row| self.row(&row.0, &mut seen));
            if !named {
                seen.unnamed += 1;
                seen.first_unnamed.get_or_insert(number);
            }
        }
        seen
    }

    /// Whether the row names itself.
    fn row(&self, members: &[(Cow<'_, str>, &RawValue)], seen: &mut Seen) -> bool {
        let mut named = false;
        for (at, (name, value)) in members.iter().enumerate() {
            let kind = kind(value.get());
            seen.count(at, name, kind);
            if kind != TEXT {
                continue;
            }
            if **name == *self.id_field {
                named = true;
                seen.ids.push(digest(value.get()));
            } else if self.may_refer(name) {
                let digest = digest(value.get());
                match seen.references.iter_mut().find(|(field, _)| field == name) {
                    Some((_, digests)) => digests.push(digest),
                    None => seen.references.push((name.clone().into_owned(), vec![digest])),
                }
            }
        }
        named
    }

    fn may_refer(&self, field: &str) -> bool {
        let Some(stem) = field.strip_suffix("Id") else { return false };
        self.tables.as_ref().is_none_or(|tables| referred(stem).iter().any(|table| tables.contains(table.as_str())))
    }
}

/// Tables that a field may refer to: `userId` to `users`, or to `user`.
pub(super) fn referred(stem: &str) -> [String; 2] {
    [format!("{stem}s"), stem.to_owned()]
}

impl Seen {
    /// Rows of a table mostly have the same fields in the same order.
    fn count(&mut self, at: usize, name: &str, kind: usize) {
        let place = match self.fields.get(at) {
            Some(field) if field.name == name => Some(at),
            _ => self.fields.iter().position(|field| field.name == name),
        };
        match place {
            Some(place) => self.fields[place].kinds[kind] += 1,
            None if self.fields.len() < MAX_FIELDS => {
                let mut kinds = [0; KINDS.len()];
                kinds[kind] = 1;
                self.fields.push(Field { name: name.to_owned(), kinds });
            }
            None => {}
        }
    }
}

/// All tables as far as they were looked at.
#[derive(Debug, Default)]
pub(super) struct Schema {
    tables: BTreeMap<Arc<str>, Table>,
}

#[derive(Debug, Default)]
struct Table {
    rows: u64,
    fields: Vec<Field>,
    unnamed: u64,
    first_unnamed: Option<u64>,
}

impl Schema {
    /// The next chunk of a table.
    pub(super) fn add(&mut self, chunk: &RowChunk, seen: Seen) {
        let table = self.tables.entry(Arc::clone(&chunk.table)).or_default();
        table.unnamed += seen.unnamed;
        table.first_unnamed = table.first_unnamed.or(seen.first_unnamed.map(|number| table.rows + number + 1));
        table.rows += chunk.rows;
        for (at, field) in seen.fields.into_iter().enumerate() {
            let place = match table.fields.get(at) {
                Some(known) if known.name == field.name => Some(at),
                _ => table.fields.iter().position(|known| known.name == field.name),
            };
            match place {
                Some(place) => {
                    let known = table.fields[place].kinds.iter_mut().zip(field.kinds);
                    known.for_each(|(sum, more)| *sum += more);
                }
                None if table.fields.len() < MAX_FIELDS => table.fields.push(field),
                None => {}
            }
        }
    }

    /// Whether rows have names and fields their types. Err: the first that does not.
    pub(super) fn judge(&self, options: &Options) -> Result<String, String> {
        let (mut fields, mut mixed) = (0, 0);
        for (name, table) in &self.tables {
            let name = name.escape_debug();
            if let Some(first) = table.first_unnamed {
                let (rows, id) = (words::count(table.unnamed, "row"), options.id_field.escape_debug());
                return Err(format!("table `{name}`: {rows} without `{id}`, the first is row {first}"));
            }
            for field in &table.fields {
                fields += 1;
                let Some(told) = field.mixed() else { continue };
                mixed += 1;
                if !options.allow_mixed {
                    let field = field.name.escape_debug();
                    return Err(format!("table `{name}`: field `{field}` is {told} (--allow-mixed lets that pass)"));
                }
            }
        }
        let mixed = if mixed > 0 { format!(", {mixed} of them of several types") } else { String::new() };
        Ok(format!("{}{mixed}; every row has its `{}`", words::count(fields, "field"), options.id_field.escape_debug()))
    }
}

impl Field {
    /// The types of a field that has several: `text in 4,310 rows and a number in 1`.
    fn mixed(&self) -> Option<String> {
        let kinds = self.kinds.iter().enumerate().filter(|(kind, rows)| *kind != NULL && **rows > 0);
        let mut kinds: Vec<_> = kinds.map(|(kind, rows)| (*rows, KINDS[kind])).collect();
        kinds.sort_by(|a, b| b.cmp(a));
        let told: Vec<String> =
            kinds.iter().map(|(rows, kind)| format!("{kind} in {}", words::count(*rows, "row"))).collect();
        (told.len() > 1).then(|| words::list(&told))
    }
}

/// The type of a JSON value, by what it begins with.
fn kind(json: &str) -> usize {
    match json.as_bytes().first() {
        Some(b'n') => NULL,
        Some(b't' | b'f') => 1,
        Some(b'"') => TEXT,
        Some(b'[') => 4,
        Some(b'{') => 5,
        _ => 2,
    }
}

/// 128 bits of a text, whatever its spelling. Two different texts agree by chance once in 10^38.
fn digest(json: &str) -> u128 {
    let plain = json.trim_matches('"');
    let text = match json.contains('\\') {
        true => serde_json::from_str::<String>(json).map_or(Cow::Borrowed(plain), Cow::Owned),
        false => Cow::Borrowed(plain),
    };
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, &*text).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

/// The text that a row has in that field.
pub(super) fn text_of(row: &[u8], field: &str) -> Option<String> {
    let members = serde_json::from_slice::<Members<'_>>(row).ok()?;
    let (_, value) = members.0.into_iter().find(|(name, _)| name == field)?;
    serde_json::from_str(value.get()).ok()
}

/// The members of an object, values as they are spelled.
struct Members<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name<'t>(Cow<'t, str>);
        impl<'de> Deserialize<'de> for Name<'de> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Borrow;
                impl<'de> Visitor<'de> for Borrow {
                    type Value = Name<'de>;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a name")
                    }
                    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                        Ok(Name(Cow::Borrowed(name)))
                    }
                    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                        Ok(Name(Cow::Owned(name.to_owned())))
                    }
                }
                deserializer.deserialize_str(Borrow)
            }
        }
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(24);
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rows: &[&str], allow_mixed: bool) -> Result<String, String> {
        let looker = Looker::new("_id", None);
        let mut schema = Schema::default();
        for row in rows {
            let chunk = RowChunk { table: "t".into(), rows: 1, lines: format!("{row}\n").into_bytes().into() };
            schema.add(&chunk, looker.look(&chunk));
        }
        schema.judge(&Options { id_field: "_id".into(), allow_mixed })
    }

    #[test]
    fn a_field_keeps_its_type_or_is_null_or_absent_and_every_row_has_a_name() {
        let sound = [r#"{"_id":"a","n":1,"s":null}"#, r#"{"_id":"b","n":2.5,"s":"x"}"#, r#"{"_id":"c"}"#];
        assert_eq!(judged(&sound, false).unwrap(), "3 fields; every row has its `_id`");
        let mixed = [r#"{"_id":"a","n":1}"#, r#"{"_id":"b","n":"2"}"#, r#"{"_id":"c","n":3}"#];
        let told = "table `t`: field `n` is a number in 2 rows and text in 1 row (--allow-mixed lets that pass)";
        assert_eq!(judged(&mixed, false).unwrap_err(), told);
        assert_eq!(judged(&mixed, true).unwrap(), "2 fields, 1 of them of several types; every row has its `_id`");
        let unnamed = [r#"{"_id":"a"}"#, r#"{"n":1}"#, r#"{"_id":7}"#];
        assert_eq!(judged(&unnamed, false).unwrap_err(), "table `t`: 2 rows without `_id`, the first is row 2");
    }

    #[test]
    fn a_name_is_the_same_however_it_is_spelled() {
        assert_eq!(digest(r#""a\u0062""#), digest(r#""ab""#));
        assert_ne!(digest(r#""ab""#), digest(r#""ba""#));
    }
}
