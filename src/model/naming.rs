//! How recovery points are named in a bucket: a dump and its manifest, by the time of the export.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::plan::{BackupPlan, DumpFormat};

const STAMP: &str = "%Y-%m-%dT%H-%M-%SZ";
const MANIFEST: &str = ".manifest.json";
const STREAM: &str = "stream/";
const PIECE: &str = ".jsonl.gz";

/// Where a service's dumps lie and what they are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Key prefix, ends in `/`.
    pub prefix: String,
    /// Form of the dumps.
    pub format: DumpFormat,
    /// Whose names and forms they have.
    pub written_by: WrittenBy,
}

/// Whose names and forms backups have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WrittenBy {
    /// The house's own: a dump and a manifest by the time of the export.
    #[default]
    Us,
    /// Others: nothing is known of them but which objects a run of theirs stored.
    Others,
}

/// A recovery point's name: `backup-2026-11-05T03-00-00Z`. Names order by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PointName(String);

impl PointName {
    /// The name of a point exported at that time.
    pub fn at(moment: Timestamp) -> Self {
        PointName(format!("backup-{}", moment.strftime(STAMP)))
    }

    /// The time in the name. What a name says is a claim, not a fact.
    pub fn taken_at(&self) -> Option<Timestamp> {
        let stamp = self.0.strip_prefix("backup-")?;
        DateTime::strptime(STAMP, stamp).ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PointName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A piece of a change stream: `2026-11-05T14-55-00Z.000000000301-000000000312`. Says when it was taken, after which
/// write it begins and with which it ends; like every name it is a claim. Names order by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PieceName {
    /// When it was taken, in whole seconds.
    pub taken_at: Timestamp,
    /// The write after which it begins.
    pub from: u64,
    /// The last write in it.
    pub to: u64,
}

impl PieceName {
    /// The name of a piece taken at that time, with the writes after `from` up to `to`.
    pub fn at(moment: Timestamp, from: u64, to: u64) -> Self {
        let taken_at = Timestamp::from_second(moment.as_second()).unwrap_or(moment);
        PieceName { taken_at, from, to }
    }

    fn parse(name: &str) -> Option<Self> {
        let (stamp, writes) = name.split_once('.')?;
        let (from, to) = writes.split_once('-')?;
        let taken_at = DateTime::strptime(STAMP, stamp).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let piece = PieceName { taken_at, from: from.parse().ok()?, to: to.parse().ok()? };
        // One spelling a name: what is read is what would be written.
        (piece.to_string() == name).then_some(piece)
    }
}

impl std::fmt::Display for PieceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:012}-{:012}", self.taken_at.strftime(STAMP), self.from, self.to)
    }
}

/// What a key in the bucket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyKind {
    /// A dump.
    Dump(PointName),
    /// A manifest.
    Manifest(PointName),
}

impl Layout {
    /// The layout of a service's backups, in the plan's form or another.
    pub fn new(plan: &BackupPlan, format: Option<DumpFormat>) -> Self {
        let format = format.unwrap_or(plan.format);
        Layout { prefix: plan.prefix.clone(), format, written_by: WrittenBy::Us }
    }

    /// The same of backups that others write.
    #[must_use]
    pub fn of_others(self) -> Self {
        Layout { written_by: WrittenBy::Others, ..self }
    }

    /// Key of a point's dump.
    pub fn dump_key(&self, point: &PointName) -> String {
        format!("{}{point}.{}", self.prefix, self.format.extension())
    }

    /// Key of a point's manifest.
    pub fn manifest_key(&self, point: &PointName) -> String {
        format!("{}{point}{MANIFEST}", self.prefix)
    }

    /// Key prefix of the pieces of the change stream.
    pub fn stream_prefix(&self) -> String {
        format!("{}{STREAM}", self.prefix)
    }

    /// Key of a piece.
    pub fn piece_key(&self, piece: &PieceName) -> String {
        format!("{}{STREAM}{piece}{PIECE}", self.prefix)
    }

    /// The piece that a key names; `None` where it is none.
    pub fn parse_piece(&self, key: &str) -> Option<PieceName> {
        PieceName::parse(key.strip_prefix(&self.prefix)?.strip_prefix(STREAM)?.strip_suffix(PIECE)?)
    }

    /// Folder of the contents that generations of files refer to.
    pub fn contents_prefix(&self) -> String {
        format!("{}objects/", self.prefix)
    }

    /// Key of a content by its SHA-256 in hexadecimal.
    pub fn content_key(&self, sha256: &str) -> String {
        format!("{}objects/{}/{sha256}", self.prefix, sha256.get(..2).unwrap_or_default())
    }

    /// What a key is; `None` where it is neither dump nor manifest of ours.
    pub fn parse(&self, key: &str) -> Option<KeyKind> {
        let file = key.strip_prefix(&self.prefix)?;
        let kind = match file.strip_suffix(MANIFEST) {
            Some(stem) => KeyKind::Manifest(PointName(stem.into())),
            None => {
                let stem = file.strip_suffix(self.format.extension())?.strip_suffix('.')?;
                KeyKind::Dump(PointName(stem.into()))
            }
        };
        let (KeyKind::Dump(name) | KeyKind::Manifest(name)) = &kind;
        name.taken_at().map(|_| kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_back_as_what_they_were_written_as_and_others_are_none_of_ours() {
        let layout = Layout { prefix: "daily/".into(), format: DumpFormat::JsonlGz, written_by: WrittenBy::Us };
        let point = PointName::at("2026-11-05T03:00:00Z".parse().unwrap());
        assert_eq!(layout.dump_key(&point), "daily/backup-2026-11-05T03-00-00Z.jsonl.gz");
        assert_eq!(layout.parse(&layout.dump_key(&point)), Some(KeyKind::Dump(point.clone())));
        assert_eq!(layout.parse(&layout.manifest_key(&point)), Some(KeyKind::Manifest(point)));
        for other in ["daily/backup-2026-11-05.json", "daily/backup-soon.jsonl.gz", "weekly/x", "daily/.jsonl.gz"] {
            assert_eq!(layout.parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_piece_is_read_back_by_its_one_name_and_is_no_dump() {
        let layout = Layout { prefix: "daily/".into(), format: DumpFormat::JsonlGz, written_by: WrittenBy::Us };
        let piece = PieceName { taken_at: "2026-11-05T14:55:00Z".parse().unwrap(), from: 301, to: 312 };
        let key = layout.piece_key(&piece);
        assert_eq!(key, "daily/stream/2026-11-05T14-55-00Z.000000000301-000000000312.jsonl.gz");
        assert_eq!((layout.parse_piece(&key), layout.parse(&key)), (Some(piece), None));
        let other = layout.parse_piece("daily/stream/2026-11-05T14-55-00Z.301-000000000312.jsonl.gz");
        assert_eq!(other, None, "another spelling");
    }
}
