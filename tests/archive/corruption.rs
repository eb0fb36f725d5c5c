//! A damaged archive is refused, or it gives the very rows that were packed: for each byte of a small archive and for
//! random places of a large one. The archive's own digest, which any change breaks, is left out of it.

use backdraft::archive::{MANIFEST_FORMAT, Manifest};
use backdraft::model::event::Position;
use proptest::prelude::*;

use super::*;

fn refused_or_identical(read: Result<Read, ArchiveError>, rows: &[(String, String)], packed: &Summary) -> bool {
    match read {
        Err(error) => !matches!(error, ArchiveError::Input(_) | ArchiveError::Scratch(_)),
        Ok((found, summary)) => {
            found == rows && summary.tables == packed.tables && manifest(packed).check(&summary).is_err()
        }
    }
}

fn manifest(packed: &Summary) -> Manifest {
    Manifest {
        format: MANIFEST_FORMAT.into(),
        service: "database".into(),
        dump: "dump".into(),
        dump_format: DumpFormat::JsonlGz,
        stored_bytes: packed.stored_bytes,
        stored_sha256: packed.stored_sha256.clone(),
        position: Position { seq: 0, committed_at: Timestamp::UNIX_EPOCH },
        exported_at: Timestamp::UNIX_EPOCH,
        tables: packed.tables.clone(),
        content_bytes: None,
    }
}

/// Reads many small archives of one format.
fn read_each(
    format: DumpFormat,
    archives: impl Iterator<Item = Vec<u8>>,
    mut then: impl FnMut(Result<Read, ArchiveError>),
) {
    let scratch = tempfile::tempdir().unwrap();
    play(Way::Simulated, async |lanes| {
        for archive in archives {
            then(read_on(&lanes, scratch.path(), format, &archive, 64 << 10, ROOMY).await);
        }
    });
}

#[test]
fn no_changed_byte_of_an_archive_changes_a_row_unnoticed() {
    for format in FORMATS {
        let (archive, summary) = packed(format, &sample());
        let rows = as_lines(&sample());
        manifest(&summary).check(&read(format, &archive).unwrap().1).unwrap();
        let changes = || (0..archive.len()).flat_map(|at| [0x01, 0x20, 0x80, 0xff].map(|flip| (at, flip)));
        let damaged = changes().map(|(at, flip)| {
            let mut damaged = archive.clone();
            damaged[at] ^= flip;
            damaged
        });
        let mut places = changes();
        read_each(format, damaged, |read| {
            let place = places.next();
            assert!(refused_or_identical(read, &rows, &summary), "{format:?}, byte and change {place:?}");
        });
    }
}

#[test]
fn no_archive_that_is_cut_off_or_goes_on_is_read() {
    for format in FORMATS {
        let (archive, _) = packed(format, &sample());
        let mut bad: Vec<Vec<u8>> = (0..archive.len()).map(|end| archive[..end].to_vec()).collect();
        for garbage in [&b"\0"[..], b"\n", b"PK", b"\x1f\x8b", &archive[..20], &archive] {
            bad.push([&archive, garbage].concat());
        }
        let foreign = match format {
            DumpFormat::JsonlGz => gz("{\"_table\":\"users\",\"a\":1}\n{\"_table\":\"users\",\"a\":2}\n"),
            DumpFormat::JsonGz => gz("{\"users\":[{\"a\":1},{\"a\":2}]}"),
            DumpFormat::ConvexZip => archive.clone(),
        };
        assert!(read(format, &foreign).is_ok());
        bad.extend((0..foreign.len()).map(|end| foreign[..end].to_vec()));
        bad.push([&foreign, &b"\0\0\0\0"[..]].concat());
        let mut sizes: Vec<usize> = bad.iter().rev().map(Vec::len).collect();
        read_each(format, bad.into_iter(), |read| {
            let size = sizes.pop();
            assert!(read.is_err(), "{format:?} of {size:?} bytes is read");
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn neither_does_one_of_several_members(place in any::<prop::sample::Index>(), flip in 1u8.., cut in any::<bool>()) {
        static LARGE: std::sync::LazyLock<[(DumpFormat, Vec<u8>, Summary); 3]> = std::sync::LazyLock::new(|| {
            FORMATS.map(|format| {
                let (archive, summary) = packed(format, &large(2 << 20));
                (format, archive, summary)
            })
        });
        let rows = as_lines(&large(2 << 20));
        for (format, archive, summary) in &*LARGE {
            let at = place.index(archive.len());
            let mut damaged = archive.clone();
            damaged[at] ^= flip;
            if cut {
                damaged.truncate(at);
            }
            prop_assert!(refused_or_identical(read(*format, &damaged), &rows, summary), "{:?} byte {}", format, at);
        }
    }
}

#[test]
fn members_that_are_lost_swapped_or_doubled_do_not_agree_with_the_manifest() {
    let (archive, summary) = packed(DumpFormat::JsonlGz, &large(3 << 20));
    let mut members = Vec::new();
    let mut rest = &archive[..];
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[16..20].try_into().unwrap()) as usize;
        let (member, after) = rest.split_at(length);
        members.push(member);
        rest = after;
    }
    let end = members.len() - 1;
    assert!(end >= 3, "{end} members and the empty one");
    let whole: Vec<usize> = (0..=end).collect();
    let without_the_last: Vec<usize> = (0..=end).filter(|at| *at != end - 1).collect();
    let ends_wrong =
        [&whole[..end], &whole[..1], &[0, end, 1, end], &[&whole[..], &[end]].concat(), &[&whole[..], &whole].concat()];
    for order in ends_wrong {
        assert!(read(DumpFormat::JsonlGz, &joined(&members, order)).is_err(), "{order:?}");
    }
    for order in [&without_the_last[..], &[0, 1, 1, 2, end], &[0, 2, 1, end]] {
        if let Ok((_, found)) = read(DumpFormat::JsonlGz, &joined(&members, order)) {
            assert_ne!(found.tables, summary.tables, "{order:?}");
            manifest(&summary).check(&found).unwrap_err();
        }
    }
}

fn joined(members: &[&[u8]], order: &[usize]) -> Vec<u8> {
    order.iter().flat_map(|at| members[*at]).copied().collect()
}
