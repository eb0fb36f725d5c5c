//! Errors that people act on: what is wrong, where, and what to do. Their text is snapshot-tested.

use std::fmt;

/// A failure of the tool or of its input; never a drill's verdict.
#[derive(Debug)]
pub struct Error {
    /// What is wrong, in one line.
    pub what: String,
    /// Where: `file:line:column`, `file`, or nothing.
    pub place: Option<String>,
    /// What to do.
    pub guidance: Option<String>,
    /// What came from below.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Something is wrong.
    pub fn new(what: impl Into<String>) -> Self {
        Error { what: what.into(), place: None, guidance: None, cause: None }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, guidance: impl Into<String>) -> Self {
        self.guidance = Some(guidance.into());
        self
    }

    /// Says what came from below.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}", self.what)?;
        if let Some(cause) = &self.cause {
            write!(f, "\n  because: {cause}")?;
        }
        if let Some(guidance) = &self.guidance {
            write!(f, "\n  help: {guidance}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|c| c.as_ref() as _)
    }
}
