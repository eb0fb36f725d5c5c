//! Variable missing: the backup, or the secret store, lacks one of the variables that the application starts with.

use super::config_dump;
use super::config_dump::Changed;
use super::secret_store_lost::Spoiled;
use crate::fault::{
    Fault, Injection, Mode, Onset, Parameter, joined, only_now, parameter,
    points::{Struck, Undo},
};
use crate::{
    emulator::{World, operator::stored_name},
    environment,
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec, words},
};

/// Entry in the catalogue.
pub(super) struct VariableMissing;

const NAME: &str = "variable-missing";

const ENVIRONMENT: &str = "production";

impl Fault for VariableMissing {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a variable that the restored configuration would lack"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "from-backup", summary: "the dump lacks the row of one variable (`variable`)" },
            Mode { name: "from-secret-store", summary: "the secret store lacks one secret (`variable`)" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[
            Parameter {
                name: "variable",
                summary: "name in the production file; SENTRY_ORG in a backup, CLERK_SECRET_KEY in the store",
            },
            Parameter {
                name: "resealed",
                summary: "true: the manifest fits, as when the backup was made from a list of names that lacks it; false",
            },
        ]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Config
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: variable-missing\n  mode: from-backup\n  with: { variable: SENTRY_ORG }\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let variable: Option<String> = parameter(spec, "variable")?;
        let resealed = parameter(spec, "resealed")?.unwrap_or(false);
        if spec.mode == "from-secret-store" {
            let stored = stored_name(ENVIRONMENT, variable.as_deref().unwrap_or("CLERK_SECRET_KEY"));
            return Ok(Box::new(Spoiled::new(NAME, move |store| {
                let text = String::from_utf8(store.file().unwrap_or_default()).unwrap_or_default();
                let all = environment::parse(&text).map_err(|e| e.to_string())?;
                let kept: Vec<_> = all.iter().filter(|v| v.name != stored).map(|v| (&*v.name, &*v.value)).collect();
                if kept.len() == all.len() {
                    return Err(format!("the secret store has no {stored}"));
                }
                Ok((Some(environment::render(kept).into_bytes()), format!("took {stored} out of the secret store")))
            })));
        }
        let variable = variable.unwrap_or_else(|| "SENTRY_ORG".into());
        Ok(Box::new(Dropped { spec: spec.clone(), variable, resealed, struck: vec![], undo: Undo::default() }))
    }
}

struct Dropped {
    spec: FaultSpec,
    variable: String,
    resealed: bool,
    struck: Vec<Changed>,
    undo: Undo,
}

impl Injection for Dropped {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let points = config_dump::points(&self.spec, world)?;
        let beginning = format!("{{\"_table\":\"{ENVIRONMENT}\",\"_id\":\"{}\",", self.variable);
        let drop = |line: &str| (!line.starts_with(&beginning)).then(|| line.to_owned());
        for point in &points {
            match config_dump::edit(point, drop, self.resealed, &mut self.undo) {
                Ok(changed) => self.struck.push(changed),
                Err(why) => {
                    self.undo.heal(); // half a fault would be a fault that nobody declared
                    return Err(why);
                }
            }
        }
        let words: Vec<_> = points.iter().map(Struck::words).collect();
        Ok(format!("dropped {} of {ENVIRONMENT} from {}", self.variable, joined(&words)))
    }

    fn proof(&self, _: &World) -> Proof {
        let (whole, lack) = (self.struck.len(), self.struck.iter().filter(|c| c.holds() == Some(true)).count());
        let evidence = format!("{lack} of {} lack it", words::count(whole as u64, "dump"));
        Proof { bit: whole > 0 && lack == whole, evidence }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}
