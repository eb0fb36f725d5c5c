//! Receives a request: finds out which region it is for, asks the region's link, checks the region of the signature,
//! and hands it on to the region's face.

use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use s3s::{Body, HttpError, S3Error, service::S3Service};

use super::{
    Region,
    face::convert::{ARCHIVED_AS, RESETS, decode},
};
use crate::emulator::link::{Intent, Shut};

/// Unread bytes of a request that are read for nothing, so that a client that is still sending gets its answer.
const DRAIN: u64 = 64 << 20;

/// Receives requests at one address.
pub(super) struct Reception {
    regions: Arc<[Arc<Region>]>,
    /// Of each region, in the same order.
    services: Vec<S3Service>,
}

impl Reception {
    /// At a region's own address.
    pub(super) fn of(region: Arc<Region>, service: S3Service) -> Self {
        Reception { regions: [region].into(), services: vec![service] }
    }

    /// At the address of all regions.
    pub(super) fn shared(regions: Arc<[Arc<Region>]>, services: Vec<S3Service>) -> Self {
        Reception { regions, services }
    }

    /// Answers a request. An error breaks the connection.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, HttpError> {
        let (head, body) = request.into_parts();
        let wish = Wish::of(&head);
        let nth = self.choose(&wish);
        let (region, service) = (&self.regions[nth], &self.services[nth]);
        let expects = head.headers.contains_key(header::EXPECT);
        let empty = body.is_end_stream();
        let answered = match region.link().enter(intent_of(&head.method)).await {
            Err(Shut::Rejected(fault)) => {
                drain(body, expects).await;
                render(S3Error::from(fault))?
            }
            Err(shut) => return Err(HttpError::new(Box::new(shut))),
            Ok(()) if wish.elsewhere(region.name(), self.regions.len() > 1) => {
                drain(body, expects).await;
                wrong_region(region.name())
            }
            Ok(()) => with_storage_class(service.call(Request::from_parts(head, Body::from(body))).await?),
        };
        if answered.headers().contains_key(RESETS) {
            return Err(HttpError::new(Box::new(Shut::Reset)));
        }
        Ok(kept_or_closed(answered, expects, empty))
    }

    /// The region that is meant: the signature's where that has the bucket, else the bucket's owner, else the
    /// signature's, else the first.
    fn choose(&self, wish: &Wish) -> usize {
        let has = |region: &Arc<Region>| wish.bucket.as_ref().is_some_and(|b| region.objects().has_bucket(b));
        let signed = self.regions.iter().position(|region| wish.region.as_deref() == Some(region.name()));
        match signed {
            Some(nth) if has(&self.regions[nth]) => nth,
            _ => self.regions.iter().position(has).or(signed).unwrap_or(0),
        }
    }
}

/// Whether a request would change anything.
fn intent_of(method: &Method) -> Intent {
    if matches!(*method, Method::GET | Method::HEAD) { Intent::Read } else { Intent::Write }
}

/// What a request says of where it wants to go.
struct Wish {
    bucket: Option<String>,
    /// Region of the signature's scope; `None` where there is no signature of version 4.
    region: Option<String>,
    /// Whether it asks where a bucket is, which any region may be asked.
    asks_location: bool,
}

impl Wish {
    fn of(head: &Parts) -> Self {
        let bucket = head.uri.path().split('/').nth(1).filter(|b| !b.is_empty()).map(decode);
        let query = head.uri.query().unwrap_or_default();
        let asks_location = query.split('&').any(|pair| pair == "location" || pair == "location=");
        Wish { bucket, region: scope(head), asks_location }
    }

    /// Whether the signature is for another region. Where all regions are served, a list of all buckets is nobody's.
    fn elsewhere(&self, here: &str, shared: bool) -> bool {
        let nobodys = self.asks_location || (shared && self.bucket.is_none());
        !nobodys && self.region.as_deref().is_some_and(|region| region != here)
    }
}

/// The region of a signature's scope, from the header or the query of a presigned URL.
fn scope(head: &Parts) -> Option<String> {
    let authorization = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credential = match authorization {
        Some(text) => text.strip_prefix("AWS4-HMAC-SHA256")?.split_once("Credential=")?.1.split(',').next()?.to_owned(),
        None => decode(head.uri.query()?.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?),
    };
    // Key id, date, region, service, terminator; the key id may hold slashes.
    credential.trim().rsplit('/').nth(2).map(str::to_owned)
}

/// Reads what the client still sends. A client that waits to be told to go on is not told.
async fn drain(mut body: Incoming, expects: bool) {
    let mut left = if expects { 0 } else { DRAIN };
    while left > 0 {
        match body.frame().await {
            Some(Ok(frame)) => left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64)),
            _ => return,
        }
    }
}

fn render(error: S3Error) -> Result<Response<Body>, HttpError> {
    error.to_http_response().map_err(|error| HttpError::new(Box::new(error)))
}

/// What S3 answers to a signature for another region. Clients read the right one from it and try again.
fn wrong_region(here: &str) -> Response<Body> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AuthorizationHeaderMalformed</Code><Message>The \
         authorization header is malformed; the region is wrong; expecting '{here}'</Message><Region>{here}</Region>\
         </Error>"
    );
    let mut answer = Response::new(Body::from(xml));
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Ok(here) = HeaderValue::from_str(here) {
        answer.headers_mut().insert("x-amz-bucket-region", here);
    }
    answer
}

/// An answer that says that an object is archived, with the element that names its class; crate s3s has no place for it.
fn with_storage_class(mut answer: Response<Body>) -> Response<Body> {
    if answer.status() != StatusCode::FORBIDDEN {
        return answer;
    }
    if let Some(class) = answer.headers_mut().remove(ARCHIVED_AS) {
        let class = class.to_str().unwrap_or_default();
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidObjectState</Code><Message>The operation is \
             not valid for the object's storage class</Message><StorageClass>{class}</StorageClass></Error>"
        );
        answer.headers_mut().remove(header::CONTENT_LENGTH);
        *answer.body_mut() = Body::from(xml);
    }
    answer
}

/// Closes the connection where botocore would lose count of the answers: after `Expect: 100-continue` with nothing to
/// send, or with an error instead of "continue" (boto/botocore#3755).
fn kept_or_closed(mut answer: Response<Body>, expects: bool, empty: bool) -> Response<Body> {
    if expects && (empty || !answer.status().is_success()) {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}
