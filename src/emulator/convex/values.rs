//! How documents are spelled. Stored, and in a snapshot archive, `36` is an Int64 and `36.0` a float. On the wire an
//! Int64 is `{"$integer":"…"}` (eight bytes, little-endian, base64), or a decimal string in the streaming export's
//! default form. Documents are respelled token by token: the order of fields and all other bytes stay as they are.

use data_encoding::BASE64;
use memchr::{memchr, memchr2, memmem};

/// How an Int64 of a document is spelled on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// `{"$integer":"…"}`: nothing is lost. Format `convex_encoded_json`.
    Typed,
    /// `"36"`: for tools that know no 64-bit integers. Format `json`.
    Clean,
}

/// What an encoded Int64 begins with.
const INTEGER: &[u8] = br#"{"$integer":""#;

/// Appends a stored document as it is spelled on the wire.
pub fn spell(document: &[u8], how: Spelling, out: &mut Vec<u8>) {
    respell(document, out, |digits, out| match (how, integer(digits)) {
        (_, None) => out.extend_from_slice(digits), // beyond 64 bits: only a float can be meant
        (Spelling::Typed, Some(value)) => {
            out.extend_from_slice(INTEGER);
            out.extend_from_slice(BASE64.encode(&value.to_le_bytes()).as_bytes());
            out.extend_from_slice(br#""}"#);
        }
        (Spelling::Clean, Some(_)) => {
            out.push(b'"');
            out.extend_from_slice(digits);
            out.push(b'"');
        }
    });
}

/// Appends a document in which every number is a float: what becomes of one that is imported without its types.
pub fn without_types(document: &[u8], out: &mut Vec<u8>) {
    respell(document, out, |digits, out| {
        out.extend_from_slice(digits);
        out.extend_from_slice(b".0");
    });
}

/// Appends a document from the wire as it is stored; the opposite of [`spell`] with [`Spelling::Typed`].
///
/// # Errors
/// When an Int64 is not eight bytes in base64.
pub fn store(document: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let mut copied = 0;
    // Inside of a text its quotes would be escaped, so that nothing else looks like one.
    for found in memmem::find_iter(document, INTEGER) {
        let coded = &document[found + INTEGER.len()..];
        let end = memchr(b'"', coded).unwrap_or(coded.len());
        let value = BASE64.decode(&coded[..end]).ok().and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
        let (Some(value), true) = (value, coded[end..].starts_with(br#""}"#)) else {
            return Err("an encoded integer is not eight bytes in base64".into());
        };
        out.extend_from_slice(&document[copied..found]);
        out.extend_from_slice(i64::from_le_bytes(value).to_string().as_bytes());
        copied = found + INTEGER.len() + end + 2;
    }
    out.extend_from_slice(&document[copied..]);
    Ok(())
}

/// An Int64 as a value on the wire.
pub fn int64(value: i64) -> serde_json::Value {
    serde_json::json!({ "$integer": BASE64.encode(&value.to_le_bytes()) })
}

/// Copies JSON and hands each number without fraction and exponent to `on_integer` instead.
fn respell(json: &[u8], out: &mut Vec<u8>, on_integer: impl Fn(&[u8], &mut Vec<u8>)) {
    let (mut at, mut copied) = (0, 0);
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => at += string(&json[at..]),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                let length = json[at..].iter().take_while(|byte| is_part(byte)).count();
                let number = &json[at..at + length];
                if number[1..].iter().all(u8::is_ascii_digit) {
                    out.extend_from_slice(&json[copied..at]);
                    on_integer(number, out);
                    copied = at + length;
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    out.extend_from_slice(&json[copied..]);
}

/// Bytes of the string that begins here, with its quotes.
fn string(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(step) = json.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += step;
        if json[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    json.len()
}

fn integer(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROW: &[u8] = br#"{"_id":"a\"1","n":36,"f":36.0,"e":1e3,"deep":[-9007199254740993,{"x":-0.0,"s":"{\"$integer\":5}"}],"z":[]}"#;

    fn changed(change: impl Fn(&[u8], &mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        change(ROW, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn integers_alone_are_respelled_and_text_that_looks_like_one_is_not() {
        let typed = changed(|row, out| spell(row, Spelling::Typed, out));
        assert!(typed.contains(r#""n":{"$integer":"JAAAAAAAAAA="},"f":36.0,"e":1e3"#), "{typed}");
        assert!(typed.contains(r#""deep":[{"$integer":"////////3/8="},"#), "{typed}");
        assert!(typed.contains(r#""x":-0.0,"s":"{\"$integer\":5}""#), "{typed}");
        let clean = changed(|row, out| spell(row, Spelling::Clean, out));
        assert!(clean.contains(r#""n":"36","f":36.0"#) && clean.contains(r#"["-9007199254740993","#), "{clean}");
        let floats = changed(without_types);
        assert!(floats.contains(r#""n":36.0,"f":36.0,"e":1e3,"deep":[-9007199254740993.0,"#), "{floats}");
    }

    #[test]
    fn a_broken_integer_from_the_wire_is_refused() {
        for bad in [r#"{"n":{"$integer":"JAAA"}}"#, r#"{"n":{"$integer":"JAAAAAAAAAA="#, r#"{"n":{"$integer":"!"}}"#] {
            assert!(store(bad.as_bytes(), &mut Vec::new()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_goes_over_the_wire_comes_back_to_the_byte(numbers: Vec<i64>, text: String, float: f64) {
            let float = if float.is_finite() { float } else { 0.5 };
            let row = serde_json::json!({ "_id": text, "a": numbers, "b": { &text: float, "c": [null, true] } }).to_string();
            let (mut wire, mut back) = (Vec::new(), Vec::new());
            spell(row.as_bytes(), Spelling::Typed, &mut wire);
            serde_json::from_slice::<serde_json::Value>(&wire).unwrap();
            store(&wire, &mut back).unwrap();
            prop_assert_eq!(String::from_utf8(back).unwrap(), row);
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            spell(&bytes, Spelling::Typed, &mut Vec::new());
            without_types(&bytes, &mut Vec::new());
            _ = store(&bytes, &mut Vec::new());
        }
    }
}
