//! Where services can be reached: the addresses that are live, and what the people who must know them have been told.
//! A restored service lives at a new address; whoever keeps the old one in a configuration reaches nothing, or worse.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The variable that names the production deployment of the database.
pub const DEPLOYMENT: &str = "CONVEX_DEPLOYMENT";

/// The variable with the URL of that deployment.
pub const DEPLOYMENT_URL: &str = "NEXT_PUBLIC_CONVEX_URL";

/// The variable with the URL of the web application.
pub const APP_URL: &str = "NEXT_PUBLIC_APP_URL";

/// The environment whose variables follow the services; others name services of their own.
pub const ENVIRONMENT: &str = "production";

/// Addresses, each under the name of the variable that holds it.
#[derive(Debug, Default)]
pub struct Addresses(Mutex<State>);

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct State {
    live: BTreeMap<String, String>,
    /// Addresses from which a service has moved away.
    left: BTreeSet<String>,
    /// What people are told instead of the truth.
    told: Option<BTreeMap<String, String>>,
    /// Whether something still answers at an address that a service has left.
    old_answers: bool,
    /// How often people were told an address that was no longer live.
    misled: u32,
}

impl Addresses {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A service is at this address from now on.
    pub fn publish(&self, name: &str, address: &str) {
        let mut state = self.state();
        state.left.remove(address);
        if let Some(old) = state.live.insert(name.to_owned(), address.to_owned()).filter(|old| old != address) {
            state.left.insert(old);
        }
    }

    /// All that are live, by name: the truth.
    pub fn live(&self) -> BTreeMap<String, String> {
        self.state().live.clone()
    }

    /// What somebody is told who looks an address up where the runbook says.
    pub fn told(&self, name: &str) -> Option<String> {
        let mut state = self.state();
        let told = state.told.as_ref().unwrap_or(&state.live).get(name).cloned();
        if told.as_ref() != state.live.get(name) {
            state.misled += 1;
        }
        told
    }

    /// Whether something answers at an address. Of one that nobody ever had, nothing does.
    pub fn answers(&self, address: &str) -> bool {
        let state = self.state();
        state.live.values().any(|live| live == address) || (state.old_answers && state.left.contains(address))
    }

    /// From now on people are told what is live now, whatever moves; `old_answers`: what was left goes on answering.
    pub fn freeze(&self, old_answers: bool) {
        let mut state = self.state();
        state.told = Some(state.live.clone());
        state.old_answers = old_answers;
    }

    /// People are told the truth again.
    pub fn thaw(&self) {
        let mut state = self.state();
        state.told = None;
        state.old_answers = false;
    }

    /// How often people were told an address that was no longer live.
    pub fn misled(&self) -> u32 {
        self.state().misled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_was_left_answers_no_more_and_is_told_only_by_a_frozen_book() {
        let book = Addresses::default();
        book.publish(DEPLOYMENT_URL, "https://a");
        book.freeze(false);
        assert_eq!(book.told(DEPLOYMENT_URL).as_deref(), Some("https://a"));
        assert_eq!(book.misled(), 0, "nothing has moved yet");
        book.publish(DEPLOYMENT_URL, "https://b");
        assert_eq!((book.told(DEPLOYMENT_URL).as_deref(), book.misled()), (Some("https://a"), 1));
        assert!(!book.answers("https://a") && book.answers("https://b") && !book.answers("https://c"));
        book.thaw();
        assert_eq!(book.told(DEPLOYMENT_URL).as_deref(), Some("https://b"));
    }
}
