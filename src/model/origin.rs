//! Where the story of a drill was written: for whoever wants to point at the line.

use std::collections::BTreeMap;

/// Scenario files by the name of their scenario.
pub type Origins = BTreeMap<String, Origin>;

/// A file with the lines of its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, as it was named.
    pub file: String,
    /// Line of each field, from 1, by its path: `expect.rto`, `faults[0]`.
    pub lines: BTreeMap<String, usize>,
}

impl Origin {
    /// The line of a field; of the nearest one around it where the file leaves it out.
    pub fn line(&self, path: &str) -> usize {
        let mut path = path;
        loop {
            match (self.lines.get(path), path.rfind(['.', '['])) {
                (Some(line), _) => return *line,
                (None, Some(end)) => path = &path[..end],
                (None, None) => return 1,
            }
        }
    }
}
