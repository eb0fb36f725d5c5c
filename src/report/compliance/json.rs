//! The compliance report for programs: docs/schema/compliance.json.

use super::Page;
use crate::report::Options;

/// The whole report.
pub(super) fn render(page: &Page<'_>, _: &Options) -> String {
    // Text keys and finite numbers alone, so this cannot fail; if it ever does, it is said in JSON.
    let json = serde_json::to_string_pretty(page.of);
    json.unwrap_or_else(|failed| serde_json::json!({"error": failed.to_string()}).to_string()) + "\n"
}
