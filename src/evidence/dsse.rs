//! DSSE v1.0 (<https://github.com/secure-systems-lab/dsse>): an envelope around a payload, and what is signed of it.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use serde::{Deserialize, Serialize};

use super::{PrivateKey, PublicKey};

/// Type of an in-toto statement.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A payload with its signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Base64 of the payload.
    pub payload: String,
    /// How to read it.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// One or more.
    pub signatures: Vec<Signed>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// A hint which key it may be; not signed itself, so nothing is decided by it.
    #[serde(default)]
    pub keyid: String,
    /// Base64 of the signature.
    pub sig: String,
}

/// What is signed: type and payload with their lengths, so that neither can be taken for a part of the other.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoded = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

impl Envelope {
    /// An in-toto statement, signed.
    pub fn sign(payload: &[u8], key: &PrivateKey) -> Self {
        let sig = BASE64.encode(&key.sign(&pae(IN_TOTO, payload)));
        let signatures = vec![Signed { keyid: key.public().id(), sig }];
        Envelope { payload: BASE64.encode(payload), payload_type: IN_TOTO.to_owned(), signatures }
    }

    /// The payload's bytes; `None` where it is no base64.
    pub fn payload(&self) -> Option<Vec<u8>> {
        decode(&self.payload)
    }

    /// Whether one of the signatures is this key's, over this type and payload.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let Some(payload) = self.payload() else { return false };
        let message = pae(&self.payload_type, &payload);
        self.signatures.iter().filter_map(|one| decode(&one.sig)).any(|sig| key.verifies(&message, &sig))
    }
}

/// Verifiers must take both alphabets.
fn decode(text: &str) -> Option<Vec<u8>> {
    let ways = [&BASE64, &BASE64URL, &BASE64_NOPAD, &BASE64URL_NOPAD];
    ways.iter().find_map(|way| way.decode(text.as_bytes()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_encoded_as_the_protocol_shows() {
        let encoded = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn a_signature_holds_for_its_payload_its_type_and_its_key_alone() {
        let key = PrivateKey::from_secret(&[1; 32]);
        let envelope = Envelope::sign(b"{\"a\": 1}", &key);
        let public = key.public();
        assert!(envelope.is_signed_by(&public));
        assert!(!envelope.is_signed_by(&PrivateKey::from_secret(&[2; 32]).public()));
        assert!(!Envelope { payload: BASE64.encode(b"{\"a\": 2}"), ..envelope.clone() }.is_signed_by(&public));
        assert!(!Envelope { payload_type: "text/plain".into(), ..envelope.clone() }.is_signed_by(&public));
        assert!(!Envelope { signatures: Vec::new(), ..envelope.clone() }.is_signed_by(&public));
        // Which key it claims changes nothing, and neither does the alphabet of base64.
        let mut other = envelope.clone();
        other.signatures[0].keyid = "another".into();
        other.signatures[0].sig = BASE64URL.encode(&BASE64.decode(other.signatures[0].sig.as_bytes()).unwrap());
        assert!(other.is_signed_by(&public));
    }
}
