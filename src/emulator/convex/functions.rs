//! The functions that can be called: the system's own, which the command line tool subscribes to, and one for each
//! table, `users:list`, as an application would have it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Deployment,
    documents::Snapshot,
    values::{Spelling, spell},
};

/// Documents that a function reads at the most; a deployment's own limit is of that order.
const MOST_ROWS: u64 = 16_384;
/// Documents that `users:list` returns where nobody says how many.
const LISTED: u64 = 100;

impl Deployment {
    /// What a function returns. Err: the message of its error.
    pub(super) async fn call(&self, path: &str, args: &Value) -> Result<Value, String> {
        let (module, function) = path.split_once(':').unwrap_or((path, "default"));
        let module = module.strip_suffix(".js").unwrap_or(module);
        match (module, function) {
            ("_system/cli/exports", "getLatest") => Ok(self.latest_export()),
            ("_system/cli/queryImport", "list") => Ok(self.imports_shown()),
            ("_system/cli/queryImport", "default") => Ok(self.import_shown(text(args, "importId").unwrap_or_default())),
            ("_system/cli/tables", "default") => self.tables_shown().await,
            ("_system/cli/tableData", "default") => self.table_data(args).await,
            ("_system/cli/modules", "apiSpec") => self.api_spec().await,
            (table, "list") => self.list(path, table, args).await,
            _ => Err(unknown(path)),
        }
    }

    async fn newest(&self) -> Result<Arc<dyn Snapshot>, String> {
        self.documents.snapshot().await.map_err(|e| e.to_string())
    }

    async fn tables_shown(&self) -> Result<Value, String> {
        let snapshot = self.newest().await?;
        let page: Vec<Value> = snapshot.tables().iter().map(|table| json!({ "name": &*table.name })).collect();
        Ok(json!({ "page": page, "isDone": true, "continueCursor": "" }))
    }

    async fn table_data(&self, args: &Value) -> Result<Value, String> {
        let name = text(args, "table").ok_or("a table is needed")?;
        let options = args.get("paginationOpts").unwrap_or(&Value::Null);
        let wanted = number(options, "numItems").unwrap_or(LISTED).min(MOST_ROWS);
        let passed: u64 = text(options, "cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let snapshot = self.newest().await?;
        let table = snapshot.tables().iter().position(|table| &*table.name == name);
        let rows = table.map_or(0, |table| snapshot.tables()[table].rows);
        let descending = text(args, "order") == Some("desc");
        let wanted = wanted.min(rows.saturating_sub(passed));
        let from = if descending { rows.saturating_sub(passed + wanted) } else { passed };
        let mut page = match table {
            Some(table) => documents(&*snapshot, table, from, wanted).await?,
            None => Vec::new(),
        };
        if descending {
            page.reverse();
        }
        let seen = passed + wanted;
        Ok(json!({ "page": page, "isDone": seen >= rows, "continueCursor": seen.to_string() }))
    }

    async fn api_spec(&self) -> Result<Value, String> {
        let snapshot = self.newest().await?;
        let function = |table: &str| json!({ "functionType": "Query", "identifier": format!("{table}.js:list") });
        Ok(snapshot.tables().iter().map(|table| function(&table.name)).collect())
    }

    async fn list(&self, path: &str, table: &str, args: &Value) -> Result<Value, String> {
        let snapshot = self.newest().await?;
        let table = snapshot.tables().iter().position(|known| &*known.name == table).ok_or_else(|| unknown(path))?;
        let wanted = number(args, "limit").unwrap_or(LISTED).min(MOST_ROWS);
        documents(&*snapshot, table, 0, wanted).await.map(Value::Array)
    }
}

fn unknown(path: &str) -> String {
    format!("Could not find function for '{path}'. Did you forget to run `npx convex dev` or `npx convex deploy`?")
}

/// Documents of a table, as values on the wire.
async fn documents(snapshot: &dyn Snapshot, table: usize, from: u64, most: u64) -> Result<Vec<Value>, String> {
    let (mut place, mut passed, mut found) = (Some(0), 0, Vec::new());
    while let Some(at) = place.filter(|_| (found.len() as u64) < most) {
        let page = snapshot.page(table, at, 1024).await.map_err(|e| e.to_string())?;
        let skipped = from.saturating_sub(passed).min(page.rows);
        passed += page.rows;
        let lines = page.lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        for line in lines.skip(skipped as usize).take(most as usize - found.len()) {
            let mut wire = Vec::new();
            spell(line, Spelling::Typed, &mut wire);
            found.push(serde_json::from_slice(&wire).map_err(|e| format!("a stored document cannot be read: {e}"))?);
        }
        place = page.next;
    }
    Ok(found)
}

fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field)?.as_str()
}

/// A number that is none below 0.
fn number(value: &Value, field: &str) -> Option<u64> {
    value.get(field)?.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64)
}
