//! Cuts a stream of pieces of any size into parts of one size, holding one part at a time.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, TryStreamExt, stream};

use super::{ByteStream, StoreError};

/// Size of a part in bytes. Below it an object is written in one request, above in several; S3 takes 10,000 at most,
/// so this holds up to 78 GiB.
pub(super) const PART: usize = 8 << 20;

/// The stream in parts of `size` bytes; the last is smaller, none is empty.
pub(super) fn parts(body: ByteStream, size: usize) -> impl Stream<Item = Result<Bytes, StoreError>> + Send {
    stream::try_unfold((body, Bytes::new()), move |(mut body, mut rest)| async move {
        let mut part = BytesMut::new();
        loop {
            part.extend_from_slice(&rest.split_to(rest.len().min(size - part.len())));
            if part.len() == size {
                break;
            }
            match body.try_next().await? {
                Some(piece) => rest = piece,
                None => break,
            }
        }
        Ok((!part.is_empty()).then(|| (part.freeze(), (body, rest))))
    })
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_hold_the_same_bytes_and_all_but_the_last_are_full(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
            size in 1_usize..50,
        ) {
            let whole = pieces.concat();
            let body = stream::iter(pieces.into_iter().map(|piece| Ok(Bytes::from(piece)))).boxed();
            let cut = futures_util::FutureExt::now_or_never(parts(body, size).try_collect::<Vec<_>>());
            let cut = cut.expect("nothing to wait for").expect("nothing fails");
            prop_assert!(cut.iter().rev().skip(1).all(|part| part.len() == size));
            prop_assert!(cut.last().is_none_or(|part| (1..=size).contains(&part.len())));
            prop_assert_eq!(cut.concat(), whole);
        }
    }
}
