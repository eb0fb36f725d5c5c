//! Whom to call when: the plan's contacts on this incident's clock, and which calls fell due.

use jiff::Timestamp;

use super::{
    facts::Facts,
    text::{Lang, Text, duration, elapsed, later},
};
use crate::{
    model::{
        plan::{CallPlan, Contact, ContactKind},
        record::ServiceRecord,
        time::Elapsed,
        units::Span,
    },
    report::{page::Page, text::markdown},
};

/// The sheet that lies beside the telephone.
pub(super) fn calls(facts: &Facts<'_>, lang: Lang) -> String {
    let mut page = Page::default();
    page.heading(1, lang.pick("Calls to make", "연락 순서"));
    page.paragraph(&format!("> {}", facts.drill_note().get(lang)));
    let began = facts.zone.second(facts.t0);
    let noticed = facts.record.timeline.t1.map(|t1| facts.at(t1));
    page.paragraph(&match noticed.map(|at| facts.zone.second(at)) {
        Some(at) => lang.pick(
            format!("Began {began}, detected {at}. Times count from the detection. Nobody was called: the last two columns are for the night itself."),
            format!("{began} 발생, {at} 감지. 시간은 감지 시점부터 셉니다. 훈련에서는 아무에게도 연락하지 않았으며, 마지막 두 칸은 실제 상황에서 기록합니다."),
        ),
        None => lang.pick(
            format!("Began {began}. The drill ended before anybody detected it, so no call fell due."),
            format!("{began} 발생. 감지되기 전에 훈련이 끝나 연락 시점이 정해지지 않았습니다."),
        ),
    });
    if let Some(noticed) = noticed {
        table(&mut page, facts, noticed, lang);
        deadlines(&mut page, facts, noticed, lang);
    }
    uncalled(&mut page, facts, lang);
    page.text
}

fn table(page: &mut Page, facts: &Facts<'_>, noticed: Timestamp, lang: Lang) {
    let contacts = &facts.record.plan.contacts;
    let mut calls: Vec<(&Contact, &CallPlan)> =
        contacts.iter().filter_map(|contact| Some((contact, contact.call.as_ref()?))).collect();
    calls.sort_by_key(|(_, call)| call.after);
    let row = |(contact, call): &(&Contact, &CallPlan)| {
        let side = match contact.kind {
            ContactKind::Team => lang.pick("team", "내부"),
            ContactKind::Supplier => lang.pick("supplier", "공급사"),
        };
        let whose = match call.services.is_empty() {
            true => lang.pick("any service", "모든 서비스").to_owned(),
            false => markdown(&call.services.join(", ")),
        };
        vec![
            facts.zone.minute(later(noticed, call.after.millis())),
            match call.after {
                Span::ZERO => lang.pick("at once", "즉시").to_owned(),
                after => format!("+{}", duration(lang, after.millis())),
            },
            format!("**{}** ({side})", markdown(&contact.name)),
            markdown(&contact.address),
            whose,
            due(facts, noticed, call).get(lang).to_owned(),
            String::new(),
            String::new(),
        ]
    };
    let rows: Vec<_> = calls.iter().map(row).collect();
    if rows.is_empty() {
        return page.paragraph(lang.pick(
            "The plan says of no contact when to call: add `call: { after: 5 min }` to those who are to be called.",
            "계획에 연락 시점이 정해진 연락처가 없습니다. 연락할 대상에 `call: { after: 5 min }`을 추가하십시오.",
        ));
    }
    page.table(
        &lang.pick(
            ["When", "From detection", "Whom", "How", "For the loss of", "Fell due", "Called at", "By"],
            ["시각", "감지 후", "대상", "연락처", "해당 서비스", "이번 훈련에서", "연락 시각", "연락한 사람"],
        ),
        &rows,
    );
}

/// Whether a call was to be made, given how this drill went, and why.
fn due(facts: &Facts<'_>, noticed: Timestamp, call: &CallPlan) -> Text {
    let concerned = |one: &&ServiceRecord| call.services.is_empty() || call.services.contains(&one.service);
    let lost: Vec<&ServiceRecord> = facts.record.services.iter().filter(concerned).collect();
    if lost.is_empty() {
        return Text::new("no: not lost in this drill", "아니요: 이번에 중단되지 않음");
    }
    if call.after == Span::ZERO {
        return Text::new("**yes**: always", "**예**: 항상");
    }
    let at = later(noticed, call.after.millis());
    let back: Option<Vec<Timestamp>> = lost.iter().map(|one| one.timeline.t5.map(|t5| facts.at(t5))).collect();
    match back.and_then(|back| back.into_iter().max()) {
        Some(back) if back <= at => {
            let back = facts.zone.short(back, facts.t0);
            Text::new(format!("no: back at {back}"), format!("아니요: {back}에 복구됨"))
        }
        None if facts.record.result.outcome.is_none() && at > facts.end() => {
            Text::new("not known: the drill ended before", "알 수 없음: 그 전에 훈련이 끝남")
        }
        _ => Text::new("**yes**: not back by then", "**예**: 그때까지 복구되지 않음"),
    }
}

/// The response times of the plan against this incident.
fn deadlines(page: &mut Page, facts: &Facts<'_>, noticed: Timestamp, lang: Lang) {
    let (response, time) = (&facts.record.plan.response, &facts.record.timeline);
    let since_noticed = |mark: Option<Elapsed>| Some(mark?.since(time.t1?));
    let kept = |took: Option<Elapsed>, limit: Span| match took {
        Some(took) if took.total_ms() <= limit.millis() => {
            lang.pick(format!("kept: {took}"), format!("지킴: {}", elapsed(lang, took)))
        }
        Some(took) => lang.pick(format!("**missed**: {took}"), format!("**넘김**: {}", elapsed(lang, took))),
        None => lang.pick("**not reached** in this drill", "이번 훈련에서 **도달하지 못함**").to_owned(),
    };
    let row = |what: (&str, &str), at: Timestamp, limit: Span, said: String| {
        vec![lang.pick(what.0, what.1).to_owned(), facts.zone.minute(at), duration(lang, limit.millis()), said]
    };
    let after = |limit: Span| later(noticed, limit.millis());
    page.heading(2, lang.pick("Deadlines", "대응 시한"));
    page.table(
        &lang.pick(["Deadline", "At", "Allowed", "In this drill"], ["항목", "시각", "허용 시간", "이번 훈련에서"]),
        &[
            row(
                (
                    "first response: extent known, team alerted, status page updated",
                    "초기 대응: 범위 파악, 대응팀 연락, 상태 페이지 갱신",
                ),
                after(response.initial),
                response.initial,
                kept(since_noticed(time.t2), response.initial),
            ),
            row(
                ("recovery: restored, verified, users told", "복구: 복원, 검증, 이용자 안내"),
                after(response.recovery),
                response.recovery,
                kept(since_noticed(time.t5), response.recovery),
            ),
            row(
                ("incident report and its actions", "장애 보고서와 조치 계획"),
                later(facts.t0, response.aftermath.millis()),
                response.aftermath,
                lang.pick(
                    "for people to write: incident-report.en.md is the draft",
                    "사람이 완성함: incident-report.ko.md가 초안",
                )
                .into(),
            ),
        ],
    );
}

/// Contacts of whom the plan does not say when to call.
fn uncalled(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    let silent = facts.record.plan.contacts.iter().filter(|contact| contact.call.is_none());
    let names: Vec<String> = silent.map(|contact| format!("{} ({})", contact.name, contact.address)).collect();
    if !names.is_empty() {
        let names = markdown(&names.join(", "));
        page.paragraph(&lang.pick(
            format!("Contacts of whom the plan does not say when to call: {names}."),
            format!("계획에 연락 시점이 없는 연락처: {names}."),
        ));
    }
}
