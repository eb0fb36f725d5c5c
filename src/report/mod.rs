//! Reports from records: the contract, and one file a format.

pub mod compliance;
pub mod contract;
mod figures;
pub mod github;
mod html;
mod json;
mod junit;
pub mod language;
mod markdown;
pub mod matrix;
mod openmetrics;
pub(crate) mod page;
mod regression;
pub(crate) mod status;
mod terminal;
pub(crate) mod text;
pub mod weaknesses;

pub use contract::{Options, Report, Run};
pub(crate) use figures::{LETTERS, short};
pub use language::Language;

/// All formats.
pub static CATALOGUE: &[&dyn Report] = &[
    &terminal::Terminal,
    &html::Html,
    &markdown::Markdown,
    &json::Json,
    &junit::Junit,
    &junit::JunitGate,
    &openmetrics::OpenMetrics,
    &github::GitHub,
];

/// The format of that name.
pub fn by_name(name: &str) -> Option<&'static dyn Report> {
    CATALOGUE.iter().copied().find(|report| report.name() == name)
}
