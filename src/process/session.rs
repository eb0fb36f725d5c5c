//! A client of a database that stays connected, as an application does: statements go in, what they print comes out.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
};

use super::Environment;
use crate::sim::clock::Clock;

/// What the client is told to print when it has done what it was told before.
const DONE: &str = "-- backdraft: done --";

/// A program that takes statements on standard input, such as `psql` or `sqlite3`.
#[derive(Debug)]
pub struct Session {
    program: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    errors: Option<ChildStderr>,
    /// The statement that prints a text: `\echo` or `.print`.
    echo: &'static str,
    clock: Clock,
    limit: Duration,
}

impl Session {
    /// Starts a client that ends at the first statement that fails. Each answer may take as long as `limit`.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(
        program: &str,
        arguments: &[&str],
        echo: &'static str,
        environment: &Environment,
        clock: &Clock,
        limit: Duration,
    ) -> Result<Session, String> {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(environment.iter()).process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("`{program}` cannot be started: {e}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("`{program}` has no input and output"));
        };
        let (errors, output) = (child.stderr.take(), BufReader::new(output));
        Ok(Session { program: program.to_owned(), child, input, output, errors, echo, clock: clock.clone(), limit })
    }

    /// Lets it carry out statements; `each` gets every line that they print, without its end.
    ///
    /// # Errors
    /// What the program says of a statement that failed.
    pub async fn tell(&mut self, statements: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), String> {
        let (clock, limit) = (self.clock.clone(), self.limit);
        let marked = format!("\n{} '{DONE}'\n", self.echo);
        let Session { input, output, .. } = self;
        let told = async {
            // Statements may be more than a pipe holds: they are written while what is printed is read.
            let write = async {
                input.write_all(statements).await?;
                input.write_all(marked.as_bytes()).await?;
                input.flush().await
            };
            let read = async {
                let mut line = Vec::new();
                loop {
                    line.clear();
                    if output.read_until(b'\n', &mut line).await? == 0 {
                        return Ok(false);
                    }
                    let text = line.strip_suffix(b"\n").unwrap_or(&line);
                    if text == DONE.as_bytes() {
                        return Ok(true);
                    }
                    each(text);
                }
            };
            // A client that has ended takes no more statements; what it said before counts.
            let (written, read) = tokio::join!(write, read);
            match read {
                Ok(true) => written.map(|()| true),
                other => other,
            }
        };
        match clock.limit(limit, told).await {
            Some(Ok(true)) => Ok(()),
            Some(Ok(false)) => Err(self.last_words().await),
            Some(Err(e)) => Err(format!("`{}` does not answer: {e}", self.program)),
            None => Err(format!("`{}` took longer than {} s", self.program, limit.as_secs())),
        }
    }

    /// What it said before it ended.
    async fn last_words(&mut self) -> String {
        let mut said = Vec::new();
        if let Some(mut errors) = self.errors.take() {
            // What cannot be read any more was not said.
            let _ = self.clock.limit(self.limit, errors.read_to_end(&mut said)).await;
        }
        let said = String::from_utf8_lossy(&said);
        format!("`{}` ended: {}", self.program, said.lines().next_back().unwrap_or("and said nothing"))
    }

    /// Ends it, as an application ends: its connection is closed.
    pub async fn close(mut self) {
        drop(self.input);
        if self.clock.limit(Duration::from_secs(5), self.child.wait()).await.is_none() {
            // It may have ended at this very moment.
            let _ = self.child.kill().await;
        }
    }

    /// Ends it at once, as a crash does.
    pub async fn kill(mut self) {
        // It may have ended by itself.
        let _ = self.child.kill().await;
    }
}
