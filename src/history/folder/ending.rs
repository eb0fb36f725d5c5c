//! How a folder's chain ends: with its last entry, with what a run leaves that was killed while it wrote (or a machine
//! that crashed meanwhile), or with what none leaves. Verification and repair both ask here, so that what one of them
//! says the other does.

use super::{CHAIN, Folder, HEAD, reading, reading::Tail};
use crate::{
    error::Result,
    history::{
        chain::{End, Link, digest, new_record},
        packing::MOST_PACKED,
        survey::{Damage, HeadSeen},
    },
    model::history::Summary,
};

/// The end of a chain to which something can be appended.
pub(super) struct Left {
    /// The last entry whose line is whole.
    pub(super) end: End,
    /// Whether head.json must be written, since it names the entry before.
    pub(super) behind: bool,
    /// To how many bytes the chain must be cut, and how many bytes that takes away.
    pub(super) cut: Option<(u64, usize)>,
    /// Whether what is cut ends with a newline, so that it looks like a line.
    pub(super) looks_whole: bool,
    /// What is there of the entry after it.
    pub(super) next: Next,
}

/// What is there of the entry after the last one.
pub(super) enum Next {
    /// Nothing.
    Nothing,
    /// Its line, whole but for its newline.
    Newline(End),
    /// Its record, and no line that is whole.
    Record(Box<(Summary, Vec<u8>)>),
}

impl Left {
    /// What is not finished, in words; `None` where nothing is.
    pub(super) fn words(&self) -> Option<String> {
        let (last, next) = (self.end.sequence, self.end.sequence + 1);
        let mut said = Vec::new();
        if self.behind {
            said.push(format!("entry {last} is whole, and {HEAD} does not name it yet"));
        }
        match (&self.next, self.cut) {
            (Next::Newline(_), _) => said.push(format!("the line of entry {next} is whole but for its end")),
            (Next::Record(_), None) => {
                said.push(format!("the record of entry {next} is there, its line was not written"))
            }
            (Next::Record(_), Some((_, bytes))) => {
                said.push(format!("the line of entry {next} is not whole: {bytes} bytes are there"));
            }
            (Next::Nothing, Some((_, bytes))) => said.push(format!("{bytes} bytes of nothing follow entry {last}")),
            (Next::Nothing, None) => {}
        }
        (!said.is_empty()).then(|| said.join("; "))
    }
}

/// The last line and what stands behind it, told apart as a write leaves them: a line holds no NUL, and one that does was
/// not yet on disk when the machine crashed.
struct Parts {
    last: Option<Vec<u8>>,
    torn: Vec<u8>,
    whole_bytes: u64,
    looks_whole: bool,
}

impl Parts {
    fn of(mut tail: Tail) -> Parts {
        let last = tail.lines.pop();
        match last {
            Some(odd) if tail.torn.is_empty() && odd.contains(&0) => {
                let bytes = odd.len() + 1;
                let whole_bytes = tail.whole_bytes.saturating_sub(bytes as u64);
                Parts { last: tail.lines.pop(), torn: odd, whole_bytes, looks_whole: true }
            }
            last => Parts { last, torn: tail.torn, whole_bytes: tail.whole_bytes, looks_whole: false },
        }
    }

    fn cut(&self) -> Option<(u64, usize)> {
        let bytes = self.torn.len() + usize::from(self.looks_whole);
        (bytes > 0).then_some((self.whole_bytes, bytes))
    }

    /// Whether it can be what was written of the line that comes after that end: each byte is the right one, or none.
    fn begins_next(&self, end: End) -> bool {
        let mut pairs = self.torn.iter().zip(end.beginning_of_next());
        pairs.all(|(is, must)| *is == must || *is == 0)
    }
}

impl Folder {
    /// How the chain ends. The folder is locked.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn ending(&self) -> Result<std::result::Result<Left, Damage>> {
        let parts = Parts::of(reading::tail(&self.dir.join(CHAIN))?);
        let agreed = agreed(&parts, &self.head());
        let (end, behind, named) = match agreed {
            Ok(agreed) => agreed,
            Err(damage) => return Ok(Err(damage)),
        };
        let next = end.sequence + 1;
        let damaged = |why: String| Ok(Err(Damage::new(next, why)));
        let left = |cut, next| Ok(Ok(Left { end, behind, cut, looks_whole: parts.looks_whole, next }));
        let record = match reading::small(&self.record_path(next), MOST_PACKED) {
            Ok(record) => record,
            Err(e) => return damaged(format!("its record is there without its line, and cannot be read: {e}")),
        };
        let fits = |link: &Link, packed: &[u8]| {
            (link.sequence, link.previous, link.record) == (next, end.digest, digest(packed))
        };
        match (record, Link::of(&parts.torn)) {
            (Some(packed), Ok(link)) if fits(&link, &packed) => {
                left(None, Next::Newline(End { sequence: next, digest: digest(&parts.torn) }))
            }
            (None, _) if named => damaged("its line has no end, and its record is gone".into()),
            (Some(_), _) if named => damaged("its line has no end, and its record was edited".into()),
            (None, _) if parts.torn.iter().all(|byte| *byte == 0) => left(parts.cut(), Next::Nothing),
            (None, _) => damaged("its line is not whole, and its record is gone".into()),
            (Some(_), _) if !parts.begins_next(end) => {
                damaged("what stands in the place of its line is no part of it".into())
            }
            (Some(packed), _) => match new_record(&packed, &self.links()?) {
                Err(why) => damaged(why),
                Ok(summary) => left(parts.cut(), Next::Record(Box::new((summary, packed)))),
            },
        }
    }

    /// What holds every entry in its place.
    fn links(&self) -> Result<Vec<Link>> {
        Ok(reading::lines(&self.dir.join(CHAIN))?.iter().filter_map(|line| Link::of(line).ok()).collect())
    }
}

/// The end on which the last line and head.json agree, as far as a killed write lets them; whether head.json is behind,
/// and whether it names the line that has no end.
fn agreed(parts: &Parts, head: &HeadSeen) -> std::result::Result<(End, bool, bool), Damage> {
    let is_torn = |named: &End, end: &End| {
        !parts.looks_whole && named.sequence == end.sequence + 1 && named.digest == digest(&parts.torn)
    };
    let Some(last) = &parts.last else {
        return match head {
            HeadSeen::Missing => Ok((End::NONE, false, false)),
            HeadSeen::Names(named) if is_torn(named, &End::NONE) => Ok((End::NONE, false, true)),
            _ => Err(Damage::new(1, format!("{CHAIN} is empty, and {HEAD} is there"))),
        };
    };
    let odd = |why| Damage { sequence: None, why: format!("the last line is no entry: {why}") };
    let link = Link::of(last).map_err(odd)?;
    let end = End { sequence: link.sequence, digest: digest(last) };
    match head {
        HeadSeen::Names(named) if *named == end => Ok((end, false, false)),
        HeadSeen::Names(named) if is_torn(named, &end) => Ok((end, false, true)),
        HeadSeen::Names(named) if named.sequence + 1 == end.sequence && named.digest == link.previous => {
            Ok((end, true, false))
        }
        HeadSeen::Missing if end.sequence == 1 => Ok((end, true, false)),
        _ => Err(Damage::new(end.sequence, format!("it stands last, and {HEAD} does not name it"))),
    }
}
