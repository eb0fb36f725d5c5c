//! Tables of text, and how figures stand in them.

use crate::{
    model::{event::Position, time::Elapsed},
    report::{Options, contract},
};

/// A table. Its cells are text as it came; the template makes it harmless.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) title: String,
    pub(super) heads: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// What stands in one cell.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    /// `bad` where it is what to look at first, else nothing.
    pub(super) class: &'static str,
}

impl Table {
    /// `None` where it has no rows: what is not there has no heading either.
    pub(super) fn new(title: String, heads: &[&str], rows: Vec<Vec<Cell>>, options: &Options) -> Option<Self> {
        let heads = heads.iter().map(|head| options.say(head).into_owned()).collect();
        (!rows.is_empty()).then_some(Table { title, heads, rows })
    }

    /// Figures with their names, one a row.
    pub(super) fn figures(
        title: String,
        rows: impl IntoIterator<Item = (&'static str, Cell)>,
        options: &Options,
    ) -> Option<Self> {
        let row = |(name, value): (&str, Cell)| vec![Cell::from(options.say(name).into_owned()), value];
        Table::new(title, &["Figure", "Value"], rows.into_iter().map(row).collect(), options)
    }
}

impl Cell {
    /// What to look at first.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Cell { text: text.into(), class: "bad" }
    }

    /// Nothing that was seen.
    pub(super) fn none() -> Self {
        Cell::from("-".to_owned())
    }

    /// Whether something held.
    pub(super) fn yes(held: bool, options: &Options) -> Self {
        if held { Cell::from(options.say("yes").into_owned()) } else { Cell::bad(options.say("NO")) }
    }

    /// Text of backdraft's own, or nothing.
    pub(super) fn said(text: Option<&str>, options: &Options) -> Self {
        text.map_or_else(Cell::none, |text| Cell::from(options.say(text).into_owned()))
    }

    /// Text as it was recorded, or nothing.
    pub(super) fn quoted(text: Option<&str>) -> Self {
        text.map_or_else(Cell::none, |text| Cell::from(text.to_owned()))
    }

    /// A number that should be 0.
    pub(super) fn count(n: u64) -> Self {
        if n > 0 { Cell::bad(n.to_string()) } else { Cell::from(n.to_string()) }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell { text, class: "" }
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Cell::from(text.clone())
    }
}

/// A duration with how it is known; `-` where it was not measured.
pub(super) fn shown(elapsed: Option<Elapsed>, options: &Options) -> String {
    elapsed.map_or("-".to_owned(), |elapsed| options.say(&elapsed.to_string()).into_owned())
}

/// A place in the source's sequence of writes.
pub(super) fn write(position: Position, time_zone: &str, options: &Options) -> String {
    let said = format!("write {} of {}", position.seq, contract::moment(position.committed_at, time_zone));
    options.say(&said).into_owned()
}
