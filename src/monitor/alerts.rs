//! Who knows what: an alarm is told once to each webhook while it stands, and so is its end. What a webhook did not
//! take is a lost alert; it is told again at the next look.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    reading::{Reading, Verdict},
    webhook::{Sender, Webhook},
};
use crate::model::{event::AlarmKind, plan::AlertForm, words};

/// Version of the JSON that webhooks get.
pub const ALERT_FORMAT: &str = "backdraft.alert/1";

/// Version of the file that keeps what was told.
pub const STATE_FORMAT: &str = "backdraft.monitor-state/1";

/// What a monitor remembers from look to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// [`STATE_FORMAT`].
    pub format: String,
    /// Alarms that stand, or whose end somebody has not been told.
    pub standing: Vec<Standing>,
    /// When a service in a region was last well, by `service/region`.
    pub last_ok: BTreeMap<String, Timestamp>,
    /// Alerts sent and lost, by webhook.
    pub counts: BTreeMap<String, Counts>,
}

impl Default for State {
    fn default() -> Self {
        let (standing, last_ok, counts) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        State { format: STATE_FORMAT.to_owned(), standing, last_ok, counts }
    }
}

/// What became of alerts to one webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Taken.
    pub sent: u64,
    /// Not taken, after every try.
    pub lost: u64,
}

/// An alarm that stands, or stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// What it is about.
    pub service: String,
    /// Where.
    pub region: String,
    /// What sort.
    pub kind: AlarmKind,
    /// What was seen first.
    pub detail: String,
    /// When it was first seen.
    pub since: Timestamp,
    /// Whether it still stands.
    pub stands: bool,
    /// Webhooks that believe it stands.
    pub told: BTreeSet<String>,
}

/// An alert that a webhook did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// Scheme and host of the webhook.
    pub webhook: String,
    /// How the last try failed.
    pub why: String,
    /// How many alarms and ends of alarms it was about.
    pub news: u64,
}

impl State {
    /// Takes in what a look showed.
    pub fn take(&mut self, readings: &[Reading], now: Timestamp) {
        // Where a region is silent, or a service was not looked at, what stood before may still stand.
        let is_dark = |r: &Reading| {
            r.verdict == Verdict::NotLookedAt || r.alarms.iter().any(|alarm| alarm.kind == AlarmKind::Unreachable)
        };
        let dark: BTreeSet<&str> = readings.iter().filter(|r| is_dark(r)).map(|r| r.service.as_str()).collect();
        for standing in &mut self.standing {
            let may_stand = standing.kind != AlarmKind::Unreachable && dark.contains(standing.service.as_str());
            standing.stands &= may_stand;
        }
        for reading in readings {
            let alarms = &reading.alarms;
            if alarms.is_empty() && !reading.region.is_empty() {
                self.last_ok.insert(format!("{}/{}", reading.service, reading.region), now);
            }
            for alarm in alarms {
                let same = |s: &&mut Standing| {
                    (s.service.as_str(), s.region.as_str(), s.kind)
                        == (reading.service.as_str(), reading.region.as_str(), alarm.kind)
                };
                match self.standing.iter_mut().find(same) {
                    Some(standing) => standing.stands = true,
                    None => self.standing.push(Standing {
                        service: reading.service.clone(),
                        region: reading.region.clone(),
                        kind: alarm.kind,
                        detail: alarm.detail.clone(),
                        since: now,
                        stands: true,
                        told: BTreeSet::new(),
                    }),
                }
            }
        }
        self.standing.retain(|standing| standing.stands || !standing.told.is_empty());
    }

    /// Tells every webhook what it does not know yet.
    pub async fn tell(&mut self, platform: &str, webhooks: &[Webhook], sender: &Sender, now: Timestamp) -> Vec<Lost> {
        let mut lost = Vec::new();
        for webhook in webhooks {
            let id = webhook.id();
            let news: Vec<usize> = (0..self.standing.len())
                .filter(|at| self.standing[*at].stands != self.standing[*at].told.contains(&id))
                .collect();
            if news.is_empty() {
                continue;
            }
            let told: Vec<&Standing> = news.iter().map(|at| &self.standing[*at]).collect();
            let body = match webhook.form() {
                AlertForm::Json => for_programs(platform, &told, now),
                AlertForm::Slack => for_slack(platform, &told),
            };
            let counts = self.counts.entry(id.clone()).or_default();
            match sender.send(webhook, &body).await {
                Ok(()) => {
                    counts.sent += 1;
                    for at in news {
                        let standing = &mut self.standing[at];
                        if standing.stands {
                            standing.told.insert(id.clone())
                        } else {
                            standing.told.remove(&id)
                        };
                    }
                }
                Err(why) => {
                    counts.lost += 1;
                    lost.push(Lost { webhook: webhook.to_string(), why, news: news.len() as u64 });
                }
            }
        }
        self.standing.retain(|standing| standing.stands || !standing.told.is_empty());
        lost
    }
}

/// The generic alert.
fn for_programs(platform: &str, news: &[&Standing], now: Timestamp) -> Value {
    let of = |stands: bool| -> Vec<Value> {
        let chosen = news.iter().filter(|standing| standing.stands == stands);
        chosen
            .map(|s| {
                json!({
                    "service": s.service, "region": s.region, "kind": s.kind, "detail": s.detail, "since": s.since,
                })
            })
            .collect()
    };
    json!({
        "format": ALERT_FORMAT, "platform": platform, "sent_at": now, "alarms": of(true), "recovered": of(false),
    })
}

/// What Slack's incoming webhooks take: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.
fn for_slack(platform: &str, news: &[&Standing]) -> Value {
    let alarms = news.iter().filter(|standing| standing.stands).count() as u64;
    let head = match alarms {
        0 => format!("Backups of {platform}: recovered"),
        n => format!("Backups of {platform}: {}", words::count(n, "alarm")),
    };
    let line = |s: &&Standing| {
        let sign = if s.stands { ":rotating_light:" } else { ":white_check_mark:" };
        let ended = if s.stands { "" } else { "no longer " };
        let (service, region) = (plain(&s.service), plain(&s.region));
        format!("{sign} *{service}* in {region}: {ended}{} ({})", s.kind.words(), plain(&s.detail))
    };
    let lines: Vec<String> = news.iter().map(line).collect();
    json!({ "text": format!("{}\n{}", plain(&head), lines.join("\n")) })
}

/// Text that Slack shows as it is: <https://docs.slack.dev/messaging/formatting-message-text#escaping>.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(char::is_control, " ")
}
