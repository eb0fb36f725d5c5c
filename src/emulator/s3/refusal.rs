//! Why a region refuses what it is asked, in S3's own terms.

use std::io;

use super::{archive::StorageClass, rights::Principal};

/// A request that the object model refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such bucket.
    #[error("there is no bucket `{0}`")]
    NoSuchBucket(String),
    /// The caller has that bucket already.
    #[error("bucket `{0}` exists already")]
    BucketExists(String),
    /// A bucket that still has objects or versions cannot be deleted.
    #[error("bucket `{0}` is not empty")]
    BucketNotEmpty(String),
    /// There is no such object, or its newest version is a delete marker.
    #[error("there is no object `{key}`")]
    NoSuchKey {
        /// The key asked for.
        key: String,
        /// The delete marker that hides the object, where one does.
        marker: Option<String>,
    },
    /// There is no such version.
    #[error("object `{0}` has no such version")]
    NoSuchVersion(String),
    /// The version asked for is a delete marker.
    #[error("that version of `{0}` is a delete marker")]
    IsDeleteMarker(String),
    /// There is no such upload, or it was completed or aborted.
    #[error("there is no such upload")]
    NoSuchUpload,
    /// A part named at completion was not uploaded, or has another ETag.
    #[error("part {0} was not uploaded or has another ETag")]
    InvalidPart(u32),
    /// Parts must be named in ascending order.
    #[error("the parts are not in ascending order")]
    InvalidPartOrder,
    /// A part other than the last is smaller than 5 MiB.
    #[error("part {0} is smaller than 5 MiB and not the last")]
    PartTooSmall(u32),
    /// A lock forbids it.
    #[error("the object is locked: {0}")]
    Locked(&'static str),
    /// The object is in an archive, and no restored copy is there.
    #[error("the object is archived as {0} and must be restored first")]
    Archived(StorageClass),
    /// There is nothing to restore.
    #[error("the object is not archived")]
    NotArchived,
    /// A restore was asked for before and is not done.
    #[error("the object is being restored already")]
    RestoreInProgress,
    /// There is no such storage class.
    #[error("the storage class is not one that S3 has")]
    UnknownStorageClass,
    /// Whoever asks does not have the right.
    #[error("the {0} may not do this")]
    Forbidden(Principal),
    /// A condition of the request does not hold.
    #[error("the condition does not hold")]
    PreconditionFailed,
    /// The range lies outside the object.
    #[error("the range lies outside the object")]
    InvalidRange,
    /// The bytes do not have the digest that was sent with them.
    #[error("the {0} that was sent does not match the bytes")]
    BadDigest(&'static str),
    /// A value that makes no sense.
    #[error("{0}")]
    InvalidArgument(&'static str),
    /// What is asked does not fit the state.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The bucket's settings do not allow it.
    #[error("{0}")]
    InvalidBucketState(&'static str),
    /// The bucket has no object lock.
    #[error("the bucket has no object lock configuration")]
    NoLockConfiguration,
    /// The object has no retention or legal hold.
    #[error("the object has no object lock configuration")]
    NoObjectLock,
    /// The scratch folder failed.
    #[error("scratch folder: {0}")]
    Scratch(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Refusal::Scratch(error.to_string())
    }
}
