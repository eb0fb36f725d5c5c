//! The store over HTTP, against the embedded gateway.

use std::sync::Arc;

use backdraft::{
    emulator::s3::{
        gateway::{Credentials, Gateway, Key},
        rights::Principal,
    },
    model::record::Way,
    sim::clock::Clock,
    store::s3::S3Store,
};

use super::{
    contract, link_faults,
    world::{NOW, World, calm, region},
};

pub const NAME: &str = "eu-west-1";

pub fn credentials() -> Credentials {
    credentials_of(Principal::Owner)
}

fn credentials_of(principal: Principal) -> Credentials {
    Credentials { access_key: format!("AKID{principal}"), secret_key: format!("a/secret+key of the {principal}") }
}

pub async fn world() -> World {
    let clock = Clock::new(Way::Real, NOW.parse().unwrap());
    let (region, scratch) = region(NAME, &clock);
    let keys = Principal::ALL.map(|principal| Key { principal, credentials: credentials_of(principal) });
    let gateway = Gateway::start_with_keys(vec![Arc::clone(&region)], &keys, &clock).unwrap();
    let (url, time_as) = (gateway.region_url(NAME).unwrap(), clock.clone());
    let (port, time, there) = (gateway.region_port(NAME).unwrap(), clock.clone(), Arc::clone(&region));
    World {
        open: Box::new(move |bucket, patience| {
            Arc::new(S3Store::of_region(&there, port, bucket, &credentials(), &time, patience))
        }),
        open_as: Box::new(move |principal, bucket| {
            Arc::new(S3Store::new(NAME, &url, bucket, &credentials_of(principal), &time_as, calm()))
        }),
        region: Some(region),
        gateway: Some(gateway),
        clock,
        _keep: Box::new(scratch),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract() {
    contract::holds(&world().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_of_versions_archives_and_rights() {
    contract::holds_for_versions_and_archives(&world().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fails_as_the_link_does() {
    link_faults::each_state_fails_in_its_own_way_and_heals(&world().await).await;
    link_faults::what_fails_for_some_requests_alone_is_served_for_the_others(&world().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_takes_a_part_for_the_whole() {
    link_faults::a_body_that_is_cut_in_the_middle_is_never_complete(&world().await).await;
    link_faults::a_body_that_falls_silent_times_out(&world().await).await;
    link_faults::a_body_that_ends_early_is_never_complete_whatever_it_says(&world().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_patient_with_a_slow_link() {
    link_faults::a_slow_link_delays_and_loses_nothing(&world().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_for_another_region_or_with_another_key_is_not_let_in() {
    use backdraft::store::{
        Patience, Store,
        StoreErrorKind::{Denied, Nonsense},
    };

    use super::world::{BUCKET, kind};
    let world = world().await;
    let url = world.gateway.as_ref().and_then(|gateway| gateway.region_url(NAME)).unwrap();
    let open = |region, keys: Credentials| S3Store::new(region, &url, BUCKET, &keys, &world.clock, Patience::default());
    let stranger = Credentials { secret_key: "guess".into(), ..credentials() };
    assert_eq!(open("us-east-1", credentials()).list("").await.map_err(kind), Err(Nonsense));
    assert_eq!(open(NAME, stranger).list("").await.map_err(kind), Err(Denied));
}
