//! Values that the whole house shares: plan, scenario, events, record, verdict. No I/O, no clock, no randomness.

pub mod alarm;
pub mod baseline;
pub mod compliance;
pub mod copies;
pub mod event;
pub mod family;
pub mod finding;
pub mod gate;
pub mod history;
pub mod injection;
pub mod matrix;
pub mod naming;
pub mod origin;
pub mod outcome;
pub mod plan;
pub mod provenance;
pub mod ran;
pub mod record;
pub mod scenario;
pub mod status;
pub mod time;
pub mod trend;
pub mod units;
pub mod weakness;
pub mod words;
