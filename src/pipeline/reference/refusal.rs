//! Why a recovery point was refused.

use crate::{model::event::Phase, store::StoreErrorKind};

/// Why a candidate was refused, and in which phase.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) phase: Phase,
    pub(super) why: String,
    /// How its region failed, where it was the region.
    pub(super) region: Option<StoreErrorKind>,
    /// Whether it was the target, and no fault of the dump's.
    pub(super) by_target: bool,
}

impl Refusal {
    pub(super) fn new(phase: Phase, why: impl std::fmt::Display) -> Self {
        Refusal { phase, why: why.to_string(), region: None, by_target: false }
    }

    pub(super) fn by_target(self) -> Self {
        Refusal { by_target: true, ..self }
    }

    pub(super) fn by_region(phase: Phase, kind: StoreErrorKind) -> Self {
        Refusal { region: Some(kind), ..Refusal::new(phase, kind) }
    }
}
