//! What a plan says of an incident: components of the status page, and whom to call when.

use std::collections::BTreeMap;

use super::Findings;
use crate::{input::nearest, model::plan::Plan};

/// Adds what is wrong with components and calls.
pub(super) fn incident(found: &mut Findings<'_, Plan>, plan: &Plan) {
    let known: Vec<&str> = plan.services.keys().map(String::as_str).collect();
    let mut names = BTreeMap::new();
    for (i, component) in plan.components.iter().enumerate() {
        let path = format!("components[{i}]");
        found.text(&format!("{path}.name"), &component.name);
        if let Some(korean) = &component.name_ko {
            found.text(&format!("{path}.name_ko"), korean);
        }
        if let Some(first) = names.insert(&component.name, i) {
            let what = format!("component `{}` is there twice, first as number {}", component.name, first + 1);
            found.add(&format!("{path}.name"), what, "name each component once");
        }
        let needs = component.depends_on.len() + component.degraded_without.len();
        let what =
            format!("component `{}` needs no service, so it would never be shown as anything but well", component.name);
        found.unless(needs > 0, &format!("{path}.name"), what, "say which services it needs: `depends_on: [database]`");
        services(found, &format!("{path}.depends_on"), &component.depends_on, &known);
        services(found, &format!("{path}.degraded_without"), &component.degraded_without, &known);
        for (j, name) in component.degraded_without.iter().enumerate() {
            let what = format!("`{name}` is under `depends_on`, too: without it the component is out, not degraded");
            let path = format!("{path}.degraded_without[{j}]");
            found.unless(!component.depends_on.contains(name), &path, what, "leave it in one of the two");
        }
    }
    for (i, contact) in plan.contacts.iter().enumerate() {
        let Some(call) = &contact.call else { continue };
        found.span(&format!("contacts[{i}].call.after"), call.after);
        services(found, &format!("contacts[{i}].call.for"), &call.services, &known);
    }
}

fn services(found: &mut Findings<'_, Plan>, path: &str, names: &[String], known: &[&str]) {
    for (i, name) in names.iter().enumerate().filter(|(_, name)| !known.contains(&name.as_str())) {
        let what = format!("the plan has no service `{name}`");
        found.add(&format!("{path}[{i}]"), what, nearest::suggest(name, known));
    }
}
