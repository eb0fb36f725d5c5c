//! The bytes of an object: in memory while they are few, else in files of the region's scratch folder. Immutable, cheap
//! to clone, and gone with the last clone.

use std::{
    fmt, fs, io,
    io::Write,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};

/// Bodies up to this many bytes stay in memory.
pub const IN_MEMORY: usize = 1 << 20;

/// Bytes in which bodies are read when they are sent or hashed.
pub const PIECE: usize = 256 << 10;

/// Where a region keeps bodies that are too large for memory: one folder, removed with the last of its files.
#[derive(Debug, Clone)]
pub struct Spool(Arc<SpoolFolder>);

#[derive(Debug)]
struct SpoolFolder {
    path: PathBuf,
    next: AtomicU64,
}

impl Spool {
    /// Makes the folder, and those above it.
    pub fn new(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Spool(Arc::new(SpoolFolder { path: path.to_owned(), next: AtomicU64::new(0) })))
    }

    /// Begins a body.
    pub fn writer(&self) -> BodyWriter {
        BodyWriter { spool: self.clone(), head: BytesMut::new(), file: None, len: 0, md5: Md5::new() }
    }

    /// A body of these bytes.
    pub fn body(&self, bytes: &[u8]) -> io::Result<Body> {
        let mut writer = self.writer();
        writer.write(bytes)?;
        writer.finish()
    }

    fn file(&self) -> io::Result<(SpoolFile, fs::File)> {
        let path = self.0.path.join(format!("body-{:08}", self.0.next.fetch_add(1, Ordering::Relaxed)));
        let file = fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok((SpoolFile { path, _spool: self.clone() }, file))
    }
}

impl Drop for SpoolFolder {
    fn drop(&mut self) {
        // Whoever owns the scratch folder removes it whole; what is left here is not this drop's to report.
        let _ = fs::remove_dir(&self.path);
    }
}

#[derive(Debug)]
struct SpoolFile {
    path: PathBuf,
    _spool: Spool,
}

impl Drop for SpoolFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Takes a body piece by piece.
#[derive(Debug)]
pub struct BodyWriter {
    spool: Spool,
    head: BytesMut,
    file: Option<(SpoolFile, fs::File)>,
    len: u64,
    md5: Md5,
}

impl BodyWriter {
    /// Adds bytes at the end.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.md5.update(bytes);
        self.len += bytes.len() as u64;
        if self.file.is_none() && self.head.len() + bytes.len() > IN_MEMORY {
            let (entry, mut file) = self.spool.file()?;
            file.write_all(&self.head)?;
            self.head = BytesMut::new();
            self.file = Some((entry, file));
        }
        match &mut self.file {
            Some((_, file)) => file.write_all(bytes),
            None => {
                self.head.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The body. A writer that is dropped instead leaves nothing.
    pub fn finish(self) -> io::Result<Body> {
        let store = match self.file {
            None => Store::Memory(self.head.freeze()),
            Some((entry, file)) => {
                drop(file);
                Store::File(entry)
            }
        };
        let md5 = OnceLock::from(<[u8; 16]>::from(self.md5.finalize()));
        Ok(Body(Arc::new(Whole { segments: vec![Segment { start: 0, store: Arc::new(store) }], len: self.len, md5 })))
    }
}

/// An object's bytes.
#[derive(Clone)]
pub struct Body(Arc<Whole>);

struct Whole {
    segments: Vec<Segment>,
    len: u64,
    md5: OnceLock<[u8; 16]>,
}

/// A stretch of a body: all of a memory block or a file.
struct Segment {
    start: u64,
    store: Arc<Store>,
}

enum Store {
    Memory(Bytes),
    File(SpoolFile),
}

impl Body {
    /// The bodies one after the other, without copying a byte.
    pub fn join(parts: &[Body]) -> Body {
        let (mut segments, mut len) = (Vec::new(), 0);
        for part in parts {
            segments
                .extend(part.0.segments.iter().map(|s| Segment { start: len + s.start, store: Arc::clone(&s.store) }));
            len += part.len();
        }
        Body(Arc::new(Whole { segments, len, md5: OnceLock::new() }))
    }

    /// Whether both are one body, not two alike.
    pub(super) fn is(&self, other: &Body) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Size in bytes.
    pub fn len(&self) -> u64 {
        self.0.len
    }

    /// Whether there is not one byte.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// MD5 of all bytes; computed once.
    pub fn md5(&self) -> io::Result<[u8; 16]> {
        if let Some(md5) = self.0.md5.get() {
            return Ok(*md5);
        }
        let mut hash = Md5::new();
        self.read_through(0..self.len(), |piece| hash.update(piece))?;
        Ok(*self.0.md5.get_or_init(|| hash.finalize().into()))
    }

    /// Up to `max` bytes from `offset` on; fewer where a stretch ends, none past the end.
    pub fn read_at(&self, offset: u64, max: usize) -> io::Result<Bytes> {
        if offset >= self.len() || max == 0 {
            return Ok(Bytes::new());
        }
        // Empty segments share their start with the next one: the last that starts at or before holds the byte.
        let nth = self.0.segments.partition_point(|s| s.start <= offset) - 1;
        let segment = &self.0.segments[nth];
        let end = self.0.segments.get(nth + 1).map_or(self.len(), |next| next.start);
        let take = usize::try_from(end - offset).unwrap_or(usize::MAX).min(max);
        let within = offset - segment.start;
        match &*segment.store {
            Store::Memory(bytes) => {
                let from = within as usize;
                Ok(bytes.slice(from..from + take))
            }
            Store::File(entry) => {
                let mut piece = BytesMut::zeroed(take);
                fs::File::open(&entry.path)?.read_exact_at(&mut piece, within)?;
                Ok(piece.freeze())
            }
        }
    }

    /// Hands a range of the body to `each`, piece by piece.
    pub fn read_through(&self, range: std::ops::Range<u64>, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let mut at = range.start;
        while at < range.end {
            let want = usize::try_from(range.end - at).unwrap_or(usize::MAX).min(PIECE);
            let piece = self.read_at(at, want)?;
            if piece.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            each(&piece);
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// All bytes at once: for small bodies and for tests.
    pub fn read_all(&self) -> io::Result<Bytes> {
        let mut all = BytesMut::new();
        self.read_through(0..self.len(), |piece| all.extend_from_slice(piece))?;
        Ok(all.freeze())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool() -> (tempfile::TempDir, Spool) {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(&folder.path().join("bodies")).unwrap();
        (folder, spool)
    }

    fn files(folder: &tempfile::TempDir) -> usize {
        fs::read_dir(folder.path().join("bodies")).map_or(0, Iterator::count)
    }

    #[test]
    fn a_large_body_lives_in_a_file_until_its_last_clone_is_gone() {
        let (folder, spool) = spool();
        let small = spool.body(&vec![1; IN_MEMORY]).unwrap();
        assert_eq!(files(&folder), 0);
        let large = spool.body(&vec![2; IN_MEMORY + 1]).unwrap();
        assert_eq!(files(&folder), 1);
        let joined = Body::join(&[small, large.clone()]);
        drop(large);
        assert_eq!(files(&folder), 1, "the joined body still needs it");
        drop((joined, spool));
        assert!(!folder.path().join("bodies").exists());
    }

    #[test]
    fn an_abandoned_writer_leaves_no_file() {
        let (folder, spool) = spool();
        let mut writer = spool.writer();
        writer.write(&vec![0; 3 << 20]).unwrap();
        assert_eq!(files(&folder), 1);
        drop(writer);
        assert_eq!(files(&folder), 0);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(32))]
        #[test]
        fn joined_parts_of_any_size_read_like_the_bytes_they_were_made_of(
            parts in proptest::collection::vec(proptest::sample::select(vec![0, 1, 7, 1000, IN_MEMORY, IN_MEMORY + 3]), 0..6),
            offset in 0u64..3_000_000,
            max in 1usize..2_000_000,
        ) {
            let (_folder, spool) = spool();
            let parts: Vec<Vec<u8>> = parts.iter().enumerate().map(|(n, len)| vec![n as u8 + 1; *len]).collect();
            let whole: Vec<u8> = parts.concat();
            let bodies: Vec<Body> = parts.iter().map(|p| spool.body(p).unwrap()).collect();
            let joined = Body::join(&bodies);
            proptest::prop_assert_eq!(joined.len(), whole.len() as u64);
            proptest::prop_assert_eq!(joined.read_all().unwrap(), &whole[..]);
            proptest::prop_assert_eq!(joined.md5().unwrap(), <[u8; 16]>::from(Md5::digest(&whole)));
            let piece = joined.read_at(offset, max).unwrap();
            let from = (offset as usize).min(whole.len());
            proptest::prop_assert!(whole[from..].starts_with(&piece));
            proptest::prop_assert_eq!(piece.is_empty(), from == whole.len());
        }
    }
}
