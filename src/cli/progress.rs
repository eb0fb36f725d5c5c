//! Showing how far a run is: a bar on a terminal, a line a drill elsewhere, nothing when quiet.

use std::{io::IsTerminal, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    model::{
        event::{Event, What},
        record::Record,
    },
    sim::recorder::Listener,
};

/// Shows the progress of one run on standard error.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    plain: bool,
    total: usize,
    done: usize,
}

impl Progress {
    /// For so many drills.
    pub(super) fn new(total: usize, quiet: bool) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let bar = (on_terminal && !quiet).then(|| {
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {wide_msg}");
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Progress { bar, plain: !on_terminal && !quiet, total, done: 0 }
    }

    /// A drill begins; its events move the bar's text.
    pub(super) fn begin(&self, id: &str) -> Option<Listener> {
        let bar = self.bar.clone()?;
        bar.set_message(id.to_owned());
        let id = id.to_owned();
        Some(Arc::new(move |event: &Event| {
            if let Some(now) = words(&event.what) {
                bar.set_message(format!("{id}: {now}"));
            }
        }))
    }

    /// A drill ended.
    pub(super) fn end(&mut self, record: &Record) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        if self.plain {
            let outcome = record.result.outcome.map_or("no outcome", |outcome| outcome.words());
            let (result, id) = (record.result.result.words(), &record.identity.scenario);
            eprintln!("[{}/{}] {result}  {id}: {outcome}", self.done, self.total);
        }
    }

    /// The run ended.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn words(what: &What) -> Option<String> {
    match what {
        What::BackedUp(made) => Some(format!("backup of day {}", made.day)),
        What::FaultInjected { detail, .. } => Some(detail.clone()),
        What::PhaseStarted { phase } => Some(phase.words().to_owned()),
        What::PointRefused(tried) => Some(format!("{} in {} refused", tried.point, tried.region)),
        _ => None,
    }
}
