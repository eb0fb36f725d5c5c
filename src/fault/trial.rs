//! The drill in which a fault is tried: what has to happen around it so that it can bite. The matrix plays it, and so does
//! the contract test of the catalogue.

use std::collections::BTreeMap;

use crate::model::{
    plan::{DumpFormat, ServiceKind},
    scenario::{FaultSpec, Generations, Moment},
    units::{DayTime, Span},
};

/// Where a fault is tried.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'g> {
    /// The plan's first region.
    pub primary: &'g str,
    /// The plan's other regions.
    pub replicas: &'g [String],
    /// What sort of service is drilled.
    pub kind: ServiceKind,
}

/// A drill in which a fault can bite: [`Ground::days`] of history with backups at 03:00, the disaster on the last day at 15:00.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// What is injected, in this order; the fault that is tried is one of them.
    pub faults: Vec<FaultSpec>,
    /// Time between two pieces of the database's change stream, where one runs.
    pub stream: Option<Span>,
    /// Recovery target time, where what was written from then on is damaged.
    pub target_time: Option<DayTime>,
    /// Form of the dump, where it has to be that one.
    pub format: Option<DumpFormat>,
}

impl Trial {
    /// A trial of one entry alone.
    pub fn of(entry: FaultSpec) -> Self {
        Trial { faults: vec![entry], stream: None, target_time: None, format: None }
    }

    /// The same with another fault before it.
    #[must_use]
    pub fn after(mut self, entry: FaultSpec) -> Self {
        self.faults.insert(0, entry);
        self
    }

    /// The same with a change stream in pieces of that length.
    #[must_use]
    pub fn streamed(self, every: Span) -> Self {
        Trial { stream: Some(every), ..self }
    }

    /// The same with dumps of that form.
    #[must_use]
    pub fn dumped_as(self, format: DumpFormat) -> Self {
        Trial { format: Some(format), ..self }
    }

    /// The same where a point from before that moment is wanted.
    #[must_use]
    pub fn back_to(self, moment: DayTime) -> Self {
        Trial { target_time: Some(moment), ..self }
    }
}

impl Ground<'_> {
    /// Days of history of a trial. Configuration is backed up once a week, on days 1 and 8.
    pub fn days(&self) -> u32 {
        if self.kind == ServiceKind::Config { 11 } else { 4 }
    }

    /// Just before the last backup of the history.
    pub fn before_last_backup(&self) -> Moment {
        Moment::BeforeBackupOfDay(if self.kind == ServiceKind::Config { 8 } else { 4 })
    }

    /// An entry for that fault at the primary region, between the last backup and the disaster; for a web application,
    /// which has no backup region, with the disaster.
    pub fn entry(&self, fault: &str, mode: &str) -> FaultSpec {
        let is_web = self.kind == ServiceKind::WebApplication;
        FaultSpec {
            fault: fault.to_owned(),
            mode: mode.to_owned(),
            service: None,
            regions: if is_web { Vec::new() } else { vec![self.primary.to_owned()] },
            generations: Generations::default(),
            when: if is_web { Moment::AtDisaster } else { Moment::default() },
            with: BTreeMap::new(),
        }
    }
}
