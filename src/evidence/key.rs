//! Ed25519 keys as files that other tools read too: PKCS#8 and SPKI in PEM, as `openssl` writes and reads them.

use std::{fs, io::Read, path::Path};

use data_encoding::HEXLOWER;
use ed25519_dalek::{
    Signature, Signer, SigningKey, VerifyingKey,
    pkcs8::{
        DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes, spki::der::pem::LineEnding,
    },
};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// A key file beyond this size, in bytes, is none.
const KEY_LIMIT: u64 = 64 << 10;

/// A key to sign with. Its bytes are wiped when it is dropped.
pub struct PrivateKey(SigningKey);

/// A key to verify with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey of {}", self.public().id())
    }
}

impl PrivateKey {
    /// The key that these 32 secret bytes are.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        PrivateKey(SigningKey::from_bytes(secret))
    }

    /// Reads an unencrypted PKCS#8 PEM file.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read(path, "the private key cannot be read")?;
        let wrong = |e: ed25519_dalek::pkcs8::Error| {
            let why = unlabelled(&text, "PRIVATE KEY").unwrap_or_else(|| e.to_string());
            Error::new("this is no Ed25519 private key").at(path.display().to_string()).because(why).help(
                "give an unencrypted Ed25519 key in PKCS#8 PEM, as `backdraft keygen` and `openssl genpkey -algorithm \
                 ed25519` make it",
            )
        };
        SigningKey::from_pkcs8_pem(&text).map(PrivateKey).map_err(wrong)
    }

    /// PKCS#8 in PEM. Version 1, without the public key: OpenSSL 3.0 reads no other.
    ///
    /// # Errors
    /// Never for a key of this kind; what the encoder says, otherwise.
    pub fn to_pem(&self) -> Result<String> {
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(|e| Error::new("the key has no PEM form").because(e))?;
        Ok(pem.to_string())
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// 64 bytes; the same ones for the same message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl PublicKey {
    /// Reads an SPKI PEM file.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read(path, "the public key cannot be read")?;
        let wrong = |e: ed25519_dalek::pkcs8::spki::Error| {
            let why = unlabelled(&text, "PUBLIC KEY").unwrap_or_else(|| e.to_string());
            let help = "give the public key that `backdraft keygen` wrote beside the private one (NAME.pub.pem)";
            Error::new("this is no Ed25519 public key").at(path.display().to_string()).because(why).help(help)
        };
        VerifyingKey::from_public_key_pem(&text).map(PublicKey).map_err(wrong)
    }

    /// SPKI in PEM.
    ///
    /// # Errors
    /// Never for a key of this kind; what the encoder says, otherwise.
    pub fn to_pem(&self) -> Result<String> {
        self.0.to_public_key_pem(LineEnding::LF).map_err(|e| Error::new("the key has no PEM form").because(e))
    }

    /// SHA-256 of the key as SPKI DER in lower-case hex: `openssl pkey -pubin -in KEY -outform DER | sha256sum`.
    pub fn id(&self) -> String {
        // An Ed25519 key always has a DER form; one without it would have the id of no bytes, which matches nothing.
        let der = self.0.to_public_key_der().map(|der| der.as_bytes().to_vec()).unwrap_or_default();
        HEXLOWER.encode(&Sha256::digest(der))
    }

    /// Whether this key's holder signed the message. Strict: no two keys share a signature (RFC 8032, 8.4 aside).
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

/// What is wrong with a text that is no PEM of that kind at all: the decoder speaks of its first bytes.
fn unlabelled(text: &str, label: &str) -> Option<String> {
    let line = format!("-----BEGIN {label}-----");
    (!text.contains(&line)).then(|| format!("no line in it begins a {label} in PEM"))
}

fn read(path: &Path, what: &str) -> Result<String> {
    let unreadable = |e| Error::new(what).at(path.display().to_string()).because(e);
    let mut text = String::new();
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        let no_file = Error::new("this is not a regular file, where a key belongs").at(path.display().to_string());
        return Err(no_file.help("give a PEM file"));
    }
    fs::File::open(path).map_err(unreadable)?.take(KEY_LIMIT).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_from_its_pem_and_verifies_what_it_signed_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (private, public) = (dir.path().join("key.pem"), dir.path().join("key.pub.pem"));
        let key = PrivateKey::from_secret(&[7; 32]);
        fs::write(&private, key.to_pem().unwrap()).unwrap();
        fs::write(&public, key.public().to_pem().unwrap()).unwrap();
        let (key, public) = (PrivateKey::read(&private).unwrap(), PublicKey::read(&public).unwrap());
        assert_eq!(key.public(), public);
        let signature = key.sign(b"message");
        assert!(public.verifies(b"message", &signature));
        assert!(!public.verifies(b"massage", &signature) && !public.verifies(b"message", &signature[1..]));
        assert!(!PrivateKey::from_secret(&[8; 32]).public().verifies(b"message", &signature));
        assert!(!format!("{key:?}").contains("07, 7"), "a key is not printed");
    }

    #[test]
    fn rfc_8032_test_vector_2_is_signed_as_it_says() {
        let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
        let secret = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = PrivateKey::from_secret(&secret.try_into().unwrap());
        let signature = hex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        assert_eq!(key.sign(&[0x72]).to_vec(), signature);
    }
}
