//! One look at a user's real buckets, judged: a line a service and region, each with its verdict and its reason. What a
//! drill's ledger would call a false alarm is a remark here, and wakes nobody.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Aspect, Look, Omission, Sighting};
use crate::model::{
    event::AlarmKind,
    plan::{Cadence, ServicePlan},
};

/// A backup that is due has this long to be made.
const GRACE: SignedDuration = SignedDuration::from_hours(1);

/// A service in a region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// The plan's service.
    pub service: String,
    /// The region; empty where the service was not looked at.
    pub region: String,
    /// What is said of it.
    pub verdict: Verdict,
    /// The newest backup's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// When it was written, by the region's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_at: Option<Timestamp>,
    /// Its size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// What raised an alarm.
    pub alarms: Vec<Raised>,
    /// What is worth knowing and wakes nobody.
    pub remarks: Vec<String>,
    /// What the verdict rests on.
    pub looked_at: Vec<Aspect>,
    /// What it says nothing of, and why.
    pub not_looked_at: Vec<Omission>,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Raised {
    /// What sort.
    pub kind: AlarmKind,
    /// What was seen, with the limit.
    pub detail: String,
}

/// What is said of a service in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing is wrong with it.
    Ok,
    /// An alarm stands.
    Alarm,
    /// It was not looked at; the remark says why.
    NotLookedAt,
}

impl Reading {
    /// A service that cannot be looked at.
    pub fn none(service: &str, why: &str) -> Self {
        Reading {
            service: service.to_owned(),
            region: String::new(),
            verdict: Verdict::NotLookedAt,
            newest: None,
            written_at: None,
            size_bytes: None,
            alarms: Vec::new(),
            remarks: vec![why.to_owned()],
            looked_at: Vec::new(),
            not_looked_at: Vec::new(),
        }
    }
}

/// When the newest backup that must be there was due; `None` where changes are copied as they happen.
pub fn due(plan: &ServicePlan, now: Timestamp) -> Option<Timestamp> {
    let interval = match plan.backup.every {
        Cadence::Realtime => return None,
        every => SignedDuration::from_millis(i64::try_from(every.interval().millis()).unwrap_or(i64::MAX)),
    };
    let latest = Timestamp::from_second(now.checked_sub(GRACE).ok()?.as_second()).ok()?;
    match (plan.backup.every, plan.backup.at) {
        (Cadence::Daily, Some(at)) => {
            let day = interval.as_millis();
            let into = latest.as_millisecond() as i128 - i128::from(at.minutes) * 60_000;
            let since = into.rem_euclid(day);
            latest.checked_sub(SignedDuration::from_millis(since as i64)).ok()
        }
        // On which day of the week or month it runs, the plan does not say.
        _ => latest.checked_sub(interval).ok(),
    }
}

/// What a look shows of a service.
pub fn readings(service: &str, look: &Look) -> Vec<Reading> {
    let reading = |seen: &super::RegionSeen| {
        let here = look.alarms.iter().filter(|alarm| alarm.region == seen.region);
        let (raised, remarked): (Vec<&Sighting>, Vec<_>) = here.partition(|alarm| is_justified(alarm));
        let mut remarks: Vec<String> = remarked.iter().map(|alarm| remark(alarm)).collect();
        remarks.extend(seen.remarks.iter().cloned());
        Reading {
            service: service.to_owned(),
            region: seen.region.clone(),
            verdict: if raised.is_empty() { Verdict::Ok } else { Verdict::Alarm },
            newest: seen.newest.as_ref().map(|newest| newest.point.clone()),
            written_at: seen.newest.as_ref().map(|newest| newest.modified),
            size_bytes: seen.newest.as_ref().and_then(|newest| newest.size),
            alarms: raised.into_iter().map(|a| Raised { kind: a.kind, detail: a.detail.clone() }).collect(),
            remarks,
            looked_at: seen.scope.looked_at.clone(),
            not_looked_at: seen.scope.not_looked_at.clone(),
        }
    };
    look.regions.iter().map(reading).collect()
}

/// A backup is not too old while none newer was due: then the limit contradicts the schedule. Nor is one too small that
/// the limit is not meant for.
fn is_justified(alarm: &Sighting) -> bool {
    alarm.excuse.is_none() && (alarm.kind != AlarmKind::TooOld || alarm.overdue)
}

fn remark(alarm: &Sighting) -> String {
    let excuse = alarm.excuse.unwrap_or("none newer was due, so the plan's `max_age` contradicts its schedule");
    format!("{}; {excuse}", alarm.detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(every: &str) -> ServicePlan {
        let backup = serde_json::json!({"every": every, "at": "03:00", "prefix": "db/"});
        serde_json::from_value(serde_json::json!({"kind": "database", "rto": "2 h", "rpo": "24 h", "backup": backup}))
            .unwrap()
    }

    #[test]
    fn a_backup_is_due_an_hour_after_its_time_of_day() {
        let at = |now: &str| due(&service("daily"), now.parse().unwrap()).unwrap().to_string();
        assert_eq!(at("2026-11-05T03:59:59Z"), "2026-11-04T03:00:00Z");
        assert_eq!(at("2026-11-05T04:00:00.25Z"), "2026-11-05T03:00:00Z");
        assert_eq!(at("2026-11-06T02:00:00Z"), "2026-11-05T03:00:00Z");
        let weekly = due(&service("weekly"), "2026-11-09T01:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(weekly.to_string(), "2026-11-02T00:00:00Z");
        assert_eq!(due(&service("realtime"), Timestamp::UNIX_EPOCH), None);
    }
}
