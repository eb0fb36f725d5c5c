//! A value that must not be told. It has no `Display`, its `Debug` is blank and it is no `Serialize`: whoever wants the
//! value must ask for it by name, and a search for `expose` shows every place that does.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::sim::seed::Seed;

/// Hexadecimal digits of a digest: 64 bits, enough to tell the secrets of one drill apart.
const DIGEST_LEN: usize = 16;

/// A secret value.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// What secrets of one drill are digested with, so that a digest says nothing to whoever lacks it.
#[derive(Clone, Copy)]
pub struct Salt(u64);

impl Secret {
    /// Takes a value into custody.
    pub fn new(value: String) -> Self {
        Secret(value)
    }

    /// The value itself. For writing it where it belongs, and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// What stands for it in rows, ledgers and records: the first 16 hexadecimal digits of its salted SHA-256.
    pub fn digest(&self, salt: Salt) -> String {
        let digest = Sha256::new().chain_update(salt.0.to_le_bytes()).chain_update(&self.0).finalize();
        let mut hex = HEXLOWER.encode(&digest);
        hex.truncate(DIGEST_LEN);
        hex
    }
}

impl Salt {
    /// The salt of a drill.
    pub fn of(seed: Seed) -> Self {
        Salt(seed.child("salt").0)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_by_its_salted_digest_alone() {
        let (secret, other) = (Secret::new("hunter2hunter2".into()), Secret::new("hunter3hunter3".into()));
        let (salt, pepper) = (Salt::of(Seed(1)), Salt::of(Seed(2)));
        assert_eq!(format!("{secret:?} {salt:?}"), "Secret Salt");
        assert_eq!(secret.digest(salt), secret.clone().digest(salt));
        assert_ne!(secret.digest(salt), other.digest(salt));
        assert_ne!(secret.digest(salt), secret.digest(pepper));
        assert_eq!(secret.digest(salt).len(), DIGEST_LEN);
    }
}
