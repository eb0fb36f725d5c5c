//! YAML files in, typed values with their places out; and a plan read as an engineer would.
//!
//! [`load`] reads a file into a [`load::Loaded`] value, [`validate`] says what in it cannot be played, [`lint`] says
//! what in a plan will not hold. Nothing here panics on what a file contains, and every complaint has a place.

mod explain;
mod file;
mod form;
pub mod lint;
pub mod load;
mod nearest;
pub mod outline;
pub mod schema;
pub mod validate;
