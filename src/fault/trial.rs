//! The drill in which a fault is tried: what has to happen around it so that it can bite. The matrix plays it, and so does
//! the contract test of the catalogue.

use std::collections::BTreeMap;

use crate::model::{
    plan::{DumpFormat, ServiceKind},
    scenario::{FaultSpec, Generations, Moment},
    units::{DayTime, Percent, Span},
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
    /// Day of the last backup before the disaster.
    pub last_backup_day: u32,
    /// How many backups are made by then.
    pub points: u64,
}

/// A drill in which a fault can bite: days of history with backups, the disaster half a day after the last of them
/// or later.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trial {
    /// What is injected, in this order; the fault that is tried is one of them.
    pub faults: Vec<FaultSpec>,
    /// Time between two pieces of the database's change stream, where one runs.
    pub stream: Option<Span>,
    /// Recovery target time, where what was written from then on is damaged.
    pub target_time: Option<DayTime>,
    /// What sort of service is lost with it, where one must be.
    pub beside: Option<ServiceKind>,
    /// Form of the dump, where it has to be that one.
    pub format: Option<DumpFormat>,
}

impl Trial {
    /// A trial of one entry alone.
    pub fn of(entry: FaultSpec) -> Self {
        Trial { faults: vec![entry], ..Trial::default() }
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

    /// The same where a service of that kind is lost as well.
    #[must_use]
    pub fn beside(self, kind: ServiceKind) -> Self {
        Trial { beside: Some(kind), ..self }
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
    /// Just before the last backup.
    pub fn before_last_backup(&self) -> Moment {
        Moment::BeforeBackupOfDay(self.last_backup_day)
    }

    /// An entry for a fault on the restore itself, half-way through the import.
    pub fn half_way(&self, fault: &str, mode: &str) -> FaultSpec {
        self.entry(fault, mode).everywhere().at(Moment::DuringImport(Percent(50)))
    }

    /// The same trial with dumps that are gzip files, whatever the plan's are.
    pub fn gzipped(&self, trial: Trial) -> Trial {
        if self.kind == ServiceKind::Database { trial.dumped_as(DumpFormat::JsonlGz) } else { trial }
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
            lasts: None,
            when: if is_web { Moment::AtDisaster } else { Moment::default() },
            with: BTreeMap::new(),
        }
    }
}
