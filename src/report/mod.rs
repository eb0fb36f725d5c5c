//! Reports from records: the contract, and one file a format.
