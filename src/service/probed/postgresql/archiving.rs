//! WAL that is archived as the hours of the story pass. A server closes a piece of WAL when `archive_timeout` has passed,
//! and hands it to `archive_command`; of a day that is played in seconds neither happens by itself. So what the server
//! would have done by a moment is done before anything is played at that moment: the piece is closed, and the archiver
//! is waited for, as its minutes would have waited.

use std::{fs, path::Path, time::Duration};

use jiff::Timestamp;

use crate::{process::session::Session, service::contract::ServiceError, sim::clock::Clock};

/// How long the archiver may take for what waits, and how often it is looked.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(10);

/// What the server is set to do.
const SETTINGS: &str = "SELECT extract(epoch FROM current_setting('archive_timeout')::interval)::bigint \
                        * (current_setting('archive_command') <> '')::int, failed_count FROM pg_stat_archiver;\n";

/// Writes that lie in a piece of WAL which is not closed yet.
#[derive(Debug, Default)]
pub(super) struct Archiving {
    since: Option<Timestamp>,
}

impl Archiving {
    /// Something was written.
    pub(super) fn wrote(&mut self, at: Timestamp) {
        self.since.get_or_insert(at);
    }

    /// Plays what the server does by itself until `now`.
    pub(super) async fn pass(&mut self, session: &mut Session, data: &Path, clock: &Clock) -> Result<(), ServiceError> {
        let Some(since) = self.since else { return Ok(()) };
        let (timeout, failed) = settings(session).await?;
        if is_due(since, clock.now(), timeout) {
            session.tell(b"SELECT pg_switch_wal();\n", |_| {}).await.map_err(ServiceError)?;
            self.since = None;
            wait(session, data, clock, failed).await?;
        }
        Ok(())
    }
}

/// Whether the server has closed what was written at `since`, by then: it looks each time `timeout` seconds have passed.
/// What it does at that very moment is not done yet.
fn is_due(since: Timestamp, now: Timestamp, timeout: i64) -> bool {
    if timeout <= 0 {
        return false;
    }
    let next_look = (since.as_second().div_euclid(timeout) + 1) * timeout;
    Timestamp::from_second(next_look).is_ok_and(|look| look < now)
}

/// Seconds after which a piece is closed, 0 where none is or nothing is archived; and how often archiving has failed.
async fn settings(session: &mut Session) -> Result<(i64, u64), ServiceError> {
    let mut said = Vec::new();
    session.tell(SETTINGS.as_bytes(), |line| said = line.to_vec()).await.map_err(ServiceError)?;
    let said = String::from_utf8_lossy(&said).into_owned();
    let read = said.split_once('|').and_then(|(timeout, failed)| Some((timeout.parse().ok()?, failed.parse().ok()?)));
    read.ok_or_else(|| ServiceError(format!("the server does not say how it archives: {said}")))
}

/// Waits until all that is closed is archived. Where the command fails the server tries again, and so the story goes on.
async fn wait(session: &mut Session, data: &Path, clock: &Clock, failed: u64) -> Result<(), ServiceError> {
    let watch = clock.stopwatch();
    while waits(data) && watch.elapsed().total_ms() < PATIENCE.as_millis() as u64 {
        clock.sleep(LOOK).await;
        if settings(session).await?.1 > failed {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether a piece is closed and not archived.
fn waits(data: &Path) -> bool {
    let entries = fs::read_dir(data.join("pg_wal/archive_status")).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().ends_with(".ready"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_closed_when_its_time_has_passed_and_not_before() {
        let at = |text: &str| format!("2026-11-03T{text}Z").parse::<Timestamp>().unwrap();
        let due = |now: &str, timeout| is_due(at("04:00:30"), at(now), timeout);
        assert!(!due("04:00:59", 60) && due("04:01:30", 60) && due("09:00:00", 60));
        assert!(!due("04:01:00", 60), "what happens at the moment of the disaster comes too late");
        assert!(!due("04:05:00", 300) && due("04:05:01", 300) && !due("23:00:00", 0));
    }
}
