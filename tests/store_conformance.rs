//! Every store keeps the same contract: in process, over the embedded gateway, and over LocalStack where a container
//! engine is there. Beside it, servers that answer as no S3 should.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

#[path = "store/agreement.rs"]
mod agreement;
#[path = "store/contract.rs"]
mod contract;
#[path = "store/direct.rs"]
mod direct;
#[path = "store/gateway.rs"]
mod gateway;
#[path = "store/link_faults.rs"]
mod link_faults;
#[path = "store/localstack.rs"]
mod localstack;
#[path = "store/odd_servers.rs"]
mod odd_servers;
#[path = "store/world.rs"]
mod world;
