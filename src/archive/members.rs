//! Inflates a gzip file as it streams in: members that state their length on all lanes at once, others one by one.

use bytes::{Bytes, BytesMut};
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};

use super::{ArchiveError, Limits, PIECE_BYTES, gzip};
use crate::sim::lanes::Lanes;

/// Text in pieces of about 1 MiB, cut anywhere.
pub(super) type Pieces = BoxStream<'static, Result<Vec<u8>, ArchiveError>>;

/// How much compressed input is handed to a lane at once, in bytes.
const INPUT_BYTES: usize = 256 << 10;

/// Inflates a gzip file.
pub(super) fn gunzip(bytes: BoxStream<'static, Result<Bytes, ArchiveError>>, limits: Limits, lanes: &Lanes) -> Pieces {
    let lanes = lanes.clone();
    let opened = async move {
        let mut feed = Feed { bytes, held: BytesMut::new(), ended: false };
        let header = feed.header(1).await?.ok_or(ArchiveError::Empty)?;
        Ok(match header.member_bytes {
            Some(_) => in_parallel(feed, &lanes),
            None => one_by_one(feed, lanes),
        })
    };
    within(stream::once(opened).try_flatten().boxed(), limits.raw_bytes)
}

/// Text that is not compressed.
pub(super) fn plain(bytes: BoxStream<'static, Result<Bytes, ArchiveError>>, limits: Limits) -> Pieces {
    let state = (bytes, false);
    let pieces = stream::try_unfold(state, |(mut bytes, begun)| async move {
        match bytes.next().await.transpose()? {
            Some(piece) => Ok(Some((Vec::from(piece), (bytes, true)))),
            None if begun => Ok(None),
            None => Err(ArchiveError::Empty),
        }
    });
    within(pieces.boxed(), limits.raw_bytes)
}

/// Stops at the limit.
pub(super) fn within(pieces: Pieces, limit_bytes: u64) -> Pieces {
    let mut total = 0u64;
    let counted = pieces.map(move |piece| {
        let piece = piece?;
        total = total.saturating_add(piece.len() as u64);
        if total > limit_bytes { Err(ArchiveError::TooLarge { limit_bytes }) } else { Ok(piece) }
    });
    counted.boxed()
}

/// The file's bytes, and what of them is not used yet.
struct Feed {
    bytes: BoxStream<'static, Result<Bytes, ArchiveError>>,
    held: BytesMut,
    ended: bool,
}

impl Feed {
    /// Holds at least so many bytes, if the file has them.
    async fn hold(&mut self, wanted: usize) -> Result<(), ArchiveError> {
        while self.held.len() < wanted && !self.ended {
            match self.bytes.next().await.transpose()? {
                Some(piece) => self.held.extend_from_slice(&piece),
                None => self.ended = true,
            }
        }
        Ok(())
    }

    /// Whether the file goes on.
    async fn has_more(&mut self) -> Result<bool, ArchiveError> {
        self.hold(1).await?;
        Ok(!self.held.is_empty())
    }

    /// The header of the next member, which is the one of that number; `None` at the end.
    async fn header(&mut self, number: u64) -> Result<Option<gzip::Header>, ArchiveError> {
        if !self.has_more().await? {
            return Ok(None);
        }
        loop {
            if let Some(header) = gzip::header(&self.held, number)? {
                return Ok(Some(header));
            }
            self.hold(self.held.len() + 1).await?;
            if self.ended {
                return match gzip::header(&self.held, number)? {
                    Some(header) => Ok(Some(header)),
                    None => Err(gzip::cut_in(number)),
                };
            }
        }
    }

    /// The whole of the next member; `None` at the end.
    async fn member(&mut self, number: u64) -> Result<Option<Bytes>, ArchiveError> {
        let Some(header) = self.header(number).await? else { return Ok(None) };
        let length = header.member_bytes.ok_or_else(|| {
            ArchiveError::damaged(gzip::place(number), "it does not state its length, as the members before it do")
        })?;
        self.hold(length).await?;
        if self.held.len() < length {
            return Err(gzip::cut_in(number));
        }
        Ok(Some(self.held.split_to(length).freeze()))
    }
}

fn in_parallel(feed: Feed, lanes: &Lanes) -> Pieces {
    let members = stream::try_unfold((feed, 1, false), |(mut feed, number, closed)| async move {
        if closed {
            return match feed.has_more().await? {
                true => Err(ArchiveError::Trailing { place: gzip::place(number - 1) }),
                false => Ok(None),
            };
        }
        match feed.member(number).await? {
            Some(member) => {
                let closed = gzip::is_empty(&member);
                Ok(Some(((member, number), (feed, number + 1, closed))))
            }
            None => {
                let last = gzip::place(number - 1);
                Err(ArchiveError::Cut { place: format!("after {last}: the empty one that ends a dump is missing") })
            }
        }
    });
    lanes
        .map(members, |member: Result<(Bytes, u64), ArchiveError>| {
            member.and_then(|(bytes, number)| gzip::inflate_member(&bytes, number))
        })
        .boxed()
}

fn one_by_one(feed: Feed, lanes: Lanes) -> Pieces {
    let state = (feed, gzip::Serial::new(), lanes);
    stream::try_unfold(state, |(mut feed, mut serial, lanes)| async move {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        while piece.len() < PIECE_BYTES {
            let before = feed.held.len();
            feed.hold(INPUT_BYTES.max(before)).await?;
            let mut input = std::mem::take(&mut feed.held);
            let fresh = input.len() > before;
            let offered = input.len();
            let result;
            (serial, input, piece, result) = lanes
                .run(move || {
                    let result = serial.step(&mut input, &mut piece);
                    (serial, input, piece, result)
                })
                .await;
            result?;
            let stuck = input.len() == offered && !fresh;
            feed.held = input;
            if feed.ended && (stuck || feed.held.is_empty()) && piece.len() < PIECE_BYTES {
                serial.finish(&feed.held)?;
                break;
            }
        }
        Ok(if piece.is_empty() { None } else { Some((piece, (feed, serial, lanes))) })
    })
    .boxed()
}
