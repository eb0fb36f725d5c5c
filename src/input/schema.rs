//! JSON Schemas of what backdraft reads and writes, made from the types. They are committed under docs/schema.

use schemars::JsonSchema;
use serde_json::Value;

use crate::model::{
    baseline::Baseline,
    compliance::{Actions, Compliance},
    history::Entry,
    plan::Plan,
    record::Record,
    scenario::Scenario,
};

/// Each schema by name (`plan`, `scenario`, `record`, `history`: an entry of it, `baseline`, …), as indented JSON with a line
/// break at its end.
pub fn schemas() -> Vec<(&'static str, String)> {
    let all = [
        ("plan", of::<Plan>()),
        ("scenario", of::<Scenario>()),
        ("record", of::<Record>()),
        ("history", of::<Entry>()),
        ("baseline", of::<Baseline>()),
        ("actions", of::<Actions>()),
        ("compliance", of::<Compliance>()),
    ];
    all.map(|(name, schema)| (name, format!("{schema:#}\n"))).into()
}

/// The schema of one type.
pub(super) fn of<T: JsonSchema>() -> Value {
    schemars::schema_for!(T).to_value()
}
