//! The emulated regions over TCP, through aws-sdk-s3: what a pipeline meets, in health and in each state of the link.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod faults;
mod protocol;
mod world;
