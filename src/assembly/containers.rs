//! Storages that run in a container, started through testcontainers where a Docker-compatible engine answers. Only in a
//! build with the feature `containers`.

use std::time::Duration;

use testcontainers::{
    ContainerAsync, GenericImage, ImageExt, TestcontainersError,
    core::{IntoContainerPort, WaitFor},
    runners::AsyncRunner,
};

use super::buckets::Keys;
use crate::error::{Error, Result};

/// Longest time that a container may take until it serves.
const START: Duration = Duration::from_secs(120);

/// A storage that runs in a container of its own until it is stopped.
pub struct Running {
    container: ContainerAsync<GenericImage>,
    /// Where it is.
    pub url: String,
    /// Its key.
    pub keys: Keys,
}

/// Storages for which there is an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// LocalStack's S3.
    LocalStack,
    /// MinIO.
    Minio,
}

impl Image {
    const fn name(self) -> (&'static str, &'static str) {
        match self {
            Image::LocalStack => ("localstack/localstack", "4.5"),
            Image::Minio => ("minio/minio", "RELEASE.2025-02-28T09-55-16Z"),
        }
    }

    const fn port(self) -> u16 {
        match self {
            Image::LocalStack => 4566,
            Image::Minio => 9000,
        }
    }

    fn keys(self) -> Keys {
        let (access_key, secret_key) = match self {
            Image::LocalStack => ("test", "test"),
            Image::Minio => ("minioadmin", "minioadmin"),
        };
        Keys { access_key: access_key.into(), secret_key: secret_key.into(), session_token: None }
    }

    /// Starts it, on a port of loopback that the system chooses. The engine fetches an image that it does not have.
    ///
    /// # Errors
    /// When no engine answers, there is no image, or it does not come up.
    pub async fn start(self) -> Result<Running> {
        let ((name, tag), port) = (self.name(), self.port());
        let image = GenericImage::new(name, tag).with_exposed_port(port.tcp());
        let request = match self {
            Image::LocalStack => image
                .with_wait_for(WaitFor::message_on_stdout("Ready."))
                .with_env_var("SERVICES", "s3")
                .with_startup_timeout(START),
            Image::Minio => image
                .with_wait_for(WaitFor::message_on_either_std("API:"))
                .with_cmd(["server", "/data"])
                .with_startup_timeout(START),
        };
        // Only this machine is to reach it: what it holds has well-known keys.
        let request = request.with_host_config_modifier(move |host| {
            let on_loopback = testcontainers::bollard::models::PortBinding {
                host_ip: Some("127.0.0.1".into()),
                host_port: Some("0".into()),
            };
            host.port_bindings = Some([(format!("{port}/tcp"), Some(vec![on_loopback]))].into());
            host.publish_all_ports = Some(false);
        });
        let container = request.start().await.map_err(|e| failed(name, tag, e))?;
        let mapped = container.get_host_port_ipv4(port).await.map_err(|e| failed(name, tag, e))?;
        Ok(Running { container, url: format!("http://127.0.0.1:{mapped}"), keys: self.keys() })
    }
}

impl Running {
    /// The engine's name for it.
    pub fn id(&self) -> &str {
        self.container.id()
    }

    /// Ends it, with all that it holds.
    ///
    /// # Errors
    /// What the engine says where it cannot.
    pub async fn stop(self) -> std::result::Result<(), String> {
        self.container.rm().await.map_err(|e| e.to_string())
    }
}

fn failed(name: &str, tag: &str, error: TestcontainersError) -> Error {
    let help = format!(
        "start a Docker-compatible engine that can get {name}:{tag} (`docker pull {name}:{tag}`), or give the address of a \
         storage that runs already: --storage endpoint:http://127.0.0.1:PORT"
    );
    Error::new(format!("a container of {name}:{tag} cannot be started")).because(error).help(help)
}
