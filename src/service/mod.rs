//! What is protected. The contract every kind of service keeps, and one folder a kind.

pub mod change;
pub mod config;
pub mod contract;
pub mod database;
pub mod files;
mod live;
pub mod place;
pub mod probed;
pub mod struck;
pub mod web;
