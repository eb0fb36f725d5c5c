//! What a store makes of a region's link in each of its states: the failure that the contract names, after the attempts
//! that it was given and no more, and no harm left once the link is healed.

use std::time::Duration;

use backdraft::{
    emulator::link::{
        Begins, BodyFault, Ending, Intent, LinkCounters, LinkState, Rhythm,
        StatusFault::{self, Denied403, Expired400, Internal500, NotAllowed405, SlowDown503},
    },
    model::units::Percent,
    store::{
        Patience, SharedStore, StoreError,
        StoreErrorKind::{
            self, Cut, Denied, Expired, NoSuchHost, NotAllowed, Refused, ServerError, SlowDown, TimedOut,
        },
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
        // An answer to HEAD does not say what is wrong, so it is asked for in another way.
        (Some(_), LinkState::Status(StatusFault::Expired400)) => assert_eq!(asked, most + 1, "while {state:?}"),
        (None, _) | (_, LinkState::Status(_)) => assert_eq!(asked, most, "attempts while {state:?}"),
        (Some(_), LinkState::Refused) => assert_eq!(asked, 0, "the system refuses, so no request arrives"),
        // Those who still hold a connection lose it, and then look the name up.
        (Some(_), LinkState::Nameless) => assert!(asked >= most, "{asked} attempts while {state:?}"),
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
    bites_and_heals(world, calm(), LinkState::Status(StatusFault::Expired400), Expired, rejected, 1).await;
    bites_and_heals(world, calm(), LinkState::Nameless, NoSuchHost, |c| c.nameless, 3).await;
}

/// What a link answers with an error once, or of one sort, or in turn, and what is tried again gets through.
pub async fn what_fails_for_some_requests_alone_is_served_for_the_others(world: &World) {
    let (store, link) = (world.store(), world.region().link());
    store.put("there", body(&bytes(1000, 1))).await.unwrap();
    let head = || async { store.head("there").await.map(drop).map_err(kind) };
    for (fault, refused) in [(Denied403, Denied), (Expired400, Expired), (NotAllowed405, NotAllowed)] {
        let read_only = link.lay(LinkState::WritesRejected(fault), Begins::Now);
        assert_eq!(store.put("new", body(&bytes(10, 1))).await.map_err(kind), Err(refused));
        assert_eq!(store.put("large", body(&bytes(9 * MIB, 1))).await.map_err(kind), Err(refused));
        assert_eq!(store.delete("there").await.map_err(kind), Err(refused));
        assert_eq!(link.struck(read_only).rejected, 3);
        assert!(read(&store, "there").await.is_ok() && store.list("").await.is_ok() && head().await.is_ok());
        link.lift(read_only);
    }
    assert!(store.head("new").await.is_err() && store.head("large").await.is_err(), "nothing was written");

    for (requests, first) in [(2, Ok(())), (3, Err(ServerError))] {
        let id = link.lay(LinkState::FirstRejected { requests, fault: Internal500 }, Begins::Now);
        assert_eq!((head().await, head().await), (first, Ok(())), "{requests} requests are answered with an error");
        assert_eq!(link.struck(id).rejected, requests);
        link.lift(id);
    }

    let rhythm = Rhythm::Requests { down: 2, up: 1 };
    let flapping = link.lay(LinkState::Flapping { rhythm, fault: SlowDown503 }, Begins::Now);
    for _ in 0..3 {
        assert_eq!(head().await, Ok(()), "the third try of each gets through");
    }
    assert_eq!(link.struck(flapping).rejected, 6);
    link.lift(flapping);

    let (minute, start) = (Duration::from_secs(60), world.clock.now());
    let rhythm = Rhythm::Time { down: minute, up: minute };
    let flapping = link.lay(LinkState::Flapping { rhythm, fault: SlowDown503 }, Begins::Now);
    for (seconds, end) in [(0, Err(SlowDown)), (59, Err(SlowDown)), (60, Ok(())), (119, Ok(())), (120, Err(SlowDown))] {
        world.clock.set(start + jiff::SignedDuration::from_secs(seconds));
        assert_eq!(head().await, end, "after {seconds} s");
    }
    link.lift(flapping);
    world.clock.set(start);

    let outage = link.lay(LinkState::Status(SlowDown503), Begins::AfterRequests(2));
    assert_eq!((head().await, head().await, head().await), (Ok(()), Ok(()), Err(SlowDown)));
    assert_eq!((link.struck(outage).rejected, link.state()), (3, LinkState::Status(SlowDown503)));
    link.lift(outage);
    assert_eq!((head().await, link.layers()), (Ok(()), 0));
}

pub async fn a_body_that_ends_early_is_never_complete_whatever_it_says(world: &World) {
    let (store, link) = (world.store(), world.region().link());
    let (small, large) = (bytes(1000, 1), bytes(9 * MIB, 1));
    store.put("small", body(&small)).await.unwrap();
    store.put("large", body(&large)).await.unwrap();
    for ending in [Ending::Reset, Ending::Short, Ending::ShortUntold] {
        for at in [0, 50, 99] {
            let fault = BodyFault { of: Intent::Read, ending, at: Percent(at), first: None };
            let id = link.lay(LinkState::Bodies(fault), Begins::Now);
            assert_eq!(read(&store, "small").await.map_err(kind), Err(Cut), "{ending:?} at {at}%");
            assert_eq!(read(&store, "large").await.map_err(kind), Err(Cut), "{ending:?} at {at}%");
            assert_eq!(link.struck(id).cut, 2, "{ending:?} at {at}%");
            link.lift(id);
        }
        let once = BodyFault { of: Intent::Read, ending, at: Percent(50), first: Some(1) };
        let id = link.lay(LinkState::Bodies(once), Begins::Now);
        assert_eq!(read(&store, "small").await.map_err(kind), Err(Cut));
        assert!(read(&store, "small").await.unwrap() == small && read(&store, "large").await.unwrap() == large);
        link.lift(id);
    }
    for size in [10, 9 * MIB] {
        let written = bytes(size, 2);
        let fault = BodyFault { of: Intent::Write, ending: Ending::Reset, at: Percent(50), first: None };
        let always = link.lay(LinkState::Bodies(fault), Begins::Now);
        assert_eq!(store.put("new", body(&written)).await.map_err(kind), Err(Cut), "{size} bytes");
        assert!(link.struck(always).cut >= 3, "each try");
        assert!(store.head("new").await.is_err(), "nothing was written");
        link.lift(always);
        let once = link.lay(LinkState::Bodies(BodyFault { first: Some(1), ..fault }), Begins::Now);
        store.put("new", body(&written)).await.unwrap();
        assert_eq!(link.struck(once).cut, 1);
        link.lift(once);
        assert!(read(&store, "new").await.unwrap() == written);
        store.delete("new").await.unwrap();
    }
}

pub async fn a_body_that_is_cut_in_the_middle_is_never_complete(world: &World) {
    let (store, link) = (world.store(), world.region().link());
    let content = bytes(3 * MIB, 1);
    store.put("dump", body(&content)).await.unwrap();
    for then in [LinkState::Refused, LinkState::Status(StatusFault::SlowDown503)] {
        let before = link.counters();
        link.lay(then, Begins::AfterBytes(MIB as u64));
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
    link.lay(LinkState::BlackHole, Begins::AfterBytes(MIB as u64));
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
