//! What a program prints, in bounded memory: the first megabytes of its standard output, for who reads them, and the last
//! lines of everything, for people.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes of standard output that are kept from its beginning.
const KEPT: usize = 64 << 20;

/// Bytes that are kept for the last lines.
const TAIL: usize = 16 << 10;

/// Lines that are told at the most, and characters of each.
const LINES: usize = 20;
const LINE: usize = 400;

/// What was printed.
#[derive(Debug, Default)]
pub(super) struct Capture(Mutex<Printed>);

#[derive(Debug, Default)]
struct Printed {
    bytes: u64,
    output: Vec<u8>,
    output_bytes: u64,
    tail: VecDeque<u8>,
}

/// Reads until the other end is closed.
pub(super) async fn read(mut from: impl AsyncRead + Unpin, into: Arc<Capture>, is_output: bool) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        into.add(&buffer[..read], is_output);
    }
}

impl Capture {
    fn add(&self, bytes: &[u8], is_output: bool) {
        let mut printed = self.printed();
        printed.bytes += bytes.len() as u64;
        if is_output {
            printed.output_bytes += bytes.len() as u64;
            let room = KEPT - printed.output.len();
            printed.output.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        let newest = &bytes[bytes.len().saturating_sub(TAIL)..];
        let over = (printed.tail.len() + newest.len()).saturating_sub(TAIL);
        printed.tail.drain(..over);
        printed.tail.extend(newest);
    }

    /// How many bytes were printed, and the last lines of them.
    pub(super) fn told(&self) -> (u64, Vec<String>) {
        let mut printed = self.printed();
        let cut = printed.bytes > TAIL as u64;
        let text = String::from_utf8_lossy(printed.tail.make_contiguous()).into_owned();
        let mut lines: Vec<String> = text.lines().map(shown).collect();
        if cut && lines.len() > 1 {
            lines.remove(0);
        }
        let from = lines.len().saturating_sub(LINES);
        (printed.bytes, lines.split_off(from))
    }

    /// Standard output, and whether all of it is there.
    pub(super) fn output(&self) -> (Vec<u8>, bool) {
        let mut printed = self.printed();
        let output = std::mem::take(&mut printed.output);
        let is_whole = output.len() as u64 == printed.output_bytes;
        (output, is_whole)
    }

    fn printed(&self) -> MutexGuard<'_, Printed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line as it may be shown: of a line that was written over, as progress bars do, the last writing; nothing that steers
/// a terminal.
fn shown(line: &str) -> String {
    let last = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
    let plain = console::strip_ansi_codes(last);
    let harmless = plain.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut text: String = harmless.take(LINE).collect();
    if plain.chars().nth(LINE).is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_is_counted_and_the_last_lines_are_kept() {
        let capture = Capture::default();
        for line in 0..100_000 {
            capture.add(format!("line {line}\n").as_bytes(), line % 2 == 0);
        }
        let (bytes, lines) = capture.told();
        assert_eq!((bytes, lines.len(), lines.last().unwrap().as_str()), (1_088_890, LINES, "line 99999"));
        assert!(capture.printed().tail.len() <= TAIL);
        let (output, is_whole) = capture.output();
        assert!(output.starts_with(b"line 0\nline 2\n") && is_whole);
    }

    #[test]
    fn what_steers_a_terminal_is_not_told() {
        let capture = Capture::default();
        capture.add(b"10 %\r50 %\rdone\r\n\x1b[31mred\x1b[0m\x07 end\nlong ", true);
        capture.add(&[b'x'; 500], false);
        let (_, lines) = capture.told();
        assert_eq!(lines[..2], ["done", "red  end"]);
        assert_eq!(lines[2].chars().count(), LINE + 1);
    }
}
