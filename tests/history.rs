//! The history: whatever is changed in it is named, whatever a killed run leaves is put right, in a folder and in a
//! bucket; and it is verified fast enough to be verified always.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

#[path = "history/bucket.rs"]
mod bucket;
#[path = "history/changed.rs"]
mod changed;
#[path = "history/killed.rs"]
mod killed;
mod kit;
#[path = "history/rig.rs"]
mod rig;
