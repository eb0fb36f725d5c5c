//! A place that the team's own commands write to and read: rows go in as lines of JSON, and come out as such.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::chunked;
use crate::{
    model::{
        plan::{Command, CommandProbe},
        ran::Role,
        units::Span,
    },
    process::{self, Environment, Job},
    service::{
        change::Change,
        contract::{Contents, RowChunk, RowStream, ServiceError},
        place::Probe,
    },
    sim::clock::Clock,
};

/// The commands and where they run.
pub struct ByCommands {
    commands: CommandProbe,
    /// In which they run: the folder of the pipeline's scripts.
    folder: PathBuf,
    environment: Environment,
    time_limit: Span,
    clock: Clock,
}

/// A line that a reading command prints.
#[derive(Deserialize)]
struct Row<'l> {
    table: &'l str,
    /// None in the line that says that there is a table, rows or not.
    #[serde(borrow, default)]
    row: Option<&'l RawValue>,
}

impl ByCommands {
    /// A place behind those commands.
    pub fn new(
        commands: CommandProbe,
        folder: PathBuf,
        environment: Environment,
        time_limit: Span,
        clock: &Clock,
    ) -> Self {
        ByCommands { commands, folder, environment, time_limit, clock: clock.clone() }
    }

    async fn run(&self, what: &str, command: &Command, input: Option<Vec<u8>>) -> Result<process::Done, ServiceError> {
        let job = Job {
            role: Role::Query,
            run: command.run.clone(),
            folder: self.folder.clone(),
            environment: self.environment.clone(),
            input,
            limit: command.time_limit.unwrap_or(self.time_limit).duration(),
            may_leave: true,
        };
        let done = process::run(job, &self.clock).await;
        if done.ran.ended.is_success() {
            return Ok(done);
        }
        let last = done.ran.last_lines.last().map(|line| format!(": {line}")).unwrap_or_default();
        Err(ServiceError(format!("the probe's command `{what}` failed: {}{last}", done.ran.ended)))
    }
}

#[async_trait]
impl Probe for ByCommands {
    fn variables(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    async fn fill(&self, contents: Contents) -> Result<(), ServiceError> {
        let tables: String =
            contents.tables.iter().map(|table| json!({ "table": &**table }).to_string() + "\n").collect();
        self.run("write", &self.commands.write, Some(tables.into_bytes())).await?;
        self.write(contents.rows).await
    }

    async fn write(&self, mut changes: RowStream) -> Result<(), ServiceError> {
        while let Some(chunk) = changes.try_next().await? {
            self.run("write", &self.commands.write, Some(lines(&chunk)?)).await?;
        }
        Ok(())
    }

    async fn lose(&self) -> Result<(), ServiceError> {
        self.run("lose", &self.commands.lose, None).await.map(|_| ())
    }

    /// The command that loses leaves an empty place.
    async fn provision(&self) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn read(&self) -> Result<Contents, ServiceError> {
        let done = self.run("read", &self.commands.read, None).await?;
        if !done.is_whole {
            return Err(ServiceError(
                "the probe's command `read` printed more than a drill takes: choose a smaller size".into(),
            ));
        }
        let mut tables: Vec<(Arc<str>, Vec<Vec<u8>>)> = Vec::new();
        for (number, line) in done.output.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty())
        {
            let unread = |why| {
                let shown: String = String::from_utf8_lossy(line).chars().take(80).collect();
                ServiceError(format!(
                    "line {} of what the probe's command `read` printed is no row ({why}): {shown}",
                    number + 1
                ))
            };
            let Row { table, row } = serde_json::from_slice(line).map_err(|e| unread(e.to_string()))?;
            let known = tables.iter().position(|(known, _)| **known == *table);
            let known = known.unwrap_or_else(|| {
                tables.push((table.into(), Vec::new()));
                tables.len() - 1
            });
            tables[known].1.extend(row.map(|row| format!("{row}\n").into_bytes()));
        }
        let chunks: Vec<RowChunk> = tables.iter().flat_map(|(table, rows)| chunked(table, rows)).collect();
        let tables = tables.into_iter().map(|(table, _)| table).collect();
        Ok(Contents { rows: stream::iter(chunks.into_iter().map(Ok)).boxed(), tables })
    }
}

/// The rows of a chunk as the writing command gets them.
fn lines(chunk: &RowChunk) -> Result<Vec<u8>, ServiceError> {
    let unread = || ServiceError(format!("a row of {} cannot be read", chunk.table));
    let mut out = Vec::with_capacity(chunk.lines.len() * 5 / 4);
    for line in chunk.lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let change = Change::read(line).ok_or_else(unread)?;
        let told = if change.deleted {
            json!({ "table": &*chunk.table, "deleted": change.id }).to_string()
        } else {
            let row = std::str::from_utf8(line).map_err(|_| unread())?;
            format!("{{\"table\":{},\"row\":{row}}}", json!(&*chunk.table))
        };
        out.extend_from_slice(told.as_bytes());
        out.push(b'\n');
    }
    Ok(out)
}
