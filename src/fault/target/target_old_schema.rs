//! Target with an old schema: it was deployed before a field was added, and refuses what has it, or loses it.

use super::struck::{Conditioned, trial};
use crate::fault::{Fault, Ground, Injection, Mode, Onset, Parameter, Trial, no_regions, only_now, parameter};
use crate::{
    emulator::{World, convex::condition::OldSchema},
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec},
};

/// Entry in the catalogue.
pub(super) struct TargetOldSchema;

const NAME: &str = "target-old-schema";

impl Fault for TargetOldSchema {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the target's schema does not know a field of what is restored"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "loses-field", summary: "rows are taken without the field, and nothing is said" },
            Mode { name: "rejects-field", summary: "an import with the field is refused" },
        ]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Database
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[
            Parameter { name: "table", summary: "the table; the first that has rows" },
            Parameter { name: "field", summary: "the field; the last one by name of the table's first row" },
        ]
    }

    fn meets_commands(&self, _mode: &str, on_deployments: bool) -> bool {
        on_deployments
    }

    fn example(&self) -> &'static str {
        "- fault: target-old-schema\n  mode: loses-field\n  when: at-disaster\n  with: { table: users, field: email }\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        trial(ground, NAME, mode)
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        no_regions(spec)?;
        let (table, field) = (parameter(spec, "table")?, parameter(spec, "field")?);
        let schema = OldSchema { table, field, is_strict: spec.mode == "rejects-field" };
        Ok(Box::new(Old { schema, struck: Conditioned::of(spec) }))
    }
}

struct Old {
    schema: OldSchema,
    struck: Conditioned,
}

impl Injection for Old {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let schema = &self.schema;
        self.struck.strike(world, |_, condition| {
            condition.old_schema = Some(schema.clone());
            Ok(())
        })?;
        let field = schema.field.as_ref().map_or("a field".to_owned(), |field| format!("the field `{field}`"));
        let of = schema.table.as_ref().map_or(String::new(), |table| format!(" of {table}"));
        let how = if schema.is_strict { "refuse documents with it" } else { "lose it" };
        Ok(format!("new deployments do not know {field}{of}, and {how}"))
    }

    fn proof(&self, _: &World) -> Proof {
        let met = self.struck.met(|struck| struck.unknown_fields, "document");
        // How many depends on how often somebody tried, which is no property of the fault.
        Proof { evidence: if met.bit { "documents met it" } else { "no document met it" }.into(), ..met }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.struck.heal(|now, before| now.old_schema.clone_from(&before.old_schema))
    }
}
