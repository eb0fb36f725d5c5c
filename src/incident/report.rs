//! The incident report: cause, timeline, impact, loss, what worked and what did not, actions. A draft for people to
//! finish: who does what by when is left for them.

use super::{
    facts::Facts,
    lessons, log, status as incident_status,
    status::{ComponentStatus, State},
    terms,
    text::{Lang, duration, elapsed, later},
};
use crate::{
    model::record::Way,
    report::{page::Page, text::markdown},
};

pub(super) fn report(facts: &Facts<'_>, lang: Lang) -> String {
    let mut page = Page::default();
    let title = markdown(&facts.record.scenario.title);
    page.heading(1, &lang.pick(format!("Incident report: {title}"), format!("장애 보고서: {title}")));
    page.paragraph(&format!("> {}", facts.drill_note().get(lang)));
    if lang == Lang::Ko {
        page.paragraph("> 원인, 이상 내용, 점검 결과처럼 기록에서 옮긴 문장은 원문(영어) 그대로입니다.");
    }
    summary(&mut page, facts, lang);
    cause(&mut page, facts, lang);
    log::timeline(&mut page, facts, lang);
    impact(&mut page, facts, lang);
    loss(&mut page, facts, lang);
    lessons::lessons(&mut page, facts, lang);
    lessons::actions(&mut page, facts, lang);
    sign_off(&mut page, facts, lang);
    page.text
}

fn summary(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    let (record, time) = (facts.record, &facts.record.timeline);
    let level = record.plan.levels.get(&record.scope.level.to_string()).map(|level| format!(" ({})", level.name));
    let lost: u64 = facts.losses().map(|(_, found)| found.writes_lost).sum();
    let recovered = facts.recovered();
    let way = match record.identity.way {
        Way::Real => lang.pick("real", "실제"),
        Way::Simulated => lang.pick("simulated", "모의"),
    };
    let row = |en: &str, ko: &str, said: String| vec![lang.pick(en, ko).to_owned(), said];
    let rows = [
        row("Platform", "플랫폼", markdown(&record.plan.platform)),
        row("Services lost", "중단된 서비스", markdown(&record.scope.services.join(", "))),
        row("Level", "등급", markdown(&format!("{}{}", record.scope.level, level.unwrap_or_default()))),
        row("Began (t0)", "발생(t0)", facts.zone.second(facts.t0)),
        row(
            "Recovered and verified (t5)",
            "복구 및 검증(t5)",
            match recovered {
                Some(at) => facts.zone.second(at),
                None => lang.pick("**not recovered**", "**복구하지 못함**").into(),
            },
        ),
        row("Duration", "중단 시간", time.t5.map_or("-".into(), |t5| elapsed(lang, t5))),
        row(
            "Entries lost",
            "유실된 쓰기",
            match recovered {
                Some(_) => lost.to_string(),
                None => lang.pick("not known while it goes on", "복구 전이므로 알 수 없음").into(),
            },
        ),
        row("Outcome", "결과", terms::outcome(lang, record.result.outcome).into()),
        row("Report due", "보고 기한", facts.zone.minute(later(facts.t0, record.plan.response.aftermath.millis()))),
        row("Drill", "훈련", markdown(&format!("{}, seed {}, {way}", record.identity.scenario, record.identity.seed))),
    ];
    page.table(&lang.pick(["Item", "In brief"], ["항목", "요약"]), &rows);
}

fn cause(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    page.heading(2, lang.pick("Cause", "원인"));
    page.paragraph(&markdown(&facts.record.scenario.disaster.cause));
    let bit = facts.record.faults.iter().filter(|fault| fault.proof.as_ref().is_some_and(|proof| proof.bit));
    let lines: Vec<String> = bit
        .map(|fault| {
            let proof = fault.proof.as_ref().map(|proof| proof.evidence.as_str()).unwrap_or_default();
            markdown(&format!("{}: {}; {proof}", fault.name(), fault.detail.as_deref().unwrap_or("-")))
        })
        .collect();
    if !lines.is_empty() {
        page.paragraph(lang.pick("What was broken besides, and made recovery harder:", "복구를 어렵게 한 다른 이상:"));
        page.bullets(&lines);
    }
}

fn impact(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    let record = facts.record;
    page.heading(2, lang.pick("Impact", "영향"));
    let at_last = incident_status(record);
    let hit = facts.hit.components.iter().zip(&at_last.components).filter(|(one, _)| one.state > State::Unknown);
    let row = |(one, last): (&ComponentStatus, &ComponentStatus)| {
        let until = match last.since_at.filter(|_| last.state == State::Operational) {
            Some(at) => facts.zone.second(at),
            None => lang.pick("not over at the end of the drill", "훈련이 끝날 때까지 이어짐").to_owned(),
        };
        let state = one.word.get(lang).to_owned();
        vec![markdown(one.name.get(lang)), state, facts.zone.second(facts.t0), until]
    };
    let rows: Vec<_> = hit.map(row).collect();
    match rows.is_empty() {
        true => {
            page.paragraph(lang.pick(
                "No component that users know was affected.",
                "이용자에게 보이는 구성 요소에는 영향이 없었습니다.",
            ))
        }
        false => page
            .table(&lang.pick(["Component", "State", "From", "Until"], ["구성 요소", "상태", "시작", "종료"]), &rows),
    }
    let service = |one: &crate::model::record::ServiceRecord| {
        let rows = one
            .comparison
            .as_ref()
            .map_or("-".into(), |found| format!("{} / {}", found.rows_found, found.rows_expected));
        vec![
            markdown(&one.service),
            terms::outcome(lang, one.outcome).to_owned(),
            one.timeline.t5.map_or("-".to_owned(), |t5| elapsed(lang, t5)),
            rows,
        ]
    };
    page.table(
        &lang.pick(
            ["Service", "Outcome", "Out for", "Rows found / expected"],
            ["서비스", "결과", "중단 시간", "확인된 행 / 있어야 할 행"],
        ),
        &record.services.iter().map(service).collect::<Vec<_>>(),
    );
    let rows = record.scope.rows.map_or("-".to_owned(), |rows| rows.to_string());
    page.paragraph(&lang.pick(
        format!(
            "The services held {rows} rows at the start of the drill. How many users that is, a drill does not know."
        ),
        format!("훈련을 시작할 때 데이터는 {rows}행이었습니다. 영향을 받은 이용자 수는 훈련으로 알 수 없습니다."),
    ));
    let blind = record.timeline.t1.map_or_else(|| "-".to_owned(), |t1| elapsed(lang, t1));
    page.paragraph(&lang.pick(
        format!("Time until anybody knew, t0 to t1: {blind}. A status page that people or monitors set could not have shown it before."),
        format!("발생부터 감지까지(t0~t1) 걸린 시간: {blind}. 사람이나 감시 도구가 갱신하는 상태 페이지라면 그 전에는 장애를 표시할 수 없습니다."),
    ));
}

fn loss(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    page.heading(2, lang.pick("Data loss", "데이터 손실"));
    page.paragraph(lang.pick(
        "Counted against the ledger of acknowledged writes, complete, not sampled.",
        "승인된 모든 쓰기의 원장과 빠짐없이 대조한 결과입니다(표본 아님).",
    ));
    let rows = facts.record.services.iter().map(|one| match &one.comparison {
        None => {
            let unknown = lang.pick("nothing was compared", "대조하지 못함").to_owned();
            [markdown(&one.service), unknown].into_iter().chain(std::iter::repeat_n("-".to_owned(), 6)).collect()
        }
        Some(found) => {
            let window = match found.writes_lost {
                0 => lang.pick("none", "없음").to_owned(),
                _ => facts.zone.window(found.prefix.committed_at, facts.t0),
            };
            let counts = [found.writes_lost, found.holes, found.altered, found.extra, found.resurrected];
            let rpa = one.exposure.rpa.map_or("-".to_owned(), |rpa| duration(lang, rpa.total_ms()));
            let counts = counts.iter().map(u64::to_string);
            [markdown(&one.service), window].into_iter().chain(counts).chain([rpa]).collect()
        }
    });
    page.table(
        &lang.pick(
            ["Service", "Window", "Lost", "Holes", "Altered", "Extra", "Resurrected", "RPA"],
            ["서비스", "손실 구간", "유실", "중간 누락", "변조", "불필요", "되살아남", "RPA"],
        ),
        &rows.collect::<Vec<Vec<String>>>(),
    );
}

fn sign_off(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    page.heading(2, lang.pick("Sign-off", "작성과 검토"));
    let due = facts.zone.minute(later(facts.t0, facts.record.plan.response.aftermath.millis()));
    page.paragraph(&lang.pick(format!("Due by {due}."), format!("기한: {due}")));
    let blank = || String::new();
    let rows =
        lang.pick(["Written by", "Reviewed by"], ["작성", "검토"]).map(|who| vec![who.to_owned(), blank(), blank()]);
    page.table(&lang.pick(["", "Name", "Date"], ["", "이름", "날짜"]), &rows);
}
