//! What a chain of changes makes of a recovery point, so that the target can be held against it: rows that no change
//! touches must be as in the dump, the others as the last change left them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    archive::{Digester, TableDigest},
    service::{
        change::{Change, row_id},
        contract::RowChunk,
    },
};

/// The rows that changes touch, by table and id. Holds of each its id and a digest.
#[derive(Debug, Default)]
pub(super) struct Changed {
    tables: BTreeMap<Arc<str>, HashMap<Box<str>, Row>>,
}

/// A row that changes touch.
#[derive(Debug)]
struct Row {
    /// Of its last line; `None` where it is gone.
    digest: Option<[u8; 16]>,
    /// How often it was met in the target.
    met: u32,
}

impl Changed {
    /// Takes note of changes; the last line of a row counts.
    pub(super) fn note(&mut self, chunk: &RowChunk) -> Result<(), String> {
        let rows = self.tables.entry(Arc::clone(&chunk.table)).or_default();
        for line in chunk.lines.split_inclusive(|byte| *byte == b'\n') {
            let change = Change::read(line).ok_or_else(|| format!("a change in table {} names no row", chunk.table))?;
            let digest = (!change.deleted).then(|| digest(line));
            rows.insert(change.id.into(), Row { digest, met: 0 });
        }
        Ok(())
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Tables that changes touch.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Arc<str>> {
        self.tables.keys()
    }

    /// The rows of a chunk that no change touches.
    pub(super) fn untouched(&self, chunk: &RowChunk) -> RowChunk {
        let Some(rows) = self.tables.get(&chunk.table) else { return chunk.clone() };
        keep(chunk, |line| !row_id(line).is_some_and(|id| rows.contains_key(&*id)))
    }

    /// The same for rows of the target; the others must be as the last change left them.
    fn meet(&mut self, chunk: &RowChunk) -> Result<RowChunk, String> {
        let Some(rows) = self.tables.get_mut(&chunk.table) else { return Ok(chunk.clone()) };
        let mut wrong = None;
        let untouched = keep(chunk, |line| {
            let id = row_id(line);
            let Some(row) = id.as_deref().and_then(|id| rows.get_mut(id)) else { return true };
            row.met += 1;
            if row.digest != Some(digest(line)) || row.met > 1 {
                wrong.get_or_insert_with(|| id.map(|id| id.into_owned()).unwrap_or_default());
            }
            false
        });
        match wrong {
            Some(id) => Err(format!("row {}/{} is not as the last change left it", chunk.table, id.escape_debug())),
            None => Ok(untouched),
        }
    }
}

/// Holds a target against a dump with changes on top.
pub(super) struct Comparison<'c> {
    changed: &'c mut Changed,
    untouched: Digester,
}

impl<'c> Comparison<'c> {
    /// Of a target with these tables.
    pub(super) fn new(changed: &'c mut Changed, tables: &[Arc<str>]) -> Self {
        changed.tables.values_mut().flat_map(HashMap::values_mut).for_each(|row| row.met = 0);
        Comparison { changed, untouched: Digester::new(tables) }
    }

    /// Rows of the target. Err: the first that is wrong.
    pub(super) fn add(&mut self, chunk: &RowChunk) -> Result<(), String> {
        self.untouched.add(&self.changed.meet(chunk)?);
        Ok(())
    }

    /// The digests of what no change touches. Err: a changed row that never came.
    pub(super) fn finish(self) -> Result<Vec<TableDigest>, String> {
        for (table, rows) in &self.changed.tables {
            let missing = rows.values().filter(|row| row.digest.is_some() && row.met == 0).count();
            if missing > 0 {
                return Err(format!("table {table} lacks {missing} rows that changes left there"));
            }
        }
        Ok(self.untouched.finish())
    }
}

fn keep(chunk: &RowChunk, mut keep: impl FnMut(&[u8]) -> bool) -> RowChunk {
    let mut rows = 0;
    let mut lines = Vec::with_capacity(chunk.lines.len());
    for line in chunk.lines.split_inclusive(|byte| *byte == b'\n').filter(|line| keep(line)) {
        lines.extend_from_slice(line);
        rows += 1;
    }
    RowChunk { table: Arc::clone(&chunk.table), rows, lines: Bytes::from(lines) }
}

fn digest(line: &[u8]) -> [u8; 16] {
    let whole: [u8; 32] = Sha256::digest(line.trim_ascii_end()).into();
    std::array::from_fn(|at| whole[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(lines: &str) -> RowChunk {
        RowChunk { table: "t".into(), rows: lines.lines().count() as u64, lines: Bytes::from(lines.to_owned()) }
    }

    /// What the comparison says of a target, with changes that make `b` 2, remove `c` and add `d`.
    fn compared(target: &str) -> Result<(), String> {
        let base = chunk("{\"_id\":\"a\",\"n\":1}\n{\"_id\":\"b\",\"n\":1}\n{\"_id\":\"c\",\"n\":1}\n");
        let mut changed = Changed::default();
        changed
            .note(&chunk("{\"_id\":\"b\",\"n\":2}\n{\"_id\":\"c\",\"_deleted\":true}\n{\"_id\":\"d\",\"n\":2}\n"))?;
        let tables = ["t".into()];
        let mut expected = Digester::new(&tables);
        expected.add(&changed.untouched(&base));
        let mut comparison = Comparison::new(&mut changed, &tables);
        comparison.add(&chunk(target))?;
        if comparison.finish()? == expected.finish() { Ok(()) } else { Err("untouched rows differ".into()) }
    }

    #[test]
    fn a_target_passes_only_as_dump_and_changes_together_make_it() {
        let (a, b, d) = ("{\"_id\":\"a\",\"n\":1}\n", "{\"_id\":\"b\",\"n\":2}\n", "{\"_id\":\"d\",\"n\":2}\n");
        assert_eq!(compared(&[a, b, d].concat()), Ok(()));
        let wrong = [
            [a, b].concat(),
            [a, b, d, d].concat(),
            [b, d].concat(),
            [a, a, b, d].concat(),
            [a, "{\"_id\":\"b\",\"n\":1}\n", d].concat(),
            [a, b, "{\"_id\":\"c\",\"n\":1}\n", d].concat(),
            [a, b, d, "{\"_id\":\"e\",\"n\":1}\n"].concat(),
        ];
        for target in wrong {
            assert!(compared(&target).is_err(), "{target}");
        }
    }
}
