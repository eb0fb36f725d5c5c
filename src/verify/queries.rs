//! What is asked of a restored database whose source is gone: are rows named once, can every table be listed, do rows
//! that refer to others find them?

use std::{collections::BTreeMap, io, path::Path, sync::Arc};

use super::{
    keys::{self, Keys, RunFile},
    restore::Arrived,
    shape::{Seen, referred},
};
use crate::{archive::TableDigest, model::words, sim::lanes::Lanes};

/// Names of rows, and what rows refer to, as they come.
pub(super) struct References {
    file: RunFile,
    ids: BTreeMap<Arc<str>, Keys>,
    /// By table and field.
    fields: BTreeMap<(Arc<str>, String), Keys>,
    /// The table that comes now.
    current: Option<Arc<str>>,
}

/// What came of asking.
pub(super) struct Asked {
    /// Whether every row has a name of its own; Err: which does not.
    pub(super) unique: Result<(), String>,
    /// The answers. Err: what was not answered.
    pub(super) answers: Result<String, String>,
}

impl References {
    pub(super) fn new(scratch: &Path) -> Result<Self, String> {
        let file = RunFile::new(scratch).map_err(failed)?;
        Ok(References { file, ids: BTreeMap::new(), fields: BTreeMap::new(), current: None })
    }

    /// What the next chunk of a table shows.
    pub(super) fn add(&mut self, table: &Arc<str>, seen: &mut Seen) -> Result<(), String> {
        if self.current.as_ref() != Some(table) {
            self.settle().map_err(failed)?;
            self.current = Some(Arc::clone(table));
        }
        let file = &mut self.file;
        self.ids.entry(Arc::clone(table)).or_default().add(&mut seen.ids, file).map_err(failed)?;
        for (field, digests) in &mut seen.references {
            let keys = self.fields.entry((Arc::clone(table), std::mem::take(field))).or_default();
            keys.add(digests, file).map_err(failed)?;
        }
        Ok(())
    }

    /// A table has come to its end: its sets take no memory from here on.
    fn settle(&mut self) -> io::Result<()> {
        let Some(done) = &self.current else { return Ok(()) };
        let fields = self.fields.iter_mut().filter(|((table, _), _)| table == done).map(|(_, keys)| keys);
        for keys in fields.chain(self.ids.get_mut(done)) {
            keys.spill(&mut self.file)?;
        }
        Ok(())
    }

    /// Asks, on the lanes.
    pub(super) async fn ask(self, tables: &[TableDigest], arrived: &Arrived, lanes: &Lanes) -> Result<Asked, String> {
        let listed = listed(tables, arrived);
        let rows: u64 = tables.iter().map(|table| table.rows).sum();
        let found = lanes.run(move || Ok::<_, io::Error>((self.doubles()?, self.followed()?))).await.map_err(failed)?;
        let (doubles, followed) = found;
        let unique = match doubles {
            Some((table, n)) => {
                Err(format!("table `{}`: {} named as another row is", table.escape_debug(), words::count(n, "row")))
            }
            None => Ok(()),
        };
        let answers = match rows {
            0 => Err("the backup has no rows at all: an empty restore proves nothing".to_owned()),
            _ => listed.and_then(|listed| Ok(format!("{listed}; {}", followed?))),
        };
        Ok(Asked { unique, answers })
    }

    /// The first table in which names are not unique, and how many rows have another's.
    fn doubles(&self) -> io::Result<Option<(Arc<str>, u64)>> {
        for (table, ids) in &self.ids {
            match keys::twice(ids, &self.file)? {
                0 => {}
                n => return Ok(Some((Arc::clone(table), n))),
            }
        }
        Ok(None)
    }

    /// Follows every reference. A row may outlive what it refers to, so some may lead nowhere; not all of a field.
    fn followed(&self) -> io::Result<Result<String, String>> {
        let (mut all, mut fields, mut nowhere) = (0, 0, Vec::new());
        for ((table, field), asked) in &self.fields {
            let stem = field.strip_suffix("Id").unwrap_or(field);
            let Some((target, known)) = referred(stem).iter().find_map(|name| self.ids.get_key_value(name.as_str()))
            else {
                continue;
            };
            let lost = keys::unknown(asked, known, &self.file)?;
            let (table, field, target) = (table.escape_debug(), field.escape_debug(), target.escape_debug());
            if lost == asked.count() {
                let rows = words::count(lost, "row");
                return Ok(Err(format!("none of the {rows} of `{table}` finds its `{field}` in `{target}`")));
            }
            all += asked.count();
            fields += 1;
            if lost > 0 {
                nowhere.push(format!("{lost} of {} `{table}.{field}`", asked.count()));
            }
        }
        Ok(Ok(match (fields, nowhere.is_empty()) {
            (0, _) => "no field refers to another table".to_owned(),
            (_, true) => format!("{} found in {}", words::count(all, "reference"), words::count(fields, "field")),
            (_, false) => {
                let nowhere = words::list(&nowhere);
                format!("{} followed, {nowhere} to rows that are not there", words::count(all, "reference"))
            }
        }))
    }
}

/// The first rows of every table are listed. Err: a table of which none could be.
fn listed(tables: &[TableDigest], arrived: &Arrived) -> Result<String, String> {
    for (table, listed) in tables.iter().zip(&arrived.listed) {
        if table.rows > 0 && *listed == 0 {
            return Err(format!("none of the first rows of `{}` could be listed", table.name.escape_debug()));
        }
    }
    let users = tables.iter().zip(&arrived.listed).find(|(table, _)| table.name == "users");
    let tables = words::count(tables.len() as u64, "table");
    Ok(match users {
        Some((users, listed)) => format!("{tables} counted and listed, {listed} of {} users among them", users.rows),
        None => format!("{tables} counted and listed"),
    })
}

fn failed(cause: io::Error) -> String {
    format!("the scratch folder cannot be used: {cause}")
}
