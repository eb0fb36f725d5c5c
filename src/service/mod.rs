//! What is protected. The contract every kind of service keeps, and one folder a kind.

pub mod contract;
pub mod database;
mod live;
pub mod web;
