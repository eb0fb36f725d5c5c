//! The compliance report as a Markdown page.

use super::{
    Page,
    blocks::{self, Block, Cell},
};
use crate::report::{Options, page, text::markdown};

fn cell(cell: &Cell) -> String {
    // What is not known is a dash, and needs no escape within a table.
    if cell.text == "-" { cell.text.clone() } else { markdown(&cell.text) }
}

/// The whole page.
pub(super) fn render(page: &Page<'_>, options: &Options) -> String {
    let mut written = page::Page::default();
    for block in blocks::blocks(page, options) {
        match block {
            Block::Heading(level, text) => written.heading(usize::from(level), &markdown(&text)),
            Block::Verdict(_, text) => written.paragraph(&format!("**{}.**", markdown(&text))),
            Block::Paragraph(text) => written.paragraph(&markdown(&text)),
            Block::Bullets(lines) => written.bullets(&lines.iter().map(|line| markdown(line)).collect::<Vec<_>>()),
            Block::Folded(title, lines) => {
                written.paragraph(&format!("{}:", markdown(&title)));
                written.bullets(&lines.iter().map(|line| markdown(line)).collect::<Vec<_>>());
            }
            Block::Table(heads, rows) | Block::Form(heads, rows) => {
                let heads: Vec<String> = heads.iter().map(|head| markdown(head)).collect();
                let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
                let cells = |row: &Vec<Cell>| row.iter().map(cell).collect();
                written.table(&heads, &rows.iter().map(cells).collect::<Vec<_>>());
            }
        }
    }
    written.text
}
