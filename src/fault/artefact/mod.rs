//! Faults on what a backup is made of: it is there, and it is not what it should be.

use super::Fault;

mod archive_bomb;
mod climbing_entry;
mod corrupt_json;
mod damaged_file;
mod duplicate_id;
mod empty_archive;
mod encrypted_dump;
mod foreign_dump;
mod forgery;
mod gzip_trailer_lost;
mod manifest_altered;
mod plain_as_gzip;
pub(super) mod rewrite;
mod rows;
mod rows_dropped;
mod schema_file_missing;
mod table_dropped;
mod zeroed_range;
mod zipped;

/// In the order in which they are listed.
pub(super) static FAULTS: &[&dyn Fault] = &[
    &corrupt_json::CorruptJson,
    &damaged_file::DamagedFile,
    &zeroed_range::ZeroedRange,
    &gzip_trailer_lost::GzipTrailerLost,
    &plain_as_gzip::PlainAsGzip,
    &rows_dropped::RowsDropped,
    &table_dropped::TableDropped,
    &duplicate_id::DuplicateId,
    &empty_archive::EmptyArchive,
    &foreign_dump::ForeignDump,
    &encrypted_dump::EncryptedDump,
    &manifest_altered::ManifestAltered,
    &schema_file_missing::SchemaFileMissing,
    &climbing_entry::ClimbingEntry,
    &archive_bomb::ArchiveBomb,
];
