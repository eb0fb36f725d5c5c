//! Hands requests for a region's bucket on to the foreign storage. Crate s3s has checked the signature and taken the
//! transfer's coding off; here the request gets the storage's own bucket, key and signature, whatever it asks for, and the
//! answer gets the scenario's dates.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use s3s::{Body, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, route::S3Route};

use super::{
    Foreign,
    asked::Asked,
    bodies::{self, Stopped, Trailer},
    told::{self, Retelling},
    wire::{Coding, Sent},
};
use crate::emulator::{
    link::{Ending, Intent},
    s3::{
        Region,
        archive::StorageClass,
        gateway::Key,
        rights::{Action, Principal},
    },
};

/// Largest XML document that is read, in bytes: a thousand entries of a listing with long keys.
const DOCUMENT: usize = 16 << 20;

/// The way to a region's bucket in a foreign storage.
pub(in crate::emulator::s3) struct Forward {
    pub(in crate::emulator::s3) region: Arc<Region>,
    pub(in crate::emulator::s3) keys: Arc<[Key]>,
}

#[async_trait]
impl S3Route for Forward {
    /// What is asked of the bucket, but for where it is: that is the emulated region's to say.
    fn is_match(&self, _: &Method, uri: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        let asked = Asked::of(uri);
        self.region.foreign().is_some_and(|foreign| asked.bucket == foreign.bucket) && !asked.has("location")
    }

    async fn check_access(&self, request: &mut S3Request<Body>) -> S3Result<()> {
        let who = self.who(request)?;
        let needed = needs(&request.method, &Asked::of(&request.uri), &request.headers);
        if let Some(refusal) = needed.into_iter().find_map(|action| who.permit(action).err()) {
            // A client that is still sending would miss the answer.
            let _ = std::mem::take(&mut request.input).collect().await;
            return Err(refusal.into());
        }
        Ok(())
    }

    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let foreign = self.region.foreign().ok_or_else(|| S3Error::new(S3ErrorCode::NoSuchBucket))?;
        foreign.archives(&request.headers);
        self.forward(foreign, request).await
    }
}

impl Forward {
    fn who(&self, request: &S3Request<Body>) -> S3Result<Principal> {
        let signed = request.credentials.as_ref().map(|signed| &signed.access_key);
        let key = self.keys.iter().find(|key| Some(&key.credentials.access_key) == signed);
        key.map(|key| key.principal).ok_or_else(|| S3Error::new(S3ErrorCode::AccessDenied))
    }

    async fn forward(&self, foreign: &Foreign, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let asked = Asked::of(&request.uri);
        let listed = self.region.objects().listings_end_after().filter(|_| asked.is_listing(&request.method));
        let path = asked.path_in(&foreign.real, listed);
        let method = request.method.clone();
        let slot = Stopped::default();
        let (body, length, coding, doomed) =
            self.body(&asked, request.input, &request.headers, request.trailing_headers, &slot).await?;
        let mut sent = Request::builder().method(method.clone()).uri(path);
        if let Some(headers) = sent.headers_mut() {
            *headers = handed_on(&request.headers, coding);
            foreign.name_source(headers);
            if let Some(length) = length {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            }
        }
        let sent = sent.body(body).map_err(|_| S3Error::new(S3ErrorCode::InvalidURI))?;
        let answer = foreign.wire.send(sent, coding).await.map_err(|why| match bodies::stopped(&slot) {
            Some(shut) => shut.into(),
            None => {
                foreign.troubled(&why);
                S3Error::with_message(S3ErrorCode::ServiceUnavailable, "The storage does not answer")
            }
        })?;
        let (mut head, body) = answer.into_parts();
        if head.status.is_server_error() {
            foreign.troubled(&format!("{method} {} was answered {}", asked.words(), head.status));
        }
        let now = self.region.objects().now();
        let version = text(&head.headers, "x-amz-version-id");
        if head.status.is_success() {
            foreign.saw(&method, &asked, version.as_deref(), &doomed, now);
        }
        tidy(&mut head.headers, self.region.name());
        if head.headers.contains_key(header::LAST_MODIFIED) {
            let at = foreign.dates().of(&asked.key, version.as_deref(), now);
            if let Ok(date) = HeaderValue::from_str(&at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
                head.headers.insert(header::LAST_MODIFIED, date);
            }
        }
        let is_object = method == Method::GET && head.status.is_success() && asked.is_object();
        let output = if method == Method::HEAD {
            Body::empty()
        } else if is_object {
            let size = text(&head.headers, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            let broken = self.region.link().body(Intent::Read, size);
            if broken.is_some_and(|broken| broken.ending == Ending::ShortUntold) {
                head.headers.remove(header::CONTENT_LENGTH);
            }
            bodies::outward(&self.region, body, broken)
        } else {
            self.document(foreign, &asked, &mut head.headers, body, listed.is_some()).await?
        };
        Ok(S3Response { output, status: Some(head.status), headers: head.headers, extensions: Extensions::new() })
    }

    /// The body as it is handed on, with its length, and the keys that it names where it is a list of what to delete.
    async fn body(
        &self,
        asked: &Asked,
        body: Body,
        headers: &HeaderMap,
        trailers: Option<s3s::TrailingHeaders>,
        slot: &Stopped,
    ) -> S3Result<(Sent, Option<u64>, Coding, Vec<told::Entry>)> {
        if asked.has("delete") {
            let whole = Limited::new(body, DOCUMENT).collect().await;
            let whole = whole.map_err(|_| S3Error::new(S3ErrorCode::IncompleteBody))?.to_bytes();
            let doomed = told::entries(&whole).unwrap_or_default();
            let length = whole.len() as u64;
            let full = Full::new(whole).map_err(|never| match never {}).boxed_unsync();
            return Ok((full, Some(length), Coding::Plain, doomed));
        }
        let size = text(headers, "content-length").and_then(|length| length.parse::<u64>().ok());
        let trailer = Trailer::announced(headers, trailers);
        let coding = if trailer.is_some() { Coding::Trailed } else { Coding::Plain };
        if trailer.is_none() && (size == Some(0) || (size.is_none() && http_body::Body::is_end_stream(&body))) {
            let none = Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync();
            return Ok((none, size, Coding::Plain, Vec::new()));
        }
        let length = size.map(|size| trailer.as_ref().map_or(size, |trailer| trailer.len(size)));
        let sent = bodies::inward(&self.region, body, size.unwrap_or(0), trailer, slot);
        Ok((sent, length, coding, Vec::new()))
    }

    /// A document, with the scenario's dates and the plan's names.
    async fn document(
        &self,
        foreign: &Foreign,
        asked: &Asked,
        headers: &mut HeaderMap,
        body: hyper::body::Incoming,
        is_cut: bool,
    ) -> S3Result<Body> {
        let whole = Limited::new(body, DOCUMENT).collect().await;
        let whole = whole.map_err(|error| {
            foreign.troubled(&format!("an answer broke off: {error}"));
            S3Error::with_message(S3ErrorCode::ServiceUnavailable, "The storage does not answer")
        })?;
        let whole: Bytes = whole.to_bytes();
        let now = self.region.objects().now();
        let all = match told::entries(&whole) {
            Ok(all) if !whole.is_empty() => all,
            // No XML: it goes on as it is.
            _ => return Ok(Body::from(whole)),
        };
        foreign.heard(&all, asked, now);
        let moments: Vec<_> = {
            let mut dates = foreign.dates();
            let is_object = |name: &str| matches!(name, "Contents" | "Version" | "DeleteMarker");
            let moment = |one: &told::Entry| {
                let key = told::key_of(one, &all).filter(|_| is_object(&one.name))?;
                Some(dates.of(&key, one.field("VersionId"), now))
            };
            all.iter().map(moment).collect()
        };
        let names = foreign.names();
        let how = Retelling { moments: &moments, otherwise: now, names: &names, is_cut };
        let (said, went_on) = told::retell(&whole, &how).map_err(|_| S3Error::new(S3ErrorCode::InternalError))?;
        if is_cut && went_on {
            self.region.objects().count_cut();
        }
        headers.remove(header::CONTENT_LENGTH);
        Ok(Body::from(Bytes::from(said)))
    }
}

/// The headers that the storage is to have.
fn handed_on(headers: &HeaderMap, coding: Coding) -> HeaderMap {
    const OURS: [&str; 14] = [
        "host",
        "connection",
        "expect",
        "authorization",
        "content-length",
        "transfer-encoding",
        "te",
        "user-agent",
        "x-amz-date",
        "x-amz-content-sha256",
        "x-amz-security-token",
        "x-amz-decoded-content-length",
        "x-amz-user-agent",
        "accept-encoding",
    ];
    let mut kept = HeaderMap::new();
    for (name, value) in headers {
        let is_ours = OURS.contains(&name.as_str()) || name.as_str().starts_with("amz-sdk-");
        let is_moot = name == "x-amz-trailer" && coding == Coding::Plain;
        if !is_ours && !is_moot {
            kept.append(name.clone(), value.clone());
        }
    }
    // The transfer's own coding was taken off, and is put on again where checksums come behind the body.
    let stays = text(&kept, "content-encoding").map(|codings| {
        let stay = codings.split(',').map(str::trim).filter(|coding| !coding.eq_ignore_ascii_case("aws-chunked"));
        stay.collect::<Vec<_>>().join(",")
    });
    kept.remove(header::CONTENT_ENCODING);
    let chunked = (coding == Coding::Trailed).then(|| "aws-chunked".to_owned());
    let codings: Vec<String> = chunked.into_iter().chain(stays.filter(|stays| !stays.is_empty())).collect();
    if let (false, Ok(value)) = (codings.is_empty(), HeaderValue::from_str(&codings.join(","))) {
        kept.insert(header::CONTENT_ENCODING, value);
    }
    if coding == Coding::Trailed {
        if let Some(size) = headers.get(header::CONTENT_LENGTH) {
            kept.insert("x-amz-decoded-content-length", size.clone());
        }
    } else if !kept.keys().any(|name| name.as_str().starts_with("x-amz-checksum-")) {
        kept.remove("x-amz-sdk-checksum-algorithm");
    }
    kept
}

/// The answer's headers without those of the connection, and with the emulated region's name.
fn tidy(headers: &mut HeaderMap, region: &str) {
    for name in ["connection", "keep-alive", "transfer-encoding", "date", "server"] {
        headers.remove(name);
    }
    if let (true, Ok(region)) = (headers.contains_key("x-amz-bucket-region"), HeaderValue::from_str(region)) {
        headers.insert("x-amz-bucket-region", region);
    }
}

/// What a request needs rights to.
fn needs(method: &Method, asked: &Asked, headers: &HeaderMap) -> Vec<Action> {
    let is_locking = asked.has("retention") || asked.has("legal-hold");
    let locks = headers.keys().any(|name| name.as_str().starts_with("x-amz-object-lock-"));
    let bypasses = headers.contains_key("x-amz-bypass-governance-retention");
    let mut needed = match (method.as_str(), asked.key.is_empty()) {
        ("GET" | "HEAD", false) => vec![Action::Read],
        ("GET" | "HEAD", true) => vec![Action::List],
        ("PUT", false) if is_locking => vec![Action::Lock],
        ("PUT", false) => vec![Action::Write],
        ("POST", false) if asked.has("restore") => vec![Action::Restore],
        ("POST", false) => vec![Action::Write],
        ("DELETE", false) if asked.has("uploadId") => vec![Action::Abort],
        ("DELETE", false) if asked.has("versionId") => vec![Action::DeleteVersion],
        ("DELETE", false) => vec![Action::Delete],
        // Which versions it names is not known here: it needs the right to delete any.
        ("POST", true) if asked.has("delete") => vec![Action::Delete, Action::DeleteVersion],
        _ => vec![Action::Administer],
    };
    needed.extend(locks.then_some(Action::Lock));
    needed.extend(bypasses.then_some(Action::BypassGovernance));
    needed
}

pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

impl Foreign {
    /// Notes that something was written to an archive, whose waits a foreign storage does not play by the scenario's clock.
    fn archives(&self, headers: &HeaderMap) {
        let class = text(headers, "x-amz-storage-class").and_then(|class| class.parse::<StorageClass>().ok());
        if let Some(class) = class.filter(|class| class.is_archive()) {
            let why = format!(
                "objects were written as {class}: how long that takes to come back, {} does not play by the scenario's clock",
                self.wire.url()
            );
            self.limited(&why);
        }
    }
}
