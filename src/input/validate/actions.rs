//! What is wrong with a file of corrective actions.

use super::Findings;
use crate::{
    error::Error,
    input::{load::Loaded, nearest},
    model::{
        compliance::{ActionStatus, Actions},
        plan::Plan,
    },
};

/// Everything wrong with the actions, held against the plan. A finding or a scenario that nobody knows is no error: what
/// was found may be gone.
pub fn actions(file: &Loaded<Actions>, plan: &Plan) -> Vec<Error> {
    let mut found = Findings::of(file);
    let known: Vec<&str> = plan.services.keys().map(String::as_str).collect();
    for (i, action) in file.value.actions.iter().enumerate() {
        let path = format!("actions[{i}]");
        found.text(&format!("{path}.finding"), &action.finding);
        found.text(&format!("{path}.owner"), &action.owner);
        if let Some(service) = action.service.as_deref().filter(|service| !known.contains(service)) {
            let what = format!("the plan has no service `{service}`");
            found.add(&format!("{path}.service"), what, nearest::suggest(service, &known));
        }
        let why = action.note.as_deref().is_some_and(|note| !note.trim().is_empty());
        let accepted = action.status == ActionStatus::Accepted;
        let help = "write why, and who accepts it: `note: …`";
        found.unless(why || !accepted, &format!("{path}.status"), "a risk is accepted without a reason", help);
    }
    found.errors
}
