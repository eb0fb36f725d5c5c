//! Where an import stands still until a fault has begun: exactly after so many rows, in a real drill and in a simulated
//! one. The engine arms it; whoever stages rows passes it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// A gate. Open unless something is to happen there.
#[derive(Debug)]
pub struct Gate {
    book: Mutex<Book>,
    /// Counts what changes: somebody came to stand here, or may go on.
    turns: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Book {
    /// What is to happen: after how many rows, and its number.
    stops: Vec<(u64, usize)>,
    /// Rows of the import that is going on.
    passed: u64,
    /// Whether an import stands here.
    stands: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Gate { book: Mutex::default(), turns: watch::Sender::new(0) }
    }
}

impl Gate {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the first import that has passed so many rows and wants to pass another, for the thing of that number.
    pub fn arm(&self, after: u64, number: usize) {
        self.book().stops.push((after, number));
    }

    /// An import begins.
    pub fn begin(&self) {
        self.book().passed = 0;
    }

    /// Asks to pass so many rows. Waits where something is to happen before the first of them, and says how many may go
    /// on: at least one, where one is asked for.
    pub async fn pass(&self, rows: u64) -> u64 {
        let mut turns = self.turns.subscribe();
        loop {
            {
                let mut book = self.book();
                match book.stops.iter().map(|(after, _)| *after).min() {
                    Some(after) if after <= book.passed && rows > 0 => book.stands = true,
                    next => {
                        let most = next.map_or(rows, |after| after.saturating_sub(book.passed).min(rows));
                        book.passed += most;
                        return most;
                    }
                }
            }
            self.turns.send_modify(|turns| *turns += 1);
            turns.mark_unchanged();
            // The sender lives as long as the gate, so the only error (no sender) cannot come.
            let _ = turns.wait_for(|_| !self.book().stands).await;
        }
    }

    /// Waits until an import stands here.
    pub async fn reached(&self) {
        let _ = self.turns.subscribe().wait_for(|_| self.book().stands).await;
    }

    /// What is to happen now, by number.
    pub fn due(&self) -> Vec<usize> {
        let book = self.book();
        book.stops.iter().filter(|(after, _)| *after <= book.passed).map(|(_, number)| *number).collect()
    }

    /// Lets the import go on; what was to happen has happened.
    pub fn open(&self) {
        {
            let mut book = self.book();
            let passed = book.passed;
            book.stops.retain(|(after, _)| *after > passed);
            book.stands = false;
        }
        self.turns.send_modify(|turns| *turns += 1);
    }

    /// Whether nothing is to happen here any more.
    pub fn is_free(&self) -> bool {
        self.book().stops.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_import_stands_at_its_row_until_what_is_to_happen_has_happened() {
        let gate = Gate::default();
        gate.arm(50, 7);
        gate.arm(50, 8);
        gate.arm(80, 9);
        let mut seen = Vec::new();
        let import = async {
            gate.begin();
            let mut left = 100;
            let mut pieces = Vec::new();
            while left > 0 {
                let some = gate.pass(left).await;
                pieces.push(some);
                left -= some;
            }
            pieces
        };
        let watch = async {
            loop {
                gate.reached().await;
                seen.extend(gate.due());
                gate.open();
            }
        };
        let pieces = tokio::select! { pieces = import => pieces, () = watch => unreachable!() };
        assert_eq!((pieces, seen), (vec![50, 30, 20], vec![7, 8, 9]));
        assert!(gate.is_free());
        assert_eq!(gate.pass(0).await, 0);
    }

    #[tokio::test]
    async fn each_import_counts_its_own_rows() {
        let gate = Gate::default();
        gate.arm(10, 1);
        gate.begin();
        assert_eq!(gate.pass(8).await, 8);
        gate.begin();
        assert_eq!(gate.pass(8).await, 8);
        assert_eq!(gate.pass(8).await, 2);
        assert!(!gate.is_free());
    }
}
