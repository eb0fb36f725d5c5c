//! Document ids: lower-case Crockford base32 of the table's number (a varint), 16 bytes and a checksum; 31 to 37
//! characters.

use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};

/// Number of the first table of users; those below it are the deployment's own.
pub const FIRST_TABLE: u32 = 10_001;

/// The alphabet.
pub static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    spec.encoding().expect("32 distinct symbols make an encoding")
});

/// The id of a document.
pub fn encode(table: u32, document: [u8; 16]) -> String {
    let mut binary = Vec::with_capacity(23);
    let mut left = table;
    while left >= 0x80 {
        binary.push((left & 0x7f | 0x80) as u8);
        left >>= 7;
    }
    binary.push(left as u8);
    binary.extend_from_slice(&document);
    let sum = fletcher16(&binary);
    binary.extend_from_slice(&sum.to_le_bytes());
    BASE32.encode(&binary)
}

/// Table and document that an id names; `None` for what is no id.
pub fn decode(id: &str) -> Option<(u32, [u8; 16])> {
    if !(31..=37).contains(&id.len()) {
        return None;
    }
    let binary = BASE32.decode(id.as_bytes()).ok()?;
    let (body, sum) = binary.split_at_checked(binary.len().checked_sub(2)?)?;
    let (number, document) = body.split_at_checked(body.len().checked_sub(16)?)?;
    if fletcher16(body).to_le_bytes() != sum {
        return None;
    }
    let mut table = 0u64;
    for (nth, byte) in number.iter().enumerate() {
        if (byte & 0x80 != 0) != (nth + 1 < number.len()) {
            return None;
        }
        table |= u64::from(byte & 0x7f) << (7 * nth);
    }
    Some((u32::try_from(table).ok()?, document.try_into().ok()?))
}

/// Fletcher's checksum with both sums modulo 256; the low byte is the plain sum.
pub fn fletcher16(bytes: &[u8]) -> u16 {
    let (low, high) = bytes.iter().fold((0u8, 0u8), |(low, high), byte| {
        let low = low.wrapping_add(*byte);
        (low, high.wrapping_add(low))
    });
    u16::from_le_bytes([low, high])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_says_what_it_names_and_a_changed_one_says_nothing(table: u32, document: [u8; 16], at in 0usize..31, to: u8) {
            let id = encode(table, document);
            prop_assert_eq!(decode(&id), Some((table, document)));
            let mut other = id.clone().into_bytes();
            prop_assume!(other[at] != to && to.is_ascii());
            other[at] = to;
            prop_assert_eq!(decode(&String::from_utf8(other).unwrap()), None);
        }

        #[test]
        fn no_text_makes_it_stumble(text: String) {
            prop_assert_eq!(decode(&text), None);
        }
    }
}
