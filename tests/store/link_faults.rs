//! What a store makes of a region's link in each of its states: the failure that the contract names, after the attempts
//! that it was given and no more, and no harm left once the link is healed.

use std::time::Duration;

use backdraft::{
    emulator::s3::link::{LinkCounters, LinkState, StatusFault},
    store::{
        Patience, SharedStore, StoreError,
        StoreErrorKind::{self, Cut, Denied, Refused, ServerError, SlowDown, TimedOut},
    },
};

use super::world::{BUCKET, World, body, bytes, calm, hasty, kind, read};

const MIB: usize = 1 << 20;

/// Every operation, by name, and how it ended.
async fn every_operation(store: &SharedStore) -> Vec<(&'static str, Result<(), StoreErrorKind>)> {
    fn end<T>(result: Result<T, StoreError>) -> Result<(), StoreErrorKind> {
        result.map(drop).map_err(kind)
    }
    vec![
        ("put", end(store.put("new", body(&bytes(1000, 1))).await)),
        ("put in parts", end(store.put("large", body(&bytes(9 * MIB, 1))).await)),
        ("get", end(read(store, "there").await)),
        ("head", end(store.head("there").await)),
        ("list", end(store.list("").await)),
        ("delete", end(store.delete("new").await)),
    ]
}

/// Every operation fails as it must, and works again once the link is up.
async fn bites_and_heals(
    world: &World,
    patience: Patience,
    state: LinkState,
    expected: StoreErrorKind,
    count: fn(&LinkCounters) -> u64,
    attempts: u64,
) {
    let (store, link) = ((world.open)(BUCKET, patience), world.region().link());
    world.store().put("there", body(&bytes(1000, 1))).await.unwrap();
    let before = count(&link.counters());
    world.set_link(state).await;
    for (operation, end) in every_operation(&store).await {
        assert_eq!(end, Err(expected), "{operation} while {state:?}");
    }
    // Six operations; a late put or listing also asks for a sign of life, once for each attempt.
    let most = 6 * attempts + if state == LinkState::BlackHole { 2 * attempts } else { 0 };
    let asked = count(&link.counters()) - before;
    match (&world.gateway, state) {
        (None, _) | (_, LinkState::Status(_)) => assert_eq!(asked, most, "attempts while {state:?}"),
        (Some(_), LinkState::Refused) => assert_eq!(asked, 0, "the system refuses, so no request arrives"),
        // Where time is real, a request may run out of it before it arrives.
        (Some(_), _) => assert!((1..=most).contains(&asked), "{asked} attempts while {state:?}"),
    }
    world.set_link(LinkState::Up).await;
    for (operation, end) in every_operation(&world.store()).await {
        assert_eq!(end, Ok(()), "{operation} after {state:?}");
    }
}

pub async fn each_state_fails_in_its_own_way_and_heals(world: &World) {
    bites_and_heals(world, calm(), LinkState::Refused, Refused, |c| c.refused, 3).await;
    bites_and_heals(world, hasty(), LinkState::BlackHole, TimedOut, |c| c.hung, 3).await;
    let rejected = |c: &LinkCounters| c.rejected;
    bites_and_heals(world, calm(), LinkState::Status(StatusFault::SlowDown503), SlowDown, rejected, 3).await;
    bites_and_heals(world, calm(), LinkState::Status(StatusFault::Internal500), ServerError, rejected, 3).await;
    bites_and_heals(world, calm(), LinkState::Status(StatusFault::Denied403), Denied, rejected, 1).await;
}

pub async fn a_body_that_is_cut_in_the_middle_is_never_complete(world: &World) {
    let (store, link) = (world.store(), world.region().link());
    let content = bytes(3 * MIB, 1);
    store.put("dump", body(&content)).await.unwrap();
    for then in [LinkState::Refused, LinkState::Status(StatusFault::SlowDown503)] {
        let before = link.counters();
        link.arm(MIB as u64, then);
        assert_eq!(read(&store, "dump").await.map_err(kind), Err(Cut), "{then:?}");
        let after = link.counters();
        assert!(after.cut > before.cut && after.bytes_out - before.bytes_out <= MIB as u64, "{before:?} {after:?}");
        assert_eq!(link.state(), then);
        world.set_link(LinkState::Up).await;
        assert!(read(&store, "dump").await.unwrap() == content);
    }
}

pub async fn a_body_that_falls_silent_times_out(world: &World) {
    let link = world.region().link();
    world.store().put("dump", body(&bytes(3 * MIB, 1))).await.unwrap();
    // Only the silence within the body is short: the answer before it may take its time.
    let store = (world.open)(BUCKET, Patience { read_ms: 200, ..calm() });
    link.arm(MIB as u64, LinkState::BlackHole);
    assert_eq!(read(&store, "dump").await.map_err(kind), Err(TimedOut));
    world.set_link(LinkState::Up).await;
    assert!(read(&world.store(), "dump").await.is_ok());
}

pub async fn a_slow_link_delays_and_loses_nothing(world: &World) {
    let store = world.store();
    let content = bytes(200_000, 1);
    let latency = Duration::from_millis(100);
    world.set_link(LinkState::Slow { bytes_per_second: 100_000, latency }).await;
    // Later than an attempt may take: the region shows that it is alive, so the put goes on.
    let put = (world.open)(BUCKET, Patience { attempt_ms: 1_000, ..calm() }).put("slow", body(&content)).await;
    assert_eq!(put.map(|info| info.size), Ok(200_000));
    let watch = world.stopwatch();
    assert!(read(&store, "slow").await.unwrap() == content);
    assert!(watch.elapsed().total_ms() > 1_900, "latency and 2 s of bytes: {:?}", watch.elapsed());
    world.set_link(LinkState::Slow { bytes_per_second: 100_000, latency: Duration::from_secs(60) }).await;
    assert_eq!((world.open)(BUCKET, hasty()).head("slow").await.map_err(kind), Err(TimedOut));
    world.set_link(LinkState::Up).await;
    assert!(read(&store, "slow").await.unwrap() == content);
}
