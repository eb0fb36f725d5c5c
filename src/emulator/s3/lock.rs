//! Object lock: retention in governance and compliance mode, and legal hold.

use jiff::{SignedDuration, Timestamp};

use super::refusal::Refusal;

/// How firmly a retention holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// Whoever has the right may bypass it.
    Governance,
    /// Nobody may, the owner included.
    Compliance,
}

/// Until when a version cannot be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How firmly.
    pub mode: LockMode,
    /// Until when, by the scenario clock.
    pub until: Timestamp,
}

/// What new objects of a bucket get where the request says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultRetention {
    /// How firmly.
    pub mode: LockMode,
    /// For how many days from their writing.
    pub days: u32,
    /// Whether the bucket was set up in years: 365 days each.
    pub in_years: bool,
}

impl DefaultRetention {
    /// The retention of an object written now.
    pub fn from(&self, now: Timestamp) -> Retention {
        let span = SignedDuration::from_hours(24 * i64::from(self.days));
        Retention { mode: self.mode, until: now.checked_add(span).unwrap_or(Timestamp::MAX) }
    }
}

/// A version's locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Locks {
    /// Its retention, which may have run out.
    pub retention: Option<Retention>,
    /// Its legal hold; `None` where none was ever set.
    pub legal_hold: Option<bool>,
}

impl Locks {
    /// Whether the version may be deleted now.
    pub fn permit_delete(&self, now: Timestamp, bypass_governance: bool) -> Result<(), Refusal> {
        if self.legal_hold == Some(true) {
            return Err(Refusal::Locked("a legal hold is on it"));
        }
        match self.retention.filter(|r| r.until > now) {
            Some(Retention { mode: LockMode::Compliance, .. }) => Err(Refusal::Locked("retention in compliance mode")),
            Some(Retention { mode: LockMode::Governance, .. }) if !bypass_governance => {
                Err(Refusal::Locked("retention in governance mode, not bypassed"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the retention may become `wanted` now (`None`: be taken off).
    pub fn permit_change(
        &self,
        wanted: Option<Retention>,
        now: Timestamp,
        bypass_governance: bool,
    ) -> Result<(), Refusal> {
        if wanted.is_some_and(|w| w.until <= now) {
            return Err(Refusal::InvalidArgument("the retain until date must be in the future"));
        }
        let Some(held) = self.retention.filter(|r| r.until > now) else { return Ok(()) };
        let loosens = match wanted {
            None => true,
            Some(w) => w.until < held.until || (held.mode == LockMode::Compliance && w.mode == LockMode::Governance),
        };
        match (loosens, held.mode) {
            (false, _) => Ok(()),
            (true, LockMode::Governance) if bypass_governance => Ok(()),
            (true, _) => Err(Refusal::Locked("its retention cannot be shortened")),
        }
    }
}
