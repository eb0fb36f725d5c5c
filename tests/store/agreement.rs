//! Whatever is asked of it, in whatever order and over whatever link: the store in process gives the same answers as the
//! one over HTTP.

use std::sync::atomic::{AtomicU32, Ordering};

use backdraft::{
    emulator::{
        link::{Begins, BodyFault, Ending, Intent, LinkState, StatusFault},
        s3::buckets::BucketOptions,
    },
    model::units::Percent,
    store::{Patience, SharedStore},
};
use futures_util::TryStreamExt;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{
    direct, gateway,
    world::{World, body, broken_body, bytes, calm},
};

const KEYS: [&str; 6] = ["a", "a/b", "a/b c", "a+ü", "a/./..//", "b"];
const SIZES: [usize; 5] = [0, 1, 1_000, 300_000, (8 << 20) + 1];
const PREFIXES: [&str; 4] = ["", "a", "a/", "c"];
/// Those that need no time to run out.
const LINKS: [LinkState; 11] = [
    LinkState::Up,
    LinkState::Refused,
    LinkState::Status(StatusFault::SlowDown503),
    LinkState::Status(StatusFault::Internal500),
    LinkState::Status(StatusFault::Denied403),
    LinkState::Status(StatusFault::Expired400),
    LinkState::WritesRejected(StatusFault::NotAllowed405),
    LinkState::Bodies(broken(Intent::Read, Ending::Reset)),
    LinkState::Bodies(broken(Intent::Read, Ending::Short)),
    LinkState::Bodies(broken(Intent::Read, Ending::ShortUntold)),
    LinkState::Bodies(broken(Intent::Write, Ending::Reset)),
];

const fn broken(of: Intent, ending: Ending) -> BodyFault {
    BodyFault { of, ending, at: Percent(60), first: None }
}

#[derive(Debug, Clone)]
enum Step {
    Put {
        key: &'static str,
        size: usize,
    },
    PutBroken {
        key: &'static str,
        size: usize,
    },
    Get {
        key: &'static str,
    },
    Head {
        key: &'static str,
    },
    Delete {
        key: &'static str,
    },
    List {
        prefix: &'static str,
    },
    Link {
        state: LinkState,
    },
    /// Lets the link change by itself, after so many bytes of bodies.
    Arm {
        after_bytes: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || prop::sample::select(&KEYS[..]);
    let size = || prop_oneof![9 => prop::sample::select(&SIZES[..4]), 1 => Just(SIZES[4])];
    let step = prop_oneof![
        4 => (key(), size()).prop_map(|(key, size)| Step::Put { key, size }),
        1 => (key(), size()).prop_map(|(key, size)| Step::PutBroken { key, size }),
        4 => key().prop_map(|key| Step::Get { key }),
        2 => key().prop_map(|key| Step::Head { key }),
        2 => key().prop_map(|key| Step::Delete { key }),
        2 => prop::sample::select(&PREFIXES[..]).prop_map(|prefix| Step::List { prefix }),
        2 => prop::sample::select(&LINKS[..]).prop_map(|state| Step::Link { state }),
        2 => Just(Step::Link { state: LinkState::Up }),
        1 => (0..400_000_u64).prop_map(|after_bytes| Step::Arm { after_bytes }),
    ];
    prop::collection::vec(step, 1..25)
}

/// What comes of a step, as text that can be compared.
async fn take(step: &Step, nth: usize, store: &SharedStore, world: &World) -> String {
    match step {
        Step::Put { key, size } => format!("{:?}", store.put(key, body(&bytes(*size, nth as u64))).await),
        Step::PutBroken { key, size } => format!("{:?}", store.put(key, broken_body(*size)).await),
        Step::Get { key } => match store.get(key).await {
            Ok((info, body)) => {
                let content = body.try_fold(crc32fast::Hasher::new(), |mut hasher, piece| async move {
                    hasher.update(&piece);
                    Ok(hasher)
                });
                format!("{info:?} {:?}", content.await.map(crc32fast::Hasher::finalize))
            }
            Err(error) => format!("{error:?}"),
        },
        Step::Head { key } => format!("{:?}", store.head(key).await),
        Step::Delete { key } => format!("{:?}", store.delete(key).await),
        Step::List { prefix } => format!("{:?}", store.list(prefix).await),
        Step::Link { state } => {
            world.set_link(*state).await;
            String::new()
        }
        Step::Arm { after_bytes } => {
            world.region().link().lay(LinkState::Status(StatusFault::SlowDown503), Begins::AfterBytes(*after_bytes));
            String::new()
        }
    }
}

/// What comes of all of them, in a bucket of their own.
async fn take_all(steps: &[Step], world: &World, bucket: &str) -> Vec<String> {
    world.set_link(LinkState::Up).await;
    world.region().objects().create_bucket(bucket, BucketOptions::default()).unwrap();
    let store = (world.open)(bucket, Patience { backoff_ms: 1, ..calm() });
    let mut answers = Vec::new();
    for (nth, step) in steps.iter().enumerate() {
        answers.push(take(step, nth, &store, world).await);
    }
    answers
}

#[test]
fn both_stores_give_the_same_answers() {
    let real = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let over_http = real.block_on(gateway::world());
    let case = AtomicU32::new(0);
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let agree = TestRunner::new(config).run(&steps(), |steps| {
        let bucket = format!("case-{}", case.fetch_add(1, Ordering::Relaxed));
        let simulated = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let in_process =
            simulated.block_on(async { take_all(&steps, &direct::world_of(gateway::NAME), &bucket).await });
        prop_assert_eq!(real.block_on(take_all(&steps, &over_http, &bucket)), in_process);
        Ok(())
    });
    agree.unwrap();
}
