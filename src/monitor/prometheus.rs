//! What a monitor saw as a text file for Prometheus, in its exposition format:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>. Times are seconds since 1970, ages are in seconds.

use std::{collections::BTreeMap, fmt::Write};

use jiff::Timestamp;

use super::{
    Aspect,
    alerts::{Counts, State},
    reading::{Reading, Verdict},
    webhook::Webhook,
};
use crate::model::words;

/// Renders a look.
pub fn render(readings: &[Reading], state: &State, webhooks: &[Webhook], now: Timestamp) -> String {
    let mut page = Page::default();
    let looked: Vec<&Reading> = readings.iter().filter(|r| r.verdict != Verdict::NotLookedAt).collect();
    let place = |r: &Reading| vec![("service", r.service.clone()), ("region", r.region.clone())];
    page.metric(
        "backdraft_backup_ok",
        "gauge",
        "Whether nothing is wrong with the newest backup in what was looked at.",
    );
    for reading in &looked {
        page.sample(&place(reading), u8::from(reading.verdict == Verdict::Ok));
    }
    page.metric("backdraft_backup_age_seconds", "gauge", "Age of the newest backup, by the region's clock.");
    for reading in &looked {
        if let Some(at) = reading.written_at {
            page.sample(&place(reading), now.duration_since(at).as_secs());
        }
    }
    page.metric("backdraft_backup_size_bytes", "gauge", "Size of the newest backup as stored.");
    for reading in &looked {
        if let Some(bytes) = reading.size_bytes {
            page.sample(&place(reading), bytes);
        }
    }
    page.metric(
        "backdraft_backup_looked_at",
        "gauge",
        "Whether it was looked at, and all of it; ok says nothing of the rest.",
    );
    for reading in &looked {
        for (aspect, whole) in aspects(reading) {
            let what = [("aspect", aspect.words().replace([' ', '-'], "_"))];
            page.sample(&[place(reading), what.into()].concat(), u8::from(whole));
        }
    }
    page.metric("backdraft_backup_alarm", "gauge", "Alarms that stand.");
    for standing in state.standing.iter().filter(|standing| standing.stands) {
        let kind = standing.kind.words().replace(' ', "_");
        let place = [("service", standing.service.clone()), ("region", standing.region.clone()), ("kind", kind)];
        page.sample(&place, 1);
    }
    page.metric(
        "backdraft_backup_last_success_timestamp_seconds",
        "gauge",
        "When a look last found nothing wrong with the newest backup.",
    );
    for reading in &looked {
        if let Some(at) = state.last_ok.get(&format!("{}/{}", reading.service, reading.region)) {
            page.sample(&place(reading), at.as_second());
        }
    }
    page.metric("backdraft_monitor_last_look_timestamp_seconds", "gauge", "When the monitor last looked.");
    page.sample(&[], now.as_second());
    let counted = |get: fn(&Counts) -> u64, page: &mut Page| {
        for (number, webhook) in webhooks.iter().enumerate() {
            let counts = state.counts.get(&webhook.id()).copied().unwrap_or_default();
            let labels = [("webhook", (number + 1).to_string()), ("host", webhook.host().to_owned())];
            page.sample(&labels, get(&counts));
        }
    };
    page.metric("backdraft_alerts_sent_total", "counter", "Alerts that a webhook took.");
    counted(|counts| counts.sent, &mut page);
    page.metric("backdraft_alerts_lost_total", "counter", "Alerts that a webhook did not take, after every try.");
    counted(|counts| counts.lost, &mut page);
    page.finish()
}

/// Everything that there is to look at, each with whether all of it was.
fn aspects(reading: &Reading) -> BTreeMap<Aspect, bool> {
    let mut all: BTreeMap<Aspect, bool> = reading.looked_at.iter().map(|aspect| (*aspect, true)).collect();
    all.extend(reading.not_looked_at.iter().map(|omission| (omission.aspect, false)));
    all
}

/// Metrics with their samples; a metric without a sample is left out.
#[derive(Default)]
struct Page {
    text: String,
    name: &'static str,
    head: String,
}

impl Page {
    fn metric(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        self.head = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, labels: &[(&str, String)], value: impl std::fmt::Display) {
        self.text.push_str(&std::mem::take(&mut self.head));
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", words::label(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        // Writing into a string cannot fail.
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
    }

    fn finish(self) -> String {
        self.text
    }
}
