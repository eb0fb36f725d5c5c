//! Whom to believe about a recovery point. A backup is written once and copied, so of each point every region was given
//! the same manifest, and nothing was ever written over it. What agrees with itself and not with that has been altered by
//! somebody who knows how. Where regions contradict each other, a manifest that no dump fits speaks for nothing; of those
//! that one fits, what most regions say is believed, and in a tie nobody.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use jiff::Timestamp;

use super::{Reference, chain::Outages, choose::Candidate, cost};
use crate::{
    archive::Manifest,
    model::{event::AlarmKind, naming::PointName},
};

/// What regions say of recovery points.
#[derive(Debug, Default)]
pub(super) struct Witnesses {
    said: BTreeMap<PointName, Vec<Testimony>>,
    /// What was found to be true; `None` where it cannot be known.
    settled: BTreeMap<PointName, Option<Manifest>>,
    /// Points and regions that an alarm was raised about.
    told: BTreeSet<(PointName, String)>,
}

/// The manifest that a region was given first.
#[derive(Debug)]
struct Testimony {
    region: String,
    written: Timestamp,
    manifest: Manifest,
}

/// Regions that say the same.
struct Side<'w> {
    manifest: &'w Manifest,
    regions: Vec<&'w str>,
}

impl Witnesses {
    /// A region has this manifest of a point, written then. What was written first counts.
    pub(super) fn hear(&mut self, point: &PointName, region: &str, written: Timestamp, manifest: &Manifest) {
        let said = self.said.entry(point.clone()).or_default();
        let testimony = Testimony { region: region.to_owned(), written, manifest: manifest.clone() };
        match said.iter_mut().find(|known| known.region == region) {
            Some(known) if known.written > written => *known = testimony,
            Some(_) => {}
            None => said.push(testimony),
        }
    }

    fn sides(&self, point: &PointName) -> Vec<Side<'_>> {
        let mut sides: Vec<Side<'_>> = Vec::new();
        for Testimony { region, manifest, .. } in self.said.get(point).into_iter().flatten() {
            match sides.iter_mut().find(|side| side.manifest == manifest) {
                Some(side) => side.regions.push(region),
                None => sides.push(Side { manifest, regions: vec![region] }),
            }
        }
        sides
    }
}

/// Of sides that a dump fits, the one that most regions are on.
fn most<'w>(sides: &[Side<'w>]) -> Option<&'w Manifest> {
    let most = sides.iter().map(|side| side.regions.len()).max()?;
    let mut leaders = sides.iter().filter(|side| side.regions.len() == most);
    leaders.next().filter(|_| leaders.next().is_none()).map(|side| side.manifest)
}

/// What is known beside the candidate that is tried.
pub(super) struct Court<'c> {
    pub(super) all: &'c [Candidate],
    pub(super) witnesses: &'c mut Witnesses,
    pub(super) outages: &'c Outages,
}

impl Reference {
    /// Whether regions that agree with each other gave another manifest than a candidate's. Costs nothing. Err: why it is
    /// not to be believed; an alarm has been raised.
    pub(super) fn recognise(&self, candidate: &Candidate, court: &mut Court<'_>) -> Result<(), String> {
        match &court.witnesses.sides(&candidate.point)[..] {
            [only] if *only.manifest != candidate.manifest => {
                let why = "its manifest was written over another one, and a backup is written once".to_owned();
                self.contradicted(candidate, court, &why);
                Err(why)
            }
            _ => Ok(()),
        }
    }

    /// Whether a candidate that agrees with itself is what was made, where regions contradict each other: the other sides'
    /// dumps are read. Err: why it is not to be believed; an alarm has been raised.
    pub(super) async fn corroborate(&self, candidate: &Candidate, court: &mut Court<'_>) -> Result<(), String> {
        let point = &candidate.point;
        let sides = court.witnesses.sides(point);
        if sides.len() < 2 {
            return Ok(());
        }
        if !court.witnesses.settled.contains_key(point) {
            let mut fitting = Vec::new();
            for side in sides {
                if *side.manifest == candidate.manifest || self.has_dump(&side, point, court).await {
                    fitting.push(side);
                }
            }
            let truth = most(&fitting).cloned();
            court.witnesses.settled.insert(point.clone(), truth);
        }
        let why = match court.witnesses.settled.get(point).and_then(Option::as_ref) {
            Some(truth) if *truth == candidate.manifest => return Ok(()),
            Some(_) => "it agrees with itself, and most regions have another one of that name",
            None => {
                "it agrees with itself, as does another one of that name, and it cannot be known which is the true one"
            }
        };
        self.contradicted(candidate, court, why);
        Err(why.to_owned())
    }

    fn contradicted(&self, candidate: &Candidate, court: &mut Court<'_>, why: &str) {
        let (point, region) = (&candidate.point, candidate.store.region());
        if court.witnesses.told.insert((point.clone(), region.to_owned())) {
            self.alarm(AlarmKind::Contradicted, Some(region), format!("{point}: {why}"));
        }
    }

    /// Whether a dump can be had that fits what a side says.
    async fn has_dump(&self, side: &Side<'_>, point: &PointName, court: &Court<'_>) -> bool {
        for candidate in court.all.iter().filter(|one| one.point == *point && one.manifest == *side.manifest) {
            if court.outages.of(candidate.store.region()).is_none() && self.fits(candidate).await {
                return true;
            }
        }
        false
    }

    /// Reads a dump whole: whether it is the one that its manifest speaks of.
    async fn fits(&self, candidate: &Candidate) -> bool {
        let Ok((_, body)) = candidate.open(&self.layout.dump_key(&candidate.point)).await else { return false };
        let mut opened = self.open(&candidate.manifest, body);
        while let Some(chunk) = opened.rows.next().await {
            let Ok(chunk) = chunk else { return false };
            self.bench.clock.spend_on(chunk.lines.len() as u64, cost::UNPACK_AND_IMPORT).await;
        }
        opened.summary.get().is_some_and(|found| candidate.manifest.check(&found).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        archive::MANIFEST_FORMAT,
        model::{event::Position, plan::DumpFormat},
    };

    fn manifest(bytes: u64) -> Manifest {
        let moment = Timestamp::UNIX_EPOCH;
        Manifest {
            format: MANIFEST_FORMAT.into(),
            service: "database".into(),
            dump: "d".into(),
            dump_format: DumpFormat::JsonlGz,
            stored_bytes: bytes,
            stored_sha256: String::new(),
            position: Position { seq: 1, committed_at: moment },
            exported_at: moment,
            tables: vec![],
            content_bytes: None,
        }
    }

    fn second(n: i64) -> Timestamp {
        Timestamp::from_second(n).unwrap()
    }

    #[test]
    fn most_regions_are_believed_and_nobody_in_a_tie() {
        let point = PointName::at(second(0));
        let mut witnesses = Witnesses::default();
        let believed = |witnesses: &Witnesses| most(&witnesses.sides(&point)).map(|manifest| manifest.stored_bytes);
        assert_eq!(believed(&witnesses), None);
        witnesses.hear(&point, "a", second(5), &manifest(1));
        assert_eq!(believed(&witnesses), Some(1));
        witnesses.hear(&point, "b", second(5), &manifest(2));
        assert_eq!(believed(&witnesses), None);
        witnesses.hear(&point, "c", second(5), &manifest(2));
        assert_eq!(believed(&witnesses), Some(2));
    }

    #[test]
    fn of_one_region_what_was_written_first_counts() {
        let point = PointName::at(second(0));
        let mut witnesses = Witnesses::default();
        for (written, bytes) in [(7, 3), (5, 1), (6, 2)] {
            witnesses.hear(&point, "a", second(written), &manifest(bytes));
        }
        assert_eq!(most(&witnesses.sides(&point)), Some(&manifest(1)));
    }
}
