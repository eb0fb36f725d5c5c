//! When objects were written, in scenario time. A foreign storage dates them by the wall clock, at which a whole history
//! takes seconds; every write goes through the gateway, which notes here what it saw written, and when.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::emulator::s3::version::NULL_VERSION;

/// What is known of a bucket's versions: by key, in the order in which they were written.
#[derive(Debug, Default)]
pub(super) struct Dates(BTreeMap<String, Vec<(String, Timestamp)>>);

impl Dates {
    /// A version was written, or a delete marker. A bucket that keeps none has one version, `null`.
    pub(super) fn written(&mut self, key: &str, version: Option<&str>, at: Timestamp) {
        let version = version.unwrap_or(NULL_VERSION);
        let known = self.0.entry(key.to_owned()).or_default();
        known.retain(|(id, _)| id != version);
        known.push((version.to_owned(), at));
    }

    /// A version is gone; every one where none is named.
    pub(super) fn gone(&mut self, key: &str, version: Option<&str>) {
        let Some(version) = version else {
            self.0.remove(key);
            return;
        };
        if let Some(known) = self.0.get_mut(key) {
            known.retain(|(id, _)| id != version);
        }
    }

    /// When a version was written; the newest where none is named. One that nobody saw written is dated now.
    pub(super) fn of(&mut self, key: &str, version: Option<&str>, now: Timestamp) -> Timestamp {
        let known = self.0.get(key).map_or(&[][..], Vec::as_slice);
        let found = match version {
            Some(version) => known.iter().find(|(id, _)| id == version),
            None => known.last(),
        };
        match (found, version) {
            (Some((_, at)), _) => *at,
            (None, Some(version)) => {
                let at = self.take_unnamed(key).unwrap_or(now);
                self.written(key, Some(version), at);
                at
            }
            (None, None) => now,
        }
    }

    /// When something was written of which the storage did not say which version it made; it is this one, then.
    fn take_unnamed(&mut self, key: &str) -> Option<Timestamp> {
        let known = self.0.get_mut(key)?;
        let nth = known.iter().position(|(id, _)| id == NULL_VERSION)?;
        Some(known.remove(nth).1)
    }

    /// Where a version stands among those of its key; behind all of them where nobody saw it written.
    pub(super) fn place(&self, key: &str, version: &str) -> usize {
        self.0.get(key).and_then(|known| known.iter().position(|(id, _)| id == version)).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_keeps_the_moment_at_which_it_was_seen_written() {
        let at = |day: u32| format!("2026-03-{day:02}T03:00:00Z").parse::<Timestamp>().unwrap();
        let mut dates = Dates::default();
        dates.written("k", Some("a"), at(1));
        dates.written("k", Some("b"), at(2));
        assert_eq!((dates.of("k", Some("a"), at(9)), dates.of("k", None, at(9))), (at(1), at(2)));
        assert!(dates.place("k", "a") < dates.place("k", "b"));
        dates.gone("k", Some("b"));
        assert_eq!(dates.of("k", None, at(9)), at(1), "the one before it is the newest again");
        assert_eq!(dates.of("k", Some("unseen"), at(5)), at(5));
        assert_eq!(dates.of("k", Some("unseen"), at(9)), at(5), "first sight counts, not the last");
        dates.written("plain", None, at(3));
        dates.written("plain", None, at(4));
        assert_eq!(dates.of("plain", Some("null"), at(9)), at(4));
        assert_eq!(dates.of("plain", Some("c"), at(9)), at(4), "a write without an id is the version seen next");
        dates.gone("plain", None);
        assert_eq!(dates.of("plain", None, at(9)), at(9));
    }
}
