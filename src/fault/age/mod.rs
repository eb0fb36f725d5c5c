//! Faults on how old a backup really is.

use super::Fault;

mod clock_skew;
mod future_date;
mod job_clock;
mod stale_dump;
mod stream_gap;
mod time_zone_mistaken;

/// In the order in which they are listed.
pub(super) static FAULTS: &[&dyn Fault] = &[
    &stale_dump::StaleDump,
    &stream_gap::StreamGap,
    &clock_skew::ClockSkew,
    &time_zone_mistaken::TimeZoneMistaken,
    &future_date::FutureDate,
];
