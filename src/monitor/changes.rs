//! The change stream between the backups: whether pieces come, whether they join, and where the plan has contents read
//! whether each is the piece that its name says.

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{Aspect, Monitor, Place, Sighting, Uncopied, duration};
use crate::{
    archive::{self, InputError, Limits},
    model::{
        event::AlarmKind,
        naming::{PieceName, PointName},
        plan::{DumpFormat, Watch},
        units::Span,
        words,
    },
    store::Store,
};

/// A piece may be late by as much as two are apart, and by this.
const LATE: SignedDuration = SignedDuration::from_mins(5);

/// What a piece may inflate to, in bytes: twice what is written.
const MOST_INFLATED: u64 = 64 << 20;

/// Pieces that are read at once.
const AT_ONCE: usize = 4;

/// A hole between two pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    /// The last write before it.
    after: u64,
    /// The piece behind it.
    next: PieceName,
}

/// What is read of a piece's description.
#[derive(Deserialize)]
struct Header {
    from: At,
    to: At,
}

#[derive(Deserialize)]
struct At {
    seq: u64,
}

impl Monitor {
    /// Looks at the pieces that a region has.
    pub(super) async fn look_at_stream(
        &self,
        now: Timestamp,
        every: Span,
        place: &mut Place,
        seen: &mut Vec<Sighting>,
    ) {
        // A stream begins with a backup.
        if place.found.dumps.is_empty() {
            return place.scope.left(Aspect::Stream, "there is no backup that it could begin with");
        }
        if place.scope.asks(Aspect::Stream, &self.limits.watches, Watch::Missing) {
            place.scope.did(Aspect::Stream);
            seen.extend(self.overdue(now, every, place));
            seen.extend(self.gap(now, place).await);
        }
        if place.scope.asks(Aspect::Pieces, &self.limits.watches, Watch::Contents) {
            seen.extend(self.read_pieces(place).await);
            place.scope.did(Aspect::Pieces);
        }
    }

    /// How long a region may lack what was written: a replica may be brought it later.
    fn grace(&self, place: &Place) -> SignedDuration {
        if place.is_primary { SignedDuration::ZERO } else { duration(self.limits.replica_grace) }
    }

    fn overdue(&self, now: Timestamp, every: Span, place: &Place) -> Option<Sighting> {
        let longest = duration(every) + duration(every) + LATE + self.grace(place);
        let newest = place.found.pieces.iter().max_by_key(|piece| piece.taken_at);
        let first = || place.found.dumps.iter().find_map(PointName::taken_at);
        let since = newest.map(|piece| piece.taken_at).or_else(first)?;
        let age = now.duration_since(since);
        if age <= longest {
            return None;
        }
        let old = words::hours(u64::try_from(age.as_millis()).unwrap_or(0));
        let detail = match newest {
            Some(piece) => {
                format!("the newest piece is {piece}, {old} old; one is due every {every} while there are writes")
            }
            None => format!("there is no piece at all, {old} after the first backup; one is due every {every}"),
        };
        let after = newest.map_or(0, |piece| piece.to);
        let uncopied = Some(Uncopied { after, longest });
        Some(Sighting { uncopied, ..place.sighting(AlarmKind::StreamOverdue, detail) })
    }

    /// A hole in the stream; of several the newest is told.
    async fn gap(&self, now: Timestamp, place: &Place) -> Option<Sighting> {
        let base = place.manifest.as_ref().and_then(|read| read.as_ref().ok()).map(|made| made.position.seq);
        let mut holes = Vec::new();
        for gap in gaps(&place.found.pieces, base) {
            let waited = now.duration_since(gap.next.taken_at);
            if waited >= self.grace(place) && !self.began_again(place, &gap).await {
                holes.push(gap);
            }
        }
        let newest = holes.last()?;
        let Gap { after, next } = newest;
        let more = match holes.len() as u64 - 1 {
            0 => String::new(),
            more => format!(", and {more} more before it"),
        };
        let detail = format!("writes {} to {} are in no piece; the next one is {next}{more}", after + 1, next.from);
        Some(place.sighting(AlarmKind::StreamGap, detail))
    }

    /// Whether the stream began again on a backup: the source had forgotten what came before, and that was told then.
    async fn began_again(&self, place: &Place, gap: &Gap) -> bool {
        let before = |point: &&PointName| point.taken_at().is_some_and(|taken| taken <= gap.next.taken_at);
        // It goes on from the newest one.
        let Some(point) = place.found.dumps.iter().rev().find(before) else { return false };
        let made = self.read_manifest(&*place.store, point).await;
        made.is_ok_and(|made| made.position.seq == gap.next.from)
    }

    /// Reads what a restore from the newest backup would read.
    async fn read_pieces(&self, place: &Place) -> Option<Sighting> {
        let base = place.manifest.as_ref().and_then(|read| read.as_ref().ok()).map_or(0, |made| made.position.seq);
        let needed: Vec<PieceName> = place.found.pieces.iter().filter(|piece| piece.to > base).copied().collect();
        let read = |piece: PieceName| async move {
            let read = self.read_piece(&*place.store, &piece).await;
            read.err().map(|why| (piece, why))
        };
        let bad: Vec<(PieceName, String)> =
            stream::iter(needed.clone()).map(read).buffered(AT_ONCE).filter_map(std::future::ready).collect().await;
        let (piece, why) = bad.first()?;
        let (count, all) = (bad.len(), words::count(needed.len() as u64, "piece"));
        let detail = format!("{count} of {all} of the change stream since the newest backup, e.g. {piece}: {why}");
        Some(place.sighting(AlarmKind::Unreadable, detail))
    }

    async fn read_piece(&self, store: &dyn Store, piece: &PieceName) -> Result<(), String> {
        let (_, body) = store.get(&self.layout.piece_key(piece)).await.map_err(|e| e.kind.to_string())?;
        let input = body.map_err(|e| InputError(e.kind.to_string())).boxed();
        let (limits, means) = (Limits { raw_bytes: MOST_INFLATED }, &self.means);
        let mut opened = archive::unpack(DumpFormat::JsonlGz, input, limits, &means.lanes, &means.scratch);
        let mut header = None;
        while let Some(chunk) = opened.rows.next().await {
            let chunk = chunk.map_err(|e| e.to_string())?;
            if header.is_none() {
                header = Some(serde_json::from_slice::<Header>(&chunk.lines).map_err(|_| "it has no header")?);
            }
        }
        match header {
            Some(found) if (found.from.seq, found.to.seq) == (piece.from, piece.to) => Ok(()),
            Some(Header { from, to }) => {
                Err(format!("it holds writes {} to {}, its name says otherwise", from.seq + 1, to.seq))
            }
            None => Err("it has no header".into()),
        }
    }
}

/// Where pieces, ordered by the writes in them, do not join; the first should join the position `base` of the newest
/// backup, where it begins after it.
fn gaps(pieces: &[PieceName], base: Option<u64>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let Some(first) = pieces.first() else { return gaps };
    let mut reached = base.map_or(first.from, |base| base.min(first.from));
    for piece in pieces {
        if piece.from > reached {
            gaps.push(Gap { after: reached, next: *piece });
        }
        reached = reached.max(piece.to);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece((from, to): (u64, u64)) -> PieceName {
        PieceName::at(Timestamp::UNIX_EPOCH, from, to)
    }

    proptest! {
        /// Every write between the first piece and the end of the last is in a piece or in a gap, and in one of them alone.
        #[test]
        fn writes_are_in_a_piece_or_in_a_gap(
            spans in proptest::collection::vec((0u64..40, 1u64..6), 1..12), base in proptest::option::of(0u64..40),
        ) {
            let mut pieces: Vec<PieceName> = spans.into_iter().map(|(from, more)| piece((from, from + more))).collect();
            pieces.sort_by_key(|piece| (piece.from, piece.to));
            let holes = gaps(&pieces, base);
            let begin = base.map_or(pieces[0].from, |base| base.min(pieces[0].from));
            let end = pieces.iter().map(|piece| piece.to).max().unwrap_or(0);
            for write in begin + 1..=end {
                let copied = pieces.iter().any(|piece| piece.from < write && write <= piece.to);
                let lacking = holes.iter().any(|gap| gap.after < write && write <= gap.next.from);
                prop_assert_ne!(copied, lacking, "write {}", write);
            }
        }
    }
}
