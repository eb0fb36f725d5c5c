//! The contract over an S3 that is not ours: LocalStack in a container, or any endpoint that the environment names.

use std::{io::Write, sync::Arc};

use backdraft::{emulator::s3::gateway::Credentials, model::record::Way, sim::clock::Clock, store::s3::S3Store};
use testcontainers::{
    ContainerAsync, GenericImage, ImageExt, TestcontainersError,
    core::{IntoContainerPort, WaitFor},
    runners::AsyncRunner,
};

use super::{
    contract,
    world::{BUCKET, NOW, World},
};

/// Names an endpoint that is there already, such as `http://127.0.0.1:4566`; nothing is started then.
const ENDPOINT: &str = "BACKDRAFT_TEST_S3_ENDPOINT";

const IMAGE: (&str, &str) = ("localstack/localstack", "4.5");
const PORT: u16 = 4566;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_s3_keeps_the_contract() {
    let (url, container) = match std::env::var(ENDPOINT) {
        Ok(url) => (url, None),
        Err(_) => match localstack().await {
            Ok((url, container)) => (url, Some(container)),
            Err(reason) => return skipped(&reason),
        },
    };
    create_bucket(&url).await;
    let clock = Clock::new(Way::Real, NOW.parse().unwrap());
    let time = clock.clone();
    let world = World {
        open: Box::new(move |bucket, patience| {
            Arc::new(S3Store::new("us-east-1", &url, bucket, &credentials(), &time, patience))
        }),
        open_as: Box::new(|_, _| unreachable!("a foreign S3 has no principals of ours")),
        region: None,
        gateway: None,
        clock,
        _keep: Box::new(container),
    };
    contract::holds(&world).await;
}

/// Starts LocalStack; an error that no engine or no image explains is a failure of the test.
async fn localstack() -> Result<(String, ContainerAsync<GenericImage>), String> {
    let image = GenericImage::new(IMAGE.0, IMAGE.1)
        .with_exposed_port(PORT.tcp())
        .with_wait_for(WaitFor::message_on_stdout("Ready."))
        .with_env_var("SERVICES", "s3");
    match image.start().await {
        Ok(container) => {
            let port = container.get_host_port_ipv4(PORT).await.unwrap();
            Ok((format!("http://127.0.0.1:{port}"), container))
        }
        Err(error @ TestcontainersError::Client(_)) => Err(error.to_string()),
        Err(error) => panic!("LocalStack did not come up: {error}"),
    }
}

/// Says so past the test runner's capture, so that a green line is not taken for proof.
fn skipped(reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: LocalStack ({}:{}): {reason}", IMAGE.0, IMAGE.1);
}

async fn create_bucket(url: &str) {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .endpoint_url(url)
        .force_path_style(true)
        .credentials_provider(aws_sdk_s3::config::Credentials::new("test", "test", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let created = aws_sdk_s3::Client::from_conf(config).create_bucket().bucket(BUCKET).send().await;
    // An endpoint that stays has it from the run before.
    let is_there =
        created.as_ref().is_err_and(|error| error.raw_response().is_some_and(|r| r.status().as_u16() == 409));
    assert!(created.is_ok() || is_there, "{created:?}");
}

fn credentials() -> Credentials {
    Credentials { access_key: "test".into(), secret_key: "test".into() }
}
