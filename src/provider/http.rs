//! The wire over real HTTP on loopback.

use std::{net::SocketAddr, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, header::HOST, redirect::Policy};

use super::{Answer, Method, Request, Wire};

/// The longest time to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A provider at an address.
#[derive(Debug)]
pub struct HttpWire {
    client: Client,
    address: SocketAddr,
}

impl HttpWire {
    /// A wire to the provider at that address.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(address: SocketAddr) -> Result<Self, reqwest::Error> {
        // The client wants a TLS provider even where nothing is encrypted; a second installation changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(PATIENCE).build()?;
        Ok(HttpWire { client, address })
    }
}

#[async_trait]
impl Wire for HttpWire {
    async fn send(&self, request: Request) -> Result<Answer, String> {
        let url = format!("http://{}{}", self.address, request.path);
        let asked = match request.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url),
            Method::Put => self.client.put(url),
        };
        let asked = asked.header(HOST, &request.host).body(request.body);
        let asked = match &request.bearer {
            Some(token) => asked.bearer_auth(token),
            None => asked,
        };
        let answer = asked.send().await.map_err(|e| e.without_url().to_string())?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|e| e.without_url().to_string())?;
        Ok(Answer { status, body })
    }
}
