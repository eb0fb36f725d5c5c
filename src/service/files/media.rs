//! The files themselves: each made from the seed, its number and its revision whenever it is needed, and kept nowhere.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;
use futures_util::{StreamExt, stream};
use rand::Rng as _;
use sha2::{Digest, Sha256};

use super::{
    Amount,
    names::{self, Kind},
};
use crate::{sim::seed::Seed, store::ByteStream};

/// What a file has on average, in bytes, where the amount does not ask for more.
const TYPICAL: u64 = 128 << 10;
/// Fewest and most files in a bucket that was just seeded.
const FEWEST: u64 = 24;
const MOST: u64 = 2_000;
/// The smallest file, in bytes: what says which kind it is, and a little more.
const SMALLEST: u64 = 64;
/// Bytes that are made at once.
const PIECE: u64 = 256 << 10;

/// Makes files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Media {
    seed: Seed,
    count: u64,
    /// Bytes of a file on average.
    average: u64,
}

/// One file in one revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct File {
    /// Its number; names and kinds follow from it.
    pub(super) number: u64,
    /// How often it was edited.
    pub(super) revision: u32,
    /// Size in bytes.
    pub(super) size: u64,
    seed: Seed,
}

impl File {
    /// Its kind.
    pub(super) fn kind(&self) -> Kind {
        names::kind_of(self.number, self.seed)
    }

    /// Its key.
    pub(super) fn key(&self) -> String {
        names::key_of(self.number, self.kind(), self.seed)
    }
}

/// SHA-256 of a body, in hexadecimal, once the body has been read.
#[derive(Debug, Clone, Default)]
pub(super) struct DigestHandle(Arc<OnceLock<String>>);

impl DigestHandle {
    /// The digest; empty while the body was not read to its end.
    pub(super) fn get(&self) -> String {
        self.0.get().cloned().unwrap_or_default()
    }
}

impl Media {
    pub(super) fn new(amount: Amount, seed: Seed) -> Self {
        let count = (amount.size.0.saturating_mul(amount.scale.max(1)) / TYPICAL).clamp(FEWEST, MOST);
        Media { seed: seed.child("media"), count, average: (amount.size.0 / count).max(SMALLEST) }
    }

    /// The files that the bucket begins with.
    pub(super) fn seeded(&self) -> Vec<File> {
        (0..self.count).map(|number| self.file(number, 0)).collect()
    }

    /// A file in a revision; its size is from one quarter of the average to seven.
    pub(super) fn file(&self, number: u64, revision: u32) -> File {
        let word = self.seed.child("size").nth(number).nth(u64::from(revision)).0;
        let spread = (self.average * 3 / 2).max(1);
        let size = (self.average / 4 + word % spread).max(SMALLEST);
        File { number, revision, size, seed: self.seed }
    }

    /// The bytes of a file: how its kind begins, then noise that no other file and no other revision has.
    pub(super) fn body(&self, file: File) -> (ByteStream, DigestHandle) {
        let digest = DigestHandle::default();
        let noise = self.seed.child("bytes").nth(file.number).nth(u64::from(file.revision));
        let state = (noise.rng(), 0u64, Sha256::new(), digest.clone());
        let pieces = stream::unfold(Some(state), move |state| async move {
            let (mut rng, at, mut sha, digest) = state?;
            let mut piece = BytesMut::zeroed((file.size - at).min(PIECE) as usize);
            rng.fill_bytes(&mut piece);
            if at == 0 {
                let magic = file.kind().magic;
                let length = magic.len().min(piece.len());
                piece[..length].copy_from_slice(&magic[..length]);
            }
            sha.update(&piece);
            let at = at + piece.len() as u64;
            let next = if at < file.size {
                Some((rng, at, sha, digest))
            } else {
                let _ = digest.0.set(HEXLOWER.encode(&sha.finalize()));
                None
            };
            Some((Ok(Bytes::from(piece)), next))
        });
        (pieces.fuse().boxed(), digest)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;
    use crate::model::units::ByteSize;

    async fn bytes(media: &Media, file: File) -> (Vec<u8>, String) {
        let (body, digest) = media.body(file);
        let body: Vec<Bytes> = body.try_collect().await.unwrap();
        (body.concat(), digest.get())
    }

    #[tokio::test]
    async fn a_file_is_what_its_name_says_and_every_revision_of_it_is_another_one() {
        let media = Media::new(Amount { size: ByteSize(12 << 20), scale: 1 }, Seed(7));
        let files = media.seeded();
        let total: u64 = files.iter().map(|file| file.size).sum();
        assert!((11 << 20..13 << 20).contains(&total), "{total} bytes");
        let keys: std::collections::BTreeSet<String> = files.iter().map(File::key).collect();
        assert_eq!(keys.len(), files.len());
        assert!(keys.iter().any(|key| key.contains('+')) && keys.iter().any(|key| !key.is_ascii()));
        for file in &files[..8] {
            let (body, digest) = bytes(&media, *file).await;
            assert_eq!(body.len() as u64, file.size);
            assert!(body.starts_with(file.kind().magic) && file.key().ends_with(file.kind().extension));
            assert_eq!(digest, HEXLOWER.encode(&Sha256::digest(&body)));
            let edited = File { revision: 1, ..*file };
            assert_ne!(bytes(&media, edited).await, (body, digest), "an edit that keeps the size");
        }
    }

    #[test]
    fn a_modelled_bucket_has_as_many_files_as_the_one_that_is_meant() {
        let real = Media::new(Amount { size: ByteSize(6 << 20), scale: 1 }, Seed(7));
        let modelled = Media::new(Amount { size: ByteSize(64 << 10), scale: 96 }, Seed(7));
        assert_eq!(real.seeded().len(), modelled.seeded().len());
        let keys = |media: &Media| media.seeded().iter().map(File::key).collect::<Vec<_>>();
        assert_eq!(keys(&real), keys(&modelled));
    }
}
