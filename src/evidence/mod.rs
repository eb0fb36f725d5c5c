//! Evidence that can be held against what it speaks of: a statement about every file of a run's folder, signed where
//! there is a key, and verified offline (docs/evidence.md, docs/decisions/0024).
//!
//! A signature of this machine's own proves that whoever holds the key made the statement; neither who that is nor when.

pub mod dsse;
pub mod folder;
pub mod key;
pub mod statement;
pub mod verify;

pub use key::{PrivateKey, PublicKey};
pub use statement::Statement;

/// The statement's name in a folder of evidence.
pub const STATEMENT_FILE: &str = "evidence.json";
/// The signed statement's name there.
pub const ENVELOPE_FILE: &str = "evidence.dsse.json";
/// What is said beside every signature.
pub const NO_PROOF: &str = "A local signature proves neither time nor person: it shows that whoever holds the key made this statement, not when and not who that is.";
