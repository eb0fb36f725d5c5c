//! The items of each checklist: who does it, what came of it.

use std::{fs, time::SystemTime};

use serde::Serialize;

use super::Desk;
use crate::{
    environment::redact,
    error::Result,
    model::{plan::ContactKind, words},
    monitor::health,
};

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// A machine did it, and it holds.
    Done,
    /// A machine did it, and it does not hold.
    Failed,
    /// A machine could do it, and did not; why is said.
    NotChecked,
    /// It is for people to do, or to judge.
    ForPeople,
}

impl State {
    pub(super) const fn words(self) -> &'static str {
        match self {
            State::Done => "done",
            State::Failed => "FAILED",
            State::NotChecked => "not checked",
            State::ForPeople => "for people",
        }
    }
}

/// One line of a checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Item {
    /// What is to be done.
    pub(super) title: &'static str,
    /// What became of it.
    pub(super) state: State,
    /// What was seen, why it was not looked at, or what to do.
    pub(super) detail: String,
    /// More of it.
    pub(super) lines: Vec<String>,
}

impl Item {
    pub(super) fn new(title: &'static str, state: State, detail: impl Into<String>) -> Self {
        Item { title, state, detail: detail.into(), lines: Vec::new() }
    }

    pub(super) fn with(self, lines: Vec<String>) -> Self {
        Item { lines, ..self }
    }

    /// Without secrets, as it may be told.
    pub(super) fn told(self) -> Self {
        let lines = self.lines.iter().map(|line| redact(line).into_owned()).collect();
        Item { detail: redact(&self.detail).into_owned(), lines, ..self }
    }

    fn for_people(title: &'static str, what: impl Into<String>) -> Self {
        Item::new(title, State::ForPeople, what)
    }
}

impl Desk<'_> {
    pub(super) fn daily(&self) -> Result<Vec<Item>> {
        Ok(vec![
            self.backups_were_made()?,
            self.services_are_well()?,
            Item::for_people("Error logs reviewed", "read the errors since the last checklist; note what is new"),
            self.monitoring_works(),
        ])
    }

    pub(super) fn weekly(&self) -> Result<Vec<Item>> {
        let contacts = self.plan.value.contacts.iter().map(|contact| {
            let side = if contact.kind == ContactKind::Team { "team" } else { "supplier" };
            format!("{} ({side}): {}", contact.name, contact.address)
        });
        let contacts = contacts.collect();
        let ask = "reach each of them, and correct the plan where one has changed";
        Ok(vec![
            self.newest_backups_verified()?,
            self.scenarios_fit(),
            Item::for_people("Contact list up to date", ask).with(contacts),
            Item::for_people("Documentation up to date", "what changed this week that a restore depends on?"),
        ])
    }

    pub(super) fn monthly(&self) -> Result<Vec<Item>> {
        let [drills, objectives] = self.drills()?;
        let ask = "read the plan against what runs today: services, regions, schedules, people";
        Ok(vec![
            drills,
            self.retention_kept()?,
            objectives,
            Item::for_people("Business continuity plan up to date", ask).with(self.weaknesses()),
        ])
    }

    fn services_are_well(&self) -> Result<Item> {
        let title = "Health checks answer";
        if self.args.health.is_empty() {
            return Ok(Item::new(title, State::NotChecked, "no address was given: --health URL"));
        }
        let asked = self.session.carry_out(async |_| {
            let mut lines = Vec::new();
            let mut well = true;
            for address in &self.args.health {
                let answer = health::ask(address, &self.clock).await;
                well &= answer.is_ok();
                lines.push(format!(
                    "{}: {}",
                    address.escape_debug(),
                    answer.unwrap_or_else(|why| format!("NOT WELL: {why}"))
                ));
            }
            (well, lines)
        })?;
        let (well, lines) = asked.unwrap_or_default();
        let state = if well { State::Done } else { State::Failed };
        Ok(Item::new(title, state, format!("{} of them asked", lines.len())).with(lines))
    }

    /// A monitor that looks leaves a state file; one that stopped leaves an old one.
    fn monitoring_works(&self) -> Item {
        let title = "Monitoring works";
        let Some(path) = &self.args.monitor_state else {
            return Item::new(title, State::NotChecked, "the monitor's state was not given: --monitor-state FILE");
        };
        let modified = match fs::metadata(path).and_then(|meta| meta.modified()) {
            Ok(modified) => modified,
            Err(e) => return Item::new(title, State::Failed, format!("{} cannot be read: {e}", path.display())),
        };
        let written = modified.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let now = u128::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        let age = u64::try_from(now.saturating_sub(written)).unwrap_or(u64::MAX);
        let every = self.plan.value.monitor.check_every;
        let told = format!("it last looked {} ago, and should every {every}", words::duration(age));
        // A look may take a while, and one may be missed while a machine starts anew.
        let state = if age <= every.millis().saturating_mul(2) { State::Done } else { State::Failed };
        Item::new(title, state, told)
    }
}
