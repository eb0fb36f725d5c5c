//! The order of tables: each comes once, its rows together; where a list is known, as the list says.

use std::{collections::HashSet, sync::Arc};

use super::Fault;

/// Most tables that a dump may have: their digests must fit into a manifest.
pub(super) const MAX_TABLES: usize = 2_000;

/// Longest name of a table, in bytes.
pub(super) const MAX_NAME_BYTES: usize = 255;

/// Follows the tables as they come.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// All tables, and how many of them have come.
    listed: Option<(Vec<Arc<str>>, usize)>,
    known: HashSet<Arc<str>>,
    current: Option<Arc<str>>,
}

impl Order {
    /// An order that a list lays down. Err: what is wrong with the list.
    pub(super) fn of(tables: Vec<Arc<str>>) -> Result<Self, String> {
        let mut known = HashSet::new();
        for table in &tables {
            check_name(table).map_err(|fault| format!("table `{}`: {fault}", table.escape_debug()))?;
            if !known.insert(table.clone()) {
                return Err(format!("the list of tables has `{}` twice", table.escape_debug()));
            }
        }
        if tables.len() > MAX_TABLES {
            return Err(Fault::TooManyTables.to_string());
        }
        Ok(Order { listed: Some((tables, 0)), known, current: None })
    }

    /// Whether there is a list.
    pub(super) fn is_listed(&self) -> bool {
        self.listed.is_some()
    }

    /// Whether any table has come.
    pub(super) fn has_begun(&self) -> bool {
        self.current.is_some()
    }

    /// A row of `table` comes, or the table itself. Returns the tables that this begins: none if it is the current one;
    /// those that the list has before it have no rows.
    pub(super) fn enter(&mut self, table: &str) -> Result<Vec<Arc<str>>, Fault> {
        if self.current.as_deref() == Some(table) {
            return Ok(Vec::new());
        }
        let begun = match &mut self.listed {
            Some((list, next)) => {
                if !self.known.contains(table) {
                    return Err(Fault::NotListed);
                }
                let ahead = list[*next..].iter().position(|name| **name == *table).ok_or(Fault::Apart)?;
                let begun = list[*next..=*next + ahead].to_vec();
                *next += begun.len();
                begun
            }
            None => {
                check_name(table)?;
                if self.known.len() == MAX_TABLES {
                    return Err(Fault::TooManyTables);
                }
                let name: Arc<str> = table.into();
                if !self.known.insert(name.clone()) {
                    return Err(Fault::Apart);
                }
                vec![name]
            }
        };
        self.current = begun.last().cloned();
        Ok(begun)
    }

    /// No more rows come. Returns the tables that are left: they have none.
    pub(super) fn rest(&mut self) -> Vec<Arc<str>> {
        match &mut self.listed {
            Some((list, next)) => list.split_off(*next),
            None => Vec::new(),
        }
    }
}

fn check_name(name: &str) -> Result<(), Fault> {
    if (1..=MAX_NAME_BYTES).contains(&name.len()) { Ok(()) } else { Err(Fault::BadName) }
}
