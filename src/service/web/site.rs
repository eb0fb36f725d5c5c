//! The pages of the HookLabs site, generated: the content of a path in a revision depends on the seed alone.

use bytes::Bytes;

use crate::{model::units::ByteSize, sim::seed::Seed};

/// What the site starts with.
pub(super) const FIRST: [&str; 16] = [
    "/",
    "/pricing",
    "/features",
    "/signup",
    "/login",
    "/dashboard",
    "/blog/launch",
    "/blog/hooks-that-work",
    "/legal/privacy",
    "/legal/terms",
    "/static/app.css",
    "/static/app.js",
    "/static/charts.js",
    "/static/editor.js",
    "/api/plans",
    "/api/platforms",
];

/// Most of a site's bytes; a larger one is not what a release waits for, and is held in memory.
const LARGEST: u64 = 64 << 20;

/// Makes content.
#[derive(Debug)]
pub(super) struct Generator {
    seed: Seed,
    /// Bytes of one file.
    length: usize,
}

impl Generator {
    /// For a site of about that size.
    pub(super) fn new(size: ByteSize, seed: Seed) -> Self {
        let length = size.0.min(LARGEST) / FIRST.len() as u64;
        Generator { seed: seed.child("site"), length: length as usize }
    }

    /// What a path holds in a revision.
    pub(super) fn content(&self, path: &str, revision: u64) -> Bytes {
        let seed = self.seed.child(path).nth(revision);
        let mut text = format!("<!-- {path} as of release {revision} -->\n");
        text.reserve(self.length);
        let mut words = (0..).map(|n| WORDS[pick(seed, n, WORDS.len())]);
        while text.len() < self.length {
            text.push_str(words.next().unwrap_or_default());
            text.push(' ');
        }
        text.push('\n');
        Bytes::from(text)
    }
}

const WORDS: [&str; 16] = [
    "hook", "caption", "reel", "story", "audience", "trend", "draft", "schedule", "publish", "creator", "channel",
    "insight", "engage", "reach", "brand", "clip",
];

/// The nth choice of a seed, of so many.
pub(super) fn pick(seed: Seed, n: u64, of: usize) -> usize {
    (seed.nth(n).0 % of.max(1) as u64) as usize
}

/// The table of the ledger that a path is in.
pub(super) fn table(path: &str) -> &'static str {
    match path {
        _ if path.starts_with("/api/") => "api",
        _ if path.starts_with("/static/") => "assets",
        _ => "pages",
    }
}

/// The tables, in order.
pub(super) const TABLES: [&str; 3] = ["pages", "assets", "api"];
