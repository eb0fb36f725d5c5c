//! Showing how far a run is: a bar on a terminal, a line a drill elsewhere, nothing when quiet.

use std::{path::Path, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::console::Console;
use crate::{
    model::{
        event::{Event, What},
        record::Record,
    },
    sim::recorder::Listener,
};

/// Shows the progress of one run on standard error.
pub(super) struct Progress<'c> {
    console: &'c Console,
    bar: Option<ProgressBar>,
    total: usize,
    done: usize,
}

impl<'c> Progress<'c> {
    /// For so many drills.
    pub(super) fn new(total: usize, console: &'c Console) -> Self {
        let bar = console.shows_bars().then(|| {
            let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {wide_msg}");
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Progress { console, bar, total, done: 0 }
    }

    /// A drill begins; its events move the bar's text, and stand in the log of level debug.
    pub(super) fn begin(&self, id: &str) -> Listener {
        let (bar, id) = (self.bar.clone(), id.to_owned());
        if let Some(bar) = &bar {
            bar.set_message(id.clone());
        }
        Arc::new(move |event: &Event| {
            let Some(now) = words(&event.what) else { return };
            tracing::debug!("{id}: {now}");
            if let Some(bar) = &bar {
                bar.set_message(format!("{id}: {now}"));
            }
        })
    }

    /// A drill ended. Where its scratch folder was kept is said even when quiet: somebody asked for it.
    pub(super) fn end(&mut self, record: &Record, kept: Option<&Path>) {
        let (result, outcome) = (record.result.result, record.result.outcome);
        let (ended, how) = (result.words(), outcome.map_or("no outcome", |outcome| outcome.words()));
        let id = &record.identity.scenario;
        self.step(
            "drill-ended",
            &format!("{ended}  {id}: {how}"),
            json!({ "id": id, "result": result, "outcome": outcome }),
        );
        if let Some(dir) = kept.map(Path::display) {
            let fields = json!({ "id": id, "path": dir.to_string() });
            let say = || {
                self.console.note(
                    "scratch-kept",
                    format_args!("{id}: kept the scratch folder {dir}; README.txt there says what is what"),
                    fields,
                )
            };
            match &self.bar {
                Some(bar) => bar.suspend(say),
                None => say(),
            }
        }
    }

    /// One more is done: what is said of it, for people and for programs.
    pub(super) fn step(&mut self, event: &str, said: &str, mut fields: Value) {
        self.done += 1;
        let (n, total) = (self.done, self.total);
        match &self.bar {
            Some(bar) => bar.inc(1),
            None if self.console.is_quiet() => {}
            None => {
                (fields["n"], fields["total"]) = (n.into(), total.into());
                self.console.note(event, format_args!("[{n}/{total}] {said}"), fields);
            }
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
        What::StreamBroken { after, .. } => Some(format!("the change stream is broken after write {}", after.seq)),
        _ => None,
    }
}
