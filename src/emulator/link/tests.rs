//! What every state of a link does to requests and bodies, alone and lying on another.

use std::sync::Arc;

use super::*;
use crate::model::{record::Way, units::Percent};

fn link() -> (Link, Clock) {
    let clock = Clock::new(Way::Simulated, "2026-11-04T03:00:00Z".parse().unwrap());
    (Link::new(&clock), clock)
}

#[tokio::test(start_paused = true)]
async fn every_state_says_what_becomes_of_requests_and_bodies_and_counts_it() {
    let (link, _) = link();
    let slow = LinkState::Slow { bytes_per_second: 1000, latency: Duration::from_millis(70) };
    let minutes = Rhythm::Time { down: Duration::from_secs(60), up: Duration::from_secs(60) };
    let mut said = String::new();
    for state in [
        LinkState::Up,
        LinkState::Refused,
        LinkState::BlackHole,
        LinkState::Status(StatusFault::SlowDown503),
        slow,
        LinkState::Nameless,
        LinkState::WritesRejected(StatusFault::Denied403),
        LinkState::FirstRejected { requests: 1, fault: StatusFault::Internal500 },
        LinkState::Flapping { rhythm: minutes, fault: StatusFault::Internal500 },
        LinkState::Up,
    ] {
        link.set(state);
        said += &format!(
            "{state:?}: {:?}, out {:?}, in {:?}\n",
            link.admit(Intent::Read),
            link.pass(500),
            link.pass_in(500)
        );
    }
    insta::assert_snapshot!(format!("{said}{:?}", link.counters()));
}

#[tokio::test(start_paused = true)]
async fn a_slow_link_gives_its_bandwidth_to_all_transfers_together_whatever_their_pieces() {
    for (transfers, pieces) in [(1, 1), (1, 400), (2, 200), (4, 1)] {
        let (link, clock) = link();
        link.set(LinkState::Slow { bytes_per_second: 64 << 10, latency: Duration::ZERO });
        let link = Arc::new(link);
        let watch = clock.stopwatch();
        let each = (640 << 10) / transfers / pieces;
        let all = (0..transfers).map(|_| {
            let link = link.clone();
            tokio::spawn(async move {
                for _ in 0..pieces {
                    link.carry(each).await.unwrap();
                }
            })
        });
        for transfer in all.collect::<Vec<_>>() {
            transfer.await.unwrap();
        }
        let took = watch.elapsed().total_ms();
        assert!((9_900..=10_400).contains(&took), "{transfers} transfers of {pieces} pieces: {took} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn an_armed_link_changes_at_its_byte_and_disarmed_it_does_not() {
    let (link, _) = link();
    link.lay(LinkState::Refused, Begins::AfterBytes(1000));
    let mut sent = 0;
    while link.piece() > 0 {
        let piece = link.piece().min(300) as u64;
        if link.carry(piece).await.is_err() {
            break;
        }
        sent += piece;
    }
    assert_eq!((sent, link.state(), link.counters().cut), (1000, LinkState::Refused, 1));

    link.set(LinkState::Up);
    assert!(matches!(link.pass(1 << 20), Pass::Go { .. }), "it fires once");
    let armed = link.lay(LinkState::BlackHole, Begins::AfterBytes(10));
    link.lift(armed);
    assert!(matches!(link.pass(1 << 20), Pass::Go { .. }));
}

#[test]
fn a_slow_link_trickles_and_is_never_silent_for_long() {
    let (link, _) = link();
    for rate in [1_000, 64 << 10, 1 << 20, 1 << 30] {
        link.set(LinkState::Slow { bytes_per_second: rate, latency: Duration::ZERO });
        let silence_ms = link.piece() as u64 * 1000 / rate;
        assert!(silence_ms <= 100, "{silence_ms} ms between two pieces at {rate} B/s");
    }
}

#[tokio::test(start_paused = true)]
async fn what_hangs_goes_on_as_the_link_says_once_it_is_healed() {
    let (link, clock) = link();
    let link = Arc::new(link);
    link.set(LinkState::BlackHole);
    let (request, body) = (link.clone(), link.clone());
    let request = tokio::spawn(async move { request.enter(Intent::Read).await });
    let body = tokio::spawn(async move { body.carry(1).await });
    clock.sleep(Duration::from_secs(3600)).await;
    assert!(!request.is_finished() && !body.is_finished());
    link.set(LinkState::Status(StatusFault::Denied403));
    let shut = Err(Shut::Rejected(StatusFault::Denied403));
    assert_eq!((request.await.unwrap(), body.await.unwrap()), (shut, shut));
    assert_eq!(link.counters().requests, 1, "one request, however long it took");
}

#[tokio::test(start_paused = true)]
async fn a_wait_on_a_slow_link_ends_with_the_slowness() {
    let (link, clock) = link();
    let link = Arc::new(link);
    link.set(LinkState::Slow { bytes_per_second: 1, latency: Duration::ZERO });
    let waiting = link.clone();
    let body = tokio::spawn(async move { waiting.carry(1 << 20).await });
    let watch = clock.stopwatch();
    clock.sleep(Duration::from_secs(1)).await;
    link.set(LinkState::Up);
    body.await.unwrap().unwrap();
    assert!(watch.elapsed().total_ms() < 2_000);
}

#[tokio::test(start_paused = true)]
async fn conditions_lie_on_one_another_and_each_counts_for_itself() {
    let (link, _) = link();
    let slow = link.lay(LinkState::Slow { bytes_per_second: u64::MAX, latency: Duration::from_millis(5) }, Begins::Now);
    let first = LinkState::FirstRejected { requests: 1, fault: StatusFault::Internal500 };
    let first = link.lay(first, Begins::Now);
    let slower = link.lay(
        LinkState::Slow { bytes_per_second: u64::MAX, latency: Duration::from_millis(7) },
        Begins::AfterRequests(2),
    );
    let rejected = Admission::Shut(Shut::Rejected(StatusFault::Internal500));
    let delayed = |ms| Admission::Pass { delay: Duration::from_millis(ms) };
    let asked: Vec<_> = (0..3).map(|_| link.admit(Intent::Read)).collect();
    assert_eq!(asked, [rejected, delayed(5), delayed(12)], "waits add up");
    let refused = link.lay(LinkState::Refused, Begins::Now);
    assert_eq!(link.admit(Intent::Read), Admission::Shut(Shut::Refused));
    let of = |id| (link.struck(id).rejected, link.struck(id).delayed, link.struck(id).refused);
    assert_eq!([of(slow), of(first), of(slower), of(refused)], [(0, 2, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]);
    let all = link.counters();
    assert_eq!((all.requests, all.rejected, all.delayed, all.refused), (4, 1, 3, 1));
    link.lift(refused);
    link.lift(slow);
    assert_eq!((link.admit(Intent::Read), link.layers()), (delayed(7), 2));
    assert!(!link.struck(slow).has_struck(), "what was taken away counts no more");
}

#[test]
fn a_body_breaks_before_its_last_byte_and_only_as_many_as_are_meant() {
    let (link, _) = link();
    let fault = BodyFault { of: Intent::Read, ending: Ending::Short, at: Percent(100), first: Some(2) };
    let id = link.lay(LinkState::Bodies(fault), Begins::Now);
    assert_eq!((link.body(Intent::Write, 10), link.body(Intent::Read, 0)), (None, None));
    let at: Vec<_> = [1, 10, 10].map(|size| link.body(Intent::Read, size).map(|broken| broken.at)).to_vec();
    assert_eq!(at, [Some(0), Some(9), None]);
    assert!(!link.struck(id).has_struck(), "nobody has read so far yet");
}
