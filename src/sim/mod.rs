//! The one home of time and randomness: clocks, seeds, the lanes that work runs on, and the recorder that stamps
//! events. Everything that waits, draws or hurries does it through here, so that a simulated drill can be repeated
//! to the byte.

pub mod clock;
pub mod lanes;
pub mod messenger;
pub mod recorder;
pub mod secret;
pub mod seed;
