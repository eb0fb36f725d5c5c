//! One drill, phase by phase.
