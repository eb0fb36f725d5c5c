//! Failure modes: the contract, the catalogue, and one file a fault.
