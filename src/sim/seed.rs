//! One root seed a drill; every use of randomness gets a child seed by name, so that adding one does not move others.

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use sha2::{Digest, Sha256};

/// A generator whose stream is fixed by its seed, on every platform.
pub type Rng = Xoshiro256PlusPlus;

/// A seed that can be split by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The child seed of that name.
    pub fn child(self, name: &str) -> Seed {
        let digest = Sha256::new().chain_update(self.0.to_le_bytes()).chain_update(name).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Seed(u64::from_le_bytes(first))
    }

    /// The child seed of that number; cheap enough for one a row.
    pub fn nth(self, n: u64) -> Seed {
        let mut z = self.0 ^ n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Seed(z ^ (z >> 31))
    }

    /// A generator that starts here.
    pub fn rng(self) -> Rng {
        Rng::seed_from_u64(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_depends_on_its_name_and_its_parent_alone() {
        assert_eq!(Seed(7).child("writes"), Seed(7).child("writes"));
        assert_ne!(Seed(7).child("writes"), Seed(7).child("faults"));
        assert_ne!(Seed(7).child("writes"), Seed(8).child("writes"));
        assert_ne!(Seed(7).nth(0), Seed(7).nth(1));
    }
}
