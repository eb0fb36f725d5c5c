//! The HookLabs database: generated rows, a workload, a ledger, a target.
