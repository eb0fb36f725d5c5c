//! Which objects below a prefix belong to one backup, told by their names alone: what carries one date is one backup, and
//! what carries none is a copy that is kept up to date.

use crate::model::plan::ServiceKind;

/// One backup among those below a prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Generation {
    /// What names it, below the prefix; empty where all that lies there is one copy.
    pub(super) name: String,
    /// What every key of it begins with, below the prefix.
    pub(super) under: String,
    /// Whether it is one of several that are kept.
    pub(super) is_dated: bool,
}

/// Endings of what lies beside a backup and is none: checksums, signatures, descriptions.
const BESIDE: [&str; 9] = [".sha256", ".sha512", ".sha1", ".md5", ".sig", ".asc", ".minisig", ".manifest.json", ".log"];

/// Endings of files that hold many: of media, such a file with a date is a backup, and any other a file that was copied.
const ARCHIVES: [&str; 10] = [".tar", ".tgz", ".gz", ".zip", ".zst", ".xz", ".bz2", ".7z", ".age", ".gpg"];

/// Whether a key is a folder's marker, as consoles make them.
pub(super) fn is_marker(key: &str, size: u64) -> bool {
    size == 0 && key.ends_with('/')
}

/// The backup that a key belongs to; `None` where it lies beside one.
pub(super) fn generation(kind: ServiceKind, key: &str) -> Option<Generation> {
    let lower = key.to_ascii_lowercase();
    if kind != ServiceKind::Files && BESIDE.iter().any(|ending| lower.ends_with(ending)) {
        return None;
    }
    let folder = key.rfind('/').map_or(0, |at| at + 1);
    let dated = |end: usize, under: usize| {
        let (name, under) = (key[..end].to_owned(), key[..under].to_owned());
        Some(Generation { name, under, is_dated: true })
    };
    if kind == ServiceKind::Files {
        // Users' own files have dates in their names and folders. A copy's folder is the first and a date alone.
        let first = key.find('/').filter(|end| stamp(key).is_some_and(|found| found == (0, *end)));
        if let Some(end) = first {
            return dated(end + 1, end + 1);
        }
        let is_archive = folder == 0 && ARCHIVES.iter().any(|ending| lower.ends_with(ending));
        return match stamp(key).filter(|_| is_archive) {
            Some((_, end)) => dated(end, 0),
            None => Some(Generation { name: String::new(), under: String::new(), is_dated: false }),
        };
    }
    if let Some((_, end)) = stamp(key) {
        // A date in a folder's name: all in the folder. In a file's: all files of that folder with that very date.
        return match key[end..].find('/') {
            Some(more) => dated(end + more + 1, end + more + 1),
            None => {
                let (start, end) = stamp(&key[folder..]).map_or((folder, key.len()), |(a, b)| (folder + a, folder + b));
                let name = format!("{}{}", &key[..folder], &key[start..end]);
                Some(Generation { name, under: key[..folder].to_owned(), is_dated: true })
            }
        };
    }
    let whole = |name: &str| Some(Generation { name: name.to_owned(), under: name.to_owned(), is_dated: false });
    match (kind, key.find('/')) {
        // A dump of one file a table, in a folder of its own.
        (ServiceKind::Database, Some(end)) => whole(&key[..=end]),
        (ServiceKind::Database, None) => whole(key),
        _ => whole(""),
    }
}

/// Where a date stands in a text, with the time that may follow it: `2026-11-05`, `20261105`, `2026/11/05`, `2026_11_05`,
/// then `T03-00-00Z`, `-03-00-00`, `_0300`. The last one, for folders may have dates as well.
pub(super) fn stamp(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let starts = (0..bytes.len()).rev().filter(|at| *at == 0 || !bytes[at - 1].is_ascii_digit());
    starts.filter_map(|start| Some((start, date(bytes, start)?))).find(|_| true)
}

/// The end of a date that begins there.
fn date(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let year = digits(bytes, &mut at, 4)?;
    let separator = bytes.get(at).copied().filter(|byte| b"-_/.".contains(byte));
    let step = |at: &mut usize| match separator {
        Some(separator) if bytes.get(*at) == Some(&separator) => {
            *at += 1;
            Some(())
        }
        Some(_) => None,
        None => Some(()),
    };
    step(&mut at)?;
    let month = digits(bytes, &mut at, 2)?;
    step(&mut at)?;
    let day = digits(bytes, &mut at, 2)?;
    if !((1990..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)) {
        return None;
    }
    let end = time(bytes, at).unwrap_or(at);
    // A longer number is no date.
    (!bytes.get(end).is_some_and(u8::is_ascii_digit)).then_some(end)
}

/// The end of a time of day that follows a date.
fn time(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    if bytes.get(at).is_some_and(|byte| b"T-_. ".contains(byte)) {
        at += 1;
    }
    let hour = digits(bytes, &mut at, 2).filter(|hour| *hour < 24)?;
    let _ = hour;
    let mut parts = 0;
    while parts < 2 {
        let mut next = at;
        if bytes.get(next).is_some_and(|byte| b"-:_.".contains(byte)) {
            next += 1;
        }
        match digits(bytes, &mut next, 2).filter(|part| *part < 60) {
            Some(_) => (at, parts) = (next, parts + 1),
            None => break,
        }
    }
    if bytes.get(at).is_some_and(|byte| b"Zz".contains(byte)) {
        at += 1;
    }
    (parts > 0).then_some(at)
}

fn digits(bytes: &[u8], at: &mut usize, count: usize) -> Option<u32> {
    let text = bytes.get(*at..*at + count)?;
    let number = text.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))?;
    *at += count;
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_found_with_its_time_and_no_other_number_is_one() {
        let found = |text: &str| stamp(text).map(|(a, b)| text[a..b].to_owned());
        for (text, date) in [
            ("backup-2026-11-05.json.gz", "2026-11-05"),
            ("backup-2026-11-05-03-00-00.json.gz", "2026-11-05-03-00-00"),
            ("backup-2026-11-05T03-00-00Z.zip", "2026-11-05T03-00-00Z"),
            ("db_20261105_0300.sql.gz", "20261105_0300"),
            ("db_20261105030000.sql.gz", "20261105030000"),
            ("2026/11/05/users.bson", "2026/11/05"),
            ("old/2025-01-01/copy-2026-11-05.zip", "2026-11-05"),
        ] {
            assert_eq!(found(text).as_deref(), Some(date), "{text}");
        }
        for none in ["20261", "2026-13-05", "5f70bf18a086202611050", "photo-1234.jpg", "v2026.1.2", "é2026"] {
            assert_eq!(found(none), None, "{none}");
        }
    }

    #[test]
    fn keys_of_one_backup_have_one_name() {
        let name = |kind, key: &str| generation(kind, key).map(|one| one.name);
        use ServiceKind::{Config, Database, Files};
        for (kind, key, expected) in [
            (Database, "db-2026-11-05.sql.gz", "2026-11-05"),
            (Database, "globals-2026-11-05.sql.gz", "2026-11-05"),
            (Database, "a/2026-11-05-full/users.bson.gz", "a/2026-11-05-full/"),
            (Database, "latest.json.gz", "latest.json.gz"),
            (Database, "dump/app/users.bson", "dump/"),
            (Files, "2026-11-05/uploads/a.jpg", "2026-11-05/"),
            (Files, "uploads/2026-11-05/a.jpg", ""),
            (Files, "2026-11-05-party.jpg", ""),
            (Files, "media-2026-11-05.tar", "media-2026-11-05"),
            (Config, ".env.gz", ""),
            (Config, "env-2026-11-05.env.gz", "2026-11-05"),
        ] {
            assert_eq!(name(kind, key).as_deref(), Some(expected), "{key}");
        }
        assert_eq!(name(Database, "db-2026-11-05.sql.gz.sha256"), None);
        assert_eq!(name(Files, "a.sha256").as_deref(), Some(""));
    }
}
