//! The mutants: the reference pipeline, each time with one mistake that a team can make, and the scenario that must
//! catch it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use backdraft::model::{
    event::AlarmKind,
    outcome::Outcome::{self, Hung, RecoveredBehind, RecoveredLate, RefusedLoudly, SilentlyWrong},
    units::Span,
};

use crate::{
    careless::{
        AfterBackup, Split, Talks, all_is_well, as_new_as_ever, is_alarm, keeping, primary_only, remade, saying,
    },
    dumps::{
        ByName, Doctor, Doctored, FirstPage, Sees, counts_only, newest_name, no_digest, no_stream, nothing_is_nothing,
        oldest_name, open_ones, what_parses,
    },
    lens::through,
    media::{Hoards, Lists, by_size_only, into_the_source, no_content_type, plain_names, source_through, usual_types},
    rig::{Rig, rig},
    site::{Does, careless, impatient},
    tables::{Hand, Tables, exporting, exporting_at, spelling, staging},
};

/// A pipeline with a mistake in it.
pub(crate) struct Mutant {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What it does, in one line.
    pub(crate) does: &'static str,
    /// The scenario that must catch it.
    pub(crate) scenario: &'static str,
    /// How that drill must end.
    pub(crate) ends: Outcome,
    /// Puts it in.
    pub(crate) rig: fn() -> Rig,
}

/// All of them, by what is wrong with them: what they write, what they read, what they keep, what they say.
pub(crate) static MUTANTS: &[Mutant] = &[
    // What they write.
    Mutant {
        name: "loses-64-bit-precision",
        does: "reads every number as a float on its way into the dump",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || database(spelling(floats)),
    },
    Mutant {
        name: "drops-the-last-line",
        does: "writes no line end after the last row, and a reader of whole lines misses that row",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || database(exporting(without_the_last_row)),
    },
    Mutant {
        name: "drops-nulls",
        does: "leaves out fields that are null",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || database(spelling(|line| line.replace(",\"referredBy\":null", ""))),
    },
    Mutant {
        name: "writes-latin-1",
        does: "writes `?` for every sign that Latin-1 does not have",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || database(spelling(|line| line.chars().map(|c| if c as u32 > 255 { '?' } else { c }).collect())),
    },
    Mutant {
        name: "takes-times-for-local",
        does: "takes times for those of Seoul and converts them",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || database(spelling(nine_hours_earlier)),
    },
    Mutant {
        name: "exports-one-page",
        does: "asks the database for rows and takes the first page of a table for the table",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || database(exporting(|tables| each(tables, |_, lines| lines.into_iter().take(20).collect()))),
    },
    Mutant {
        name: "keeps-deleted-documents",
        does: "adds to its copy and never takes anything out of it",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || database(hoarding()),
    },
    Mutant {
        name: "leaves-a-table-out",
        does: "has a list of tables, and one was added since",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || database(exporting(|tables| tables.into_iter().filter(|(name, _)| &**name != "analytics").collect())),
    },
    Mutant {
        name: "leaves-empty-tables-out",
        does: "exports tables that have rows, so that the application finds one missing",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || database(exporting(|tables| tables.into_iter().filter(|(_, lines)| !lines.is_empty()).collect())),
    },
    Mutant {
        name: "exports-from-a-cache",
        does: "dumps what it read the day before, under today's position",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || database(cached()),
    },
    Mutant {
        name: "streams-no-deletions",
        does: "copies inserts and updates as they happen, and no deletion",
        scenario: "database/stream-critical-class",
        ends: SilentlyWrong,
        rig: || {
            let kept = |_: &str, lines: Vec<String>| {
                lines.into_iter().filter(|line| !line.contains("\"_deleted\":true")).collect()
            };
            database(Hand { changes: Some(Arc::new(kept)), ..Hand::default() })
        },
    },
    Mutant {
        name: "streams-some-tables",
        does: "copies changes of the tables that somebody thought critical, and says that it copies all",
        scenario: "database/stream-critical-class",
        ends: SilentlyWrong,
        rig: || {
            let kept = |table: &str, lines: Vec<String>| if table == "posts" { Vec::new() } else { lines };
            database(Hand { changes: Some(Arc::new(kept)), ..Hand::default() })
        },
    },
    // What they read.
    Mutant {
        name: "skips-the-digest",
        does: "restores any dump that opens",
        scenario: "database/corrupt-value-changed",
        ends: SilentlyWrong,
        rig: || doctored(no_digest),
    },
    Mutant {
        name: "compares-counts-only",
        does: "restores any dump that has as many rows as its manifest says",
        scenario: "database/corrupt-value-changed",
        ends: SilentlyWrong,
        rig: || doctored(counts_only),
    },
    Mutant {
        name: "imports-what-it-could-parse",
        does: "leaves out lines that it cannot read, and what cannot be inflated",
        scenario: "database/corrupt-truncated-latest",
        ends: SilentlyWrong,
        rig: || doctored(what_parses),
    },
    Mutant {
        name: "takes-nothing-for-empty",
        does: "takes an object of 0 bytes for the dump of an empty database",
        scenario: "database/missing-empty-object",
        ends: SilentlyWrong,
        rig: || doctored(nothing_is_nothing),
    },
    Mutant {
        name: "trusts-the-file-name",
        does: "takes the date in a dump's name for the date of its data",
        scenario: "database/stale-looks-fresh",
        ends: SilentlyWrong,
        rig: || rig().bench(|_, bench| through(bench, ByName::default())),
    },
    Mutant {
        name: "ignores-the-second-page",
        does: "asks for a page of 100 objects and takes it for all that is stored",
        scenario: "database/stream-bad-base",
        ends: RecoveredBehind,
        rig: || rig().bench(|_, bench| through(bench, FirstPage(100))),
    },
    Mutant {
        name: "forgets-the-stream",
        does: "restores the newest dump and none of the changes after it",
        scenario: "database/stream-bad-base",
        ends: RecoveredBehind,
        rig: || sees(no_stream),
    },
    Mutant {
        name: "tries-the-newest-only",
        does: "gives up where the newest dump is bad",
        scenario: "database/corrupt-truncated-latest",
        ends: RefusedLoudly,
        rig: || sees(newest_name),
    },
    Mutant {
        name: "takes-the-oldest",
        does: "sorts dumps the wrong way round",
        scenario: "database/control",
        ends: RecoveredBehind,
        rig: || sees(oldest_name),
    },
    Mutant {
        name: "ignores-older-versions",
        does: "does not look below delete markers and overwritten objects",
        scenario: "level-3/wiped-lock-holds",
        ends: RefusedLoudly,
        rig: || sees(open_ones),
    },
    Mutant {
        name: "restores-from-the-primary-only",
        does: "copies to every region, and asks the first one alone when it counts",
        scenario: "database/corrupt-primary-only",
        ends: RecoveredBehind,
        rig: || {
            rig().pipeline(|means, own| {
                let restores = remade(&means, primary_only(&means.bench), true).unwrap_or_else(|| Arc::clone(&own));
                Arc::new(Split { restores, ..Split::own(means, own) })
            })
        },
    },
    // What they import.
    Mutant {
        name: "never-compares",
        does: "loses the end of every batch while it imports, and does not read the target back",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || {
            database(staging(|_, mut lines| {
                lines.truncate(lines.len().saturating_sub(1));
                lines
            }))
        },
    },
    Mutant {
        name: "imports-twice",
        does: "repeats a batch that it believes lost, and does not read the target back",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || database(staging(|_, lines| [&lines[..], &lines[..]].concat())),
    },
    Mutant {
        name: "restores-into-the-source",
        does: "imports over the deployment that is lost, so that users still reach nothing",
        scenario: "database/control",
        ends: SilentlyWrong,
        rig: || database(Hand { stays: true, ..Hand::default() }),
    },
    // What they keep.
    Mutant {
        name: "keeps-one-region",
        does: "never copies a backup to another region",
        scenario: "database/outage-primary-refused",
        ends: RefusedLoudly,
        rig: || rig().pipeline(|means, own| remade(&means, primary_only(&means.bench), true).unwrap_or(own)),
    },
    Mutant {
        name: "prunes-the-last-good-one",
        does: "keeps the newest dump alone, good or bad",
        scenario: "database/corrupt-truncated-latest",
        ends: RefusedLoudly,
        rig: || after_each_backup(AfterBackup::KeepOne),
    },
    Mutant {
        name: "never-prunes",
        does: "keeps every backup for ever, whatever the plan promises",
        scenario: "database/retention-keeps-a-week",
        ends: SilentlyWrong,
        rig: || rig().pipeline(|means, own| keeping(&means, Span::hours(24 * 3650)).unwrap_or(own)),
    },
    Mutant {
        name: "prunes-too-early",
        does: "keeps backups for a day where the plan says a week",
        scenario: "config/restored-from-week-before",
        ends: RefusedLoudly,
        rig: || rig().pipeline(|means, own| keeping(&means, Span::hours(24)).unwrap_or(own)),
    },
    // What they say.
    Mutant {
        name: "swallows-an-error",
        does: "says that the newest backup is back where nothing could be restored",
        scenario: "database/outage-all-regions",
        ends: SilentlyWrong,
        rig: || rig().pipeline(|_, own| Talks::over(own, all_is_well)),
    },
    Mutant {
        name: "claims-more-than-it-restored",
        does: "falls back to an older dump and says that it was the newest",
        scenario: "database/corrupt-truncated-latest",
        ends: SilentlyWrong,
        rig: || rig().pipeline(|_, own| Talks::over(own, as_new_as_ever)),
    },
    Mutant {
        name: "gives-up-without-a-word",
        does: "raises no alarm, not even where nothing can be restored",
        scenario: "database/outage-all-regions",
        ends: SilentlyWrong,
        rig: || rig().bench(|_, bench| saying(bench, |what| !matches!(what, backdraft::model::event::What::Alarm(_)))),
    },
    Mutant {
        name: "is-silent-about-failed-backups",
        does: "does not say that a region did not get the backup",
        scenario: "database/outage-during-backup",
        ends: Outcome::Recovered,
        rig: || rig().bench(|_, bench| saying(bench, |what| !is_alarm(what, AlarmKind::BackupFailed))),
    },
    Mutant {
        name: "cries-wolf",
        does: "raises an alarm after every backup",
        scenario: "database/control",
        ends: Outcome::Recovered,
        rig: || after_each_backup(AfterBackup::CryWolf),
    },
    Mutant {
        name: "hangs",
        does: "waits for something that never comes",
        scenario: "database/control",
        ends: Hung,
        rig: || waiting(Duration::from_secs(30 * 86_400)),
    },
    Mutant {
        name: "dawdles",
        does: "takes two hours before it begins",
        scenario: "database/control",
        ends: RecoveredLate,
        rig: || waiting(Duration::from_secs(2 * 3600)),
    },
    // Files.
    Mutant {
        name: "compares-sizes-only",
        does: "takes a file of the same size for the same file",
        scenario: "files/control",
        ends: SilentlyWrong,
        rig: || source(by_size_only),
    },
    Mutant {
        name: "forgets-an-unusual-type",
        does: "has a list of types of file, and one is not on it",
        scenario: "files/control",
        ends: SilentlyWrong,
        rig: || source(usual_types),
    },
    Mutant {
        name: "stumbles-over-names",
        does: "leaves out files whose names are not ASCII",
        scenario: "files/control",
        ends: SilentlyWrong,
        rig: || source(plain_names),
    },
    Mutant {
        name: "lists-one-page-of-the-bucket",
        does: "takes the first page of a listing, of 20 files, for all of them",
        scenario: "files/control",
        ends: SilentlyWrong,
        rig: || rig().buckets(|inner| source_through(inner, FirstPage(20))),
    },
    Mutant {
        name: "ignores-deletions",
        does: "keeps in its list what was deleted in the source",
        scenario: "files/control",
        ends: SilentlyWrong,
        rig: || rig().buckets(|inner| source_through(inner, Hoards::default())),
    },
    Mutant {
        name: "loses-content-types",
        does: "restores every file as application/octet-stream",
        scenario: "files/control",
        ends: SilentlyWrong,
        rig: || source(no_content_type),
    },
    Mutant {
        name: "prunes-what-is-still-needed",
        does: "removes contents by their age, also where a kept generation names them",
        scenario: "files/retention-keeps-what-is-needed",
        ends: RefusedLoudly,
        rig: || after_each_backup(AfterBackup::ForgetOldContents),
    },
    Mutant {
        name: "restores-files-into-the-source",
        does: "restores over the damaged bucket that it should leave alone",
        scenario: "files/deletion-noticed-late",
        ends: RefusedLoudly,
        rig: || rig().buckets(into_the_source),
    },
    Mutant {
        name: "ignores-the-target-time",
        does: "restores the newest generation where one from before the damage was asked for",
        scenario: "files/deletion-noticed-late",
        ends: SilentlyWrong,
        rig: || rig().pipeline(|means, own| remade(&means, means.bench.clone(), true).unwrap_or(own)),
    },
    // Configuration.
    Mutant {
        name: "writes-secrets-in-clear",
        does: "stores an export as it comes, and never looks through what is stored",
        scenario: "config/secret-never-redacted",
        ends: SilentlyWrong,
        rig: || rig().pipeline(|means, own| remade(&means, means.bench.clone(), false).unwrap_or(own)),
    },
    Mutant {
        name: "forgets-the-secrets",
        does: "restores what the backup holds, and asks no store for what it leaves out",
        scenario: "config/control",
        ends: SilentlyWrong,
        rig: || {
            let known =
                |_: &str, lines: Vec<String>| lines.into_iter().filter(|l| !l.contains("\"redacted\"")).collect();
            rig().platform("config", move |inner| staging(known).on(inner))
        },
    },
    Mutant {
        name: "keeps-the-old-url",
        does: "leaves the addresses of the lost deployment in the restored configuration",
        scenario: "config/follows-the-database",
        ends: SilentlyWrong,
        rig: || rig().platform("config", |inner| Hand { keeps_addresses: true, ..Hand::default() }.on(inner)),
    },
    Mutant {
        name: "believes-the-runbook",
        does: "takes addresses from what people wrote down and tries none of them",
        scenario: "config/wrong-url-after-cut-over",
        ends: SilentlyWrong,
        rig: || rig().platform("config", |inner| Hand { believes_the_runbook: true, ..Hand::default() }.on(inner)),
    },
    // Web applications.
    Mutant {
        name: "believes-the-health-check",
        does: "does nothing where the health check says that all is well",
        scenario: "level-1/health-check-lies",
        ends: SilentlyWrong,
        rig: || rig().pipeline(|means, own| careless(&means, own, Does::BelievesTheHealthCheck)),
    },
    Mutant {
        name: "rolls-back-blindly",
        does: "moves production and does not look where users are sent",
        scenario: "level-1/dns-still-old",
        ends: SilentlyWrong,
        rig: || rig().pipeline(|means, own| careless(&means, own, Does::RollsBackBlindly)),
    },
    Mutant {
        name: "takes-the-one-before",
        does: "rolls back to the deployment before, whatever that is, and says that it is the healthy one",
        scenario: "level-1/bad-deploy-redeploy-stable-commit",
        ends: SilentlyWrong,
        rig: || rig().pipeline(|means, own| careless(&means, own, Does::TakesTheOneBefore)),
    },
    Mutant {
        name: "gives-up-at-the-first-503",
        does: "asks the hosting provider once",
        scenario: "level-1/hosting-api-down-for-a-while",
        ends: RefusedLoudly,
        rig: || rig().pipeline(|means, own| impatient(&means, own)),
    },
];

fn database(hand: Hand) -> Rig {
    rig().platform("database", move |inner| hand.on(inner))
}

fn doctored(doctor: Doctor) -> Rig {
    rig().bench(move |_, bench| {
        let lens = Doctored::new(&bench, doctor);
        through(bench, lens)
    })
}

fn sees(which: fn(Vec<backdraft::store::VersionInfo>) -> Vec<backdraft::store::VersionInfo>) -> Rig {
    rig().bench(move |_, bench| {
        let lens = Sees::new(&bench, which);
        through(bench, lens)
    })
}

fn source(lists: fn(Vec<backdraft::store::ObjectInfo>) -> Vec<backdraft::store::ObjectInfo>) -> Rig {
    rig().buckets(move |inner| source_through(inner, Lists(lists)))
}

fn after_each_backup(after_backup: AfterBackup) -> Rig {
    rig().pipeline(move |means, own| Arc::new(Split { after_backup, ..Split::own(means, own) }))
}

fn waiting(before_restore: Duration) -> Rig {
    rig().pipeline(move |means, own| Arc::new(Split { before_restore, ..Split::own(means, own) }))
}

/// Each table's lines, changed.
pub(crate) fn each(tables: Tables, with: impl Fn(&str, Vec<String>) -> Vec<String>) -> Tables {
    tables.into_iter().map(|(name, lines)| (Arc::clone(&name), with(&name, lines))).collect()
}

fn without_the_last_row(mut tables: Tables) -> Tables {
    if let Some((_, lines)) = tables.iter_mut().rev().find(|(_, lines)| !lines.is_empty()) {
        lines.pop();
    }
    tables
}

/// Integers as an f64 holds them; outside of texts alone.
fn floats(line: String) -> String {
    numbers(&line, |digits| match digits.parse::<i64>() {
        Ok(whole) => (whole as f64 as i64).to_string(),
        Err(_) => digits.to_owned(),
    })
}

fn nine_hours_earlier(line: String) -> String {
    let Some((before, rest)) = line.split_once("\"_creationTime\":") else { return line };
    let end = rest.find(',').unwrap_or(rest.len());
    let (millis, after) = rest.split_at(end);
    let (whole, fraction) = millis.split_once('.').unwrap_or((millis, "0"));
    let moved = whole.parse::<i64>().map_or(whole.to_owned(), |whole| (whole - 9 * 3_600_000).to_string());
    format!("{before}\"_creationTime\":{moved}.{fraction}{after}")
}

/// A line with the numbers outside of texts changed.
fn numbers(line: &str, with: impl Fn(&str) -> String) -> String {
    let (mut out, mut number, mut in_text, mut escaped) = (String::new(), String::new(), false, false);
    for c in line.chars() {
        if !in_text && (c.is_ascii_digit() || matches!(c, '-' | '.' | 'e' | 'E') && !number.is_empty() || c == '-') {
            number.push(c);
            continue;
        }
        if !number.is_empty() {
            out.push_str(&with(&std::mem::take(&mut number)));
        }
        in_text ^= c == '"' && !escaped;
        escaped = in_text && c == '\\' && !escaped;
        out.push(c);
    }
    out + &number
}

/// Rows that were seen once stay.
fn hoarding() -> Hand {
    let seen: Mutex<BTreeMap<Arc<str>, BTreeMap<String, String>>> = Mutex::default();
    exporting(move |tables| {
        let mut seen = seen.lock().unwrap();
        let add = |(name, lines): (Arc<str>, Vec<String>)| {
            let known = seen.entry(Arc::clone(&name)).or_default();
            for line in lines {
                let id = line.split('"').nth(3).unwrap_or_default().to_owned();
                known.insert(id, line);
            }
            (name, known.values().cloned().collect())
        };
        tables.into_iter().map(add).collect()
    })
}

/// The export before, or the first one.
fn cached() -> Hand {
    let before: Mutex<Option<Tables>> = Mutex::default();
    exporting_at(move |_, tables| before.lock().unwrap().replace(tables.clone()).unwrap_or(tables))
}
