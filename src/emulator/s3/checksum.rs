//! Checksums and ETags of objects, as S3 states them.

use std::{collections::BTreeMap, io};

use data_encoding::{BASE64, HEXLOWER};
use md5::{Digest, Md5};
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};

use super::body::Body;

/// Algorithms that S3 knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// CRC-32 (ISO-HDLC).
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// CRC-64/NVME.
    Crc64Nvme,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 5] =
        [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Sha1, Algorithm::Sha256, Algorithm::Crc64Nvme];

    /// As the protocol names it.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
            Algorithm::Crc64Nvme => "CRC64NVME",
        }
    }

    /// The algorithm of that name in the protocol; case does not matter.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name().eq_ignore_ascii_case(name))
    }
}

/// An object's or a part's checksums.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checksums {
    /// By algorithm, in base64; where composite, `-` and the number of parts follow.
    pub values: BTreeMap<Algorithm, String>,
    /// Whether they are checksums of the parts' checksums rather than of the bytes.
    pub composite: bool,
}

impl Checksums {
    /// The value of one algorithm.
    pub fn get(&self, algorithm: Algorithm) -> Option<&str> {
        self.values.get(&algorithm).map(String::as_str)
    }

    /// Which algorithms there are.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        self.values.keys().copied().collect()
    }
}

/// Computes several checksums in one pass.
#[derive(Default)]
pub struct Digester {
    hashers: Vec<(Algorithm, Hasher)>,
}

enum Hasher {
    Crc32(Crc32),
    Crc32c(Crc32c),
    Sha1(Sha1),
    Sha256(Sha256),
    Crc64Nvme(Crc64Nvme),
}

impl Digester {
    /// For these algorithms; naming one twice changes nothing.
    pub fn new(algorithms: &[Algorithm]) -> Self {
        let mut digester = Digester::default();
        for algorithm in algorithms {
            digester.add(*algorithm);
        }
        digester
    }

    /// Adds an algorithm; before the first byte.
    pub fn add(&mut self, algorithm: Algorithm) {
        if self.hashers.iter().all(|(a, _)| *a != algorithm) {
            let hasher = match algorithm {
                Algorithm::Crc32 => Hasher::Crc32(Crc32::new()),
                Algorithm::Crc32c => Hasher::Crc32c(Crc32c::new()),
                Algorithm::Sha1 => Hasher::Sha1(Sha1::new()),
                Algorithm::Sha256 => Hasher::Sha256(Sha256::new()),
                Algorithm::Crc64Nvme => Hasher::Crc64Nvme(Crc64Nvme::new()),
            };
            self.hashers.push((algorithm, hasher));
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        for (_, hasher) in &mut self.hashers {
            match hasher {
                Hasher::Crc32(h) => h.update(bytes),
                Hasher::Crc32c(h) => h.update(bytes),
                Hasher::Sha1(h) => h.update(bytes),
                Hasher::Sha256(h) => h.update(bytes),
                Hasher::Crc64Nvme(h) => h.update(bytes),
            }
        }
    }

    /// Checksums of all bytes taken.
    pub fn finish(self) -> Checksums {
        let sum = |hasher| match hasher {
            Hasher::Crc32(h) => BASE64.encode(h.finalize().as_ref()),
            Hasher::Crc32c(h) => BASE64.encode(h.finalize().as_ref()),
            Hasher::Sha1(h) => BASE64.encode(h.finalize().as_ref()),
            Hasher::Sha256(h) => BASE64.encode(h.finalize().as_ref()),
            Hasher::Crc64Nvme(h) => BASE64.encode(h.finalize().as_ref()),
        };
        let values = self.hashers.into_iter().map(|(a, hasher)| (a, sum(hasher))).collect();
        Checksums { values, composite: false }
    }
}

/// Checksums of a body's bytes.
pub fn of_body(body: &Body, algorithms: &[Algorithm]) -> io::Result<Checksums> {
    of_range(body, 0..body.len(), algorithms)
}

fn of_range(body: &Body, range: std::ops::Range<u64>, algorithms: &[Algorithm]) -> io::Result<Checksums> {
    let mut digester = Digester::new(algorithms);
    if !algorithms.is_empty() {
        body.read_through(range, |piece| digester.update(piece))?;
    }
    Ok(digester.finish())
}

/// The checksum of parts' checksums, as S3 states it of an object uploaded in parts.
pub fn composite(parts: &[Checksums], algorithms: &[Algorithm]) -> Checksums {
    let mut sums = Checksums { composite: true, ..Checksums::default() };
    for algorithm in algorithms {
        let mut digester = Digester::new(&[*algorithm]);
        for part in parts {
            let raw = part.get(*algorithm).and_then(|text| BASE64.decode(text.as_bytes()).ok());
            digester.update(&raw.unwrap_or_default());
        }
        if let Some(sum) = digester.finish().get(*algorithm) {
            sums.values.insert(*algorithm, format!("{sum}-{}", parts.len()));
        }
    }
    sums
}

/// ETag of an object written in one piece, without quotes.
pub fn etag(body: &Body) -> io::Result<String> {
    Ok(HEXLOWER.encode(&body.md5()?))
}

/// ETag of an object uploaded in parts, from the parts' ETags: MD5 of their MD5s, and their number.
pub fn multipart_etag<'a>(parts: impl ExactSizeIterator<Item = &'a str>) -> String {
    let (count, mut hash) = (parts.len(), Md5::new());
    for part in parts {
        hash.update(HEXLOWER.decode(part.as_bytes()).unwrap_or_default());
    }
    format!("{}-{count}", HEXLOWER.encode(&hash.finalize()))
}

/// ETag and checksums that an object would have, had these bytes been uploaded in parts of `part` bytes (in one piece
/// where that is `None`).
pub fn as_uploaded(body: &Body, like: &Checksums, part: Option<u64>) -> io::Result<(String, Checksums, Vec<u64>)> {
    let algorithms = like.algorithms();
    let Some(part) = part.filter(|p| *p > 0) else {
        return Ok((etag(body)?, of_body(body, &algorithms)?, Vec::new()));
    };
    let (mut etags, mut sums, mut sizes, mut at) = (Vec::new(), Vec::new(), Vec::new(), 0);
    while at < body.len() || sizes.is_empty() {
        let range = at..body.len().min(at + part);
        let mut hash = Md5::new();
        body.read_through(range.clone(), |piece| hash.update(piece))?;
        etags.push(HEXLOWER.encode(&hash.finalize()));
        sums.push(of_range(body, range.clone(), &algorithms)?);
        sizes.push(range.end - range.start);
        at = range.end.max(at + 1);
    }
    let checksums = if like.composite { composite(&sums, &algorithms) } else { of_body(body, &algorithms)? };
    Ok((multipart_etag(etags.iter().map(String::as_str)), checksums, sizes))
}
