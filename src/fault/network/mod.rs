//! Faults on the way to a region, and on the region itself.

use super::Fault;

mod bodies;
mod body_cut_short;
mod condition;
mod connection_reset;
mod expired_credentials;
mod first_requests_fail;
mod flapping_region;
mod name_lookup_fails;
mod outage_from_request;
mod read_only_region;
mod region_outage;
mod server_error;
mod slow_first_byte;

/// In the order in which they are listed.
pub(super) static FAULTS: &[&dyn Fault] = &[
    &region_outage::RegionOutage,
    &name_lookup_fails::NameLookupFails,
    &connection_reset::ConnectionReset,
    &body_cut_short::BodyCutShort,
    &server_error::ServerError,
    &expired_credentials::ExpiredCredentials,
    &read_only_region::ReadOnlyRegion,
    &slow_first_byte::SlowFirstByte,
    &flapping_region::FlappingRegion,
    &first_requests_fail::FirstRequestsFail,
    &outage_from_request::OutageFromRequest,
];
