//! The HookLabs database: generated rows, a workload, a ledger, a target.
mod dataset;
mod ids;
mod line;
mod tables;
mod text;
