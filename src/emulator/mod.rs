//! The outside world on loopback.

pub mod s3;
