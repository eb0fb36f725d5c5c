//! The sentences of the status page, in every language. Names are handed over harmless.

use jiff::Timestamp;

use super::{
    status::{Stage, State},
    text::{Lang, Text, Zone, list},
};
use crate::model::{event::Comparison, plan::ServiceKind};

/// A state in a word.
pub(super) fn state(state: State) -> Text {
    match state {
        State::Operational => Text::new("Operational", "정상"),
        State::Unknown => Text::new("Unknown", "확인되지 않음"),
        State::Degraded => Text::new("Degraded", "일부 제한"),
        State::Outage => Text::new("Outage", "중단"),
    }
}

/// The whole platform in a sentence.
pub(super) fn headline(overall: State) -> Text {
    match overall {
        State::Operational => Text::new("Everything works", "모든 기능이 정상입니다"),
        State::Unknown => Text::new("Nothing has been checked yet", "아직 확인된 상태가 없습니다"),
        State::Degraded => Text::new("Some functions are limited", "일부 기능이 제한되고 있습니다"),
        State::Outage => Text::new("Some functions are out of service", "일부 기능이 중단되었습니다"),
    }
}

/// Every component is out.
pub(super) fn all_out() -> Text {
    Text::new("The whole service is out", "서비스 전체가 중단되었습니다")
}

/// When an incident began.
pub(super) fn began(at: &str) -> Text {
    Text::new(format!("Began {at}"), format!("{at} 시작"))
}

/// Since when a component is in its state.
pub(super) fn since(at: &str) -> Text {
    Text::new(format!("since {at}"), format!("{at}부터"))
}

/// When recovery is expected.
pub(super) fn expected(at: &str) -> Text {
    Text::new(
        format!("Recovery is aimed for by {at}. This is an objective, not a promise."),
        format!("{at}까지 복구하는 것을 목표로 하고 있습니다. 실제 복구 시각은 달라질 수 있습니다."),
    )
}

/// A sort of news in a word.
pub(super) fn stage(stage: Stage) -> Text {
    match stage {
        Stage::Detected => Text::new("Detected", "감지"),
        Stage::Declared => Text::new("Declared", "대응 결정"),
        Stage::Restoring => Text::new("Restoring", "복원 중"),
        Stage::Restored => Text::new("Verifying", "검증 중"),
        Stage::Verified => Text::new("Verified", "검증 완료"),
        Stage::Unverified => Text::new("Not verified", "미검증"),
        Stage::Wrong => Text::new("Data wrong", "데이터 불일치"),
        Stage::GivenUp => Text::new("Not restored", "복원 실패"),
        Stage::Stopped => Text::new("Stopped", "중지"),
    }
}

/// News of the incident, or of a service of that name.
pub(super) fn news(stage: Stage, service: &str) -> Text {
    match stage {
        Stage::Detected => Text::new(
            "The failure was noticed. Its extent is being looked into.",
            "장애를 감지했습니다. 영향 범위를 파악하고 있습니다.",
        ),
        Stage::Declared => Text::new(
            "The response has begun. Recovery from backups was decided.",
            "대응을 시작했고, 백업에서 복구하기로 결정했습니다.",
        ),
        Stage::Restoring => {
            Text::new(format!("Restoring from backup: {service}."), format!("백업에서 복원하고 있습니다: {service}."))
        }
        Stage::Restored => Text::new(
            format!("Restored, and not yet verified: {service}."),
            format!("복원을 마치고 데이터를 검증하고 있습니다: {service}."),
        ),
        Stage::Verified => Text::new(
            format!("Back, and compared with the ledger of all writes: {service}."),
            format!("전체 기록과 대조하여 복구를 확인했습니다: {service}."),
        ),
        Stage::Unverified => Text::new(
            format!("What was restored could not be verified: {service}. It stays marked as limited."),
            format!("복원한 데이터를 검증하지 못했습니다: {service}. 계속 제한 상태로 표시합니다."),
        ),
        Stage::Wrong => Text::new(
            format!("What was restored is not what was written: {service}. Do not rely on it."),
            format!("복원한 데이터가 기록과 일치하지 않습니다: {service}. 아직 이용하지 마십시오."),
        ),
        Stage::GivenUp => Text::new(
            format!("The restore ended without a result: {service}. The outage goes on."),
            format!("복원을 끝내지 못했습니다: {service}. 중단이 이어지고 있습니다."),
        ),
        Stage::Stopped => Text::new(
            "The drill was stopped here. Nothing is known of what would have followed.",
            "훈련이 여기에서 중지되었습니다. 이후의 상태는 알 수 없습니다.",
        ),
    }
}

/// What users may have to enter again: of all services that hold their entries together, since the earliest that is
/// missing. What the people who run the platform changed is none of theirs. `None` where nothing is gone.
pub(super) fn loss<'c>(
    found: impl Iterator<Item = (Option<ServiceKind>, &'c Comparison)>,
    zone: &Zone,
    t0: Timestamp,
) -> Option<Text> {
    let is_of_users =
        |kind: &Option<ServiceKind>| !matches!(kind, Some(ServiceKind::Config | ServiceKind::WebApplication));
    let theirs = found.filter(|(kind, found)| is_of_users(kind) && found.writes_lost > 0);
    let all = theirs.map(|(_, found)| (found.prefix.committed_at, found.writes_lost));
    let (since, writes) = all.reduce(|(since, writes), (one, more)| (since.min(one), writes + more))?;
    Some(lost_entries(&zone.window(since, t0), writes))
}

fn lost_entries(window: &str, writes: u64) -> Text {
    Text::new(
        format!(
            "Entries from {window} may be missing, {writes} in all. Please look through yours and enter again what is not there."
        ),
        format!(
            "{window} 사이에 저장하신 내용이 일부 남아 있지 않을 수 있습니다(모두 {writes}건). 해당 시간대의 내용을 확인하시고, 없는 것은 다시 입력해 주시기 바랍니다."
        ),
    )
}

/// Services that the drill leaves alone.
pub(super) fn untouched(services: &[String]) -> Text {
    let [en, ko] = Lang::ALL.map(|lang| list(lang, services));
    Text::new(
        format!("Not part of this drill, and taken to be running: {en}."),
        format!("이번 훈련의 대상이 아니며 정상으로 간주합니다: {ko}."),
    )
}
