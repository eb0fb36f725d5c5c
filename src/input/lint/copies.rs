//! Files copied by rule, as `aws s3 sync` makes copies: what a rule never copies, what it takes away with it, and where
//! its copies are when they are needed.

use super::{Reader, Weakness};
use crate::model::{
    plan::{ServicePlan, SyncRule},
    record::Severity,
    units::Span,
    words,
};

/// A rule for which an edit that keeps its size is no change. Into a new folder a day everything is copied, so there it
/// waits for a second run, or for the folder that its switch is meant for.
pub(super) fn by_size(reader: &Reader<'_>) -> Vec<Weakness> {
    each(reader, "copies-by-size", "size_only", |copy| {
        let into = &copy.rule.into;
        let remedy = "leave `size_only` out, so that what is newer is copied as well, or compare digests".to_owned();
        if !copy.rule.size_only {
            return None;
        }
        Some(match copy.rule.dated {
            false => (
                Severity::High,
                [
                    format!("an edit that keeps a file's size never gets into `{into}`"),
                    format!(
                        "files are compared by size alone every {}: such a file stays in the copy as it first was, for \
                         good, and a restore brings it back without a word",
                        copy.every()
                    ),
                    remedy,
                ],
            ),
            true => (
                Severity::Low,
                [
                    format!("`{into}` compares files by size alone, and only its dated folders hide that"),
                    format!(
                        "a new folder every {} has nothing to compare with; a second run on the same day has, and so has \
                         one folder that is kept up to date: an edit that keeps its size then never gets into the copy",
                        copy.every()
                    ),
                    remedy,
                ],
            ),
        })
    })
}

/// A rule for files of some types alone.
pub(super) fn types_left_out(reader: &Reader<'_>) -> Vec<Weakness> {
    each(reader, "copies-leave-types-out", "include", |copy| {
        let (into, types) = (&copy.rule.into, &copy.rule.include);
        if types.is_empty() {
            return None;
        }
        let whole = copy.others().find(|other| other.include.is_empty());
        let (severity, then) = match whole {
            None => (Severity::High, "is in no copy at all".to_owned()),
            Some(other) => (Severity::Medium, format!("is in `{}` alone, and lost with it", other.into)),
        };
        let types = words::list(types);
        let words = [
            format!("`{into}` holds files ending in {types}, and no others"),
            format!(
                "a file with another ending (`{}` is one) {then}; a restore from `{into}` calls itself complete without it",
                copy.rule.include[0].to_uppercase()
            ),
            "leave `include` out: a type that nobody thought of is then copied, too".to_owned(),
        ];
        Some((severity, words))
    })
}

/// A rule by which a deletion is copied, too: what was deleted by mistake is gone from the copy with the next backup.
pub(super) fn deletions_followed(reader: &Reader<'_>) -> Vec<Weakness> {
    each(reader, "copies-follow-deletions", "delete", |copy| {
        let into = &copy.rule.into;
        if !copy.rule.delete {
            return None;
        }
        let kept = copy.others().find(|other| other.dated && other.include.is_empty());
        Some(match (copy.rule.dated, kept) {
            (true, _) => (
                Severity::Low,
                [
                    format!("`{into}` follows deletions, and only its dated folders keep what was deleted"),
                    format!(
                        "older folders keep it until they are removed; in one folder that is kept up to date, for which \
                         `delete` is meant, a mistaken deletion has {} to be noticed",
                        copy.every()
                    ),
                    "leave `delete` out, which does nothing in a new folder".to_owned(),
                ],
            ),
            (false, kept) => {
                let (severity, keeps) = match kept {
                    None => (Severity::High, "nothing keeps what was deleted".to_owned()),
                    Some(other) => (Severity::Medium, format!("only the dated folders of `{}` keep it", other.into)),
                };
                let words = [
                    format!("a mistaken deletion is copied into `{into}`"),
                    format!("it has {} to be noticed, then a backup deletes the copy as well; {keeps}", copy.every()),
                    "keep deleted files for as long as backups are kept: a folder of its own for each backup, or versions"
                        .to_owned(),
                ];
                (severity, words)
            }
        })
    })
}

/// A copy that lies in an archive for longer than the service may be away.
pub(super) fn slower_than_the_rto(reader: &Reader<'_>) -> Vec<Weakness> {
    each(reader, "copies-slower-than-rto", "class", |copy| {
        let (rule, rto) = (copy.rule, copy.service.rto);
        let wait = rule.class.retrieval_time(rule.retrieval)?;
        if wait <= rto {
            return None;
        }
        let quick = |other: &&SyncRule| other.class.retrieval_time(other.retrieval) == Some(Span::ZERO);
        let (severity, when) = match copy.others().find(quick) {
            None => (Severity::High, "every restore waits for it".to_owned()),
            Some(other) => (Severity::Medium, format!("a restore waits for it once `{}` cannot be used", other.into)),
        };
        let words = [
            format!("`{}` can be read after {wait}; `{}` must be back after {rto}", rule.into, copy.name),
            format!(
                "{} is read only after a {} retrieval, for which S3 documents up to {wait}; {when}",
                rule.class.name(),
                rule.retrieval.name()
            ),
            format!("store it in a class that is read at once, or promise an RTO well above {wait}"),
        ];
        Some((severity, words))
    })
}

/// A new folder a day, in which the switches for what changed or went do nothing: everything is copied each time.
pub(super) fn dated_in_full(reader: &Reader<'_>) -> Vec<Weakness> {
    each(reader, "copies-dated-in-full", "dated", |copy| {
        let SyncRule { into, dated, delete, size_only, .. } = copy.rule;
        let switches: Vec<&str> = [(*delete, "`delete`"), (*size_only, "`size_only`")]
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, s)| *s)
            .collect();
        if !dated || switches.is_empty() {
            return None;
        }
        let switches = words::list(&switches);
        let interval = copy.service.backup.every.interval().millis().max(1);
        let kept = reader.plan().retention.millis() / interval;
        let words = [
            format!("`{into}` is a new folder each time: {switches} without effect, and everything is copied again"),
            format!(
                "a new folder holds nothing that could be compared or deleted, so each backup is a full copy: {} of them \
                 in a retention of {}",
                kept.max(1),
                reader.plan().retention
            ),
            format!("keep generations that share what did not change; or mean full copies, and leave {switches} out"),
        ];
        Some((Severity::Medium, words))
    })
}

/// Copies in one region of a plan that has several: dumps are spread, copies are not.
pub(super) fn one_region(reader: &Reader<'_>) -> Vec<Weakness> {
    let [primary, _, ..] = reader.plan().regions.as_slice() else { return Vec::new() };
    let copied = reader.plan().services.iter().filter(|(_, service)| !service.backup.sync.is_empty());
    let weakness = |(name, service): (&String, &ServicePlan)| {
        let rules = service.backup.sync.len() as u64;
        let folders: Vec<String> = service.backup.sync.iter().map(|rule| format!("`{}`", rule.into)).collect();
        let words = [
            format!("copies of `{name}` are made in {} alone", primary.name),
            format!(
                "the plan has {} regions, and {} into one bucket, {}: while that region does not answer there is nothing \
                 to restore from",
                reader.plan().regions.len(),
                match rules {
                    1 => format!("its one rule copies ({})", folders.concat()),
                    n => format!("its {n} rules copy ({})", words::list(&folders)),
                },
                primary.bucket
            ),
            "copy into a second region as well, or replicate the bucket".to_owned(),
        ];
        reader.weakness("copies-in-one-region", Severity::High, format!("services.{name}.backup.sync"), words)
    };
    copied.map(weakness).collect()
}

/// One rule with what stands beside it.
struct Copy<'p> {
    name: &'p str,
    service: &'p ServicePlan,
    number: usize,
    rule: &'p SyncRule,
}

impl Copy<'_> {
    fn others(&self) -> impl Iterator<Item = &SyncRule> {
        self.service.backup.sync.iter().enumerate().filter(|(number, _)| *number != self.number).map(|(_, rule)| rule)
    }

    fn every(&self) -> Span {
        self.service.backup.every.interval()
    }
}

fn each(
    reader: &Reader<'_>,
    id: &'static str,
    field: &str,
    judge: impl Fn(&Copy<'_>) -> Option<(Severity, [String; 3])>,
) -> Vec<Weakness> {
    let mut found = Vec::new();
    for (name, service) in &reader.plan().services {
        for (number, rule) in service.backup.sync.iter().enumerate() {
            if let Some((severity, words)) = judge(&Copy { name, service, number, rule }) {
                let path = format!("services.{name}.backup.sync[{number}].{field}");
                found.push(reader.weakness(id, severity, path, words));
            }
        }
    }
    found
}
