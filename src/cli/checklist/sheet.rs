//! The sheet: what was checked, what is to be done by people, and who signs for it.

use jiff::Zoned;
use serde_json::json;

use super::{Item, Period, State};
use crate::{environment::redact, input::load::Loaded, model::plan::Plan};

/// A checklist that was gone through.
pub(super) struct Sheet<'s> {
    pub(super) period: Period,
    pub(super) plan: &'s Loaded<Plan>,
    pub(super) at: &'s Zoned,
    pub(super) items: &'s [Item],
}

impl Sheet<'_> {
    /// For programs.
    pub(super) fn json(&self) -> String {
        let sheet = json!({
            "format": "backdraft.checklist/1",
            "checklist": self.period.name(),
            "platform": redact(&self.plan.value.platform),
            "at": self.at.timestamp(),
            "plan_sha256": self.plan.sha256,
            "tool_version": env!("CARGO_PKG_VERSION"),
            "items": self.items,
        });
        format!("{sheet:#}\n")
    }

    /// For people, to be signed.
    pub(super) fn markdown(&self) -> String {
        let platform = plain(&redact(&self.plan.value.platform));
        let mut page = format!("# Backups of {platform}: {} checklist\n\n", self.period.name());
        let (at, zone) = (self.at.strftime("%Y-%m-%d %H:%M"), plain(&self.plan.value.time_zone));
        let (sha, version) = (&self.plan.sha256, env!("CARGO_PKG_VERSION"));
        page.push_str(&format!("{at} ({zone}), backdraft {version}. SHA-256 of the plan: {sha}\n"));
        let by_machine = |item: &&Item| item.state != State::ForPeople;
        page.push_str("\n## Checked by machine\n\n");
        for item in self.items.iter().filter(by_machine) {
            let (tick, word) = match item.state {
                State::Done => ('x', String::new()),
                state => (' ', format!("**{}:** ", state.words())),
            };
            page.push_str(&format!("- [{tick}] **{}.** {word}{}\n", item.title, plain(&item.detail)));
            item.lines.iter().for_each(|line| page.push_str(&format!("  - {}\n", plain(line))));
        }
        page.push_str("\n## To be done by people\n\n");
        for item in self.items.iter().filter(|item| !by_machine(item)) {
            page.push_str(&format!("- [ ] **{}.** {}\n", item.title, plain(&item.detail)));
            item.lines.iter().for_each(|line| page.push_str(&format!("  - {}\n", plain(line))));
            page.push_str("\n  Name: ____________________  Date: ____________  Remark: ____________________\n\n");
        }
        page.push_str("## Sign-off\n\n|                | Name | Date | Signature |\n");
        page.push_str("|----------------|------|------|-----------|\n");
        page.push_str("| Carried out by |      |      |           |\n| Reviewed by    |      |      |           |\n");
        page
    }
}

/// Text that stays text on a Markdown page, on one line.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
