//! What a plan must be before anything can be drilled against it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::tz;

use super::{Findings, commands, incident};
use crate::{
    error::Error,
    input::{load::Loaded, nearest},
    model::{
        plan::{BackupPlan, Cadence, Plan, ServiceKind, ServicePlan},
        units::Span,
    },
};

/// Everything that is wrong with a plan; empty where nothing is.
pub fn plan(loaded: &Loaded<Plan>) -> Vec<Error> {
    let mut found = Findings::of(loaded);
    let plan = &loaded.value;
    found.text("platform", &plan.platform);
    time_zone(&mut found, &plan.time_zone);
    found.unless(!plan.services.is_empty(), "services", "the plan protects no service", "add a service");
    found.unless(!plan.levels.is_empty(), "levels", "the plan has no level of severity", "add a level");
    names(&mut found, "services", plan.services.keys());
    names(&mut found, "data_classes", plan.data_classes.keys());
    classes(&mut found, plan);
    for (name, service) in &plan.services {
        let path = format!("services.{name}");
        objectives(&mut found, &path, service.rto, service.rpo);
        backup(&mut found, &format!("{path}.backup"), &service.backup, plan.retention);
        stream(&mut found, &format!("{path}.backup.stream"), service);
        let by_rule = service.kind == ServiceKind::Files || service.backup.sync.is_empty();
        let what = "only files are copied by rule";
        found.unless(
            by_rule,
            &format!("{path}.backup.sync"),
            what,
            "remove `sync`, or make the service's kind `files`",
        );
        commands::plan(&mut found, &path, service);
        dependencies(&mut found, &path, name, plan);
    }
    folders(&mut found, plan);
    levels(&mut found, plan);
    regions(&mut found, plan);
    found.span("retention", plan.retention);
    times(&mut found, plan);
    for (i, alert) in plan.alerts.iter().enumerate() {
        let name = &alert.url_env;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let help = "write a name such as `BACKUP_WEBHOOK`, and put the URL into that variable";
        let what = "this is no name of an environment variable";
        found.unless(is_name, &format!("alerts[{i}].url_env"), what, help);
    }
    for (i, contact) in plan.contacts.iter().enumerate() {
        found.text(&format!("contacts[{i}].name"), &contact.name);
        found.text(&format!("contacts[{i}].address"), &contact.address);
    }
    incident::incident(&mut found, plan);
    found.done()
}

fn time_zone(found: &mut Findings<'_, Plan>, name: &str) {
    // Without a time zone database nothing can be looked up; then nothing is refused.
    if tz::db().is_definitively_empty() || tz::db().get(name).is_ok() {
        return;
    }
    let known: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
    let near = nearest::nearest(name, known.iter().map(String::as_str));
    let near = near.map(|near| format!("did you mean `{near}`? Otherwise ")).unwrap_or_default();
    let help = format!("{near}write an IANA name such as `Asia/Seoul` or `UTC`");
    found.add("time_zone", format!("there is no time zone `{name}`"), help);
}

fn names<'n>(found: &mut Findings<'_, Plan>, path: &str, names: impl Iterator<Item = &'n String>) {
    for name in names.filter(|name| name.trim().is_empty()) {
        found.add(&format!("{path}.{name}"), format!("a name under `{path}` is empty"), "give it a name");
    }
}

fn classes(found: &mut Findings<'_, Plan>, plan: &Plan) {
    let services: Vec<&str> = plan.services.keys().map(String::as_str).collect();
    for (name, class) in &plan.data_classes {
        let path = format!("data_classes.{name}");
        let what = format!("the class `{name}` names no data");
        found.unless(!class.data.is_empty(), &format!("{path}.data"), what, "name what belongs to it");
        for (i, data) in class.data.iter().enumerate() {
            found.text(&format!("{path}.data[{i}]"), data);
        }
        let what = format!("the class `{name}` is promised no backup");
        let help = "list at least one of `realtime`, `daily`, `weekly`, `monthly`";
        found.unless(!class.schedule.is_empty(), &format!("{path}.schedule"), what, help);
        if let Some(service) = class.service.as_deref().filter(|service| !services.contains(service)) {
            let what = format!("the plan has no service `{service}`");
            found.add(&format!("{path}.service"), what, nearest::suggest(service, &services));
        }
    }
}

fn objectives(found: &mut Findings<'_, Plan>, path: &str, rto: Span, rpo: Span) {
    let rto_path = format!("{path}.rto");
    let what = "an RTO of zero can never be met: every recovery takes time";
    found.unless(rto > Span::ZERO, &rto_path, what, "write the longest time that it may be down: 15 min, 2 h");
    found.span(&rto_path, rto);
    found.span(&format!("{path}.rpo"), rpo);
}

fn backup(found: &mut Findings<'_, Plan>, path: &str, backup: &BackupPlan, retention: Span) {
    let scheduled = backup.every != Cadence::Realtime;
    let what = "a backup that is taken by the day needs a time of day";
    found.unless(!scheduled || backup.at.is_some(), &format!("{path}.every"), what, "add `at: \"03:00\"`, in UTC");
    let interval = backup.every.interval();
    if scheduled && retention < interval {
        let what =
            format!("backups are kept for {retention} and taken every {interval}: the last is gone before the next");
        found.add(&format!("{path}.every"), what, format!("keep them for {interval} at the least (`retention`)"));
    }
    let prefix = &backup.prefix;
    let sound = prefix.ends_with('/') && prefix.split_terminator('/').all(|step| !matches!(step, "" | "." | ".."));
    let what = format!("`{prefix}` is no folder of a bucket");
    found.unless(sound, &format!("{path}.prefix"), what, "write a path that ends in `/`: `convex/daily/`");
    found.sync(&format!("{path}.sync"), &backup.sync);
    let sized = backup.production_size.is_none_or(|size| size.0 > 0);
    found.unless(
        sized,
        &format!("{path}.production_size"),
        "production has no data",
        "write its size, or remove the line",
    );
}

/// A folder of a bucket that one service writes to must not lie in that of another: each would prune, watch and restore
/// what is the other's. Releases of web applications lie in no bucket.
fn folders(found: &mut Findings<'_, Plan>, plan: &Plan) {
    let mut taken: Vec<(&str, &str)> = Vec::new();
    for (name, service) in plan.services.iter().filter(|(_, one)| one.kind != ServiceKind::WebApplication) {
        let backup = &service.backup;
        let prefix = (format!("services.{name}.backup.prefix"), backup.prefix.as_str());
        let copies = backup.sync.iter().enumerate();
        let copies = copies.map(|(i, rule)| (format!("services.{name}.backup.sync[{i}].into"), rule.into.as_str()));
        for (path, folder) in std::iter::once(prefix).chain(copies) {
            let overlaps = |(whose, other): &&(&str, &str)| {
                *whose != name && (other.starts_with(folder) || folder.starts_with(*other))
            };
            if let Some((whose, other)) = taken.iter().find(overlaps) {
                let what = match *other == folder {
                    true => format!("`{name}` and `{whose}` are both backed up into `{folder}`"),
                    false => {
                        format!(
                            "`{name}` is backed up into `{folder}`, `{whose}` into `{other}`: one lies in the other"
                        )
                    }
                };
                let help = format!("give each service a folder of its own: `prefix: {name}/`");
                found.add(&path, what, help);
            }
            taken.push((name, folder));
        }
        let within = backup
            .sync
            .iter()
            .position(|rule| rule.into.starts_with(&*backup.prefix) || backup.prefix.starts_with(&*rule.into));
        if let Some(i) = within {
            let what =
                format!("copies into `{}` and backups in `{}` lie in each other", backup.sync[i].into, backup.prefix);
            found.add(&format!("services.{name}.backup.sync[{i}].into"), what, "give the copies a folder of their own");
        }
    }
}

/// Only a database has changes that can be copied one by one, and only on top of a backup.
fn stream(found: &mut Findings<'_, Plan>, path: &str, service: &ServicePlan) {
    let Some(every) = service.backup.stream else { return };
    let scheduled = service.backup.every != Cadence::Realtime;
    let what = "a change stream goes on from the scheduled backups of a database, and this service has none";
    found.unless(service.kind == ServiceKind::Database && scheduled, path, what, "remove the line");
    found.unless(
        (Span::minutes(1)..=Span::hours(24)).contains(&every),
        path,
        "a change stream is copied every minute at the most, every day at the least",
        "write a time from 1 min to 24 h: 5 min",
    );
}

/// A service may wait for others, as long as none of them waits for it.
fn dependencies(found: &mut Findings<'_, Plan>, path: &str, name: &str, plan: &Plan) {
    let known: Vec<&str> = plan.services.keys().map(String::as_str).collect();
    for (i, need) in plan.services[name].depends_on.iter().enumerate() {
        let path = format!("{path}.depends_on[{i}]");
        if !known.contains(&need.as_str()) {
            found.add(&path, format!("the plan has no service `{need}`"), nearest::suggest(need, &known));
        } else if need == name {
            found.add(
                &path,
                format!("`{name}` depends on itself: it could never be restored"),
                "remove it from the list",
            );
        } else if let Some(way) = way_to(plan, need, name) {
            // Each circle is told once, by the first of its services.
            if way.iter().all(|other| name <= *other) {
                let circle: Vec<String> = std::iter::once(name).chain(way).map(|one| format!("`{one}`")).collect();
                let what = format!("{} wait for each other: none of them could be restored", circle.join(" → "));
                found.add(&path, what, "remove one of these dependencies");
            }
        }
    }
}

/// The shortest way from a service to one that it waits for, directly or through others; both ends are part of it.
fn way_to<'p>(plan: &'p Plan, from: &'p str, wanted: &str) -> Option<Vec<&'p str>> {
    let (mut ways, mut seen) = (VecDeque::from([vec![from]]), BTreeSet::from([from]));
    while let Some(way) = ways.pop_front() {
        let last = *way.last()?;
        if last == wanted {
            return Some(way);
        }
        for need in plan.services.get(last).into_iter().flat_map(|service| &service.depends_on) {
            if seen.insert(need) {
                ways.push_back(way.iter().copied().chain([need.as_str()]).collect());
            }
        }
    }
    None
}

fn levels(found: &mut Findings<'_, Plan>, plan: &Plan) {
    for (number, level) in &plan.levels {
        let path = format!("levels.{number}");
        let what = format!("`{number}` is no level");
        let known = number.parse::<u8>().is_ok_and(|n| n > 0 && n.to_string() == *number);
        found.unless(known, &path, what, "number the levels 1, 2, 3");
        found.text(&format!("{path}.name"), &level.name);
        objectives(found, &path, level.rto, level.rpo);
    }
}

fn regions(found: &mut Findings<'_, Plan>, plan: &Plan) {
    found.unless(!plan.regions.is_empty(), "regions", "the plan has no region", "add a region with its bucket");
    let (mut names, mut buckets) = (BTreeMap::new(), BTreeMap::new());
    for (i, region) in plan.regions.iter().enumerate() {
        let path = format!("regions[{i}].name");
        let what = format!("`{}` is no region name", region.name);
        let help = "write lower-case letters, digits and `-`: `us-east-1`";
        found.unless(in_form(&region.name, 1..=63, "-"), &path, what, help);
        if let Some(first) = names.insert(&region.name, i) {
            let what = format!("region `{}` is there twice, first as number {}", region.name, first + 1);
            found.add(&path, what, "name each region once");
        }
        found.lock(&format!("regions[{i}].lock"), region.lock);
        let endpoint = region.endpoint.as_deref().unwrap_or("https://");
        let what = format!("`{endpoint}` is no address of an S3 service");
        let help = "write `https://` and a host; `http://` for a service of this machine";
        let is_address = ["https://", "http://"].iter().any(|scheme| endpoint.starts_with(scheme));
        found.unless(is_address, &format!("regions[{i}].endpoint"), what, help);
        let path = format!("regions[{i}].bucket");
        let what = format!("`{}` is no bucket name", region.bucket);
        let help = "write 3 to 63 lower-case letters, digits, `-` and `.`";
        found.unless(in_form(&region.bucket, 3..=63, "-."), &path, what, help);
        if let Some(first) = buckets.insert(&region.bucket, i) {
            let what = format!("bucket `{}` is there twice, first in region number {}", region.bucket, first + 1);
            found.add(&path, what, "give each region a bucket of its own");
        }
    }
}

fn in_form(name: &str, length: std::ops::RangeInclusive<usize>, signs: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || signs.contains(c);
    let ends = |c: char| c.is_ascii_alphanumeric();
    length.contains(&name.len()) && name.chars().all(known) && name.starts_with(ends) && name.ends_with(ends)
}

fn times(found: &mut Findings<'_, Plan>, plan: &Plan) {
    let (testing, response) = (&plan.testing, &plan.response);
    found.monitor("monitor", &plan.monitor);
    let never_zero = [
        ("testing.verify_every", testing.verify_every, "24 h"),
        ("testing.restore_every", testing.restore_every, "30 days"),
    ];
    for (path, span, example) in never_zero.into_iter().filter_map(|(path, span, e)| Some((path, span?, e))) {
        let what = format!("`{path}` is zero");
        found.unless(span > Span::ZERO, path, what, format!("write a time: {example}"));
        found.span(path, span);
    }
    found.span("response.detect", response.detect);
    found.span("response.initial", response.initial);
    found.span("response.recovery", response.recovery);
    found.span("response.aftermath", response.aftermath);
}
