//! The words of a record in every language.

use super::text::Lang;
use crate::model::{
    outcome::{Outcome, Verdict},
    record::Severity,
};

pub(super) fn outcome(lang: Lang, outcome: Option<Outcome>) -> &'static str {
    let Some(outcome) = outcome else { return lang.pick("not known", "알 수 없음") };
    let korean = match outcome {
        Outcome::Recovered => "복구됨",
        Outcome::RecoveredLate => "늦게 복구됨",
        Outcome::RecoveredBehind => "복구됨, 허용치를 넘는 손실",
        Outcome::RefusedLoudly => "복구할 수 없음, 경보 발생",
        Outcome::Hung => "제한 시간 초과",
        Outcome::SilentlyWrong => "경보 없이 잘못됨",
    };
    lang.pick(outcome.words(), korean)
}

pub(super) fn verdict(lang: Lang, verdict: Verdict) -> &'static str {
    let korean = match verdict {
        Verdict::Met => "충족",
        Verdict::Missed => "미달",
        Verdict::Inconclusive => "판정 불가",
    };
    lang.pick(verdict.words(), korean)
}

pub(super) fn severity(lang: Lang, severity: Severity) -> &'static str {
    let korean = match severity {
        Severity::Critical => "매우 심각",
        Severity::High => "심각",
        Severity::Medium => "보통",
        Severity::Low => "낮음",
    };
    lang.pick(severity.words(), korean)
}
