//! What is written down of drills before they are played, and the records of those that nobody ended.

use super::session::{Cast, aborted, event, identity};
use crate::{
    history::{Announcement, OfRun, Unended},
    measure,
    model::{
        event::What,
        record::{Record, Way},
    },
    report::contract::moment,
    sim::clock,
};

/// What a run is going to play: these, so many times over. They share one plan.
pub(super) fn announcement(casts: &[Cast], rounds: usize) -> Option<Announcement> {
    let plan = (*casts.first()?.plan).clone();
    let begun_at = clock::wall_now();
    let run_at = |cast: &Cast| (cast.way == Way::Real).then_some(begun_at);
    let drills = casts.iter().map(|cast| (identity(cast, run_at(cast)), (*cast.scenario).clone())).collect();
    Some(Announcement { begun_at, plan, drills, rounds: rounds as u64 })
}

/// What its record is made of if this process ends before the drill does.
pub(super) fn unended(cast: &Cast, of_run: Option<OfRun>) -> Unended {
    let begun_at = clock::wall_now();
    let identity = identity(cast, (cast.way == Way::Real).then_some(begun_at));
    let (plan, scenario) = ((*cast.plan).clone(), (*cast.scenario).clone());
    Unended { begun_at, has_begun: true, identity, plan, scenario, of_run }
}

/// The record of a drill whose process ended before it did. Every start removes what such a drill left.
pub(super) fn record(unended: Unended) -> Record {
    let Unended { begun_at, has_begun, identity, plan, scenario, of_run: _ } = unended;
    let at = moment(begun_at, &plan.time_zone);
    let (why, detail) = match has_begun {
        true => (
            format!("the process ended before the drill did, which began at {at}"),
            "nobody was left to clean up; the next start removed the scratch folder",
        ),
        false => (
            format!("the process ended before this drill began, in a run that began at {at}"),
            "the drill had not begun, nothing had been made",
        ),
    };
    let events = vec![aborted(why), event(What::CleanedUp { complete: true, kept: false, detail: detail.into() })];
    measure::record(measure::Inputs { identity, plan, scenario, events })
}
