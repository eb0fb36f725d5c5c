//! What is protected. The contract every kind of service keeps, one folder a kind, and the places in which a
//! team's own commands find a service.

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
