//! Compromised account: somebody has got hold of a key, and does to the backups whatever that key may do. It obeys
//! rights and object locks; whether backups survive is what the drill is about.

use std::io;

use crate::fault::{Fault, Injection, Mode, Onset, Parameter, joined, only_now, parameter};
use crate::{
    emulator::{
        Site, World,
        s3::{
            compromise::{Aim, Damage},
            control::BucketSnapshot,
            rights::Principal,
            version::ObjectMeta,
        },
    },
    model::{event::Proof, scenario::FaultSpec, words},
};

/// Entry in the catalogue.
pub(super) struct CompromisedAccount;

const NAME: &str = "compromised-account";

/// Bytes that an encrypted object gets at the most; ransomware is not slowed by large files, and neither is a drill.
const LONGEST: u64 = 4096;

impl Fault for CompromisedAccount {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "somebody with a stolen key overwrites and deletes every backup that the key reaches"
    }

    fn modes(&self) -> &'static [Mode] {
        &[
            Mode {
                name: "encrypt",
                summary: "other bytes under every key, and every older version deleted that may be",
            },
            Mode { name: "wipe", summary: "every version deleted that may be, a delete marker on the rest" },
        ]
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[Parameter { name: "key", summary: "whose key was stolen: `writer` (the backup job's) or `owner`; writer" }]
    }

    fn strikes_points(&self) -> bool {
        false
    }

    fn needs_points(&self) -> bool {
        true
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: compromised-account\n  mode: encrypt\n  with: { key: writer }\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let thief = match parameter::<String>(spec, "key")?.as_deref() {
            None | Some("writer") => Principal::Writer,
            Some("owner") => Principal::Owner,
            Some(other) => {
                return Err(format!("parameter `key`: nobody is called `{other}`; write `writer` or `owner`"));
            }
        };
        let aim = if spec.mode == "encrypt" { Aim::Encrypt } else { Aim::Wipe };
        Ok(Box::new(Compromised { regions: spec.regions.clone(), thief, aim, damage: Damage::default(), undo: vec![] }))
    }
}

struct Compromised {
    regions: Vec<String>,
    thief: Principal,
    aim: Aim,
    damage: Damage,
    undo: Vec<(Site, BucketSnapshot)>,
}

impl Injection for Compromised {
    fn inject(&mut self, world: &World, onset: Onset) -> Result<String, String> {
        only_now(onset, NAME)?;
        let sites: Vec<Site> = world.sites_named(&self.regions).cloned().collect();
        for site in &sites {
            if let Err(why) = self.strike(site) {
                self.heal(world); // half a fault would be a fault that nobody declared
                return Err(why);
            }
        }
        if self.damage.overwritten + self.damage.deleted + self.damage.held + self.damage.denied == 0 {
            self.heal(world);
            return Err("no region meant holds anything at that moment".into());
        }
        let places: Vec<_> = sites.iter().map(|site| site.region.name()).collect();
        Ok(format!("in {} with the {}'s key: {}", joined(&places), self.thief, self.words()))
    }

    fn proof(&self, _: &World) -> Proof {
        Proof { bit: self.damage.overwritten + self.damage.deleted > 0, evidence: self.words() }
    }

    fn heal(&mut self, _: &World) -> bool {
        let back =
            |(site, was): (Site, BucketSnapshot)| site.region.objects().reinstate(&site.bucket, None, &was).is_ok();
        let failed = self.undo.drain(..).rev().map(back).filter(|done| !done).count();
        failed == 0
    }
}

impl Compromised {
    fn strike(&mut self, site: &Site) -> Result<(), String> {
        let objects = site.region.objects();
        let before = objects.snapshot(&site.bucket).map_err(|e| e.to_string())?;
        self.undo.push((site.clone(), before));
        let rubbish = |meta: &ObjectMeta| -> io::Result<_> { objects.body(&noise(meta)) };
        let done = objects.compromise(self.thief, &site.bucket, "", self.aim, rubbish).map_err(|e| e.to_string())?;
        self.damage.overwritten += done.overwritten;
        self.damage.deleted += done.deleted;
        self.damage.held += done.held;
        self.damage.denied += done.denied;
        Ok(())
    }

    fn words(&self) -> String {
        let Damage { overwritten, deleted, held, denied } = self.damage;
        let struck = if self.aim == Aim::Encrypt { "overwritten" } else { "wiped" };
        let mut said = vec![
            format!("{} {struck}", words::count(overwritten, "object")),
            format!("{} deleted for good", words::count(deleted, "version")),
            format!("{held} held by an object lock"),
        ];
        if denied > 0 {
            said.push(format!("{denied} requests denied"));
        }
        said.join(", ")
    }
}

/// Bytes that look like nothing, and like other nothing for another object. Not random: a drill can be repeated.
fn noise(meta: &ObjectMeta) -> Vec<u8> {
    let mut state = meta
        .key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..meta.size.clamp(16, LONGEST)).map(|_| next()).collect()
}
