//! The verbs that look at a user's own buckets, over the binary itself: what they see, whom they tell, and that they
//! never write.

#![allow(clippy::unwrap_used)]

#[path = "own_buckets/alerts.rs"]
mod alerts;
#[path = "cli/bench.rs"]
#[allow(dead_code, reason = "shared with the tests of the command line")]
mod bench;
#[path = "own_buckets/checklist.rs"]
mod checklist;
#[path = "own_buckets/defects.rs"]
mod defects;
#[path = "own_buckets/foreign.rs"]
mod foreign;
#[path = "own_buckets/look.rs"]
mod look;
#[path = "own_buckets/rig.rs"]
mod rig;
#[path = "own_buckets/services.rs"]
mod services;
#[path = "own_buckets/verify.rs"]
mod verify;
