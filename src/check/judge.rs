//! Judges item by item which writes a restored state reflects: pure arithmetic over the ledger's versions.

use std::collections::BTreeMap;

use super::found::Found;
use crate::service::contract::Version;

/// How many wrong rows are named.
pub(super) const EXAMPLES: usize = 5;

/// The newest version that an item reflects; `None` where it reflects none.
type Reached = Option<usize>;

/// What an item's row, or the lack of one, can mean.
pub(super) enum Reading {
    /// One thing.
    Certain(Reached),
    /// Content that was never written.
    Altered,
    /// Several: an absent row may not have been inserted yet, or have been deleted.
    Ambiguous,
}

impl Reading {
    /// Reads what was found of an item with these versions.
    pub(super) fn of(found: Found, versions: &[Version]) -> Self {
        match found {
            Found::Altered => Reading::Altered,
            Found::Version(version) => Reading::Certain(Some(version)),
            Found::Absent => {
                let mut absences = absences(versions);
                match (absences.next(), absences.next()) {
                    (None, _) => Reading::Certain(None),
                    (Some(only), None) => Reading::Certain(only.reached),
                    _ => Reading::Ambiguous,
                }
            }
        }
    }
}

/// A stretch of the sequence in which an item has no row.
struct Absence {
    reached: Reached,
    from: u64,
    until: Option<u64>,
}

impl Absence {
    fn holds_at(&self, seq: u64) -> bool {
        self.from <= seq && self.until.is_none_or(|until| seq < until)
    }
}

fn absences(versions: &[Version]) -> impl Iterator<Item = Absence> {
    let created = versions.first().map(|version| version.seq).filter(|seq| *seq > 0);
    let before = created.map(|seq| Absence { reached: None, from: 0, until: Some(seq) });
    let deleted = versions.iter().enumerate().filter(|(_, version)| !version.present).map(|(number, version)| {
        let until = versions.get(number + 1).map(|next| next.seq);
        Absence { reached: Some(number), from: version.seq, until }
    });
    before.into_iter().chain(deleted)
}

/// Reads an ambiguous absence as the claim has it; as the prefix of the other items has it where that ends before the
/// claimed position, for then the claim is disproved. Where neither has the item absent, it was not inserted yet: the
/// reading that makes nothing look better than it is.
pub(super) fn settle(versions: &[Version], claimed: u64, prefix: u64) -> Reached {
    let at = |seq| absences(versions).find(|absence| absence.holds_at(seq));
    at(claimed.min(prefix)).or_else(|| at(prefix)).or_else(|| absences(versions).next()).and_then(|a| a.reached)
}

/// The prefix that is left when ambiguous items, given by their versions, are settled too. One that ends the prefix
/// earlier may change how another is read, so they are read until nothing changes.
pub(super) fn settled_prefix(ambiguous: &[Vec<Version>], claimed: u64, mut prefix: u64) -> u64 {
    loop {
        let first_lost = |versions: &Vec<Version>| {
            let reflected = settle(versions, claimed, prefix).map_or(0, |newest| newest + 1);
            versions.get(reflected).map(|lost| lost.seq)
        };
        let ends = ambiguous.iter().filter_map(first_lost).map(|seq| seq.saturating_sub(1)).min();
        match ends.filter(|end| *end < prefix) {
            Some(earlier) => prefix = earlier,
            None => return prefix,
        }
    }
}

/// Sums over items.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The claimed position's sequence number.
    pub(super) claimed: u64,
    /// Lost writes; the seeding is none.
    pub(super) lost: u64,
    /// Lost at or before the claimed position, the seeding too.
    pub(super) holes: u64,
    /// Reflected after the claimed position.
    pub(super) ahead: u64,
    /// Items whose content was never written.
    pub(super) altered: u64,
    /// Items that are there although deleted.
    pub(super) resurrected: u64,
    /// What is wrong with items that are not as claimed; the lowest few.
    pub(super) wrong: BTreeMap<u64, String>,
    /// Items whose absence may mean several things.
    pub(super) ambiguous: Vec<u64>,
    /// The first write that is not there as promised.
    broken_at: Option<u64>,
}

impl Tally {
    /// An empty sum against a claimed position.
    pub(super) fn new(claimed: u64) -> Self {
        Tally { claimed, ..Tally::default() }
    }

    /// Adds an item, or puts it aside if it is ambiguous.
    pub(super) fn read(&mut self, item: u64, found: Found, versions: &[Version]) {
        match Reading::of(found, versions) {
            Reading::Certain(reached) => self.count(item, found, versions, reached),
            Reading::Altered => self.count_altered(item, versions),
            Reading::Ambiguous => self.ambiguous.push(item),
        }
    }

    /// Adds an item of which the newest reflected version is known.
    pub(super) fn count(&mut self, item: u64, found: Found, versions: &[Version], reached: Reached) {
        let reflected = reached.map_or(0, |newest| newest + 1).min(versions.len());
        self.ahead += versions[..reflected].iter().filter(|version| version.seq > self.claimed).count() as u64;
        for Version { seq, .. } in &versions[reflected..] {
            self.lost += u64::from(*seq > 0);
            self.holes += u64::from(*seq <= self.claimed);
            self.break_at(*seq);
        }
        let promised = self.promised(versions);
        let back = found != Found::Absent && self.resurrects(versions);
        let wrong = match promised {
            _ if back => format!("back, although write {} deleted it", promised.map_or(0, |p| versions[p].seq)),
            _ if promised == reached => return,
            Some(p) if reached.is_none_or(|r| r < p) => {
                let state = if found == Found::Absent { "missing" } else { "older than promised" };
                format!("{state}, lacks {}", write(versions[p].seq))
            }
            _ => format!("holds {}, after the claimed position", write(versions[reflected.saturating_sub(1)].seq)),
        };
        self.note(item, wrong);
    }

    /// Adds every sum of another part of the items.
    pub(super) fn merge(&mut self, other: Tally) {
        self.lost += other.lost;
        self.holes += other.holes;
        self.ahead += other.ahead;
        self.altered += other.altered;
        self.resurrected += other.resurrected;
        self.ambiguous.extend(other.ambiguous);
        if let Some(seq) = other.broken_at {
            self.break_at(seq);
        }
        for (item, what) in other.wrong {
            self.note(item, what);
        }
    }

    /// Sequence number of the last write of the unbroken prefix, where the source's last write is `last`.
    pub(super) fn prefix(&self, last: u64) -> u64 {
        self.broken_at.map_or(last, |seq| seq.saturating_sub(1))
    }

    /// Names an item as wrong, if it is among the lowest few; what was said of it first stays.
    pub(super) fn note(&mut self, item: u64, what: String) {
        self.wrong.entry(item).or_insert(what);
        if self.wrong.len() > EXAMPLES {
            self.wrong.pop_last();
        }
    }

    fn count_altered(&mut self, item: u64, versions: &[Version]) {
        self.altered += 1;
        // What the claim promised of this row is not there: whatever stands in its place continues no prefix.
        let promised = versions.get(self.promised(versions).unwrap_or(0));
        self.break_at(promised.map_or(0, |version| version.seq));
        self.resurrects(versions);
        self.note(item, "content that was never written".into());
    }

    /// The version that the claimed position holds of an item.
    fn promised(&self, versions: &[Version]) -> Reached {
        versions.iter().rposition(|version| version.seq <= self.claimed)
    }

    /// Counts an item that is there if it should be deleted.
    fn resurrects(&mut self, versions: &[Version]) -> bool {
        let back = self.promised(versions).is_some_and(|promised| !versions[promised].present);
        self.resurrected += u64::from(back);
        back
    }

    fn break_at(&mut self, seq: u64) {
        self.broken_at = Some(self.broken_at.map_or(seq, |first| first.min(seq)));
    }
}

fn write(seq: u64) -> String {
    if seq == 0 { "the seeding".into() } else { format!("write {seq}") }
}
