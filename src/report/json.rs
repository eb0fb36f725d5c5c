//! The records themselves, as one JSON array; for programs, and to replay.

use super::{Options, Report, Run};

/// Records as pretty JSON.
#[derive(Debug)]
pub(super) struct Json;

impl Report for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn summary(&self) -> &'static str {
        "every record in full, as one JSON array"
    }

    fn file(&self) -> &'static str {
        "report.json"
    }

    fn is_read(&self) -> bool {
        false
    }

    fn render(&self, run: &Run<'_>, _: &Options) -> String {
        // Records have text keys and finite numbers alone, so this cannot fail; if it ever does, it is said in JSON.
        let json = serde_json::to_string_pretty(run.records);
        json.unwrap_or_else(|failed| serde_json::json!({"error": failed.to_string()}).to_string()) + "\n"
    }
}
