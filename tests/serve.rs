//! `backdraft serve` as its users have it: the binary, their own tools in its world, its API by hand and its page in a
//! real browser. Tools that are missing are skipped, visibly; `BACKDRAFT_REQUIRE_TOOLS` with `aws`, `convex`, `chromium`
//! or `axe` in it makes that a failure.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

#[allow(dead_code, reason = "each test uses its part")]
#[path = "cli/bench.rs"]
mod bench;
#[path = "serve/command.rs"]
mod command;
#[path = "serve/control.rs"]
mod control;
#[path = "serve/page.rs"]
mod page;
#[path = "serve/rig.rs"]
mod rig;
#[path = "serve/tools.rs"]
mod tools;
