//! The emulated Convex deployment: its routes over plain HTTP, and the unmodified `convex` command against it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod cli;
mod imports;
mod routes;
mod world;
