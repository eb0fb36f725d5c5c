//! Document ids as Convex spells them: lower-case Crockford base32 of the table's number, 16 bytes and a checksum. The
//! 16 bytes hold the row's index under a keyed permutation, so that an id says which row it names without a lookup.

use crate::{
    emulator::convex::ids::{BASE32, FIRST_TABLE, fletcher16},
    sim::seed::Seed,
};

/// Characters of an id: the table numbers in use take two bytes.
pub(super) const ID_LEN: usize = 32;
const BINARY_LEN: usize = 20;

/// Names rows, and recognises the names that it gave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ids {
    index_key: u64,
    tag_key: u64,
}

impl Ids {
    /// Other seeds give other ids.
    pub(super) fn new(seed: Seed) -> Self {
        Ids { index_key: seed.child("id-index").0, tag_key: seed.child("id-tag").0 }
    }

    /// The id of a table's row.
    pub(super) fn encode(&self, table: usize, index: u64) -> [u8; ID_LEN] {
        let mut binary = [0; BINARY_LEN];
        let number = FIRST_TABLE + table as u32;
        binary[0] = (number & 0x7f | 0x80) as u8;
        binary[1] = (number >> 7) as u8;
        let word = mix(index ^ self.key(table));
        binary[2..10].copy_from_slice(&word.to_le_bytes());
        binary[10..18].copy_from_slice(&self.tag(table, word).to_le_bytes());
        let sum = fletcher16(&binary[..18]);
        binary[18..].copy_from_slice(&sum.to_le_bytes());
        let mut text = [0; ID_LEN];
        BASE32.encode_mut(&binary, &mut text);
        text
    }

    /// Table and index that an id names; `None` for an id that was not made here.
    pub(super) fn decode(&self, text: &[u8]) -> Option<(usize, u64)> {
        let mut binary = [0; BINARY_LEN];
        if text.len() != ID_LEN || BASE32.decode_mut(text, &mut binary).is_err() {
            return None;
        }
        let number = u32::from(binary[0] & 0x7f) | u32::from(binary[1]) << 7;
        let table = number.checked_sub(FIRST_TABLE)? as usize;
        let word = little_endian(&binary[2..10]);
        let index = unmix(word) ^ self.key(table);
        // The tag and the checksum are compared through the one spelling that the row's id has.
        (self.encode(table, index) == text).then_some((table, index))
    }

    fn key(&self, table: usize) -> u64 {
        mix(self.index_key.wrapping_add(table as u64))
    }

    fn tag(&self, table: usize, word: u64) -> u64 {
        mix(word ^ self.tag_key.wrapping_add(table as u64))
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

const MULTIPLIERS: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

/// A bijection on 64 bits (the finaliser of SplitMix64).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(MULTIPLIERS[0]);
    z = (z ^ (z >> 27)).wrapping_mul(MULTIPLIERS[1]);
    z ^ (z >> 31)
}

/// Undoes [`mix`].
fn unmix(mut z: u64) -> u64 {
    z = unshift(z, 31).wrapping_mul(inverse(MULTIPLIERS[1]));
    z = unshift(z, 27).wrapping_mul(inverse(MULTIPLIERS[0]));
    unshift(z, 30)
}

/// Undoes `z ^ (z >> by)`, for `by` of at least 22.
fn unshift(z: u64, by: u32) -> u64 {
    z ^ (z >> by) ^ (z >> (2 * by))
}

/// The inverse of an odd number modulo 2⁶⁴, by Newton's iteration.
const fn inverse(odd: u64) -> u64 {
    let mut x = odd; // right to 3 bits; each step doubles them
    let mut step = 0;
    while step < 5 {
        x = x.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(x)));
        step += 1;
    }
    x
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_names_its_row_and_no_other_spelling_does(
            seed: u64, table in 0usize..7, index: u64, place in 0..ID_LEN, other: u8,
        ) {
            let ids = Ids::new(Seed(seed));
            let mut id = ids.encode(table, index);
            prop_assert_eq!(ids.decode(&id), Some((table, index)));
            prop_assume!(id[place] != other);
            id[place] = other;
            prop_assert_eq!(ids.decode(&id), None);
            prop_assert_eq!(Ids::new(Seed(seed ^ 1)).decode(&ids.encode(table, index)), None);
        }

        #[test]
        fn decoding_survives_any_bytes(bytes: Vec<u8>) {
            prop_assert_eq!(Ids::new(Seed(7)).decode(&bytes), None);
        }
    }

    #[test]
    fn ids_are_spelled_as_a_deployment_spells_them() {
        let ids = Ids::new(Seed(7));
        let shown = [(0, 0), (0, 1), (6, u64::MAX)].map(|(t, i)| String::from_utf8(ids.encode(t, i).to_vec()).unwrap());
        insta::assert_snapshot!(shown.join("\n"));
    }
}
