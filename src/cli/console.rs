//! What is said to people and programs: results on standard output, progress and errors on standard error, there as text
//! or as one JSON object a line. A reader that has gone (`backdraft list faults | head -1`) ends nothing and is no error.

use std::{
    cell::RefCell,
    fmt::Display,
    io::{self, ErrorKind, IsTerminal, Write},
};

use serde_json::{Value, json};

use super::LogFormat;
use crate::{
    environment::redact,
    error::{Error, Result},
    report::github::no_command,
};

/// Why a verb was not carried out: one error or more, in the order in which they are printed.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Vec<Error>);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused(vec![error])
    }
}

/// Both ends that a verb writes to.
#[derive(Debug)]
pub(super) struct Console {
    log: LogFormat,
    quiet: bool,
    /// Whether GitHub Actions reads both ends, and carries out what looks like a command.
    on_github: bool,
    /// Why standard output took no more.
    out_failed: RefCell<Option<io::Error>>,
}

impl Console {
    /// With progress unless `quiet`.
    pub(super) fn new(log: LogFormat, quiet: bool) -> Self {
        let on_github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|is| is == "true");
        Console { log, quiet, on_github, out_failed: RefCell::new(None) }
    }

    /// Whether nothing but results and errors is wanted.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether a bar that redraws itself has somebody to look at it.
    pub(super) fn shows_bars(&self) -> bool {
        !self.quiet && self.log == LogFormat::Text && io::stderr().is_terminal()
    }

    /// A line of results.
    pub(super) fn line(&self, line: impl Display) {
        self.text(format_args!("{line}\n"));
    }

    /// Whether GitHub Actions runs this.
    pub(super) fn is_on_github(&self) -> bool {
        self.on_github
    }

    /// Results, as they are; but what looks like a command to GitHub Actions is none where that reads them.
    pub(super) fn text(&self, text: impl Display) {
        match self.on_github {
            true => self.commands(no_command(&text.to_string())),
            false => self.commands(text),
        }
    }

    /// Results that are secrets, said as they are: somebody asked for them, and they open nothing beyond this machine.
    pub(super) fn secrets(&self, text: &str) {
        let mut failed = self.out_failed.borrow_mut();
        if failed.is_none() {
            let mut out = io::stdout().lock();
            *failed = write!(out, "{text}").and_then(|()| out.flush()).err();
        }
    }

    /// Results that GitHub Actions is to carry out.
    pub(super) fn commands(&self, text: impl Display) {
        let (mut failed, text) = (self.out_failed.borrow_mut(), text.to_string());
        let text = redact(&text);
        if failed.is_none() {
            let mut out = io::stdout().lock();
            *failed = write!(out, "{text}").and_then(|()| out.flush()).err();
        }
    }

    /// Says on standard error what happened: `text` for people, or the `fields` of `event` for programs.
    pub(super) fn note(&self, event: &str, text: impl Display, fields: Value) {
        match self.log {
            LogFormat::Text => self.log_line(text),
            LogFormat::Json => self.log_line(object("INFO", event, fields)),
        }
    }

    /// Prints every error, in order.
    pub(super) fn refuse(&self, refused: &Refused) {
        for error in &refused.0 {
            match self.log {
                LogFormat::Text => self.log_line(format_args!("error: {error}")),
                LogFormat::Json => {
                    let Error { what, place, guidance, cause } = error;
                    let because = cause.as_ref().map(ToString::to_string);
                    let fields = json!({ "what": what, "place": place, "because": because, "help": guidance });
                    self.log_line(object("ERROR", "error", fields));
                }
            }
        }
    }

    /// Prints what clap says of a command line that means nothing: `text` for people, an error for programs.
    pub(super) fn misused(&self, text: &str) {
        match self.log {
            LogFormat::Text => self.log_line(text.trim_end()),
            LogFormat::Json => {
                let what = text.trim_start_matches("error: ").trim_end();
                self.log_line(object("ERROR", "error", json!({ "what": what })));
            }
        }
    }

    /// One line on standard error. There is nobody to tell where that fails.
    fn log_line(&self, line: impl Display) {
        let line = redact(&line.to_string()).into_owned();
        let line = if self.on_github { no_command(&line) } else { line.into() };
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Whether all results were written, or nobody wanted more of them.
    ///
    /// # Errors
    /// When standard output failed, as on a full disk.
    pub(super) fn finish(&self) -> Result<()> {
        match self.out_failed.borrow_mut().take() {
            Some(e) if e.kind() != ErrorKind::BrokenPipe => {
                Err(Error::new("the results cannot be written to standard output").because(e))
            }
            _ => Ok(()),
        }
    }
}

/// The fields of an event behind its level and name.
fn object(level: &str, event: &str, fields: Value) -> Value {
    let mut object = json!({ "level": level, "event": event });
    if let (Value::Object(all), Value::Object(fields)) = (&mut object, fields) {
        all.extend(fields);
    }
    object
}
