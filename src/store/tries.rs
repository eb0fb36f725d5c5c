//! Trying again, the same in both stores: what is worth another try, how often, and how long to wait before it. The
//! SDK's own retries draw random waits and share a budget that an outage uses up, so they are switched off.

use std::{future::Future, pin::pin, time::Duration};

use super::{Patience, StoreError, StoreErrorKind, wire::Answer};
use crate::sim::clock::Clock;

/// Slowest transfer that still counts as one, in bytes per second: the limit of last resort for a try whose region
/// keeps answering other requests.
const SLOWEST: u64 = 4 << 10;

/// Asks one region, with patience.
#[derive(Debug)]
pub(super) struct Tries {
    pub(super) region: String,
    pub(super) clock: Clock,
    pub(super) patience: Patience,
}

impl Tries {
    /// Runs `attempt` until it works, fails for good, or the tries are used up. The wait doubles from try to try.
    pub(super) async fn run<T, F>(
        &self,
        operation: &'static str,
        key: &str,
        mut attempt: impl FnMut() -> F + Send,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Answer<T>> + Send,
    {
        let mut tried = 1;
        loop {
            match attempt().await {
                Ok(value) => return Ok(value),
                Err(kind) if tried < self.patience.attempts && is_worth_another(kind) => {
                    tracing::debug!(region = self.region, operation, key, tried, %kind, "trying again");
                    self.clock.sleep(self.backoff(tried)).await;
                    tried += 1;
                }
                Err(kind) => return Err(self.failed(operation, key, kind)),
            }
        }
    }

    /// The error of one operation.
    pub(super) fn failed(&self, operation: &'static str, key: &str, kind: StoreErrorKind) -> StoreError {
        StoreError { region: self.region.clone(), operation, key: key.to_owned(), kind }
    }

    /// One attempt that is answered at once or not at all.
    pub(super) async fn quick<T>(&self, attempt: impl Future<Output = Answer<T>> + Send) -> Answer<T> {
        self.clock.limit(self.attempt_limit(), attempt).await.unwrap_or(Err(StoreErrorKind::TimedOut))
    }

    /// One attempt that moves `bytes` before it is answered. A slow link and a dead one look alike from here (the kernel
    /// swallows megabytes at once), so whenever the answer is late the region is asked for a sign of life.
    pub(super) async fn bulky<T, L: Future<Output = bool> + Send>(
        &self,
        bytes: u64,
        attempt: impl Future<Output = Answer<T>> + Send,
        is_alive: impl Fn() -> L + Send + Sync,
    ) -> Answer<T> {
        let patient = async {
            let mut attempt = pin!(attempt);
            loop {
                if let Some(answer) = self.clock.limit(self.attempt_limit(), attempt.as_mut()).await {
                    return answer;
                }
                if self.clock.limit(self.attempt_limit(), is_alive()).await != Some(true) {
                    return Err(StoreErrorKind::TimedOut);
                }
            }
        };
        let limit = 2 * self.attempt_limit() + Duration::from_secs(bytes / SLOWEST);
        self.clock.limit(limit, patient).await.unwrap_or(Err(StoreErrorKind::TimedOut))
    }

    /// Of silence within a body.
    pub(super) fn read_limit(&self) -> Duration {
        Duration::from_millis(self.patience.read_ms)
    }

    fn attempt_limit(&self) -> Duration {
        Duration::from_millis(self.patience.attempt_ms)
    }

    fn backoff(&self, tried: u32) -> Duration {
        Duration::from_millis(self.patience.backoff_ms.saturating_mul(1 << (tried - 1).min(16)))
    }
}

fn is_worth_another(kind: StoreErrorKind) -> bool {
    use StoreErrorKind::{Corrupt, Cut, NoSuchHost, Refused, ServerError, SlowDown, TimedOut};
    matches!(kind, NoSuchHost | Refused | TimedOut | SlowDown | ServerError | Cut | Corrupt)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::model::record::Way;

    /// Tries something that always fails; gives back how often, and how long it took in milliseconds.
    async fn exhaust(kind: StoreErrorKind, attempts: u32) -> (u32, u64) {
        let clock = Clock::new(Way::Simulated, "2026-01-01T00:00:00Z".parse().expect("a date"));
        let watch = clock.stopwatch();
        let tries = Tries { region: "here".into(), clock, patience: Patience { attempts, ..Patience::default() } };
        let count = AtomicU32::new(0);
        let attempt = || {
            count.fetch_add(1, Ordering::Relaxed);
            async move { Err::<(), _>(kind) }
        };
        let failed = tries.run("get", "key", attempt).await.expect_err("it always fails");
        assert_eq!(failed.to_string(), format!("here: {kind} (get key)"));
        (count.into_inner(), watch.elapsed().total_ms())
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_again_with_doubled_waits_and_what_will_not_is_not() {
        assert_eq!(exhaust(StoreErrorKind::SlowDown, 4).await, (4, 20 + 40 + 80));
        assert_eq!(exhaust(StoreErrorKind::Denied, 4).await, (1, 0));
        assert_eq!(exhaust(StoreErrorKind::Refused, 0).await, (1, 0));
    }
}
