//! Where heavy computation runs: on both cores in a real drill, in line in a simulated one. Results keep their order
//! either way, so what is computed never depends on it.

use futures_util::{Stream, StreamExt, future::BoxFuture};

use super::clock::Clock;

/// A place to compute on.
#[derive(Debug, Clone)]
pub struct Lanes {
    clock: Clock,
    width: usize,
}

impl Lanes {
    /// Lanes for a drill under this clock: one per core when real, one in line when simulated.
    pub fn new(clock: &Clock) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        Lanes { width: if clock.is_simulated() { 1 } else { cores.min(8) }, clock: clock.clone() }
    }

    /// How many jobs run at once.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Runs one job. A job that panics ends the drill with that panic.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> BoxFuture<'static, T> {
        // Threads and a paused clock do not mix: the clock would run ahead while a thread works.
        let simulated = self.clock.is_simulated();
        let handle = if simulated { Err(job) } else { Ok(tokio::task::spawn_blocking(job)) };
        Box::pin(async move {
            match handle {
                Err(job) => job(),
                Ok(handle) => match handle.await {
                    Ok(value) => value,
                    Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
                    Err(_) => std::future::pending().await, // the runtime is going down
                },
            }
        })
    }

    /// Runs a task beside the caller's, on another core in a real drill and in line in a simulated one. It ends with
    /// what this returns: dropped is stopped.
    pub fn go<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> BoxFuture<'static, T> {
        if self.clock.is_simulated() {
            return Box::pin(task);
        }
        let mut set = tokio::task::JoinSet::new();
        set.spawn(task);
        Box::pin(async move {
            match set.join_next().await {
                Some(Ok(value)) => value,
                Some(Err(failed)) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
                _ => std::future::pending().await, // the runtime is going down
            }
        })
    }

    /// Maps a stream through `job`, as many at once as there are lanes, in order, with bounded memory.
    pub fn map<I, T, S, F>(&self, items: S, job: F) -> impl Stream<Item = T> + Send + use<I, T, S, F>
    where
        I: Send + 'static,
        T: Send + 'static,
        S: Stream<Item = I> + Send,
        F: Fn(I) -> T + Send + Sync + Clone + 'static,
    {
        let lanes = self.clone();
        items
            .map(move |item| {
                let job = job.clone();
                lanes.run(move || job(item))
            })
            .buffered(self.width + 1)
    }
}
