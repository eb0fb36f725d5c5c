//! Three regions behind a gateway, and clients for them.

use std::{sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials as Keys, Region as Place, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
};
use backdraft::{
    emulator::s3::{
        Region,
        gateway::{Credentials, Gateway},
    },
    model::record::Way,
    sim::clock::Clock,
};

pub(crate) const US: &str = "us-east-1";
pub(crate) const EU: &str = "eu-west-1";

pub(crate) struct World {
    pub(crate) regions: Vec<Arc<Region>>,
    pub(crate) gateway: Gateway,
    pub(crate) clock: Clock,
    pub(crate) scratch: tempfile::TempDir,
}

impl World {
    /// Each region has a bucket of its own name and `-bucket`.
    pub(crate) fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let clock = Clock::new(Way::Real, "2026-11-04T03:00:00Z".parse().unwrap());
        let region = |name| {
            let region = Region::new(name, &clock, &scratch.path().join("regions")).unwrap();
            region.objects().create_bucket(&format!("{name}-bucket"), Default::default()).unwrap();
            region
        };
        let regions: Vec<_> = [US, EU, "ap-northeast-1"].into_iter().map(region).collect();
        let keys = Credentials { access_key: "AKID".into(), secret_key: "secret".into() };
        let gateway = Gateway::start(regions.clone(), &keys, &clock).unwrap();
        World { regions, gateway, clock, scratch }
    }

    pub(crate) fn region(&self, name: &str) -> &Arc<Region> {
        self.regions.iter().find(|region| region.name() == name).unwrap()
    }

    /// A client of a region at its own address.
    pub(crate) fn client(&self, region: &str) -> Client {
        client(&self.gateway.region_url(region).unwrap(), region, "secret")
    }

    /// A client at the address of all regions that signs for `region`.
    pub(crate) fn shared_client(&self, region: &str) -> Client {
        client(&self.gateway.url(), region, "secret")
    }
}

/// One try, so that every fault is seen as it is; a second of silence is too much.
pub(crate) fn client(url: &str, region: &str, secret: &str) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(500))
        .read_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(20))
        .build();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Place::new(region.to_owned()))
        .credentials_provider(Keys::new("AKID", secret, None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .build();
    Client::from_conf(config)
}

/// How a request failed: S3's code, or `refused`, `timeout`, `reset`.
pub(crate) fn why<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E>>,
) -> String {
    let error = result.expect_err("the request should fail");
    let shown = format!("{error:?}");
    match &error {
        SdkError::ServiceError(inner) => match inner.err().code() {
            Some(code) => code.to_owned(),
            None => inner.raw().status().as_u16().to_string(),
        },
        _ if shown.contains("ConnectionRefused") => "refused".to_owned(),
        SdkError::TimeoutError(_) => "timeout".to_owned(),
        SdkError::DispatchFailure(inner) if inner.is_timeout() => "timeout".to_owned(),
        SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => "reset".to_owned(),
        _ => shown,
    }
}

/// Bytes that no two pieces of have in common.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0..len as u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as u8).collect()
}
