//! What belongs at a path, in words: read from the JSON Schema of the type, so that no error text lists it a second time.

use serde_json::Value;

use super::outline::Kind;

/// What a reader should write at `path` (as in [`super::outline::Places::of`]), for instance ``a list`` or
/// ``text such as `15 min` ``. `None` where the schema does not know the path.
pub(super) fn at(schema: &Value, path: &str) -> Option<String> {
    words(schema, find(schema, path)?)
}

/// Whether a list, a mapping or a text may stand at a path at all. What the schema does not know fits.
pub(super) fn fits(schema: &Value, path: &str, kind: &Kind) -> bool {
    let Some(here) = find(schema, path) else { return true };
    let forms: Vec<&Value> = alternatives(here).filter_map(|s| resolve(schema, s)).collect();
    let mut types = forms.iter().filter_map(|s| s.get("type")).flat_map(|t| match t {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect::<Vec<_>>(),
    });
    match kind {
        Kind::List(_) => types.any(|t| t == "array"),
        Kind::Mapping(_) => types.any(|t| t == "object"),
        Kind::Text(_) => types.any(|t| t != "array" && t != "object") || forms.iter().any(|s| s.get("const").is_some()),
    }
}

/// Whether the mapping at a path must have a field.
pub(super) fn requires(schema: &Value, path: &str, field: &str) -> bool {
    let required = find(schema, path).and_then(|s| s.get("required")).and_then(Value::as_array);
    required.is_some_and(|fields| fields.iter().any(|f| f == field))
}

fn find<'s>(schema: &'s Value, path: &str) -> Option<&'s Value> {
    let (mut here, mut rest) = (schema, path);
    while !rest.is_empty() {
        (here, rest) = step(schema, here, rest.strip_prefix('.').unwrap_or(rest))?;
    }
    Some(here)
}

fn step<'s, 'p>(root: &'s Value, here: &'s Value, path: &'p str) -> Option<(&'s Value, &'p str)> {
    if let Some(rest) = path.strip_prefix('[') {
        let (_, rest) = rest.split_once(']')?;
        return Some((resolve(root, alternatives(here).find_map(|s| s.get("items"))?)?, rest));
    }
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (key, rest) = path.split_at(end);
    let inner = alternatives(here).find_map(|s| {
        let s = resolve(root, s)?;
        s.get("properties").and_then(|p| p.get(key)).or_else(|| s.get("additionalProperties").filter(|a| a.is_object()))
    })?;
    Some((resolve(root, inner)?, rest))
}

/// A schema itself and what it is one of.
fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    let one_of = ["anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
    std::iter::once(schema).chain(one_of)
}

fn resolve<'s>(root: &'s Value, schema: &'s Value) -> Option<&'s Value> {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.strip_prefix('#')?),
        None => Some(schema),
    }
}

fn words(root: &Value, schema: &Value) -> Option<String> {
    if let Some(example) = schema.get("examples").and_then(|e| e.get(0)).and_then(Value::as_str) {
        return Some(format!("text such as `{example}`"));
    }
    if ["anyOf", "oneOf"].iter().any(|key| schema.get(key).is_some()) {
        let each: Vec<String> = alternatives(schema).skip(1).flat_map(|s| one_of(root, s)).collect();
        return Some(match each.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{}, or {last}", rest.join(", ")),
            _ => each.concat(),
        });
    }
    if let Some(one) = schema.get("const").or_else(|| schema.get("enum")) {
        return Some(choices(one));
    }
    let kind = schema.get("type")?;
    let kind = kind.as_str().or_else(|| kind.as_array()?.iter().filter_map(Value::as_str).find(|k| *k != "null"))?;
    Some(match kind {
        "object" => match schema.get("properties").and_then(Value::as_object) {
            Some(fields) => {
                let names: Vec<String> = fields.keys().map(|name| format!("`{name}`")).collect();
                format!("a mapping with {}", names.join(", "))
            }
            None => "a mapping of names to values".to_owned(),
        },
        "array" => "a list".to_owned(),
        "integer" => match schema.get("maximum").and_then(Value::as_u64) {
            Some(maximum) => format!("a whole number from 0 to {maximum}"),
            None => match schema.get("format").and_then(Value::as_str) {
                Some("uint32") => format!("a whole number from 0 to {}", u32::MAX),
                _ => "a whole number from 0".to_owned(),
            },
        },
        "string" => "text".to_owned(),
        _ => return None,
    })
}

/// One alternative: a name, or a mapping with one field and what belongs in it.
fn one_of(root: &Value, schema: &Value) -> Option<String> {
    let schema = resolve(root, schema)?;
    if schema.get("type").and_then(Value::as_str) == Some("null") {
        return None;
    }
    let field = schema.get("properties").and_then(Value::as_object).filter(|fields| fields.len() == 1);
    if let Some((name, inner)) = field.and_then(|fields| fields.iter().next()) {
        return Some(format!("`{name}:` and {}", words(root, resolve(root, inner)?)?));
    }
    words(root, schema)
}

fn choices(of: &Value) -> String {
    let names = of.as_array().map_or_else(|| vec![of], |names| names.iter().collect());
    names.iter().filter_map(|n| n.as_str()).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}
