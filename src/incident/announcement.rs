//! What users are told: that there is an outage, and how it ended. A recovery is announced only where it was verified.

use super::{
    board::expected,
    facts::Facts,
    status::State,
    text::{Lang, Text, duration, later, list, up_to_the_minute},
};
use crate::report::{page::Page, text::markdown};

/// The notices of an incident, in the order in which they are published.
pub(super) fn announcement(facts: &Facts<'_>, lang: Lang) -> String {
    let mut page = Page::default();
    let platform = markdown(&facts.record.plan.platform);
    page.heading(1, &lang.pick(format!("{platform}: notices to users"), format!("{platform} 이용자 안내문")));
    page.paragraph(&format!("> {}", facts.drill_note().get(lang)));
    outage(&mut page, facts, lang);
    ending(&mut page, facts, lang);
    page.text
}

/// The first notice, due with the first response.
fn outage(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    let plan = &facts.record.plan;
    let noticed = facts.record.timeline.t1.map_or(facts.t0, |t1| facts.at(t1));
    let due = facts.zone.minute(later(noticed, plan.response.initial.millis()));
    let back = up_to_the_minute(later(facts.t0, expected(plan, &facts.record.scenario).millis()));
    page.heading(2, lang.pick("1. Outage", "1. 장애 안내"));
    page.paragraph(&lang.pick(format!("*To be published by {due}.*"), format!("*{due}까지 게시*")));
    let platform = markdown(&plan.platform);
    page.paragraph(&lang.pick(
        format!("**{platform} is not fully available at the moment**"),
        format!("**[장애] {platform} 이용이 원활하지 않습니다**"),
    ));
    page.paragraph(&lang.pick(
        format!("To everyone who uses {platform}: there is an outage, and we are sorry for what it interrupts. We are working on it."),
        format!("{platform} 이용자 여러분께 알려 드립니다. 현재 장애가 발생하여 복구 작업을 진행하고 있습니다. 이용에 차질을 드려 진심으로 사과드립니다."),
    ));
    let (from, window) = (facts.zone.minute(facts.t0), facts.zone.window(facts.t0, back));
    let (scope, until) = (scope(facts, lang), facts.zone.short(back, facts.t0));
    page.bullets(&lang.pick(
        [
            format!("**Since**: {from}"),
            format!("**What is affected**: {scope}"),
            format!("**Window**: {window}"),
            format!("**Expected recovery**: about {until}. This is what we aim for; it may take longer."),
        ],
        [
            format!("**장애 시작**: {from}"),
            format!("**영향 범위**: {scope}"),
            format!("**예상 시간대**: {window}"),
            format!("**복구 예상 시각**: {until}경 (목표 시각이며, 더 걸릴 수 있습니다)"),
        ],
    ));
    page.paragraph(lang.pick(
        "Please do not repeat what you entered shortly before: we will say whether it is safe.",
        "장애 직전에 입력하신 내용은 다시 입력하지 말고 기다려 주십시오. 보존 여부를 확인하여 다시 안내해 드리겠습니다.",
    ));
    where_to_look(page, facts, lang);
}

/// What is affected: everything, or which functions and how.
fn scope(facts: &Facts<'_>, lang: Lang) -> String {
    let (out, limited) = (facts.components(lang, State::Outage), facts.components(lang, State::Degraded));
    if out.len() == facts.hit.components.len() {
        return lang.pick("the whole service", "서비스 전체").into();
    }
    let says = |names: &[String], en: &str, ko: &str| match names.is_empty() {
        true => None,
        false => Some(lang.pick(
            format!("{en}: {}", markdown(&list(lang, names))),
            format!("{ko}: {}", markdown(&list(lang, names))),
        )),
    };
    let parts = [says(&out, "out of service", "이용 불가"), says(&limited, "limited", "일부 제한")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => lang.pick("no function that you use", "직접 이용하시는 기능에는 영향이 없습니다").into(),
        false => parts.join("; "),
    }
}

/// The last notice: what became of it.
fn ending(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    let Some(back) = facts.recovered() else { return goes_on(page, facts, lang) };
    let platform = markdown(&facts.record.plan.platform);
    let down = facts.record.timeline.t5.map_or(0, |t5| t5.total_ms());
    page.heading(2, lang.pick("2. Recovered", "2. 복구 안내"));
    let at = facts.zone.minute(up_to_the_minute(back));
    page.paragraph(&lang.pick(format!("*To be published at {at}.*"), format!("*{at} 게시*")));
    page.paragraph(
        &lang.pick(format!("**{platform} is back**"), format!("**[복구 완료] {platform} 이용이 다시 가능합니다**")),
    );
    page.paragraph(lang.pick(
        "The outage is over. What came back was compared with the record of everything that was saved.",
        "장애가 해소되었습니다. 복구한 데이터는 저장된 모든 내용의 기록과 대조하여 확인을 마쳤습니다.",
    ));
    let (window, took) = (facts.zone.window(facts.t0, back), duration(lang, down.div_ceil(60_000) * 60_000));
    page.bullets(
        &lang.pick([format!("**Outage**: {window}, {took}")], [format!("**장애 시간**: {window}, 총 {took}")]),
    );
    let losses = facts.losses().map(|(one, found)| (facts.record.plan.kind(&one.service), found));
    match super::say::loss(losses, &facts.zone, facts.t0) {
        Some(loss) => page.paragraph(&format!("**{}**", loss.get(lang))),
        None => page.paragraph(lang.pick(
            "Nothing that was saved before the outage is lost.",
            "장애 이전에 저장하신 내용은 모두 그대로 남아 있습니다.",
        )),
    }
    where_to_look(page, facts, lang);
}

/// No recovery was shown, so none is announced.
fn goes_on(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    let wrong = facts.record.services.iter().any(|one| one.timeline.t4.is_some() && one.timeline.t5.is_none());
    let at = facts.zone.minute(up_to_the_minute(facts.end()));
    page.heading(2, lang.pick("2. Not recovered yet", "2. 복구 지연 안내"));
    page.paragraph(&lang.pick(format!("*To be published at {at}.*"), format!("*{at} 게시*")));
    let said = match wrong {
        true => Text::new(
            "The outage goes on. What was restored has not passed our checks. Please do not rely on it until we say here that it is right.",
            "장애가 이어지고 있습니다. 복원한 데이터가 점검을 통과하지 못했습니다. 이상이 없다고 다시 안내해 드릴 때까지 이용하지 말아 주십시오.",
        ),
        false => Text::new(
            "The outage goes on. It has not been possible to restore the service so far. We will say so here as soon as that changes.",
            "장애가 이어지고 있습니다. 아직 서비스를 복구하지 못했으며, 상황이 달라지는 대로 다시 알려 드리겠습니다.",
        ),
    };
    page.paragraph(said.get(lang));
    where_to_look(page, facts, lang);
}

fn where_to_look(page: &mut Page, facts: &Facts<'_>, lang: Lang) {
    let Some(address) = facts.record.plan.status_page.as_deref().map(markdown) else { return };
    page.paragraph(&lang.pick(
        format!("The current state is always at {address}."),
        format!("현재 상태는 언제든지 {address} 에서 보실 수 있습니다."),
    ));
}
