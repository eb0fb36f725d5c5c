//! Many drills instead of one: which are worth playing, made from the plan and the catalogue of faults.

pub mod trials;
