//! A Markdown text in the making, block by block.

use jiff::Timestamp;

use super::{
    Language, contract,
    text::{columns, markdown, pad},
};

/// Columns up to which the cells of a table are padded.
const ALIGNED: usize = 48;

/// A Markdown text in the making. Blocks are set off by empty lines. What is handed over is Markdown already: foreign
/// text goes through [`super::text::markdown`] first.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) text: String,
    language: Language,
    time_zone: String,
}

impl Page {
    /// An empty page, in whose language [`Page::say`] speaks and heads of tables are written.
    pub(crate) fn new(language: Language) -> Self {
        Page { language, ..Page::default() }
    }

    /// From here on moments are told in this zone, by its IANA name.
    pub(crate) fn in_zone(&mut self, time_zone: &str) {
        time_zone.clone_into(&mut self.time_zone);
    }

    /// A moment as people read it.
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        contract::moment(at, &self.time_zone)
    }

    /// A text of backdraft's own, which may quote others, in the page's language and as Markdown.
    pub(crate) fn say(&self, english: &str) -> String {
        markdown(&self.language.say(english))
    }

    pub(crate) fn block(&mut self, block: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(block);
        self.text.push('\n');
    }

    pub(crate) fn heading(&mut self, level: usize, text: &str) {
        self.block(&format!("{} {text}", "#".repeat(level)));
    }

    pub(crate) fn paragraph(&mut self, text: &str) {
        self.block(text);
    }

    pub(crate) fn bullets(&mut self, items: &[String]) {
        let lines: Vec<String> = items.iter().map(|item| format!("- {item}")).collect();
        self.block(&lines.join("\n"));
    }

    /// Aligned, so that the source reads well too; a cell that is wider than [`ALIGNED`] sticks out.
    pub(crate) fn table(&mut self, heads: &[&str], rows: &[Vec<String>]) {
        let heads: Vec<String> = heads.iter().map(|head| self.say(head)).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell));
            cells.chain([columns(&heads[column]), 3]).filter(|width| *width <= ALIGNED).max().unwrap_or(3)
        };
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> = cells.zip(&widths).map(|(cell, width)| pad(cell, *width)).collect();
            format!("| {} |", cells.join(" | "))
        };
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
        let mut lines = vec![line(&mut heads.iter().map(String::as_str)), format!("|{}|", rule.join("|"))];
        lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
        self.block(&lines.join("\n"));
    }
}
