//! backdraft: set your backups on fire, and see with evidence whether you get everything back, in time.
//!
//! The map of the crate; who may import whom is a test (`tests/house.rs`). docs/ARCHITECTURE.md walks one drill.

pub mod archive;
pub mod assembly;
pub mod check;
pub mod cli;
pub mod emulator;
pub mod engine;
pub mod environment;
pub mod error;
pub mod evidence;
pub mod exit;
pub mod explore;
pub mod fault;
pub mod history;
pub mod incident;
pub mod input;
pub mod measure;
pub mod model;
pub mod monitor;
pub mod pipeline;
pub mod process;
pub mod provider;
pub mod report;
pub mod serve;
pub mod service;
pub mod sim;
pub mod store;
pub mod verify;
