//! Checks JSON as it streams by, byte by byte: memory holds the open brackets and nothing else, whatever the document's
//! size. One document, or one after the other as JSON Lines have them.

use crate::archive::{ArchiveError, Fault, Place};

/// Deepest nesting that is followed.
const MAX_DEPTH: usize = 1024;

/// Where in the grammar it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before a document; whether there was one already.
    Start,
    /// A value must follow.
    Value,
    /// After `[`: a value or `]`.
    ValueOrEnd,
    /// After `{`: a key or `}`.
    KeyOrEnd,
    /// After `,` in an object.
    Key,
    /// After a key.
    Colon,
    /// After a value in a list or an object.
    Next,
    /// In a string; whether it is a key.
    Text(bool),
    /// After a backslash in a string.
    Escape(bool),
    /// In `\uXXXX`, with so many digits to come.
    Unicode(bool, u8),
    /// In `true`, `false` or `null`: what must still follow.
    Word(&'static [u8]),
    /// In a number.
    Number(Digits),
}

/// Where in a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digits {
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

/// Walks over JSON.
#[derive(Debug)]
pub(super) struct Walker {
    /// Whether documents may follow one another.
    many: bool,
    documents: u64,
    at: At,
    open: Vec<u8>,
    line: u64,
    column: usize,
    /// Bytes of a character that is not whole yet.
    partial: Vec<u8>,
}

impl Walker {
    pub(super) fn new(many: bool) -> Self {
        Walker { many, documents: 0, at: At::Start, open: Vec::new(), line: 1, column: 0, partial: Vec::new() }
    }

    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<(), ArchiveError> {
        self.check_text(piece)?;
        for byte in piece {
            self.column += 1;
            self.step(*byte).map_err(|what| self.wrong(what))?;
            if *byte == b'\n' {
                (self.line, self.column) = (self.line + 1, 0);
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(), ArchiveError> {
        if let At::Number(digits) = self.at {
            if !digits.may_end() {
                return Err(self.cut());
            }
            self.value_ends();
        }
        if !self.partial.is_empty() || !matches!(self.at, At::Start) {
            return Err(self.cut());
        }
        match self.documents {
            0 if !self.many => Err(ArchiveError::Cut { place: "before any JSON".into() }),
            _ => Ok(()),
        }
    }

    fn cut(&self) -> ArchiveError {
        ArchiveError::Cut { place: format!("in the middle of its JSON, in line {}", self.line) }
    }

    fn wrong(&self, what: &str) -> ArchiveError {
        let fault = Fault::Json(format!("{what} at column {}", self.column));
        ArchiveError::Row { place: Place { table: None, line: self.line, row: None }, fault }
    }

    /// Text must be UTF-8, also where a character is cut in two by the pieces.
    fn check_text(&mut self, piece: &[u8]) -> Result<(), ArchiveError> {
        let mut rest = piece;
        while !self.partial.is_empty() && !rest.is_empty() {
            self.partial.push(rest[0]);
            rest = &rest[1..];
            match std::str::from_utf8(&self.partial) {
                Ok(_) => self.partial.clear(),
                Err(error) if error.error_len().is_some() => return Err(self.wrong("invalid UTF-8")),
                Err(_) => {}
            }
        }
        match simdutf8::compat::from_utf8(rest) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_none() => {
                self.partial.extend_from_slice(&rest[error.valid_up_to()..]);
                Ok(())
            }
            Err(error) => {
                let lines = rest[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() as u64;
                let place = Place { table: None, line: self.line + lines, row: None };
                Err(ArchiveError::Row { place, fault: Fault::Json("invalid UTF-8".into()) })
            }
        }
    }

    fn step(&mut self, byte: u8) -> Result<(), &'static str> {
        match self.at {
            At::Text(key) => self.text(byte, key),
            At::Escape(key) => match byte {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.go(At::Text(key)),
                b'u' => self.go(At::Unicode(key, 4)),
                _ => Err("invalid escape"),
            },
            At::Unicode(key, left) if byte.is_ascii_hexdigit() => match left {
                1 => self.go(At::Text(key)),
                _ => self.go(At::Unicode(key, left - 1)),
            },
            At::Unicode(..) => Err("invalid escape"),
            At::Word(rest) if rest.first() == Some(&byte) => {
                self.at = At::Word(&rest[1..]);
                if rest.len() == 1 {
                    self.value_ends();
                }
                Ok(())
            }
            At::Word(_) => Err("expected a value"),
            At::Number(digits) => match digits.next(byte) {
                Some(next) => self.go(At::Number(next)),
                None if digits.may_end() => {
                    self.value_ends();
                    self.step(byte)
                }
                None => Err("invalid number"),
            },
            _ if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') => Ok(()),
            At::Start if self.documents > 0 && !self.many => Err("something follows the document"),
            At::Start | At::Value => self.value(byte),
            At::ValueOrEnd if byte == b']' => self.close(b'['),
            At::ValueOrEnd => self.value(byte),
            At::KeyOrEnd if byte == b'}' => self.close(b'{'),
            At::KeyOrEnd | At::Key if byte == b'"' => self.go(At::Text(true)),
            At::KeyOrEnd | At::Key => Err("expected a key"),
            At::Colon if byte == b':' => self.go(At::Value),
            At::Colon => Err("expected `:`"),
            At::Next => match (byte, self.open.last()) {
                (b',', Some(b'[')) => self.go(At::Value),
                (b',', _) => self.go(At::Key),
                (b']', _) => self.close(b'['),
                (b'}', _) => self.close(b'{'),
                _ => Err("expected `,` or the end"),
            },
        }
    }

    fn go(&mut self, at: At) -> Result<(), &'static str> {
        self.at = at;
        Ok(())
    }

    fn text(&mut self, byte: u8, key: bool) -> Result<(), &'static str> {
        match byte {
            b'"' if key => self.go(At::Colon),
            b'"' => {
                self.value_ends();
                Ok(())
            }
            b'\\' => self.go(At::Escape(key)),
            0..0x20 => Err("control character in a string"),
            _ => Ok(()),
        }
    }

    fn value(&mut self, byte: u8) -> Result<(), &'static str> {
        match byte {
            b'{' | b'[' if self.open.len() >= MAX_DEPTH => Err("nested too deep"),
            b'{' | b'[' => {
                self.open.push(byte);
                self.go(if byte == b'{' { At::KeyOrEnd } else { At::ValueOrEnd })
            }
            b'"' => self.go(At::Text(false)),
            b't' => self.go(At::Word(b"rue")),
            b'f' => self.go(At::Word(b"alse")),
            b'n' => self.go(At::Word(b"ull")),
            b'-' => self.go(At::Number(Digits::Minus)),
            b'0' => self.go(At::Number(Digits::Zero)),
            b'1'..=b'9' => self.go(At::Number(Digits::Whole)),
            _ => Err("expected a value"),
        }
    }

    fn close(&mut self, opened: u8) -> Result<(), &'static str> {
        if self.open.pop() != Some(opened) {
            return Err("a bracket that closes another one");
        }
        self.value_ends();
        Ok(())
    }

    fn value_ends(&mut self) {
        if self.open.is_empty() {
            self.documents += 1;
            self.at = At::Start;
        } else {
            self.at = At::Next;
        }
    }
}

impl Digits {
    fn next(self, byte: u8) -> Option<Digits> {
        use Digits as D;
        Some(match (self, byte) {
            (D::Minus, b'0') => D::Zero,
            (D::Minus | D::Whole, b'0'..=b'9') => D::Whole,
            (D::Zero | D::Whole, b'.') => D::Point,
            (D::Point | D::Fraction, b'0'..=b'9') => D::Fraction,
            (D::Zero | D::Whole | D::Fraction, b'e' | b'E') => D::Exponent,
            (D::Exponent, b'+' | b'-') => D::Sign,
            (D::Exponent | D::Sign | D::Power, b'0'..=b'9') => D::Power,
            _ => return None,
        })
    }

    fn may_end(self) -> bool {
        matches!(self, Digits::Zero | Digits::Whole | Digits::Fraction | Digits::Power)
    }
}
