//! Secret store lost: what the backup leaves out is nowhere to be had, or only as it once was.

use crate::fault::{Fault, Injection, Mode, Onset, only_now};
use crate::{
    emulator::{World, operator::SecretStore},
    model::{event::Proof, plan::ServiceKind, scenario::FaultSpec, words},
};

/// Entry in the catalogue.
pub(super) struct SecretStoreLost;

const NAME: &str = "secret-store-lost";

impl Fault for SecretStoreLost {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "the operators' secret store is not there, or not as it should be"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "gone", summary: "the store's file is gone" },
            Mode { name: "emptied", summary: "the file is there and has 0 bytes" },
            Mode {
                name: "outdated",
                summary: "the file is that of day 1; what was rotated since is no longer accepted",
            },
        ]
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Config
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        false
    }

    fn example(&self) -> &'static str {
        "- fault: secret-store-lost\n  mode: gone\n  when: at-disaster\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        Ok(match spec.mode.as_str() {
            "gone" => Box::new(Spoiled::new(NAME, |_| Ok((None, "removed the secret store".into())))),
            "emptied" => Box::new(Spoiled::new(NAME, |_| Ok((Some(vec![]), "emptied the secret store".into())))),
            _ => Box::new(Spoiled::new(NAME, |store| {
                let first = store.first_file();
                match store.file().as_ref() == Some(&first) {
                    true => Err("nothing was rotated yet, so the store of day 1 is the one of today".into()),
                    false => Ok((Some(first), "put the secret store of day 1 in the place of today's".into())),
                }
            })),
        })
    }
}

/// What a store's file should be instead, and what that is in words.
type Spoil = dyn Fn(&SecretStore) -> Result<(Option<Vec<u8>>, String), String> + Send;

/// A store with other contents, as long as the fault lasts.
pub(super) struct Spoiled {
    fault: &'static str,
    spoil: Box<Spoil>,
    before: Vec<u8>,
}

impl Spoiled {
    pub(super) fn new(
        fault: &'static str,
        spoil: impl Fn(&SecretStore) -> Result<(Option<Vec<u8>>, String), String> + Send + 'static,
    ) -> Self {
        Spoiled { fault, spoil: Box::new(spoil), before: Vec::new() }
    }
}

impl Injection for Spoiled {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, self.fault)?;
        let store = &world.operator.secrets;
        self.before = store.file().ok_or("there is no secret store")?;
        let (contents, said) = (self.spoil)(store)?;
        store.replace(contents.as_deref(), true)?;
        Ok(said)
    }

    fn proof(&self, world: &World) -> Proof {
        let asked = world.operator.secrets.asked_in_vain();
        let evidence = format!("the store was asked {} while it was so", words::count(asked.into(), "time"));
        Proof { bit: asked > 0, evidence }
    }

    fn heal(&mut self, world: &World) -> bool {
        world.operator.secrets.replace(Some(&self.before), false).is_ok()
    }
}
