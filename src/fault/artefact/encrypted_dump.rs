//! Encrypted dump: ransomware has reached single objects. Name, size and place are as they were, the date is new, the
//! bytes are noise; what was there lies below it where the bucket keeps versions.

use super::forgery::Forgery;
use crate::fault::{Fault, Injection, Mode, points::Struck};
use crate::{
    emulator::s3::body::{Body, BodyWriter},
    model::scenario::FaultSpec,
};

/// Entry in the catalogue.
pub(super) struct EncryptedDump;

const NAME: &str = "encrypted-dump";

impl Fault for EncryptedDump {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "a dump that ransomware has encrypted"
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode {
            name: "ciphertext",
            summary: "noise of the same size is uploaded over the dump; what was there stays as an older version",
        }]
    }

    fn strikes_points(&self) -> bool {
        true
    }

    fn meets_commands(&self, _mode: &str, _on_deployments: bool) -> bool {
        true
    }

    fn example(&self) -> &'static str {
        "- fault: encrypted-dump\n  regions: [us-east-1]\n  generations: all\n"
    }

    fn prepare(&self, spec: &FaultSpec) -> Result<Box<dyn Injection>, String> {
        let forge = Box::new(|point: &Struck, dump: &Body, into| Ok(noise(point, dump.len(), into)?.into()));
        Ok(Forgery::new(NAME, spec, forge).overwriting().boxed())
    }
}

/// Noise that is another for another dump. Not random: a drill can be repeated.
fn noise(point: &Struck, length: u64, mut into: BodyWriter) -> Result<Body, String> {
    let mut state = point
        .dump_key()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let mut left = length;
    let written = loop {
        let piece: Vec<u8> = (0..left.min(64 << 10)).map(|_| next()).collect();
        left -= piece.len() as u64;
        match into.write(&piece) {
            Ok(()) if left > 0 => {}
            Ok(()) => break into.finish(),
            Err(e) => break Err(e),
        }
    };
    written.map_err(|e| format!("the dump cannot be encrypted: {e}"))
}
