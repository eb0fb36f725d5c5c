//! Every store keeps the same contract: in process, over the embedded gateway, and over storages that are not
//! ours where one is there. Beside it, servers that answer as no S3 should.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

#[path = "store/agreement.rs"]
mod agreement;
#[path = "store/contract.rs"]
mod contract;
#[path = "store/direct.rs"]
mod direct;
#[path = "store/foreign.rs"]
mod foreign;
#[path = "store/gateway.rs"]
mod gateway;
#[path = "store/link_faults.rs"]
mod link_faults;
#[path = "store/odd_servers.rs"]
mod odd_servers;
#[path = "kit/storages.rs"]
mod storages;
#[path = "store/world.rs"]
mod world;
