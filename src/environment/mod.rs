//! Environment files and what in them must not be told: a strict reader of the dotenv form, values that cannot be
//! printed, and the rules by which a secret is recognised. Knows no service, no pipeline and no region.

mod dotenv;
mod redact;
mod rules;
mod scan;
mod secret;

pub use dotenv::{DotenvError, Variable, parse, render};
pub use redact::{Cleaned, redact, without_secrets};
pub use rules::{Alphabet, RULES, Rule, Shape};
pub use scan::{Leak, is_secret, rule_of, scan, scan_object};
pub use secret::{Salt, Secret};
