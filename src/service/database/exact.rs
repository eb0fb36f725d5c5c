//! Whether two JSON documents hold the same values. Spelling and the order of keys do not matter; kinds do: 36 and
//! 36.0 are different values to a database, and 64-bit integers are compared to the last digit.

use std::{borrow::Cow, fmt};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads a document; `None` where it is no JSON, or a key stands twice in one object (no two readers agree on which
/// one counts).
pub(super) fn read(text: &[u8]) -> Option<Value> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = Strict.deserialize(&mut json).ok()?;
    json.end().ok().map(|()| value)
}

/// Whether `text`, which has no key twice, spells `value`. Stops at the first difference.
pub(super) fn spells(text: &[u8], value: &Value) -> bool {
    let mut json = serde_json::Deserializer::from_slice(text);
    Same(value).deserialize(&mut json).is_ok() && json.end().is_ok()
}

/// Reads a value and refuses repeated keys.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number without end"))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Strict)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Strict)?;
            if object.insert(key, value).is_some() {
                return Err(de::Error::custom("a key stands twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

/// Succeeds where what is read is the same as a value.
struct Same<'v>(&'v Value);

impl Same<'_> {
    fn check<E: de::Error>(&self, same: bool) -> Result<(), E> {
        if same { Ok(()) } else { Err(E::custom("different")) }
    }
}

impl<'de> DeserializeSeed<'de> for Same<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Same<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.check(self.0.is_null())
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.check(self.0.as_bool() == Some(value))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.check(self.0.as_i64() == Some(value))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.check(self.0.as_u64() == Some(value))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        // Bits, so that -0.0 is not 0.0.
        self.check(self.0.is_f64() && self.0.as_f64().map(f64::to_bits) == Some(value.to_bits()))
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.check(self.0.as_str() == Some(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some(items) = self.0.as_array() else { return self.check(false) };
        for item in items {
            let found = seq.next_element_seed(Same(item))?;
            self.check(found.is_some())?;
        }
        self.check(seq.next_element::<de::IgnoredAny>()?.is_none())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some(object) = self.0.as_object() else { return self.check(false) };
        let mut count = 0;
        while let Some(Key(key)) = map.next_key()? {
            let value = object.get(key.as_ref()).ok_or_else(|| de::Error::custom("different"))?;
            map.next_value_seed(Same(value))?;
            count += 1;
        }
        self.check(count == object.len())
    }
}

#[derive(serde::Deserialize)]
struct Key<'k>(#[serde(borrow)] Cow<'k, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_values_are_the_same_in_any_spelling_and_order() {
        let text = r#"{"a":36,"b":[1.5,{"c":"é\n"}],"d":null,"e":-1,"f":9223372036854775807,"g":true}"#;
        let respelled =
            r#" {"g":true,"f":9223372036854775807, "e":-1,"d":null,"b":[15e-1,{"\u0063":"\u00e9\u000a"}],"a":36}"#;
        assert!(spells(text.as_bytes(), &read(respelled.as_bytes()).unwrap()));
    }

    #[test]
    fn other_values_and_other_kinds_are_different() {
        for (text, other) in [
            ("36", "36.0"),
            ("36.0", "36"),
            ("9007199254740993", "9007199254740992"),
            ("9007199254740993", "9007199254740993.0"),
            ("18446744073709551615", "18446744073709551616"),
            ("-1", "1"),
            ("0.0", "-0.0"),
            ("null", "false"),
            ("\"1\"", "1"),
            ("[1]", "[1,2]"),
            ("[1,2]", "[1]"),
            ("[]", "{}"),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
            (r#"{"a":1,"b":2}"#, r#"{"a":1}"#),
            (r#"{"a":1}"#, r#"{"a":2}"#),
        ] {
            assert!(!spells(text.as_bytes(), &read(other.as_bytes()).unwrap()), "{text} is not {other}");
        }
    }

    #[test]
    fn what_is_no_json_or_has_a_key_twice_is_not_read() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "1 2", r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"a":2}}]"#, "NaN", "1e999", &deep] {
            assert_eq!(read(text.as_bytes()), None, "{}", &text[..text.len().min(20)]);
        }
        assert_eq!(read(b"\"\xff\""), None);
    }
}
