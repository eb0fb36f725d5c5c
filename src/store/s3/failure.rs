//! What the SDK says of a failed request, in the words of the contract. Its own text goes to the debug log only.

use std::{error::Error, io};

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::dns::ResolveDnsError;

use crate::store::StoreErrorKind;

/// How a request failed.
pub(super) fn kind_of<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> StoreErrorKind {
    let kind = match error {
        SdkError::TimeoutError(_) => StoreErrorKind::TimedOut,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => StoreErrorKind::TimedOut,
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(error) => kind_of_broken_connection(error),
            None => StoreErrorKind::Nonsense,
        },
        SdkError::ResponseError(failure) => match kind_of_answer(failure.raw().status().as_u16(), None) {
            StoreErrorKind::Nonsense if is_of_transport(error) => StoreErrorKind::Cut,
            kind => kind,
        },
        SdkError::ServiceError(failure) => kind_of_answer(failure.raw().status().as_u16(), failure.err().code()),
        _ => StoreErrorKind::Nonsense, // the request could not be built: a key that S3 cannot hold
    };
    tracing::debug!(%kind, error = %DisplayErrorContext(error), "request failed");
    kind
}

/// How a body that began to arrive failed.
pub(super) fn kind_of_body(error: &(dyn Error + 'static)) -> StoreErrorKind {
    // The SDK's checksum error is not a type that can be named from outside.
    let kind = match chain(error).any(|error| error.to_string().starts_with("body checksum mismatch")) {
        true => StoreErrorKind::Corrupt,
        false => StoreErrorKind::Cut,
    };
    tracing::debug!(%kind, error = %DisplayErrorContext(error), "body broke off");
    kind
}

/// An answer that is an error, by the code in its body and, where that says nothing, by its status.
fn kind_of_answer(status: u16, code: Option<&str>) -> StoreErrorKind {
    match (code.unwrap_or_default(), status) {
        ("NoSuchBucket", _) => StoreErrorKind::NoBucket,
        ("NoSuchKey" | "NoSuchVersion" | "NotFound", _) => StoreErrorKind::NotFound,
        ("BadDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch", _) => StoreErrorKind::Corrupt,
        ("RequestTimeout", _) => StoreErrorKind::TimedOut,
        ("SlowDown", _) | (_, 503 | 429) => StoreErrorKind::SlowDown,
        ("InternalError" | "ConditionalRequestConflict", _) | (_, 500..=599) => StoreErrorKind::ServerError,
        ("ExpiredToken", _) => StoreErrorKind::Expired,
        ("PreconditionFailed", _) | (_, 412) => StoreErrorKind::Exists,
        ("MethodNotAllowed", _) | (_, 405) => StoreErrorKind::NotAllowed,
        ("InvalidObjectState", _) => StoreErrorKind::Archived,
        ("AccessDenied", _) | (_, 403) => StoreErrorKind::Denied,
        ("", 404) => StoreErrorKind::NotFound,
        _ => StoreErrorKind::Nonsense,
    }
}

/// A connection that gave no answer.
fn kind_of_broken_connection(error: &(dyn Error + 'static)) -> StoreErrorKind {
    if chain(error).any(|error| error.is::<ResolveDnsError>()) {
        return StoreErrorKind::NoSuchHost;
    }
    match chain(error).find_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind) {
        Some(io::ErrorKind::TimedOut) => StoreErrorKind::TimedOut,
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof) => {
            StoreErrorKind::Cut
        }
        Some(_) => StoreErrorKind::Refused, // refused, unreachable
        None => match chain(error).find_map(|error| error.downcast_ref::<hyper::Error>()) {
            Some(error) if error.is_parse() => StoreErrorKind::Nonsense,
            Some(_) => StoreErrorKind::Cut,
            None => StoreErrorKind::Nonsense,
        },
    }
}

/// Whether bytes stopped coming, rather than came and made no sense.
fn is_of_transport(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|error| error.is::<io::Error>() || error.is::<hyper::Error>())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answers_code_counts_before_its_status() {
        use StoreErrorKind::{
            Archived, Denied, Exists, Expired, NoBucket, Nonsense, NotAllowed, NotFound, ServerError, SlowDown,
        };
        let table = [
            (404, Some("NoSuchKey"), NotFound),
            (404, Some("NoSuchBucket"), NoBucket),
            (404, None, NotFound),
            (404, Some("NoSuchUpload"), Nonsense),
            (200, Some("SlowDown"), SlowDown),
            (503, Some("ServiceUnavailable"), SlowDown),
            (500, Some("InternalError"), ServerError),
            (502, None, ServerError),
            (403, Some("InvalidObjectState"), Archived),
            (403, Some("SignatureDoesNotMatch"), Denied),
            (400, Some("ExpiredToken"), Expired),
            (400, Some("InvalidRequest"), Nonsense),
            (405, None, NotAllowed),
            (412, Some("PreconditionFailed"), Exists),
            (307, None, Nonsense),
            (200, None, Nonsense),
        ];
        for (status, code, kind) in table {
            assert_eq!(kind_of_answer(status, code), kind, "{status} {code:?}");
        }
    }
}
