//! What is checked on a restored service: the contract, and one file a check.
