//! Where a service is restored to. All targets of a service share one state: what is wrong with them, the way to them,
//! and the gate at which an import waits for a fault. A target in process asks it as an emulated deployment does, so
//! that no fault is written twice.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use memchr::memchr_iter;
use serde_json::value::RawValue;

use super::{
    convex::condition::{Condition, Cut, Leftovers, OldSchema, Quota, Struck},
    gate::Gate,
    link::{Intent, Link, Shut, StatusFault},
};
use crate::{
    service::contract::{RowChunk, ServiceError},
    sim::clock::Clock,
};

/// The targets of one service.
#[derive(Debug)]
pub struct Targets {
    link: Arc<Link>,
    gate: Gate,
    condition: Mutex<Condition>,
    struck: Mutex<Struck>,
    newest: Mutex<Load>,
}

/// Rows and their size as JSON lines, in the bytes that are really handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// How many.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Targets {
    /// Targets with which nothing is wrong.
    pub fn new(clock: &Clock) -> Arc<Self> {
        Arc::new(Targets {
            link: Arc::new(Link::new(clock)),
            gate: Gate::default(),
            condition: Mutex::default(),
            struck: Mutex::default(),
            newest: Mutex::default(),
        })
    }

    /// The way to them.
    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// Where an import waits for a fault.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// What is wrong with them.
    pub fn condition(&self) -> Condition {
        lock(&self.condition).clone()
    }

    /// Changes what is wrong with them; what does not concern the change stays.
    pub fn change(&self, change: impl FnOnce(&mut Condition)) {
        change(&mut lock(&self.condition));
    }

    /// How often what is wrong was met.
    pub fn struck(&self) -> Struck {
        *lock(&self.struck)
    }

    /// Counts that it was met.
    pub fn strike(&self, count: impl FnOnce(&mut Struck)) {
        count(&mut lock(&self.struck));
    }

    /// A backup was made: this is what an import of it will bring.
    pub fn expect(&self, load: Load) {
        *lock(&self.newest) = load;
    }

    /// What an import of the newest backup brings.
    pub fn expected(&self) -> Load {
        *lock(&self.newest)
    }

    /// A request of somebody with the right key, up to where it is served. For targets in process.
    pub async fn enter(&self, intent: Intent) -> Result<(), ServiceError> {
        match self.link.enter(intent).await {
            Ok(()) if self.accepts() => Ok(()),
            Ok(()) => Err(ServiceError("the deployment answers 401 Unauthorized: BadAdminKey: The provided admin key was invalid for this instance".into())),
            Err(Shut::Refused | Shut::Nameless | Shut::Reset) => Err(ServiceError("the deployment refuses connections".into())),
            Err(Shut::Rejected(fault)) => Err(ServiceError(format!("the deployment answers {}", status(fault)))),
        }
    }

    /// Whether the right key opens them; counts where it does not.
    pub fn accepts(&self) -> bool {
        let rejects = lock(&self.condition).rejects_keys;
        if rejects {
            self.strike(|struck| struck.keys_rejected += 1);
        }
        !rejects
    }

    /// Whether an export fails now; counts where it does.
    pub fn export_fails(&self) -> bool {
        let fails = lock(&self.condition).export_fails;
        if fails {
            self.strike(|struck| struck.exports_failed += 1);
        }
        fails
    }

    /// How a download breaks off now; counts where it does.
    pub fn cut(&self) -> Option<Cut> {
        let cut = lock(&self.condition).download_cut;
        if cut.is_some() {
            self.strike(|struck| struck.downloads_cut += 1);
        }
        cut
    }

    /// What is in a new target that should be empty; counts where something is.
    pub fn leftovers(&self) -> Option<Leftovers> {
        let mut condition = lock(&self.condition);
        let found = condition.leftovers?;
        match condition.leftovers.as_mut().and_then(|leftovers| leftovers.deployments.as_mut()) {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        drop(condition);
        self.strike(|struck| struck.with_leftovers += 1);
        Some(found)
    }

    /// Takes rows of an import, after what it has brought so far.
    ///
    /// # Errors
    /// Why they do not go in.
    pub fn take(&self, so_far: &mut Load, chunk: RowChunk) -> Result<RowChunk, String> {
        so_far.rows += chunk.rows;
        so_far.bytes += chunk.lines.len() as u64;
        let (disk, quota, schema) = {
            let condition = lock(&self.condition);
            (condition.disk, condition.quota, condition.old_schema.clone())
        };
        if disk.is_some_and(|disk| so_far.bytes > disk) {
            self.strike(|struck| struck.disks_full += 1);
            return Err("the deployment's disk is full".into());
        }
        let over = match quota {
            Some(Quota::Rows(most)) if so_far.rows > most => Some(format!("{most} documents")),
            Some(Quota::Bytes(most)) if so_far.bytes > most => Some("fewer bytes of documents".into()),
            _ => None,
        };
        if let Some(allowed) = over {
            self.strike(|struck| struck.quotas_hit += 1);
            return Err(format!("the plan of the deployment allows {allowed}"));
        }
        match schema {
            Some(schema) => self.fit(&schema, chunk),
            None => Ok(chunk),
        }
    }

    /// Rows as a schema has them that may not know all of their fields.
    pub fn fit(&self, schema: &OldSchema, chunk: RowChunk) -> Result<RowChunk, String> {
        let is_other = schema.table.as_deref().is_some_and(|table| *table != *chunk.table);
        if chunk.rows == 0 || is_other {
            return Ok(chunk);
        }
        let field = schema.field.clone().or_else(|| last_field(&chunk.lines));
        let Some(field) = field else { return Ok(chunk) };
        // From here on it is this one, for every row that comes.
        self.change(|condition| {
            if let Some(known) = &mut condition.old_schema {
                known.table = Some(chunk.table.to_string());
                known.field = Some(field.clone());
            }
        });
        let (mut lines, mut unknown) = (Vec::with_capacity(chunk.lines.len()), 0);
        for line in chunk.lines.split_inclusive(|byte| *byte == b'\n') {
            match without(line, &field) {
                Some(_) if schema.is_strict => {
                    self.strike(|struck| struck.unknown_fields += 1);
                    return Err(format!(
                        "a document of {} has a field `{field}` that is not in the schema",
                        chunk.table
                    ));
                }
                Some(rest) => {
                    unknown += 1;
                    lines.extend_from_slice(&rest);
                    lines.push(b'\n');
                }
                None => lines.extend_from_slice(line),
            }
        }
        self.strike(|struck| struck.unknown_fields += unknown);
        Ok(RowChunk { lines: lines.into(), ..chunk })
    }

    /// Whether an import of so many rows fails, and after how many.
    pub fn fails_after(&self, rows: u64) -> Option<u64> {
        let mut condition = lock(&self.condition);
        let after = condition.import_fails_after.filter(|after| *after < rows)?;
        match &mut condition.import_failures {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        drop(condition);
        self.strike(|struck| struck.imports_failed += 1);
        Some(after)
    }
}

/// What is said of an import that failed.
pub fn failed_after(after: u64, rows: u64) -> String {
    format!("the deployment ran into an internal error after {after} of {rows} documents")
}

/// A row that nobody put there on purpose, for a target that should be empty.
pub fn leftover_row(table: &str) -> RowChunk {
    let line = "{\"_id\":\"leftover-of-an-earlier-test\",\"_creationTime\":1.0,\"note\":\"left behind\"}\n";
    RowChunk { table: table.into(), rows: 1, lines: line.into() }
}

/// A table of their own for such rows.
pub const LEFTOVER_TABLE: &str = "leftovers";

/// The first rows of a chunk, and the others.
pub fn split(chunk: RowChunk, rows: u64) -> (RowChunk, Option<RowChunk>) {
    if chunk.rows <= rows {
        return (chunk, None);
    }
    let end = memchr_iter(b'\n', &chunk.lines).take(rows as usize).last().map_or(0, |at| at + 1);
    let rest = RowChunk { table: Arc::clone(&chunk.table), rows: chunk.rows - rows, lines: chunk.lines.slice(end..) };
    (RowChunk { rows, lines: chunk.lines.slice(..end), ..chunk }, Some(rest))
}

fn status(fault: StatusFault) -> &'static str {
    match fault {
        StatusFault::SlowDown503 => "503 Service Unavailable: ExpiredInQueue: Too many requests. Try again later.",
        StatusFault::Denied403 => "403 Forbidden: Forbidden: You do not have permission to perform this operation.",
        StatusFault::Internal500 => "500 Internal Server Error",
        StatusFault::Expired400 => "400 Bad Request: the token has expired",
        StatusFault::NotAllowed405 => "405 Method Not Allowed",
    }
}

/// The last field of the first row by name; none of the platform's own.
fn last_field(lines: &[u8]) -> Option<String> {
    let first = lines.split(|byte| *byte == b'\n').next()?;
    let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(first).ok()?;
    fields.into_keys().rfind(|name| !name.starts_with('_'))
}

/// A row without a field; `None` where it has none of that name.
fn without(line: &[u8], field: &str) -> Option<Vec<u8>> {
    let mut fields: BTreeMap<String, &RawValue> = serde_json::from_slice(line).ok()?;
    fields.remove(field)?;
    serde_json::to_vec(&fields).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Way;

    fn targets() -> Arc<Targets> {
        Targets::new(&Clock::new(Way::Simulated, "2026-11-04T03:00:00Z".parse().unwrap()))
    }

    fn rows(lines: &str) -> RowChunk {
        RowChunk { table: "users".into(), rows: lines.lines().count() as u64, lines: lines.to_owned().into() }
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_schema_forgets_one_field_of_one_table_and_no_other() {
        let targets = targets();
        let schema = OldSchema { table: None, field: None, is_strict: false };
        targets.change(|condition| condition.old_schema = Some(schema));
        let mut load = Load::default();
        let took =
            targets.take(&mut load, rows("{\"_id\":\"a\",\"n\":12345678901234567890,\"z\":1}\n{\"_id\":\"b\"}\n"));
        let took = took.unwrap();
        assert_eq!(took.lines, "{\"_id\":\"a\",\"n\":12345678901234567890}\n{\"_id\":\"b\"}\n");
        let other = RowChunk { table: "posts".into(), ..rows("{\"z\":1}\n") };
        assert_eq!(targets.take(&mut load, other.clone()), Ok(other));
        assert_eq!((targets.struck().unknown_fields, load.rows), (1, 3));
        targets.change(|condition| condition.old_schema.as_mut().unwrap().is_strict = true);
        assert!(targets.take(&mut load, rows("{\"z\":1}\n")).unwrap_err().contains("`z`"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_happens_a_few_times_stops_happening() {
        let targets = targets();
        targets.change(|condition| {
            condition.import_fails_after = Some(5);
            condition.import_failures = Some(1);
            condition.leftovers = Some(Leftovers { in_known_table: false, deployments: Some(1) });
        });
        assert_eq!([targets.fails_after(5), targets.fails_after(6), targets.fails_after(6)], [None, Some(5), None]);
        assert_eq!([targets.leftovers().is_some(), targets.leftovers().is_some()], [true, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_chunk_is_split_between_rows() {
        let (first, rest) = split(rows("a\nb\nc\n"), 2);
        assert_eq!((&first.lines[..], first.rows), (&b"a\nb\n"[..], 2));
        let rest = rest.unwrap();
        assert_eq!((&rest.lines[..], rest.rows), (&b"c\n"[..], 1));
        assert_eq!(split(rows("a\n"), 1).1, None);
    }
}
