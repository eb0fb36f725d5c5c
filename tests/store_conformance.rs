//! Every store keeps the same contract: in process, over the embedded gateway, and over LocalStack where a container
//! engine is there. Beside it, servers that answer as no S3 should.

#![allow(clippy::unwrap_used)]

#[path = "store/odd_servers.rs"]
mod odd_servers;
