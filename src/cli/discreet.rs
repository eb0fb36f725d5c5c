//! Nothing that is told holds a secret: plans and scenarios lose theirs before they are played, events before they are
//! shown or become a record, lines of the log before they are written. What a drill plays is what its record says.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{self, Write},
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::LogFormat;
use crate::{
    environment::{Cleaned, redact, without_secrets},
    error::{Error, Result},
    measure,
    model::{
        event::{Event, What},
        record::Record,
    },
    monitor::{
        Omission,
        reading::{Raised, Reading},
    },
    sim::recorder::Listener,
};

/// A plan or a scenario that may be played and told of.
///
/// # Errors
/// When a name in it is a secret: files, folders and addresses are called by it.
pub(super) fn told<T: Serialize + DeserializeOwned>(what: &str, value: T) -> Result<T> {
    let help = "give it another name, and revoke the secret: whoever has the file has it";
    match without_secrets(value) {
        Ok(Cleaned { value, renamed: false, .. }) => Ok(value),
        Ok(_) => Err(Error::new(format!("a name in the {what} is a secret")).help(help)),
        Err(e) => Err(Error::new(format!("the {what} holds a secret where no other text can stand")).because(e)),
    }
}

/// An event as it may be told.
pub(super) fn event(event: Event) -> Event {
    let Event { at, since_t0, .. } = event;
    without_secrets(event).map_or_else(
        |e| {
            let why = format!("an event holds a secret where no other text can stand: {e}");
            Event { at, since_t0, service: None, what: What::Aborted { why } }
        },
        |cleaned| cleaned.value,
    )
}

/// Hands events on as they may be told.
pub(super) fn listener(next: Listener) -> Listener {
    Arc::new(move |heard: &Event| next(&event(heard.clone())))
}

/// A record that was read, as it may be told. What an earlier version wrote may hold secrets.
///
/// # Errors
/// When it is no record any more without them.
pub(super) fn record(record: Record) -> Result<Record> {
    let cleaned = without_secrets(record)
        .map_err(|e| Error::new("the record holds a secret where no other text can stand").because(e))?;
    Ok(match cleaned {
        Cleaned { changed: false, value, .. } => value,
        // What a record says follows from its events, also of what stands for a secret.
        Cleaned { value: Record { identity, plan, scenario, events, .. }, .. } => {
            measure::record(measure::Inputs { identity, plan, scenario, events })
        }
    })
}

/// What a monitor saw, as it may be told: before it is remembered, sent, written or printed.
pub(super) fn readings(seen: Vec<Reading>) -> Vec<Reading> {
    let text = |text: String| redact(&text).into_owned();
    let told = |reading: Reading| Reading {
        service: text(reading.service),
        region: text(reading.region),
        newest: reading.newest.map(text),
        alarms: reading.alarms.into_iter().map(|one| Raised { detail: text(one.detail), ..one }).collect(),
        remarks: reading.remarks.into_iter().map(text).collect(),
        not_looked_at: reading.not_looked_at.into_iter().map(|one| Omission { why: text(one.why), ..one }).collect(),
        ..reading
    };
    seen.into_iter().map(told).collect()
}

/// A value as JSON, as it may be told: its texts lose their secrets before they are put in quotes.
pub(super) fn json<T: Serialize>(value: &T) -> Value {
    let json = serde_json::to_value(value).and_then(without_secrets);
    json.map_or_else(|e| Value::String(format!("this cannot be told as JSON: {e}")), |cleaned| cleaned.value)
}

/// Says of a crash what the standard hook says, without secrets: as a line of the log where programs read that.
pub(super) fn tell_of_crashes(format: LogFormat) {
    std::panic::set_hook(Box::new(move |panic| match format {
        LogFormat::Json => tracing::error!("{panic}"),
        LogFormat::Text => {
            let stack = Backtrace::capture();
            let stack = match stack.status() {
                BacktraceStatus::Captured => format!("{stack}\n"),
                _ => String::new(),
            };
            // There is nobody to tell where that fails.
            let _ = Log.write_all(format!("{panic}\n{stack}").as_bytes());
        }
    }));
}

/// Standard error for the log: each write is a whole line of it.
pub(super) struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(redact(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
