//! How a service is backed up and restored: the contract, and the reference pipeline.
