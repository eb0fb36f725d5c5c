//! Secret leaked: a secret stands in clear in a backup, or is about to. Redaction failed, or somebody copied a file by
//! hand.

use super::config_dump;
use super::config_dump::Changed;
use crate::fault::{
    Fault, Ground, Injection, Mode, Onset, Trial, joined, only_now,
    points::{Struck, Undo},
};
use crate::{
    emulator::{World, operator::stored_name},
    model::{
        event::Proof,
        plan::ServiceKind,
        scenario::{FaultSpec, Moment},
        words,
    },
};

/// Entry in the catalogue.
pub(super) struct SecretLeaked;

const NAME: &str = "secret-leaked";

/// The secret that leaks: the environment and the variable.
const SECRET: (&str, &str) = ("production", "CLERK_SECRET_KEY");

impl Fault for SecretLeaked {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a secret that stands in clear in a backup of the configuration"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode { name: "value-in-backup", summary: "a dump and its manifest were made with the secret's value" },
            Mode { name: "commented-out", summary: "a copy of the file lies beside the dump, the secret behind a `#`" },
            Mode {
                name: "redaction-forgotten",
                summary: "the list of what is redacted lacks the secret; the next export holds its value",
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
        "- fault: secret-leaked\n  mode: value-in-backup\n  regions: [us-east-1]\n"
    }

    fn trial(&self, mode: &'static str, ground: &Ground<'_>) -> Trial {
        let entry = ground.entry(NAME, mode);
        // What an export leaks must be set before the export.
        Trial::of(if mode == "redaction-forgotten" { entry.at(ground.before_last_backup()) } else { entry })
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let spec = spec.clone();
        Ok(match spec.mode.as_str() {
            "redaction-forgotten" if matches!(spec.when, Moment::AfterLastBackup | Moment::AtDisaster) => {
                return Err("mode `redaction-forgotten` changes nothing after the last backup; write \
                            `when: { before-backup-of-day: N }`"
                    .into());
            }
            "redaction-forgotten" => Box::new(Forgotten { missed_before: 0 }),
            "value-in-backup" => Box::new(Leaked { spec, how: How::InDump, put: vec![], undo: Undo::default() }),
            _ => Box::new(Leaked { spec, how: How::Beside, put: vec![], undo: Undo::default() }),
        })
    }
}

#[derive(Clone, Copy)]
enum How {
    InDump,
    Beside,
}

struct Leaked {
    spec: FaultSpec,
    how: How,
    put: Vec<Changed>,
    undo: Undo,
}

impl Leaked {
    fn strike(&mut self, point: &Struck, secret: &str) -> Result<(), String> {
        let (environment, name) = SECRET;
        self.put.push(match self.how {
            How::InDump => {
                let hidden = format!("{{\"_table\":\"{environment}\",\"_id\":\"{name}\",\"redacted\":true}}");
                let value = serde_json::Value::from(secret);
                let clear = format!("{{\"_table\":\"{environment}\",\"_id\":\"{name}\",\"value\":{value}}}");
                let leak = |line: &str| Some(if line == hidden { clear.clone() } else { line.to_owned() });
                config_dump::edit(point, leak, true, &mut self.undo)?
            }
            How::Beside => {
                let key = format!("{}{}.env", point.layout.prefix, point.point);
                let text = format!("# Application configuration backup\nNODE_ENV=production\n# {name}={secret}\n");
                Changed::put(&point.site, &key, text.as_bytes(), &mut self.undo)?
            }
        });
        Ok(())
    }
}

impl Injection for Leaked {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let points = config_dump::points(&self.spec, world)?;
        let secrets = world.operator.secrets.read()?;
        let stored = stored_name(SECRET.0, SECRET.1);
        let secret = secrets.get(&stored).ok_or_else(|| format!("the secret store has no {stored}"))?;
        for point in &points {
            if let Err(why) = self.strike(point, secret.expose()) {
                self.undo.heal(); // half a fault would be a fault that nobody declared
                return Err(why);
            }
        }
        let words: Vec<_> = points.iter().map(Struck::words).collect();
        let place = match self.how {
            How::InDump => "in",
            How::Beside => "beside",
        };
        Ok(format!("put {} of {} in clear {place} {}", SECRET.1, SECRET.0, joined(&words)))
    }

    /// A copy that somebody destroyed was found, and so it bit.
    fn proof(&self, _: &World) -> Proof {
        let count = |state| self.put.iter().filter(|changed| changed.holds() == state).count();
        let (there, destroyed, whole) = (count(Some(true)), count(None), self.put.len());
        let evidence =
            format!("of {} made, {there} hold it and {destroyed} are gone", words::count(whole as u64, "copy"));
        Proof { bit: whole > 0 && there + destroyed == whole, evidence }
    }

    fn heal(&mut self, _: &World) -> bool {
        self.undo.heal()
    }
}

struct Forgotten {
    missed_before: u32,
}

impl Injection for Forgotten {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        if world.operator.secrets.salt().is_none() {
            return Err("there is no configuration whose secrets could be redacted".into());
        }
        self.missed_before = world.operator.redaction.missed();
        world.operator.redaction.forget(&stored_name(SECRET.0, SECRET.1), true);
        Ok(format!("took {} of {} off the list of what is redacted", SECRET.1, SECRET.0))
    }

    fn proof(&self, world: &World) -> Proof {
        let missed = world.operator.redaction.missed() - self.missed_before;
        let evidence = format!("{} held the secret's value", words::count(missed.into(), "export"));
        Proof { bit: missed > 0, evidence }
    }

    fn heal(&mut self, world: &World) -> bool {
        world.operator.redaction.forget(&stored_name(SECRET.0, SECRET.1), false);
        true
    }
}
