//! The store in process, in virtual time.

use std::sync::Arc;

use backdraft::{model::record::Way, sim::clock::Clock, store::direct::DirectStore};

use super::{
    contract, link_faults,
    world::{NOW, World, calm, region},
};

pub fn world() -> World {
    world_of("us-east-1")
}

pub fn world_of(name: &str) -> World {
    let clock = Clock::new(Way::Simulated, NOW.parse().unwrap());
    let (region, scratch) = region(name, &clock);
    let (behind, time) = (Arc::clone(&region), clock.clone());
    let (behind_as, time_as) = (Arc::clone(&region), clock.clone());
    World {
        open: Box::new(move |bucket, patience| {
            Arc::new(DirectStore::new(Arc::clone(&behind), bucket, &time, patience))
        }),
        open_as: Box::new(move |principal, bucket| {
            Arc::new(DirectStore::acting_as(principal, Arc::clone(&behind_as), bucket, &time_as, calm()))
        }),
        region: Some(region),
        gateway: None,
        clock,
        _keep: Box::new(scratch),
    }
}

#[tokio::test(start_paused = true)]
async fn keeps_the_contract() {
    contract::holds(&world()).await;
}

#[tokio::test(start_paused = true)]
async fn keeps_the_contract_of_versions_archives_and_rights() {
    contract::holds_for_versions_and_archives(&world()).await;
}

#[tokio::test(start_paused = true)]
async fn fails_as_the_link_does() {
    link_faults::each_state_fails_in_its_own_way_and_heals(&world()).await;
    link_faults::what_fails_for_some_requests_alone_is_served_for_the_others(&world()).await;
    link_faults::a_body_that_is_cut_in_the_middle_is_never_complete(&world()).await;
    link_faults::a_body_that_ends_early_is_never_complete_whatever_it_says(&world()).await;
    link_faults::a_body_that_falls_silent_times_out(&world()).await;
    link_faults::a_slow_link_delays_and_loses_nothing(&world()).await;
}

/// What a drill of a few operations takes in virtual milliseconds, with each link.
#[tokio::test(start_paused = true)]
async fn takes_the_same_virtual_time_every_time() {
    use backdraft::{
        emulator::link::LinkState,
        store::{Patience, StoreErrorKind},
    };

    use super::world::{BUCKET, body, bytes, kind, read};
    for _ in 0..2 {
        let world = world();
        let store = (world.open)(BUCKET, Patience::default());
        let watch = world.stopwatch();
        let mut laps = Vec::new();
        let mut lap = || laps.push(watch.elapsed().total_ms());
        store.put("dump", body(&bytes(5 << 20, 1))).await.unwrap();
        lap();
        read(&store, "dump").await.unwrap();
        lap();
        world.set_link(LinkState::Refused).await;
        assert_eq!(store.head("dump").await.map_err(kind), Err(StoreErrorKind::Refused));
        lap();
        world.set_link(LinkState::BlackHole).await;
        assert_eq!(store.head("dump").await.map_err(kind), Err(StoreErrorKind::TimedOut));
        lap();
        // 20 ms a request and 50 ms of bytes; three refusals with 20 and 40 ms between; three seconds likewise.
        assert_eq!(laps, [70, 140, 203, 3263]);
    }
}
