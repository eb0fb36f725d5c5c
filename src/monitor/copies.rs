//! Copies that a plan's own rules make of files, folder by folder, each looked at as what others write.

use jiff::Timestamp;

use super::{
    Look, Means,
    foreign::{Foreign, Moment},
};
use crate::{
    model::{
        event::AlarmKind,
        plan::{MonitorPlan, ServiceKind, SyncRule},
        units::Span,
    },
    store::SharedStore,
};

/// Why only the primary region is asked for copies.
const ONE_BUCKET: &str = "the rules copy into the primary region alone";

/// A monitor of the folders that rules copy into, in the drills' world. It sees what stands in the buckets, and never the
/// source or the job's log, as with buckets that are the user's own.
pub struct Copies {
    /// The regions, the primary first; the rules copy into the primary.
    pub stores: Vec<SharedStore>,
    /// The rules.
    pub rules: Vec<SyncRule>,
    /// What is looked at, and from where on it is an alarm.
    pub limits: MonitorPlan,
    /// How long copies are kept.
    pub retention: Span,
    /// How many bytes one byte stands for.
    pub scale: u64,
    /// What reading takes.
    pub means: Means,
}

impl Copies {
    /// Looks once. `due` is when the newest copy should have been made; `None` before the first is due: then nothing is
    /// said but which regions answer.
    pub async fn look(&self, now: Timestamp, due: Option<Timestamp>) -> Look {
        let at = Moment { now, due: due.unwrap_or(Timestamp::MIN) };
        let mut look = look_at_folders(self.rules.iter().map(|rule| self.folder(rule)), &self.stores, at).await;
        if due.is_none() {
            look.alarms.retain(|alarm| alarm.kind == AlarmKind::Unreachable);
        }
        look
    }

    fn folder<'f>(&'f self, rule: &'f SyncRule) -> Foreign<'f> {
        Foreign {
            kind: ServiceKind::Files,
            prefix: &rule.into,
            limits: &self.limits,
            retention: self.retention,
            scale: self.scale,
            alone: Some(ONE_BUCKET),
            means: &self.means,
        }
    }
}

/// All folders of one service as one.
pub(super) async fn look_at_folders<'f>(
    folders: impl ExactSizeIterator<Item = Foreign<'f>>,
    stores: &[SharedStore],
    at: Moment,
) -> Look {
    let is_one = folders.len() < 2;
    let mut whole: Option<Look> = None;
    for folder in folders {
        let mut look = folder.look(stores, at).await;
        let named = |alarm: &&mut super::Sighting| !is_one && alarm.kind != AlarmKind::Unreachable;
        for alarm in look.alarms.iter_mut().filter(named) {
            alarm.detail = format!("{}: {}", folder.prefix, alarm.detail);
        }
        whole = Some(match whole {
            Some(first) => joined(first, look),
            None => look,
        });
    }
    whole.unwrap_or(Look { regions: Vec::new(), alarms: Vec::new() })
}

/// Two folders of one service as one. The first one's newest backup is shown, where it has one.
fn joined(first: Look, second: Look) -> Look {
    let regions = first.regions.into_iter().zip(second.regions).map(|(mut one, other)| {
        one.newest = one.newest.or(other.newest);
        one.answered &= other.answered;
        one.remarks.extend(other.remarks);
        one.scope.join(other.scope);
        one
    });
    let mut alarms = first.alarms;
    // That a region does not answer is said once, whatever was asked for.
    let is_news = |alarm: &super::Sighting| alarm.kind != AlarmKind::Unreachable || !alarms.contains(alarm);
    let news: Vec<_> = second.alarms.into_iter().filter(is_news).collect();
    alarms.extend(news);
    Look { regions: regions.collect(), alarms }
}
