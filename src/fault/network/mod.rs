//! Faults on the way to a region, and on the region itself.

use super::Fault;

mod region_outage;

/// In the order in which they are listed.
pub(super) static FAULTS: &[&dyn Fault] = &[&region_outage::RegionOutage];
