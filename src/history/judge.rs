//! From what was read to what was changed: a pure function. Each entry is held by the one after it, the last by the head
//! that stands beside the chain; so whoever changes one thing alone is found, and the entry is named.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{
    chain::{Digest, End, Link, NOTHING_BEFORE, hex, unhex},
    survey::{Damage, Ending, HeadSeen, Kept, Line, Seen, Stated, Survey},
};
use crate::model::history::Head;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Entries in the chain.
    pub entries: u64,
    /// Its end, if it has one.
    pub head: Option<Head>,
    /// What was changed, by sequence number; nothing where the chain and its records are what was written.
    pub flaws: Vec<Flaw>,
    /// What a killed write left at the end; the next append puts it right.
    pub unfinished: Option<String>,
}

impl Verified {
    /// Whether nothing is there at all.
    pub fn is_none(&self) -> bool {
        self.head.is_none() && self.flaws.is_empty() && self.unfinished.is_none()
    }
}

/// Something that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// The entry that it concerns.
    pub sequence: u64,
    /// What is wrong with it.
    pub what: String,
}

/// Judges what was read; `kept` is a head that somebody kept elsewhere.
pub(super) fn judge(survey: &Survey, kept: Option<&Head>) -> Verified {
    let mut judge = Judge::of(survey);
    judge.walk();
    let end = judge.end();
    let unfinished = judge.tail(end);
    if let Some(kept) = kept {
        judge.kept_elsewhere(kept, end);
    }
    let flaws = judge.flaws.into_iter().map(|(sequence, what)| Flaw { sequence, what }).collect();
    let head = (end.sequence > 0).then(|| end.head());
    Verified { entries: survey.seen.len() as u64, head, flaws, unfinished }
}

struct Judge<'s> {
    survey: &'s Survey,
    /// Where each entry stands first, by its number.
    places: HashMap<u64, usize>,
    /// Digests of entries passed, by their number.
    digests: HashMap<u64, Digest>,
    /// The first thing found of each entry.
    flaws: BTreeMap<u64, String>,
}

impl<'s> Judge<'s> {
    fn of(survey: &'s Survey) -> Self {
        let mut places = HashMap::with_capacity(survey.seen.len());
        for (at, seen) in survey.seen.iter().enumerate() {
            if let Line::Entry(link, _) = &seen.line {
                places.entry(link.sequence).or_insert(at);
            }
        }
        let digests = HashMap::from([(0, NOTHING_BEFORE)]);
        Judge { survey, places, digests, flaws: BTreeMap::new() }
    }

    fn flaw(&mut self, sequence: u64, what: impl Into<String>) {
        self.flaws.entry(sequence).or_insert_with(|| what.into());
    }

    /// Goes through the lines, with the number that must come next.
    fn walk(&mut self) {
        let (mut next, mut after_odd) = (1, false);
        for (at, seen) in self.survey.seen.iter().enumerate() {
            match &seen.line {
                Line::Odd(why) => {
                    self.flaw(next, format!("it was edited: its line is no entry: {why}"));
                    self.digests.insert(next, seen.digest);
                }
                Line::Entry(link, record) => {
                    if after_odd && link.sequence < next {
                        next = link.sequence; // what was odd stood between two entries
                    }
                    after_odd = false;
                    next = self.entry(at, seen, *link, record, next);
                    continue;
                }
            }
            after_odd = matches!(seen.line, Line::Odd(_));
            next += 1;
        }
    }

    /// An entry stands where number `next` must come; gives the number that must come after it.
    fn entry(&mut self, at: usize, seen: &Seen, link: Link, record: &Kept, mut next: u64) -> u64 {
        while link.sequence > next && self.places.get(&next).is_some_and(|place| *place < at) {
            self.flaw(next, "it is out of its place: it stands before others that came first");
            next += 1;
        }
        if link.sequence != next {
            match (self.digests.get(&(next - 1)) == Some(&link.previous), self.places.get(&next)) {
                (true, _) => {
                    let what = format!("it was edited: its line says that it is entry {}", link.sequence);
                    self.flaw(next, what);
                    self.digests.insert(next, seen.digest);
                    return next + 1;
                }
                (false, _) if link.sequence < next => {
                    self.digests.insert(link.sequence, seen.digest);
                    if self.places.get(&link.sequence) != Some(&at) {
                        self.flaw(link.sequence, "it stands in the chain more than once");
                    }
                    return next;
                }
                (false, Some(place)) if *place > at => {
                    let what = format!("it is out of its place: entry {} stands there", link.sequence);
                    self.flaw(next, what);
                    self.digests.insert(link.sequence, seen.digest);
                    return next + 1;
                }
                (false, _) => {
                    let last = link.sequence - 1;
                    let more = if last > next { format!(", and all up to entry {last}") } else { String::new() };
                    self.flaw(next, format!("it was removed{more}"));
                    next = link.sequence;
                }
            }
        }
        self.in_its_place(seen, link, record, next);
        next + 1
    }

    /// An entry stands where it must: is it, and what is before it, what was written?
    fn in_its_place(&mut self, seen: &Seen, link: Link, record: &Kept, number: u64) {
        self.digests.insert(number, seen.digest);
        match seen.stated {
            Stated::As(stated) if stated != seen.digest => self.flaw(number, "it was edited: its digest is another"),
            Stated::Missing => self.flaw(number, "it was written anew: its digest does not stand beside it"),
            _ => {}
        }
        match self.digests.get(&(number - 1)) {
            Some(before) if *before != link.previous => self.broken(seen, number),
            _ => {}
        }
        match record {
            Kept::Intact => {}
            Kept::Edited => {
                self.flaw(number, "its record was edited: it does not have the digest that its entry states")
            }
            Kept::Gone => self.flaw(number, "its record is gone"),
            Kept::Unreadable(why) => self.flaw(number, format!("its record cannot be read: {why}")),
        }
    }

    /// An entry does not follow from the one before it: which of the two was changed? What comes after it knows.
    fn broken(&mut self, seen: &Seen, number: u64) {
        let after = self.places.get(&(number + 1)).and_then(|place| self.survey.seen.get(*place));
        let vouched = match (after.map(|after| &after.line), &self.survey.head) {
            (Some(Line::Entry(after, _)), _) => after.previous == seen.digest,
            (_, HeadSeen::Names(end)) => end.sequence == number && end.digest == seen.digest,
            _ => matches!(seen.stated, Stated::As(stated) if stated == seen.digest),
        };
        match (vouched, number) {
            (true, 1) => self.flaw(1, "it does not begin this chain: others came before it"),
            (true, _) => self.flaw(number - 1, "it was edited: its digest is not the one that the next entry states"),
            (false, _) => self.flaw(number, "it was edited: it does not follow from the entry before it"),
        }
    }

    /// The chain's end, as far as it is one.
    fn end(&self) -> End {
        let last = self.survey.seen.iter().rev().find_map(|seen| match &seen.line {
            Line::Entry(link, _) => Some(End { sequence: link.sequence, digest: seen.digest }),
            _ => None,
        });
        last.unwrap_or(End::NONE)
    }

    /// What stands at and beyond the end. Gives what a killed write leaves, which is exactly what the next append puts
    /// right: both ask how the chain ends in one place.
    fn tail(&mut self, end: End) -> Option<String> {
        if !matches!(self.survey.ending, Ending::Unfinished(_)) {
            self.head(end);
        }
        match &self.survey.ending {
            Ending::Unfinished(what) => {
                self.beyond(end.sequence + 1);
                return Some(what.clone());
            }
            Ending::Damaged(Damage { sequence, why }) => {
                // What is wrong with the last entry or head.json was found on the way there.
                let sequence = sequence.unwrap_or(end.sequence + 1);
                if sequence > end.sequence && !self.flaws.contains_key(&(end.sequence + 1)) || self.flaws.is_empty() {
                    self.flaw(sequence.max(1), why.clone());
                }
            }
            Ending::Whole => {}
        }
        self.beyond(end.sequence);
        None
    }

    /// Records that lie beyond that entry belong to none.
    fn beyond(&mut self, last: u64) {
        let links = self.survey.seen.iter().filter_map(|seen| match &seen.line {
            Line::Entry(link, _) => Some((link.record, link.sequence)),
            Line::Odd(_) => None,
        });
        let entries: HashMap<Digest, u64> =
            if self.survey.beyond.is_empty() { HashMap::new() } else { links.collect() };
        for (number, digest) in self.survey.beyond.iter().filter(|(number, _)| *number > last) {
            let what = match digest.and_then(|digest| entries.get(&digest)) {
                Some(entry) => format!("its record is a copy of that of entry {entry}, and it has no line"),
                None => "it was removed: its record is there, its line is not".to_owned(),
            };
            self.flaw(*number, what);
        }
    }

    /// What is said of the end beside the chain must be its end.
    fn head(&mut self, end: End) {
        match &self.survey.head {
            HeadSeen::NotKept => {}
            HeadSeen::Missing if end.sequence == 0 => {}
            HeadSeen::Missing => {
                self.flaw(end.sequence, "it cannot be told whether it is the last: head.json is gone");
            }
            HeadSeen::Odd(why) => {
                let what = format!("it cannot be told whether it is the last: head.json makes no sense: {why}");
                self.flaw(end.sequence.max(1), what);
            }
            HeadSeen::Names(head) => self.named(*head, end),
        }
    }

    /// head.json names an end.
    fn named(&mut self, head: End, end: End) {
        if head.sequence > end.sequence {
            let what = format!("it was cut off, with all up to entry {} that head.json names", head.sequence);
            self.flaw(
                end.sequence + 1,
                if head.sequence == end.sequence + 1 {
                    "it was cut off: head.json names it, and its line is not there or not whole".to_owned()
                } else {
                    what
                },
            );
        } else if self.digests.get(&head.sequence) != Some(&head.digest) {
            self.flaw(head.sequence.max(1), "it, or head.json, was edited: they do not agree on its digest");
        } else if head.sequence < end.sequence {
            self.flaw(head.sequence + 1, "head.json names the entry before it as the last");
        }
    }

    /// Somebody kept a head where nobody could change it together with the chain.
    fn kept_elsewhere(&mut self, kept: &Head, end: End) {
        if kept.sequence > end.sequence {
            let what = format!("it was cut off: a head is known of entry {}", kept.sequence);
            return self.flaw(end.sequence + 1, what);
        }
        let known = unhex(&kept.sha256);
        if known.is_none() || self.digests.get(&kept.sequence) != known.as_ref() {
            let found = self.digests.get(&kept.sequence).map_or_else(|| "none".to_owned(), hex);
            let what = format!("it, or an entry before it, is not what was written: its digest is now {found}");
            self.flaw(kept.sequence, what);
        }
    }
}
