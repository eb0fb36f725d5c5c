//! The way to a foreign S3: requests signed with that storage's own key, over plain HTTP or TLS.

use std::{fmt, time::Duration};

use aws_sdk_s3::{
    Client as Sdk,
    config::{
        self, BehaviorVersion, Credentials as SdkKeys, SharedHttpClient, StalledStreamProtectionConfig,
        timeout::TimeoutConfig,
    },
};
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use http::{HeaderValue, Request, Response, Uri, header, uri::PathAndQuery};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::{emulator::s3::gateway::Credentials, sim::clock};

/// What a request carries.
pub(super) type Sent = UnsyncBoxBody<bytes::Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// How long a connection to the storage may take, in milliseconds, and one of backdraft's own requests.
const CONNECT: Duration = Duration::from_secs(5);
const OPERATION: Duration = Duration::from_secs(120);

/// Where a foreign S3 is, and its key.
#[derive(Clone)]
pub struct Endpoint {
    /// Scheme, host and port, such as `http://127.0.0.1:4566`.
    pub url: String,
    /// Region that requests are signed for.
    pub region: String,
    /// The storage's own key. No pipeline sees it.
    pub credentials: Credentials,
    /// What a temporary key needs beside it.
    pub session_token: Option<String>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({}, {})", self.url, self.region)
    }
}

/// Whether a body's checksum comes behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// The bytes as they are.
    Plain,
    /// In chunks, with a trailer.
    Trailed,
}

/// Sends requests to a foreign S3. Belongs to the runtime that it was made on.
pub(super) struct Wire {
    endpoint: Endpoint,
    base: Uri,
    http: Client<HttpsConnector<HttpConnector>, Sent>,
    pub(super) sdk: Sdk,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.endpoint.fmt(f)
    }
}

impl Wire {
    /// # Errors
    /// When the address makes no sense, or the system has no certificates to trust.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Wire, String> {
        let base: Uri = endpoint.url.parse().map_err(|_| format!("`{}` is no address", endpoint.url))?;
        let is_tls = endpoint.url.starts_with("https://");
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        let tls = if is_tls {
            HttpsConnectorBuilder::new().with_native_roots().map_err(|e| e.to_string())?
        } else {
            let nobody = rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty());
            HttpsConnectorBuilder::new().with_tls_config(nobody.with_no_client_auth())
        };
        let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
        let http = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Wire { endpoint: endpoint.clone(), base, http, sdk: sdk(endpoint, is_tls) })
    }

    /// The address, for people.
    pub(super) fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// Region that requests are signed for.
    pub(super) fn region(&self) -> &str {
        &self.endpoint.region
    }

    /// Sends a request, whose address is a path with its query, and which is not signed yet.
    ///
    /// # Errors
    /// When it cannot be signed, or there is no answer.
    pub(super) async fn send(&self, mut request: Request<Sent>, coding: Coding) -> Result<Response<Incoming>, String> {
        let place = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let authority = self.base.authority().map_or("", |a| a.as_str());
        let scheme = self.base.scheme_str().unwrap_or("http");
        let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query(place).build();
        *request.uri_mut() = uri.map_err(|e| e.to_string())?;
        let host = HeaderValue::from_str(authority).map_err(|e| e.to_string())?;
        request.headers_mut().insert(header::HOST, host);
        self.sign(&mut request, coding)?;
        self.http.request(request).await.map_err(|e| chain(&e))
    }

    fn sign(&self, request: &mut Request<Sent>, coding: Coding) -> Result<(), String> {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let Endpoint { credentials, session_token, region, .. } = &self.endpoint;
        let identity =
            SdkKeys::new(&credentials.access_key, &credentials.secret_key, session_token.clone(), None, "storage");
        let identity = identity.into();
        let params = v4::SigningParams::builder().identity(&identity).region(region).name("s3");
        let params = params.time(clock::wall_now().into()).settings(settings).build().map_err(|e| e.to_string())?;
        let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let body = match coding {
            Coding::Plain => SignableBody::UnsignedPayload,
            Coding::Trailed => SignableBody::StreamingUnsignedPayloadTrailer,
        };
        let uri = request.uri().to_string();
        let signable =
            SignableRequest::new(request.method().as_str(), uri, headers, body).map_err(|e| e.to_string())?;
        let (instructions, _) = sign(signable, &params.into()).map_err(|e| e.to_string())?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

fn sdk(endpoint: &Endpoint, is_tls: bool) -> Sdk {
    let http: SharedHttpClient = match is_tls {
        true => aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https(),
        false => aws_smithy_http_client::Builder::new().build_http(),
    };
    let Endpoint { credentials, session_token, region, url } = endpoint;
    let keys = SdkKeys::new(&credentials.access_key, &credentials.secret_key, session_token.clone(), None, "storage");
    let times = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(OPERATION).build();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(config::Region::new(region.clone()))
        .endpoint_url(url)
        .force_path_style(true)
        .credentials_provider(keys)
        .http_client(http)
        .timeout_config(times)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    Sdk::from_conf(config)
}

/// An error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.ends_with(&text) {
            said = format!("{said}: {text}");
        }
        cause = error.source();
    }
    said
}
