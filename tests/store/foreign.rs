//! The contract over an S3 that is not ours, reached through our gateway, as drills do: whichever storages are there.

use std::sync::Arc;

use backdraft::{
    emulator::s3::{
        Region,
        buckets::BucketOptions,
        foreign::Storage,
        gateway::{Gateway, Key},
        rights::Principal,
    },
    model::record::Way,
    sim::clock::Clock,
    store::s3::S3Store,
};

use super::{
    contract,
    gateway::{NAME, credentials},
    link_faults,
    storages::{self, Running},
    world::{BUCKET, NOW, World, body, bytes},
};

/// Behind our gateway, as drills have it.
async fn behind_the_gateway(running: &Running) -> World {
    let clock = Clock::new(Way::Real, NOW.parse().unwrap());
    let storage = Storage::at(&running.endpoint()).unwrap();
    let foreign = storage.make("bd-test-behind", BUCKET).await.unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let region = Region::over(foreign, NAME, &clock, scratch.path()).unwrap();
    region.objects().create_bucket(BUCKET, BucketOptions::versioned()).unwrap();
    let key = Key { principal: Principal::Writer, credentials: credentials() };
    let gateway = Gateway::start_with_keys(vec![Arc::clone(&region)], &[key], &clock).unwrap();
    let (port, time, there) = (gateway.region_port(NAME).unwrap(), clock.clone(), Arc::clone(&region));
    World {
        open: Box::new(move |bucket, patience| {
            Arc::new(S3Store::of_region(&there, port, bucket, &credentials(), &time, patience))
        }),
        open_as: Box::new(|_, _| unreachable!("one key is enough here")),
        region: Some(region),
        gateway: Some(gateway),
        clock,
        _keep: Box::new((storage, scratch)),
    }
}

async fn clear(running: &Running) {
    Storage::at(&running.endpoint()).unwrap().remove("bd-test-").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_s3_keeps_the_contract_behind_the_gateway() {
    storages::each(async |running| {
        clear(running).await;
        let world = behind_the_gateway(running).await;
        contract::every_version_in(&world, &world.store()).await;
        let written = world.store().put("dated", body(&bytes(10, 1))).await.unwrap();
        let now = world.clock.now();
        assert_eq!(
            (written.modified, world.store().head("dated").await.unwrap().modified),
            (now, now),
            "scenario time"
        );
        contract::holds(&world).await;
        let trouble = world.region().foreign().and_then(|foreign| foreign.trouble());
        assert_eq!(trouble, None, "{} failed at nothing", running.name);
        clear(running).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_faults_of_a_link_are_the_same_in_front_of_a_foreign_s3() {
    let running = storages::any().await;
    let fresh = async || {
        clear(&running).await;
        behind_the_gateway(&running).await
    };
    link_faults::each_state_fails_in_its_own_way_and_heals(&fresh().await).await;
    link_faults::what_fails_for_some_requests_alone_is_served_for_the_others(&fresh().await).await;
    link_faults::a_body_that_is_cut_in_the_middle_is_never_complete(&fresh().await).await;
    link_faults::a_body_that_falls_silent_times_out(&fresh().await).await;
    link_faults::a_body_that_ends_early_is_never_complete_whatever_it_says(&fresh().await).await;
    link_faults::a_slow_link_delays_and_loses_nothing(&fresh().await).await;
    clear(&running).await;
    running.stop().await;
}
