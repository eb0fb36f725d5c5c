//! Regions in trouble.

use std::time::Duration;

use aws_sdk_s3::{Client, primitives::ByteStream};
use backdraft::emulator::link::{Begins, LinkState, StatusFault};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{EU, US, World, bytes, why};

const BUCKET: &str = "eu-west-1-bucket";

/// A world whose second region holds an object `k` of that size, with a client of it.
fn world_with(size: usize) -> (World, Client) {
    let world = World::new();
    let objects = world.region(EU).objects();
    let body = objects.body(&bytes(size)).unwrap();
    objects.put(BUCKET, "k", body, Default::default()).unwrap();
    let client = world.client(EU);
    (world, client)
}

async fn fetch(s3: &Client) -> Result<usize, String> {
    match s3.get_object().bucket(BUCKET).key("k").send().await {
        Ok(got) => got.body.collect().await.map(|all| all.into_bytes().len()).map_err(|_| "broken body".to_owned()),
        failed => Err(why(failed)),
    }
}

/// Waits until that many requests and bodies were left without an answer.
async fn until_hung(world: &World, count: u64) {
    let all_hung = async {
        while world.region(EU).link().counters().hung < count {
            world.clock.sleep(Duration::from_millis(5)).await;
        }
    };
    world.clock.limit(Duration::from_secs(30), all_hung).await.expect("nothing hangs");
}

#[tokio::test]
async fn a_refused_region_refuses_connections_at_its_own_port_until_it_is_healed() {
    let (world, s3) = world_with(10);
    assert_eq!(fetch(&s3).await, Ok(10));
    world.region(EU).link().set(LinkState::Refused);
    world.gateway.settled().await;
    assert_eq!(fetch(&s3).await, Err("refused".to_owned()), "the kept-alive connection is gone too");
    let port = world.gateway.region_url(EU).unwrap().rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap_err();
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse, "nobody else gets the port meanwhile");
    assert!(world.client(US).list_buckets().send().await.is_ok(), "the other regions are well");
    let shared = world.shared_client(EU);
    assert_eq!(why(shared.get_object().bucket(BUCKET).key("k").send().await), "reset");

    world.region(EU).link().set(LinkState::Up);
    world.gateway.settled().await;
    assert_eq!(fetch(&s3).await, Ok(10));
    assert_eq!(fetch(&shared).await, Ok(10));
}

#[tokio::test]
async fn a_black_hole_never_answers_and_one_that_closes_does() {
    let (world, s3) = world_with(10);
    world.region(EU).link().set(LinkState::BlackHole);
    assert_eq!(fetch(&s3).await, Err("timeout".to_owned()));
    assert_eq!(world.region(EU).link().counters().hung, 1);
    let patient = tokio::spawn({
        let s3 = s3.clone();
        async move { fetch(&s3).await }
    });
    until_hung(&world, 2).await;
    world.region(EU).link().set(LinkState::Up);
    assert_eq!(patient.await.unwrap(), Ok(10));
}

#[tokio::test]
async fn a_status_is_an_s3_error_for_reads_and_for_large_writes() {
    let (world, s3) = world_with(10);
    for (fault, code) in [
        (StatusFault::SlowDown503, "SlowDown"),
        (StatusFault::Denied403, "AccessDenied"),
        (StatusFault::Internal500, "InternalError"),
    ] {
        world.region(EU).link().set(LinkState::Status(fault));
        assert_eq!(fetch(&s3).await, Err(code.to_owned()));
        let put = s3.put_object().bucket(BUCKET).key("new").body(ByteStream::from(bytes(8 << 20)));
        assert_eq!(why(put.send().await), code);
        assert_eq!(why(s3.list_objects_v2().bucket(BUCKET).send().await), code);
    }
    assert_eq!(world.region(EU).link().counters().rejected, 9);
    assert!(world.region(EU).objects().head(BUCKET, "new", None).is_err(), "nothing was written");
}

#[tokio::test]
async fn a_client_that_reads_no_answer_before_it_has_sent_everything_gets_one() {
    let (world, _) = world_with(0);
    world.region(EU).link().set(LinkState::Status(StatusFault::SlowDown503));
    let address = world.gateway.region_url(EU).unwrap();
    let mut connection = TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    let head = format!("PUT /{BUCKET}/k HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 16 << 20);
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&bytes(16 << 20)).await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
}

#[tokio::test]
async fn a_slow_link_delays_answers_and_holds_its_bandwidth_both_ways() {
    let (world, s3) = world_with(100_000);
    let latency = Duration::from_millis(100);
    world.region(EU).link().set(LinkState::Slow { bytes_per_second: 400_000, latency });
    let watch = world.clock.stopwatch();
    assert_eq!(fetch(&s3).await, Ok(100_000));
    let read = watch.elapsed().total_ms();
    assert!(read >= 330, "a quarter of a second and the latency: {read} ms");
    let put = s3.put_object().bucket(BUCKET).key("new").body(ByteStream::from(bytes(100_000)));
    put.send().await.unwrap();
    let written = watch.elapsed().total_ms() - read;
    assert!(written >= 330, "{written} ms");
    // Pieces are small enough that the client's second of silence never comes, slow as it is.
    world.region(EU).link().set(LinkState::Slow { bytes_per_second: 50_000, latency: Duration::ZERO });
    assert_eq!(fetch(&s3).await, Ok(100_000));
}

#[tokio::test]
async fn an_armed_link_breaks_the_body_off_in_the_middle_and_is_down_afterwards() {
    for state in [LinkState::Refused, LinkState::Status(StatusFault::SlowDown503)] {
        let (world, s3) = world_with(4 << 20);
        world.region(EU).link().lay(state, Begins::AfterBytes(1_000_000));
        assert_eq!(fetch(&s3).await, Err("broken body".to_owned()));
        let counters = world.region(EU).link().counters();
        assert_eq!((counters.bytes_out, counters.cut), (1_000_000, 1));
        world.gateway.settled().await;
        let next = if state == LinkState::Refused { "refused" } else { "SlowDown" };
        assert_eq!(fetch(&s3).await, Err(next.to_owned()));
        world.region(EU).link().set(LinkState::Up);
        world.gateway.settled().await;
        assert_eq!(fetch(&s3).await, Ok(4 << 20));
    }
}

#[tokio::test]
async fn an_armed_black_hole_stalls_the_body_until_it_closes() {
    let (world, s3) = world_with(4 << 20);
    let link = world.region(EU).link();
    link.lay(LinkState::BlackHole, Begins::AfterBytes(1_000_000));
    let stalled = tokio::spawn(async move { fetch(&s3).await });
    until_hung(&world, 1).await;
    assert_eq!(link.counters().bytes_out, 1_000_000);
    assert!(!stalled.is_finished());
    link.set(LinkState::Up);
    assert_eq!(stalled.await.unwrap(), Ok(4 << 20));
}

#[tokio::test]
async fn a_copy_from_a_region_that_is_down_fails() {
    let (world, _) = world_with(10);
    let us = world.shared_client(US);
    let copy = || us.copy_object().bucket("us-east-1-bucket").key("copy").copy_source(format!("{BUCKET}/k")).send();
    world.region(EU).link().set(LinkState::Refused);
    assert_eq!(why(copy().await), "ServiceUnavailable");
    world.region(EU).link().set(LinkState::Up);
    copy().await.unwrap();
}
