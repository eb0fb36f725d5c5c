//! What a record tells of its incident: moments on the clock on the wall, what was hit, what came back and what is gone.

use jiff::Timestamp;

use super::{
    board::Board,
    status::{State, Status},
    text::{Lang, Text, Zone, later},
};
use crate::model::{
    event::{Comparison, What},
    record::{Record, ServiceRecord, Way},
    time::Elapsed,
};

/// One incident.
pub(super) struct Facts<'r> {
    pub(super) record: &'r Record,
    pub(super) zone: Zone,
    /// The disaster, in scenario time.
    pub(super) t0: Timestamp,
    /// What the status page showed right after it.
    pub(super) hit: Status,
}

impl<'r> Facts<'r> {
    /// `None` where the drill ended before its disaster: then there is no incident to tell of.
    pub(super) fn of(record: &'r Record) -> Option<Self> {
        let t0 = record.timeline.t0?;
        let disaster = record.events.iter().position(|e| matches!(e.what, What::Disaster { .. }))?;
        let mut board = Board::new(&record.plan, &record.scenario);
        record.events[..=disaster].iter().for_each(|event| {
            board.hear(event);
        });
        Some(Facts { record, zone: Zone::of(&record.plan.time_zone), t0, hit: board.status() })
    }

    /// The moment so long after the disaster.
    pub(super) fn at(&self, since_t0: Elapsed) -> Timestamp {
        later(self.t0, since_t0.total_ms())
    }

    /// When all data was verified; `None` where it was not.
    pub(super) fn recovered(&self) -> Option<Timestamp> {
        self.record.timeline.t5.map(|t5| self.at(t5))
    }

    /// The last moment that the drill saw.
    pub(super) fn end(&self) -> Timestamp {
        let since = self.record.events.iter().filter_map(|event| event.since_t0).max_by_key(Elapsed::total_ms);
        since.map_or(self.t0, |since| self.at(since))
    }

    /// Names of the components that were in a state right after the disaster.
    pub(super) fn components(&self, lang: Lang, state: State) -> Vec<String> {
        let hit = self.hit.components.iter().filter(|one| one.state == state);
        hit.map(|one| one.name.get(lang).to_owned()).collect()
    }

    /// Services that are back with less than was written, each with what was found.
    pub(super) fn losses(&self) -> impl Iterator<Item = (&'r ServiceRecord, &'r Comparison)> {
        let back = self.record.services.iter().filter(|one| one.timeline.t5.is_some());
        back.filter_map(|one| Some((one, one.comparison.as_ref()?))).filter(|(_, found)| found.writes_lost > 0)
    }

    /// That this is an exercise, and how far its times can be relied on.
    pub(super) fn drill_note(&self) -> Text {
        let note = match self.record.identity.way {
            Way::Real => Text::new(
                "**Drill.** Made by backdraft from the record of a restore drill, not of a real incident. The time that \
                 people take is assumed, that of machines is measured; the date is that of the drill's scenario.",
                "**훈련.** 실제 장애가 아니라 복구 훈련의 기록에서 backdraft가 작성한 문서입니다. 사람이 쓰는 시간은 가정, \
                 장비가 쓰는 시간은 실측이며, 날짜는 훈련 시나리오의 날짜입니다.",
            ),
            Way::Simulated => Text::new(
                "**Drill.** Made by backdraft from the record of a simulated restore drill, not of a real incident. The \
                 time that people take is assumed, that of machines is simulated; the date is that of the drill's scenario.",
                "**훈련.** 실제 장애가 아니라 모의 복구 훈련의 기록에서 backdraft가 작성한 문서입니다. 사람이 쓰는 시간은 가정, \
                 장비가 쓰는 시간은 모의이며, 날짜는 훈련 시나리오의 날짜입니다.",
            ),
        };
        if !self.record.timeline.t5.is_some_and(|t5| t5.is_redacted()) {
            return note;
        }
        Text::new(
            format!("{} Measured times were taken out of this record: the moments are the earliest possible.", note.en),
            format!("{} 이 기록에서는 실측 시간이 제거되어, 표시된 시각은 가능한 가장 이른 시각입니다.", note.ko),
        )
    }
}
