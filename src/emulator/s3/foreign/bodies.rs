//! Bodies on their way to and from a foreign storage: over the region's link, piece by piece, as far as it lets them.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use s3s::{Body, StdError, TrailingHeaders};

use super::wire::Sent;
use crate::emulator::{
    link::{Break, Ending, Intent, Shut},
    s3::Region,
};

/// Bytes of a chunk in a body with a trailer; a fixed size, so that the length is known beforehand.
const CHUNK: usize = 64 << 10;

/// Why a body that was sent did not arrive whole, where the link is why.
pub(super) type Stopped = Arc<Mutex<Option<Shut>>>;

/// Where the link stopped it.
pub(super) fn stopped(slot: &Stopped) -> Option<Shut> {
    *slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The checksums that come behind a body.
pub(super) struct Trailer {
    /// Names of their headers, as announced.
    pub(super) names: Vec<String>,
    /// Where they are once the body was read.
    pub(super) values: TrailingHeaders,
}

impl Trailer {
    /// What a request announces; `None` where it announces nothing, or what has no known length.
    pub(super) fn announced(headers: &http::HeaderMap, values: Option<TrailingHeaders>) -> Option<Trailer> {
        let said = headers.get_all("x-amz-trailer").iter().filter_map(|value| value.to_str().ok());
        let names: Vec<String> = said.flat_map(|list| list.split(',')).map(|n| n.trim().to_ascii_lowercase()).collect();
        let all_known = !names.is_empty() && names.iter().all(|name| value_len(name).is_some());
        Some(Trailer { names, values: values? }).filter(|_| all_known)
    }

    /// Length in bytes of a body of that size once it is in chunks, with the trailer.
    pub(super) fn len(&self, size: u64) -> u64 {
        let chunk = |bytes: u64| format!("{bytes:x}").len() as u64 + 2 + bytes + 2;
        let (whole, rest) = (size / CHUNK as u64, size % CHUNK as u64);
        let lines = self.names.iter().map(|name| (name.len() + 1 + value_len(name).unwrap_or(0) + 2) as u64);
        whole * chunk(CHUNK as u64) + if rest > 0 { chunk(rest) } else { 0 } + 3 + lines.sum::<u64>() + 2
    }

    fn end(&self) -> Result<Bytes, StdError> {
        let mut end = String::from("0\r\n");
        for name in &self.names {
            let value =
                self.values.read(|all| all.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned)).flatten();
            let value = value.filter(|value| Some(value.len()) == value_len(name));
            end = format!("{end}{name}:{}\r\n", value.ok_or("the announced checksum did not come")?);
        }
        Ok(Bytes::from(end + "\r\n"))
    }
}

/// Length of a checksum in base64.
fn value_len(header: &str) -> Option<usize> {
    Some(match header.strip_prefix("x-amz-checksum-")? {
        "crc32" | "crc32c" => 8,
        "crc64nvme" => 12,
        "sha1" => 28,
        "sha256" => 44,
        _ => return None,
    })
}

/// A body that a client sends, over the link.
pub(super) fn inward(region: &Arc<Region>, body: Body, size: u64, trailer: Option<Trailer>, slot: &Stopped) -> Sent {
    let state = Inward { region: Arc::clone(region), spoilt: region.link().body(Intent::Write, size), taken: 0 };
    let frames = body.into_data_stream();
    let pieces = stream::try_unfold((frames, state, Arc::clone(slot)), |(mut frames, mut state, slot)| async move {
        let Some(piece) = frames.next().await else { return Ok::<_, StdError>(None) };
        match state.take(piece?).await {
            Ok(piece) => Ok(Some((piece, (frames, state, slot)))),
            Err(shut) => {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(shut);
                Err(shut.into())
            }
        }
    });
    match trailer {
        None => BodyExt::boxed_unsync(StreamBody::new(pieces.map(|piece| piece.map(Frame::data)))),
        Some(trailer) => BodyExt::boxed_unsync(StreamBody::new(chunked(pieces.boxed(), trailer))),
    }
}

struct Inward {
    region: Arc<Region>,
    spoilt: Option<Break>,
    taken: u64,
}

impl Inward {
    async fn take(&mut self, mut piece: Bytes) -> Result<Bytes, Shut> {
        let link = self.region.link();
        if let Some(broken) = self.spoilt.take_if(|broken| self.taken + piece.len() as u64 > broken.at) {
            piece.truncate((broken.at - self.taken) as usize);
            link.carry_in(piece.len() as u64).await?;
            link.broke(broken);
            return Err(Shut::Reset);
        }
        link.carry_in(piece.len() as u64).await?;
        self.taken += piece.len() as u64;
        Ok(piece)
    }
}

type Pieces = stream::BoxStream<'static, Result<Bytes, StdError>>;

/// A body in chunks of one size, its checksums behind it.
fn chunked(pieces: Pieces, trailer: Trailer) -> impl stream::Stream<Item = Result<Frame<Bytes>, StdError>> {
    let state = Some((pieces, BytesMut::new(), trailer));
    stream::try_unfold(state, |state| async move {
        let Some((mut pieces, mut held, trailer)) = state else { return Ok(None) };
        while held.len() < CHUNK {
            match pieces.next().await {
                Some(piece) => held.extend_from_slice(&piece?),
                None if held.is_empty() => return Ok(Some((Frame::data(trailer.end()?), None))),
                None => break,
            }
        }
        let chunk = held.split_to(held.len().min(CHUNK));
        let mut said = BytesMut::from(format!("{:x}\r\n", chunk.len()).as_bytes());
        said.extend_from_slice(&chunk);
        said.extend_from_slice(b"\r\n");
        Ok(Some((Frame::data(said.freeze()), Some((pieces, held, trailer)))))
    })
}

/// A body that the storage sends, over the link.
pub(super) fn outward(region: &Arc<Region>, body: Incoming, broken: Option<Break>) -> Body {
    let left = broken.map_or(u64::MAX, |broken| broken.at);
    let state = (Arc::clone(region), body.into_data_stream(), Bytes::new(), left);
    let pieces = stream::try_unfold(state, move |(region, mut frames, mut held, left)| async move {
        if left == 0
            && let Some(broken) = broken
        {
            return end(&region, broken).await;
        }
        while held.is_empty() {
            match frames.next().await {
                Some(Ok(piece)) => held = piece,
                Some(Err(error)) => {
                    let why = format!("a body broke off: {}", super::wire::chain(&error));
                    if let Some(foreign) = region.foreign() {
                        foreign.troubled(&why);
                    }
                    return Err(why.into());
                }
                None => return Ok(None),
            }
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(region.link().piece()).min(held.len());
        let piece = held.split_to(most);
        if let Err(shut) = region.link().carry(piece.len() as u64).await {
            // What was let through before must be on its way: hyper throws away what it still holds.
            tokio::task::yield_now().await;
            return Err(shut.into());
        }
        let left = left - piece.len() as u64;
        Ok(Some((Frame::data(piece), (region, frames, held, left))))
    });
    Body::http_body_unsync(StreamBody::new(pieces))
}

/// Ends a body that is not whole.
async fn end<T>(region: &Region, broken: Break) -> Result<Option<T>, StdError> {
    tokio::task::yield_now().await;
    region.link().broke(broken);
    match broken.ending {
        Ending::Reset => Err(Shut::Reset.into()),
        Ending::Short | Ending::ShortUntold => Ok(None),
    }
}
