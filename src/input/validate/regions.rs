//! The regions that a fault says it strikes.

use super::Findings;
use crate::{
    input::nearest,
    model::{
        plan::Plan,
        scenario::{FaultSpec, Scenario},
    },
};

/// Each is one of the plan's, and named once; a list without any says nothing.
pub(super) fn regions(found: &mut Findings<'_, Scenario>, path: &str, fault: &FaultSpec, plan: &Plan) {
    let known = plan.region_names();
    let list = format!("{path}.regions");
    let help = "name those that it strikes, or remove the line: then it strikes all of them";
    found.unless(!fault.regions.is_empty() || !found.says(&list), &list, "a list without a region says nothing", help);
    for (i, region) in fault.regions.iter().enumerate() {
        let path = format!("{path}.regions[{i}]");
        if !known.contains(&region.as_str()) {
            found.add(&path, format!("the plan has no region `{region}`"), nearest::suggest(region, &known));
        } else if fault.regions[..i].contains(region) {
            found.add(&path, format!("region `{region}` is named twice"), "name it once");
        }
    }
}
