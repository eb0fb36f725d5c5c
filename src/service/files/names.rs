//! What files are called: the folders and names that an application and its users give, in more than one script and
//! with the signs that tools trip over.

use crate::sim::seed::Seed;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// Ending of the name, without the dot.
    pub(super) extension: &'static str,
    /// Its content type.
    pub(super) content_type: &'static str,
    /// How its bytes begin (IANA media types' registrations, and `file`'s magic numbers).
    pub(super) magic: &'static [u8],
    /// How many of 100 files are of it.
    share: u64,
}

const fn kind(extension: &'static str, content_type: &'static str, magic: &'static [u8], share: u64) -> Kind {
    Kind { extension, content_type, magic, share }
}

/// All kinds. A few of each are in any bucket; the shares are those of a platform that people upload pictures to.
pub(super) static KINDS: [Kind; 8] = [
    kind("jpg", "image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01", 34),
    kind("png", "image/png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 20),
    kind("webp", "image/webp", b"RIFF\x24\x00\x00\x00WEBPVP8 ", 14),
    kind("pdf", "application/pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", 12),
    kind("mp4", "video/mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", 6),
    kind("txt", "text/plain; charset=utf-8", b"HookLabs Elite\n", 6),
    kind("svg", "image/svg+xml", b"<svg xmlns=\"http://www.w3.org/2000/svg\">", 4),
    kind("gif", "image/gif", b"GIF89a\x01\x00\x01\x00\x80\x00", 4),
];

/// Folders; deep ones, Korean ones, and such with spaces and `+`.
const FOLDERS: [&str; 8] = [
    "avatars/",
    "posts/2026/11/",
    "사용자/프로필/",
    "invoices/2026 Q4/",
    "uploads/c++ & more/",
    "posts/2026/11/drafts/a/b/c/d/e/",
    "게시물/여름 휴가/",
    "exports/",
];

/// Names; the file's number follows.
const STEMS: [&str; 6] = ["IMG_", "scan ", "보고서-", "photo+", "export.", "영수증 (사본) "];

/// The kind of a file. The first eight are one of each.
pub(super) fn kind_of(number: u64, seed: Seed) -> Kind {
    if let Some(kind) = KINDS.get(number as usize) {
        return *kind;
    }
    let mut left = seed.nth(number).0 % 100;
    let kind = KINDS.iter().find(|kind| left.checked_sub(kind.share).map(|rest| left = rest).is_none());
    kind.copied().unwrap_or(KINDS[0])
}

/// The key of a file. No two files have the same.
pub(super) fn key_of(number: u64, kind: Kind, seed: Seed) -> String {
    let word = seed.child("name").nth(number).0;
    let folder = FOLDERS[(word % FOLDERS.len() as u64) as usize];
    let stem = STEMS[(word / 64 % STEMS.len() as u64) as usize];
    format!("{folder}{stem}{number:05}.{}", kind.extension)
}
