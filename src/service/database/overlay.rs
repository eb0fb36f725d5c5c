//! Changes on top of staged rows: the lines wait in a file, only the changed ids are held, and one pass over the staged
//! rows makes both one.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
};

use crate::service::change::{Change, row_id};

/// The changes of one table.
#[derive(Debug)]
pub(super) struct Overlay {
    lines: File,
    /// Bytes in `lines`.
    end: u64,
    latest: HashMap<Box<str>, Latest>,
    /// Ids that came so far; gives each its place among the rows that are new.
    ids: u64,
}

/// Where the last line of an id is.
#[derive(Debug, Clone, Copy)]
struct Latest {
    at: u64,
    /// 0 where the row is gone.
    length: u64,
    order: u64,
}

impl Overlay {
    /// No changes yet; `lines` is an empty file that can be read as well.
    pub(super) fn new(lines: File) -> Self {
        Overlay { lines, end: 0, latest: HashMap::new(), ids: 0 }
    }

    /// Adds lines of a change stream; the last one of an id counts.
    pub(super) fn add(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut at = self.end;
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let change = Change::read(line).ok_or_else(|| io::Error::other("a change names no row"))?;
            let length = if change.deleted { 0 } else { line.len() as u64 };
            let order = self.latest.get(&*change.id).map_or(self.ids, |known| known.order);
            self.ids += 1;
            self.latest.insert(change.id.into(), Latest { at, length, order });
            at += line.len() as u64;
        }
        self.lines.write_all(lines)?;
        self.end = at;
        Ok(())
    }

    /// Writes the staged rows with the changes: a changed row in its place, a new one at the end in the order in which
    /// they came.
    pub(super) fn merge(mut self, staged: File, into: File) -> io::Result<()> {
        let mut into = BufWriter::with_capacity(1 << 18, into);
        let mut staged = BufReader::with_capacity(1 << 18, staged);
        let mut line = Vec::new();
        let mut met = HashMap::new();
        while staged.read_until(b'\n', &mut line)? > 0 {
            // A row without an id cannot be changed, and stays.
            let known = row_id(&line).and_then(|id| met.get(&*id).copied().or_else(|| self.take(&id, &mut met)));
            match known {
                None => into.write_all(&line)?,
                Some(latest) => self.copy(latest, &mut into)?,
            }
            line.clear();
        }
        let mut new: Vec<Latest> = self.latest.values().copied().collect();
        new.sort_unstable_by_key(|latest| latest.order);
        for latest in new {
            self.copy(latest, &mut into)?;
        }
        into.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(())
    }

    /// Takes an id's change out of those that are left, and remembers it: a row may be there twice.
    fn take(&mut self, id: &str, met: &mut HashMap<Box<str>, Latest>) -> Option<Latest> {
        let (id, latest) = self.latest.remove_entry(id)?;
        met.insert(id, latest);
        Some(latest)
    }

    fn copy(&mut self, latest: Latest, into: &mut impl Write) -> io::Result<()> {
        if latest.length > 0 {
            self.lines.seek(SeekFrom::Start(latest.at))?;
            io::copy(&mut (&self.lines).take(latest.length), into)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use proptest::prelude::*;

    use super::*;

    fn file(folder: &std::path::Path, name: &str, text: &str) -> File {
        fs::write(folder.join(name), text).unwrap();
        File::options().read(true).write(true).open(folder.join(name)).unwrap()
    }

    fn merged(base: &str, changes: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let mut overlay = Overlay::new(file(folder.path(), "lines", ""));
        for lines in changes {
            overlay.add(lines.as_bytes()).unwrap();
        }
        let staged = file(folder.path(), "staged", base);
        overlay.merge(staged, file(folder.path(), "merged", "")).unwrap();
        fs::read_to_string(folder.path().join("merged")).unwrap()
    }

    #[test]
    fn rows_are_replaced_in_place_removed_and_added_in_order() {
        let base = "{\"_id\":\"a\",\"n\":1}\n{\"_id\":\"b\",\"n\":1}\n{\"no\":\"id\"}\n{\"_id\":\"c\",\"n\":1}\n";
        let first = "{\"_id\":\"b\",\"n\":2}\n{\"_id\":\"d\",\"n\":2}\n{\"_id\":\"e\",\"n\":2}\n";
        let second = "{\"_id\":\"c\",\"_deleted\":true}\n{\"_id\":\"d\",\"n\":3}\n{\"_id\":\"e\",\"_deleted\":true}\n{\"_id\":\"x\",\"_deleted\":true}\n";
        let expected = "{\"_id\":\"a\",\"n\":1}\n{\"_id\":\"b\",\"n\":2}\n{\"no\":\"id\"}\n{\"_id\":\"d\",\"n\":3}\n";
        assert_eq!(merged(base, &[first, second]), expected);
        assert!(Overlay::new(tempfile::tempfile().unwrap()).add(b"{\"n\":1}\n").is_err(), "a change without an id");
    }

    proptest! {
        #[test]
        fn a_merge_is_what_a_map_would_say(
            base in proptest::collection::btree_map(0u8..20, 0u16..9, 0..15),
            changes in proptest::collection::vec((0u8..25, proptest::option::of(10u16..99)), 0..40),
        ) {
            let line = |id: &u8, n: &u16| format!("{{\"_id\":\"k{id}\",\"n\":{n}}}\n");
            let mut expected: BTreeMap<u8, u16> = base.clone();
            let mut lines = Vec::new();
            for (id, n) in &changes {
                match n {
                    Some(n) => { expected.insert(*id, *n); lines.push(line(id, n)); }
                    None => { expected.remove(id); lines.push(format!("{{\"_id\":\"k{id}\",\"_deleted\":true}}\n")); }
                }
            }
            let staged: String = base.iter().map(|(id, n)| line(id, n)).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let text = merged(&staged, &lines);
            let mut found: Vec<&str> = text.split_inclusive('\n').collect();
            found.sort_unstable();
            let mut wanted: Vec<String> = expected.iter().map(|(id, n)| line(id, n)).collect();
            wanted.sort_unstable();
            prop_assert_eq!(found, wanted);
        }
    }
}
