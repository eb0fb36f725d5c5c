//! The incident's course in the report: the clock t0 to t5, and what happened, entry by entry.

use jiff::Timestamp;

use super::{
    facts::Facts,
    text::{Lang, duration, elapsed},
};
use crate::{
    model::event::{Event, Phase, What},
    report::{page::Page, text::markdown},
};

/// Entries beyond this many are counted, not shown.
const LONGEST: usize = 60;

pub(super) fn timeline(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    page.heading(2, lang.pick("Timeline", "시간대별 경과"));
    marks(page, facts, lang);
    let entries: Vec<Vec<String>> = facts.record.events.iter().filter_map(|event| row(facts, event, lang)).collect();
    let more = entries.len().saturating_sub(LONGEST);
    let heads = lang.pick(["When", "Since t0", "Service", "What happened"], ["시각", "t0부터", "서비스", "내용"]);
    page.table(&heads, &entries[..entries.len() - more]);
    if more > 0 {
        page.paragraph(&lang.pick(
            format!("And {more} more, all in the drill's record."),
            format!("이 밖의 {more}건은 훈련 기록에 있습니다."),
        ));
    }
}

fn marks(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    let time = &facts.record.timeline;
    let marks = [
        ("t1", "detected", "감지", time.t1),
        ("t2", "declared", "대응 결정", time.t2),
        ("t3", "restore starts", "복원 시작", time.t3),
        ("t4", "data restored", "데이터 복원", time.t4),
        ("t5", "verified: comparison and checks passed", "검증 완료: 대조와 점검 통과", time.t5),
    ];
    let disrupted = lang.pick("disrupted", "장애 발생").to_owned();
    let mut rows = vec![vec!["t0".to_owned(), disrupted, facts.zone.second(facts.t0), "-".to_owned()]];
    rows.extend(marks.map(|(mark, en, ko, at)| {
        let moment =
            at.map_or_else(|| lang.pick("not reached", "도달하지 못함").into(), |at| facts.zone.second(facts.at(at)));
        let since = at.map_or("-".to_owned(), |at| elapsed(lang, at));
        vec![mark.to_owned(), lang.pick(en, ko).to_owned(), moment, since]
    }));
    page.table(&lang.pick(["Mark", "What", "When", "Since t0"], ["기준점", "내용", "시각", "t0부터"]), &rows);
}

fn row(facts: &Facts<'_>, event: &Event, lang: Lang) -> Option<Vec<String>> {
    let said = words(event, lang)?;
    let at: Option<Timestamp> = event.at.or_else(|| event.since_t0.map(|since| facts.at(since)));
    Some(vec![
        at.map_or("-".to_owned(), |at| facts.zone.second(at)),
        event.since_t0.map_or("-".to_owned(), |since| format!("+{}", duration(lang, since.total_ms()))),
        event.service.as_deref().map_or("-".to_owned(), markdown),
        said,
    ])
}

/// Only what somebody who was not there needs to follow it. Details are the record's own words.
fn words(event: &Event, lang: Lang) -> Option<String> {
    let say = |en: &str, ko: &str, detail: &str| match detail.is_empty() {
        true => lang.pick(en, ko).to_owned(),
        false => format!("{}: {}", lang.pick(en, ko), markdown(detail)),
    };
    Some(match &event.what {
        What::FaultInjected { detail, .. } => say("Something broke, unnoticed", "드러나지 않은 이상 발생", detail),
        What::BackupFailed { why, .. } => say("A backup failed", "백업 실패", why),
        What::BackupSkipped { why, .. } => say("A backup did not start", "백업이 시작되지 않음", why),
        What::Alarm(alarm) if alarm.justified => {
            let region = alarm.region.as_ref().map(|region| format!("{region}, ")).unwrap_or_default();
            let (en, ko) = if alarm.heard {
                ("Alarm", "경보")
            } else {
                ("Alarm that nobody heard", "전달되지 않은 경보")
            };
            say(en, ko, &format!("{} ({region}{})", alarm.kind.words(), alarm.detail))
        }
        What::RestoreKilled { why } => say("The restore broke off", "복구 중단", why),
        What::Disaster { cause } => say("**Disruption**", "**장애 발생**", cause),
        What::PhaseEnded { phase: Phase::Detect, ok: true } => say("Detected", "장애 감지", ""),
        What::PhaseEnded { phase: Phase::Declare, ok: true } => say("Recovery decided", "복구 결정", ""),
        What::PhaseStarted { phase: Phase::Choose } => say("Looking for a backup", "복구할 백업 찾기 시작", ""),
        What::Listed { region, points: None, why } => {
            let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            say("A region did not answer", "응답 없는 지역", &format!("{region}{why}"))
        }
        What::PointRefused(tried) => {
            say("Backup refused", "사용할 수 없는 백업", &format!("{} ({}): {}", tried.point, tried.region, tried.why))
        }
        What::Restored(claim) => {
            say("Restored, not yet verified", "복원함, 검증 전", &format!("{} ({})", claim.point, claim.region))
        }
        What::Compared(found) if found.as_claimed => {
            say("Compared with the ledger: as it should be", "원장과 대조: 일치", "")
        }
        What::Compared(_) => say("**Compared with the ledger: wrong**", "**원장과 대조: 불일치**", ""),
        What::Checked(check) => match check.passed {
            Some(true) => return None,
            Some(false) => say("**Check failed**", "**점검 실패**", &format!("{}: {}", check.check, check.detail)),
            None => say("Check could not run", "점검하지 못함", &format!("{}: {}", check.check, check.detail)),
        },
        What::PhaseEnded { phase: Phase::Check, ok: true } => say("Every check passed", "모든 점검 통과", ""),
        What::Refused { why } => say("**Nothing was restored**", "**복원하지 못함**", why),
        What::TimeLimit { limit_ms } => say(
            "**The restore ran into the drill's time limit**",
            "**훈련의 제한 시간 안에 복원하지 못함**",
            &duration(lang, *limit_ms),
        ),
        What::Interrupted => say("The drill was interrupted", "훈련이 중단됨", ""),
        What::Aborted { why } => say("The drill could not go on", "훈련을 계속할 수 없음", why),
        _ => return None,
    })
}
