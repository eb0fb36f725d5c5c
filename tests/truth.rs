//! The first rule of truth, as a property: whatever happens to a backup's bytes, neither reference pipeline ever says that
//! it restored what the ledger does not confirm.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

use backdraft::{
    emulator::World,
    fault::{Injection, Onset},
    model::{
        event::{Proof, What},
        outcome::Outcome,
        record::Way,
        scenario::{FaultSpec, Scenario, Services},
    },
};
use proptest::prelude::*;

/// One blow to one stored object, chosen by numbers.
#[derive(Debug, Clone)]
struct Blow {
    object: usize,
    at: usize,
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    Flip(u8),
    Cut,
    Zero(usize),
    Duplicate(usize),
    SwapWith(usize),
    Remove,
}

struct Blows(Vec<Blow>);

impl Injection for Blows {
    fn inject(&mut self, world: &World, _: Onset) -> Result<String, String> {
        for blow in &self.0 {
            let site = &world.sites[blow.object % world.sites.len()];
            let (objects, bucket) = (site.region.objects(), &site.bucket);
            let keys = objects.keys(bucket, "").unwrap();
            if keys.is_empty() {
                continue;
            }
            let key = &keys[blow.object / world.sites.len() % keys.len()].key;
            let mut bytes = objects.read_all(bucket, key).unwrap().to_vec();
            let at = blow.at % bytes.len().max(1);
            match blow.how {
                _ if bytes.is_empty() => {}
                How::Flip(bits) => bytes[at] ^= bits.max(1),
                How::Cut => bytes.truncate(at),
                How::Zero(n) => bytes.iter_mut().skip(at).take(n).for_each(|b| *b = 0),
                How::Duplicate(n) => {
                    let piece: Vec<u8> = bytes.iter().skip(at).take(n).copied().collect();
                    bytes.splice(at..at, piece);
                }
                How::SwapWith(other) => {
                    let other = &keys[other % keys.len()].key;
                    bytes = objects.read_all(bucket, other).unwrap().to_vec();
                }
                How::Remove => {
                    objects.remove_key(bucket, key).unwrap();
                    continue;
                }
            }
            objects.replace_body(bucket, key, objects.body(&bytes).unwrap()).unwrap();
        }
        Ok("random damage".into())
    }

    fn proof(&self, _: &World) -> Proof {
        Proof { bit: true, evidence: "random damage".into() }
    }

    fn heal(&mut self, _: &World) -> bool {
        true
    }
}

fn blows() -> impl Strategy<Value = Vec<Blow>> {
    let how = prop_oneof![
        4 => any::<u8>().prop_map(How::Flip),
        2 => Just(How::Cut),
        1 => (1usize..5000).prop_map(How::Zero),
        1 => (1usize..5000).prop_map(How::Duplicate),
        2 => any::<usize>().prop_map(How::SwapWith),
        1 => Just(How::Remove),
    ];
    let blow = (any::<usize>(), any::<usize>(), how).prop_map(|(object, at, how)| Blow { object, at, how });
    proptest::collection::vec(blow, 0..24)
}

fn story(service: &str, days: u32, writes: u32) -> Scenario {
    let mut scenario = kit::scenario("database/corrupt-everywhere");
    scenario.service = Services(vec![service.to_owned()]);
    scenario.history.size = "96 KiB".parse().unwrap();
    scenario.history.days = days;
    scenario.history.writes_per_day = writes;
    scenario.disaster.at.day = days;
    scenario.faults = vec![FaultSpec { with: Default::default(), ..scenario.faults[0].clone() }];
    scenario
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_a_backup_nothing_is_called_recovered_that_the_ledger_does_not_confirm(
        seed in 0u64..1000, days in 1u32..4, writes in 1u32..400, files in any::<bool>(), blows in blows(),
    ) {
        let service = if files { "files" } else { "database" };
        let (plan, scenario) = (kit::plan(), story(service, days, if files { writes / 8 + 1 } else { writes }));
        let record = kit::play("truth", &plan, &scenario, seed, Way::Simulated, vec![Box::new(Blows(blows))]);
        let claimed = record.events.iter().any(|event| matches!(event.what, What::Restored(_)));
        let confirmed = record.services[0].comparison.as_ref().is_some_and(|found| found.as_claimed && found.altered == 0 && found.holes == 0);
        prop_assert!(!claimed || confirmed, "the pipeline claims what the ledger denies: {:?}", record.services[0].comparison);
        prop_assert_ne!(record.result.outcome, Some(Outcome::SilentlyWrong));
        prop_assert!(record.result.outcome.is_some(), "every drill has an outcome: {:?}", record.result.reasons);
    }
}

#[test]
fn what_did_not_answer_is_not_said_to_be_lost_and_what_was_wiped_not_to_be_overwritten() {
    let play = |id: &str| kit::play(id, &kit::plan(), &kit::scenario(id), 42, Way::Simulated, vec![]);
    let whys = |id: &str| -> Vec<String> { play(id).objectives.into_iter().filter_map(|judged| judged.why).collect() };
    for (id, silent) in [("level-1/hosting-api-down", "hosting provider"), ("files/outage-all-regions", "us-east-1")] {
        let rpo = whys(id).into_iter().find(|why| why.contains("came back")).unwrap();
        assert!(rpo.starts_with("nothing came back: ") && rpo.contains(silent), "{id}: {rpo}");
        assert!(rpo.ends_with("did not answer, and what is kept there may still be whole"), "{id}: {rpo}");
    }
    // Everything was within reach here, and none of it good.
    let rpo = whys("database/corrupt-everywhere").into_iter().find(|why| why.contains("came back")).unwrap();
    assert!(!rpo.contains("may still be whole"), "{rpo}");
    for (id, word, other) in [
        ("level-3/wiped-lock-holds", "wiped", "overwritten"),
        ("level-3/ransomware-without-lock", "overwritten", "wiped"),
    ] {
        let evidence = play(id).faults[0].proof.clone().unwrap().evidence;
        assert!(evidence.contains(word) && !evidence.contains(other), "{id}: {evidence}");
    }
}
