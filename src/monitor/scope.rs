//! What a look looked at, and what it did not: a verdict never claims more than that.

use serde::Serialize;

use crate::model::plan::Watch;

/// Why something was not looked at that the plan leaves out.
pub(super) const NOT_ASKED: &str = "the plan's monitor does not ask for it";

/// What a backup can be looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// Whether the one that was due is there.
    Schedule,
    /// How old the newest is.
    Age,
    /// How large the newest is.
    Size,
    /// Whether a replica has what the primary has.
    Replica,
    /// The newest backup's manifest.
    Manifest,
    /// First and last bytes of files that others wrote.
    Form,
    /// Whether the files that a list names are there with their sizes.
    Files,
    /// Every byte of the newest.
    Contents,
    /// Whether pieces of the change stream come, and lack none between them.
    Stream,
    /// Every byte of the pieces since the newest backup.
    Pieces,
}

impl Aspect {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Aspect::Schedule => "schedule",
            Aspect::Age => "age",
            Aspect::Size => "size",
            Aspect::Replica => "replica",
            Aspect::Manifest => "manifest",
            Aspect::Form => "first and last bytes",
            Aspect::Files => "files named by the list",
            Aspect::Contents => "contents",
            Aspect::Stream => "change stream",
            Aspect::Pieces => "contents of the change stream",
        }
    }
}

/// Something that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Omission {
    /// What.
    pub aspect: Aspect,
    /// Why not.
    pub why: String,
}

/// What a look at one region looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// What was looked at, in order.
    pub looked_at: Vec<Aspect>,
    /// What was not, of what there is.
    pub not_looked_at: Vec<Omission>,
}

impl Scope {
    /// It was looked at.
    pub(super) fn did(&mut self, aspect: Aspect) {
        if !self.looked_at.contains(&aspect) {
            self.looked_at.push(aspect);
        }
    }

    /// It was not, or not all of it.
    pub(super) fn left(&mut self, aspect: Aspect, why: impl Into<String>) {
        let omission = Omission { aspect, why: why.into() };
        if !self.not_looked_at.contains(&omission) {
            self.not_looked_at.push(omission);
        }
    }

    /// Whether the plan asks for it; where not, that is noted.
    pub(super) fn asks(&mut self, aspect: Aspect, watches: &[Watch], watch: Watch) -> bool {
        let asked = watches.contains(&watch);
        if !asked {
            self.left(aspect, NOT_ASKED);
        }
        asked
    }

    /// Takes in what a look at another folder of the same region looked at.
    pub(super) fn join(&mut self, other: Scope) {
        other.looked_at.into_iter().for_each(|aspect| self.did(aspect));
        other.not_looked_at.into_iter().for_each(|omission| self.left(omission.aspect, omission.why));
    }
}
