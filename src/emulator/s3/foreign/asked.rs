//! What a request asks for, by its address.

use http::{Method, Uri};

use crate::emulator::s3::face::convert::{decode, encode};

/// An address, taken apart.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) bucket: String,
    /// Empty where the bucket itself is asked.
    pub(super) key: String,
    /// Parameters as they were sent, but for those of a signature.
    query: Vec<(String, String)>,
}

impl Asked {
    pub(super) fn of(uri: &Uri) -> Self {
        let path = uri.path().strip_prefix('/').unwrap_or(uri.path());
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        // In a path `+` is itself.
        let plain = |text: &str| decode(&text.replace('+', "%2B"));
        let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let query = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        let is_signature = |name: &str| name.to_ascii_lowercase().starts_with("x-amz-") && name != "x-amz-tagging";
        let query = query.filter(|(name, _)| !is_signature(name)).collect();
        Asked { bucket: plain(bucket), key: plain(key), query }
    }

    /// Whether a parameter is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// A parameter's value.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether an object's own bytes are asked for, not what is known about it.
    pub(super) fn is_object(&self) -> bool {
        let about = ["acl", "attributes", "legal-hold", "retention", "tagging", "torrent", "uploadId", "uploads"];
        !self.key.is_empty() && !about.into_iter().any(|name| self.has(name))
    }

    /// Whether it lists objects or versions.
    pub(super) fn is_listing(&self, method: &Method) -> bool {
        let about =
            ["acl", "cors", "encryption", "lifecycle", "object-lock", "policy", "tagging", "uploads", "versioning"];
        method == Method::GET && self.key.is_empty() && !about.into_iter().any(|name| self.has(name))
    }

    /// The address in another bucket; with `page` a listing of so many entries at the most.
    pub(super) fn path_in(&self, bucket: &str, page: Option<usize>) -> String {
        let key = self.key.split('/').map(encode_step).collect::<Vec<_>>().join("/");
        let mut query = self.query.clone();
        if let Some(page) = page {
            let asked = self.value("max-keys").and_then(|value| value.parse().ok()).unwrap_or(usize::MAX);
            query.retain(|(name, _)| name != "max-keys");
            query.push(("max-keys".to_owned(), page.min(asked).to_string()));
        }
        let said: Vec<String> =
            query.iter().map(|(name, value)| format!("{}={}", encode_step(name), encode_step(value))).collect();
        let mark = if said.is_empty() { "" } else { "?" };
        format!("/{bucket}/{key}{mark}{}", said.join("&"))
    }

    /// For people.
    pub(super) fn words(&self) -> String {
        let about: Vec<&str> = self.query.iter().map(|(name, _)| name.as_str()).collect();
        let mark = if about.is_empty() { "" } else { "?" };
        format!("/{}/{}{mark}{}", self.bucket, self.key, about.join("&"))
    }
}

/// Percent-encoded as a signature wants it: all but letters, digits and `-._~`.
pub(super) fn encode_step(text: &str) -> String {
    encode(text).replace('/', "%2F")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_moved_to_another_bucket_and_nothing_else_of_it_changes() {
        let of = |text: &str| Asked::of(&text.parse().unwrap());
        let moved = |text: &str| of(text).path_in("bd-1", None);
        assert_eq!(moved("/b/a+b%20c/%E2%82%AC//d?versionId=v%2B1"), "/bd-1/a%2Bb%20c/%E2%82%AC//d?versionId=v%2B1");
        assert_eq!(moved("/b?list-type=2&prefix=a%2Fb&delimiter="), "/bd-1/?list-type=2&prefix=a%2Fb&delimiter=");
        assert_eq!(
            moved("/b/k?X-Amz-Signature=1&X-Amz-Date=2&response-content-type=a"),
            "/bd-1/k?response-content-type=a"
        );
        assert_eq!(of("/b?versions&max-keys=9").path_in("x", Some(5)), "/x/?versions=&max-keys=5");
        assert_eq!(of("/b?versions&max-keys=3").path_in("x", Some(5)), "/x/?versions=&max-keys=3");
        assert!(of("/b/k").is_object() && !of("/b/k?tagging").is_object() && !of("/b").is_object());
        assert!(of("/b?list-type=2").is_listing(&Method::GET) && !of("/b?uploads").is_listing(&Method::GET));
    }
}
