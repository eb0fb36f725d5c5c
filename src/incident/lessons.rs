//! What an incident teaches: what worked, what did not, and what is to be done.

use super::{
    facts::Facts,
    terms,
    text::{Lang, elapsed},
};
use crate::{
    model::{
        outcome::Verdict,
        plan::ServiceKind,
        record::{Record, ServiceRecord},
        words,
    },
    report::{page::Page, text::markdown},
};

pub(super) fn lessons(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    objectives(page, facts, lang);
    section(page, lang, ("What worked", "잘된 점"), &worked(facts.record, lang));
    section(page, lang, ("What did not", "잘되지 않은 점"), &failed(facts.record, lang));
    if !facts.record.limits.is_empty() {
        page.heading(2, lang.pick("What this does not show", "이 보고서로 알 수 없는 것"));
        page.bullets(&facts.record.limits.iter().map(|limit| markdown(limit)).collect::<Vec<_>>());
    }
}

fn section(page: &mut Page, lang: Lang, head: (&str, &str), lines: &[String]) {
    page.heading(2, lang.pick(head.0, head.1));
    match lines.is_empty() {
        true => page.paragraph(lang.pick("Nothing that the drill shows.", "훈련에서 드러난 것이 없습니다.")),
        false => page.bullets(lines),
    }
}

fn objectives(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    let rows = facts.record.objectives.iter().map(|judged| {
        vec![
            markdown(&format!("{} {}", judged.whose, judged.objective.words())),
            super::text::duration(lang, judged.limit.millis()),
            judged.actual.map_or("-".to_owned(), |actual| elapsed(lang, actual)),
            terms::verdict(lang, judged.verdict).to_owned(),
        ]
    });
    let rows: Vec<_> = rows.collect();
    page.heading(2, lang.pick("Objectives", "목표 대비 실적"));
    page.table(&lang.pick(["Objective", "Limit", "Actual", "Verdict"], ["목표", "한도", "실적", "판정"]), &rows);
}

fn worked(record: &Record, lang: Lang) -> Vec<String> {
    let mut said = Vec::new();
    for one in record.services.iter().filter(|one| one.timeline.t5.is_some()) {
        let point = one.restore.chosen.as_ref().map(|claim| format!("{} ({})", claim.point, claim.region));
        let (name, point) = (markdown(&one.service), markdown(&point.unwrap_or_default()));
        said.push(lang.pick(
            format!(
                "{name} came back from {point}; the comparison with the ledger and {} passed.",
                words::count(one.checks.len() as u64, "check")
            ),
            format!("{name}: {point}에서 복구하여 원장 대조와 점검 {}건을 통과했습니다.", one.checks.len()),
        ));
    }
    let met = record.objectives.iter().filter(|judged| judged.verdict == Verdict::Met).count();
    if met > 0 {
        let all = record.objectives.len();
        said.push(lang.pick(
            format!("{met} of {all} objectives were met."),
            format!("목표 {all}개 가운데 {met}개를 충족했습니다."),
        ));
    }
    // A deployment that is gone is the disaster itself, and no bad copy that was found out.
    let of_backups = |one: &&ServiceRecord| record.plan.kind(&one.service) != Some(ServiceKind::WebApplication);
    let refused: usize = record.services.iter().filter(of_backups).map(|one| one.restore.refused.len()).sum();
    if refused > 0 {
        said.push(lang.pick(
            format!(
                "{} found bad before any harm was done.",
                words::count(refused as u64, "backup copy").replace("copys", "copies")
                    + if refused == 1 { " was" } else { " were" }
            ),
            format!("잘못된 백업 사본 {refused}건을 사용하기 전에 걸러 냈습니다."),
        ));
    }
    let raised = record.alarms.iter().filter(|alarm| alarm.alarm.justified && alarm.alarm.heard).count() as u64;
    if raised > 0 {
        said.push(lang.pick(
            format!("Monitoring and pipeline raised {} for a reason.", words::count(raised, "alarm")),
            format!("감시와 복구 절차가 이유 있는 경보를 {raised}건 냈습니다."),
        ));
    }
    said
}

fn failed(record: &Record, lang: Lang) -> Vec<String> {
    let mut said = Vec::new();
    for one in record.services.iter().filter(|one| one.timeline.t5.is_none()) {
        let (name, why) = (markdown(&one.service), markdown(one.restore.refusal.as_deref().unwrap_or("-")));
        said.push(lang.pick(
            format!("{name} did not come back verified: {} ({why}).", terms::outcome(lang, one.outcome)),
            format!("{name}: 검증된 상태로 복구하지 못했습니다. {} ({why})", terms::outcome(lang, one.outcome)),
        ));
    }
    for judged in record.objectives.iter().filter(|judged| judged.verdict == Verdict::Missed) {
        let (whose, why) = (markdown(&judged.whose), markdown(judged.why.as_deref().unwrap_or("-")));
        let kind = judged.objective.words();
        said.push(
            lang.pick(format!("The {kind} of {whose} was missed: {why}."), format!("{whose}의 {kind} 미달: {why}")),
        );
    }
    for one in &record.services {
        for tried in &one.restore.refused {
            let what = markdown(&format!("{} ({}): {}", tried.point, tried.region, tried.why));
            said.push(
                lang.pick(format!("A backup could not be used: {what}."), format!("사용할 수 없는 백업: {what}")),
            );
        }
        for region in one.restore.listed.iter().filter(|listed| listed.points.is_none()) {
            let what = markdown(&format!("{}: {}", region.region, region.why.as_deref().unwrap_or("-")));
            said.push(lang.pick(format!("A region did not answer: {what}."), format!("응답하지 않은 지역: {what}")));
        }
    }
    said.extend(alarms(record, lang));
    said
}

/// Alarms that nobody raised, that nobody followed, and that were raised for nothing.
fn alarms(record: &Record, lang: Lang) -> Vec<String> {
    let before = || record.alarms.iter().filter(|alarm| alarm.since_t0.is_none());
    let bit = record.faults.iter().any(|fault| fault.proof.as_ref().is_some_and(|proof| proof.bit));
    let warned = before().filter(|alarm| alarm.alarm.justified && alarm.alarm.heard).count() as u64;
    let false_ones = before().filter(|alarm| !alarm.alarm.justified).count() as u64;
    let mut said = Vec::new();
    if warned > 0 {
        said.push(lang.pick(
            format!(
                "{} before the outage, and nothing had come of it by then.",
                words::count(warned, "justified alarm")
            ),
            format!("장애 이전에 이유 있는 경보가 {warned}건 있었으나, 발생 시점까지 조치되지 않았습니다."),
        ));
    } else if bit {
        said.push(lang.pick(
            "Something was broken before or during the outage, and no alarm had told of it before.".to_owned(),
            "장애 전이나 복구 중에 다른 이상이 있었으나, 발생 시점까지 경보가 없었습니다.".to_owned(),
        ));
    }
    if false_ones > 0 {
        said.push(lang.pick(
            format!("{} with nothing behind: they teach people to look away.", words::count(false_ones, "alarm")),
            format!("근거 없는 경보가 {false_ones}건 있었습니다. 잦은 오경보는 진짜 경보를 지나치게 만듭니다."),
        ));
    }
    said
}

/// The findings, for people to take up: nobody is named here.
pub(super) fn actions(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    page.heading(2, lang.pick("Actions", "조치 사항"));
    let findings = &facts.record.findings;
    if findings.is_empty() {
        return page
            .paragraph(lang.pick("The drill found nothing to act on.", "훈련에서 조치할 사항이 나오지 않았습니다."));
    }
    let row = |finding: &crate::model::record::Finding| {
        vec![
            terms::severity(lang, finding.severity).to_owned(),
            markdown(&format!("{}: {}", finding.title, finding.what)),
            markdown(&finding.remedy),
            String::new(),
            String::new(),
        ]
    };
    page.table(
        &lang.pick(
            ["Severity", "Finding", "What to do", "Owner", "Due"],
            ["심각도", "발견사항", "조치 내용", "담당자", "기한"],
        ),
        &findings.iter().map(row).collect::<Vec<_>>(),
    );
}
