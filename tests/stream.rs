//! The stream of changes between the backups, in virtual time: what is damaged is never claimed, what is whole is; a
//! region that was away is brought what it missed; and what the retention gives up, goes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod kit;

use std::{path::Path, sync::Arc};

use backdraft::{
    assembly::{Parts, assemble},
    check::ledger::compare,
    emulator::link::LinkState,
    engine::Stage,
    model::{
        event::{AlarmKind, Claim, What},
        naming::{Layout, PieceName},
        plan::DumpFormat,
        record::Way,
        units::ByteSize,
    },
    pipeline::RestoreEnd,
    service::{
        contract::{Platform, RowChunk, Service},
        database::Database,
    },
    sim::{clock::Clock, lanes::Lanes, seed::Seed},
};
use futures_util::{StreamExt, TryStreamExt};
use jiff::SignedDuration;
use proptest::prelude::*;

async fn stage(scratch: &Path) -> Stage {
    let (plan, mut scenario) = (kit::plan(), kit::scenario("database/control"));
    scenario.history.size = "128 KiB".parse().unwrap();
    let parts = Parts::of(&plan, &scenario, Seed(7), Way::Simulated, scratch);
    assemble(parts).await.unwrap()
}

fn layout() -> Layout {
    Layout { prefix: "convex/daily/".into(), format: DumpFormat::JsonlGz, written_by: Default::default() }
}

fn at(stage: &Stage, day: u32, minutes: i64) {
    let start: jiff::Timestamp = "2026-11-01T03:00:00Z".parse().unwrap();
    stage.clock.set(start + SignedDuration::from_hours(24 * i64::from(day - 1)) + SignedDuration::from_mins(minutes));
}

async fn write(stage: &Stage, writes: u32) {
    stage.services[0].service.write(stage.clock.now(), writes).await.unwrap();
}

/// The backup of a day, at 03:00.
async fn backup(stage: &Stage, day: u32) {
    at(stage, day, 0);
    stage.services[0].pipeline.backup(day).await.unwrap();
}

/// A piece with so many writes in it, some minutes after a backup.
async fn piece(stage: &Stage, day: u32, minutes: i64, writes: u32) {
    at(stage, day, minutes);
    write(stage, writes).await;
    stage.services[0].pipeline.stream().await;
}

/// The pieces that a region has, in order.
fn pieces(stage: &Stage, site: usize) -> Vec<PieceName> {
    let site = &stage.world.sites[site];
    let keys = site.region.objects().keys(&site.bucket, &layout().stream_prefix()).unwrap();
    keys.iter().map(|object| layout().parse_piece(&object.key).unwrap()).collect()
}

fn alarms(stage: &Stage) -> Vec<(AlarmKind, Option<String>)> {
    let alarm = |event: backdraft::model::event::Event| match event.what {
        What::Alarm(alarm) => Some((alarm.kind, alarm.region)),
        _ => None,
    };
    stage.recorder.events().into_iter().filter_map(alarm).collect()
}

/// Restores, and holds what is live against the ledger: whatever was claimed must be exactly what is there.
async fn restore(stage: &Stage) -> Claim {
    let RestoreEnd::Restored(claim) = stage.services[0].pipeline.restore().await else { panic!("nothing restored") };
    let service = &stage.services[0].service;
    let compared = compare(&service.live().unwrap(), &service.ledger(), &claim, &stage.lanes).await.unwrap();
    assert!(compared.as_claimed, "{claim:?}: {compared:?}");
    claim
}

fn said(stage: &Stage, wanted: fn(&What) -> bool) -> usize {
    stage.recorder.events().iter().filter(|event| wanted(&event.what)).count()
}

/// What became of a copy of a piece.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Good,
    Gone,
    Cut,
    Flipped,
    /// The bytes of the first piece under another piece's name.
    Another,
}

fn damage(stage: &Stage, site: usize, name: &PieceName, fate: Fate) {
    let (site, key) = (&stage.world.sites[site], layout().piece_key(name));
    let objects = site.region.objects();
    let replace = |bytes: &[u8]| {
        objects.replace_body(&site.bucket, &key, objects.body(bytes).unwrap()).unwrap();
    };
    let bytes = objects.read_all(&site.bucket, &key).unwrap();
    match fate {
        Fate::Good => {}
        Fate::Gone => assert!(objects.remove_key(&site.bucket, &key).unwrap()),
        Fate::Cut => replace(&bytes[..bytes.len() / 2]),
        Fate::Flipped => {
            let mut other = bytes.to_vec();
            other[bytes.len() / 2] ^= 16;
            replace(&other);
        }
        Fate::Another => {
            let first = objects.keys(&site.bucket, &layout().stream_prefix()).unwrap().remove(0);
            let other = objects.read_all(&site.bucket, &first.key).unwrap();
            replace(&other);
        }
    }
}

const PIECES: usize = 6;

fn fates() -> impl Strategy<Value = Vec<[Fate; 3]>> {
    let fate = prop_oneof![
        6 => Just(Fate::Good), 1 => Just(Fate::Gone), 1 => Just(Fate::Cut), 1 => Just(Fate::Flipped),
        1 => Just(Fate::Another),
    ];
    proptest::collection::vec(proptest::array::uniform3(fate), PIECES)
}

#[test]
fn whatever_pieces_are_damaged_the_claim_is_the_sound_prefix_and_never_beyond() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let stage = runtime.block_on(async {
        let stage = stage(scratch.path()).await;
        backup(&stage, 1).await;
        for minutes in 1..=2 {
            piece(&stage, 1, 5 * minutes, 3).await;
        }
        // Written, and in no piece yet: the backup of day 2 lies in the middle of the third.
        write(&stage, 2).await;
        backup(&stage, 2).await;
        for minutes in 1..=PIECES as i64 - 2 {
            piece(&stage, 2, 5 * minutes, 4).await;
        }
        stage.services[0].service.lose().await.unwrap();
        stage
    });
    let names = pieces(&stage, 0);
    assert_eq!(names.len(), PIECES);
    let before: Vec<_> =
        stage.world.sites.iter().map(|site| site.region.objects().snapshot(&site.bucket).unwrap()).collect();
    // The writes that the backups of both days hold.
    let bases = [0, 8];
    proptest!(ProptestConfig::with_cases(48), |(fates in fates(), newest_base_bad: bool)| {
        for (site, before) in stage.world.sites.iter().zip(&before) {
            site.region.objects().reinstate(&site.bucket, None, before).unwrap();
            if newest_base_bad {
                let key = "convex/daily/backup-2026-11-02T03-00-00Z.jsonl.gz";
                assert!(site.region.objects().remove_key(&site.bucket, key).unwrap());
            }
        }
        // The last first: the first piece's bytes are lent to others.
        let is_good = |at: usize, fate: &Fate| *fate == Fate::Good || (*fate == Fate::Another && at == 0);
        for (at, fates) in fates.iter().enumerate().rev() {
            for (site, fate) in fates.iter().enumerate() {
                damage(&stage, site, &names[at], *fate);
            }
        }
        let mut expected = if newest_base_bad { bases[0] } else { bases[1] };
        for (at, name) in names.iter().enumerate() {
            let good = fates[at].iter().any(|fate| is_good(at, fate));
            if good && (name.from..name.to).contains(&expected) {
                expected = name.to;
            }
        }
        let claim = runtime.block_on(restore(&stage));
        prop_assert_eq!(claim.position.seq, expected);
    });
}

#[tokio::test(start_paused = true)]
async fn a_break_is_said_aloud_and_a_stream_that_ends_is_none() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    backup(&stage, 1).await;
    for minutes in 1..=4 {
        piece(&stage, 1, 5 * minutes, 3).await;
    }
    let broken = |what: &What| matches!(what, What::StreamBroken { .. });
    assert_eq!(restore(&stage).await.position.seq, 12);
    assert_eq!(said(&stage, broken), 0);
    let names = pieces(&stage, 0);
    for site in 0..3 {
        damage(&stage, site, &names[2], Fate::Gone);
    }
    assert_eq!(restore(&stage).await.position.seq, 6);
    let why = stage.recorder.events().into_iter().find_map(|event| match event.what {
        What::StreamBroken { after, why } => Some(format!("after {}: {why}", after.seq)),
        _ => None,
    });
    insta::assert_snapshot!(why.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_region_that_was_away_is_spoken_of_once_and_brought_what_it_missed() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    backup(&stage, 1).await;
    stage.world.sites[0].region.link().set(LinkState::Refused);
    for minutes in 1..=6 {
        piece(&stage, 1, 5 * minutes, 2).await;
    }
    assert_eq!(alarms(&stage), [(AlarmKind::BackupFailed, Some("us-east-1".into()))]);
    assert_eq!((pieces(&stage, 0).len(), pieces(&stage, 1).len()), (0, 6));
    stage.world.sites[0].region.link().set(LinkState::Up);
    for minutes in 7..=12 {
        piece(&stage, 1, 5 * minutes, 2).await;
    }
    assert_eq!(pieces(&stage, 0), pieces(&stage, 2));
    assert_eq!(pieces(&stage, 0).len(), 12);
    assert_eq!(alarms(&stage).len(), 1);
    assert_eq!(restore(&stage).await.position.seq, 24);
}

#[tokio::test(start_paused = true)]
async fn when_no_region_takes_a_piece_the_next_one_holds_what_it_would_have_held() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    piece(&stage, 1, -5, 2).await;
    assert!(pieces(&stage, 0).is_empty(), "there is no backup to go on from");
    backup(&stage, 1).await;
    let all = |state: LinkState| stage.world.sites.iter().for_each(|site| site.region.link().set(state));
    all(LinkState::Refused);
    for minutes in 1..=5 {
        piece(&stage, 1, 5 * minutes, 2).await;
    }
    assert_eq!(alarms(&stage), [(AlarmKind::BackupFailed, None)]);
    all(LinkState::Up);
    for minutes in 6..=12 {
        piece(&stage, 1, 5 * minutes, 2).await;
    }
    stage.services[0].pipeline.stream().await; // nothing changed since: nothing is written
    let names = pieces(&stage, 1);
    assert_eq!(names.first().map(|name| name.from), Some(2));
    assert!(names.windows(2).all(|pair| pair[0].to == pair[1].from), "{names:?}");
    assert_eq!(names.last().map(|name| name.to), Some(26));
    assert_eq!(restore(&stage).await.position.seq, 26);
}

#[tokio::test(start_paused = true)]
async fn pieces_are_pruned_with_the_backups_that_need_them() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    for day in 1..=10 {
        backup(&stage, day).await;
        piece(&stage, day, 60, 2).await;
    }
    let kept = pieces(&stage, 0);
    assert_eq!(kept.len(), 8, "those of seven days and of today: {kept:?}");
    assert_eq!(kept[0].taken_at.to_string(), "2026-11-03T04:00:00Z");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_has_forgotten_is_an_alarm_until_the_next_backup() {
    let scratch = tempfile::tempdir().unwrap();
    let stage = stage(scratch.path()).await;
    backup(&stage, 1).await;
    at(&stage, 1, 5);
    // More writes than the source's change log keeps.
    for _ in 0..10 {
        write(&stage, 30_000).await;
    }
    stage.services[0].pipeline.stream().await;
    stage.services[0].pipeline.stream().await;
    assert_eq!(alarms(&stage), [(AlarmKind::BackupFailed, None)]);
    backup(&stage, 2).await;
    piece(&stage, 2, 5, 2).await;
    assert_eq!(pieces(&stage, 0).iter().map(|name| (name.from, name.to)).collect::<Vec<_>>(), [(300_000, 300_002)]);
    assert_eq!(restore(&stage).await.position.seq, 300_002);
}

/// Ignored by default: a measurement. `cargo nextest run --test stream --run-ignored all --no-capture -E 'test(cost)'`
#[tokio::test]
#[ignore = "a measurement; docs/performance.md has its figures"]
async fn cost_of_ten_thousand_changes_on_top_of_a_dump() {
    let start: jiff::Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let clock = Clock::new(Way::Real, start);
    let lanes = Lanes::new(&clock);
    for (size, writes) in [(64u64 << 20, 0u32), (64 << 20, 10_000), (256 << 20, 0), (256 << 20, 10_000)] {
        let scratch = tempfile::tempdir().unwrap();
        let database = Database::seed(ByteSize(size), Seed(7), start, scratch.path(), &lanes).unwrap();
        let export = database.source().export().await.unwrap();
        let target = database.provision().await.unwrap();
        target.begin(&export.contents.tables).await.unwrap();
        let mut rows = export.contents.rows;
        while let Some(chunk) = rows.next().await {
            target.stage(chunk.unwrap()).await.unwrap();
        }
        database.write(start, writes).await.unwrap();
        let watch = clock.stopwatch();
        let changes = database.source().changes(export.position).await.unwrap();
        let chunks: Vec<RowChunk> = changes.rows.try_collect().await.unwrap();
        let (rendered, lines) = (watch.elapsed(), chunks.iter().map(|chunk| chunk.rows).sum::<u64>());
        let watch = clock.stopwatch();
        for chunk in chunks {
            target.apply(chunk).await.unwrap();
        }
        let applied = watch.elapsed();
        let watch = clock.stopwatch();
        target.commit().await.unwrap();
        println!(
            "{} with {writes} writes: {lines} changed rows handed out in {rendered}, applied in {applied}, committed in {}",
            ByteSize(size),
            watch.elapsed()
        );
        let view: Arc<dyn backdraft::service::contract::View> = target;
        let point = String::new();
        let claim = Claim { point: point.clone(), region: point, position: changes.to };
        assert!(compare(&view, &database.ledger(), &claim, &lanes).await.unwrap().as_claimed);
    }
}
