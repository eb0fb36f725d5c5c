//! Whether a secret stands in clear in anything that is stored for the configuration: in any region, reachable or not,
//! in any version of any object, compressed or not, commented out or not. Backups of other services are not looked
//! through: their rows belong to users, and a user's text that looks like a key is no leak of the platform's.

use async_trait::async_trait;

use super::{Check, Evidence, Outcome, result};
use crate::{
    emulator::{
        Site, World,
        s3::{listing::ListQuery, version::ObjectMeta},
    },
    environment::scan_object,
    model::{
        event::{CheckResult, Place},
        plan::ServiceKind,
        words,
    },
    service::contract::ServiceError,
};

/// Leaks that a failure names.
const NAMED: usize = 4;

/// The check.
#[derive(Debug)]
pub struct SecretsCheck;

#[async_trait]
impl Check for SecretsCheck {
    fn name(&self) -> &'static str {
        "secrets"
    }

    fn summary(&self) -> &'static str {
        "looks for secrets in every version of everything that is stored for the configuration"
    }

    fn proves(&self) -> &'static str {
        "whoever reads the backups learns no secret from them"
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Config
    }

    async fn run(&self, evidence: &Evidence) -> CheckResult {
        let (outcome, places) = match look(&evidence.world) {
            Ok((outcome, places)) => (Ok(outcome), places),
            Err(why) => (Err(why), Vec::new()),
        };
        CheckResult { places, ..result(self, outcome) }
    }
}

/// What was found, and every object that holds a secret.
fn look(world: &World) -> Result<(Outcome, Vec<Place>), ServiceError> {
    let prefixes: Vec<&str> = world
        .backups
        .values()
        .filter(|backups| backups.kind == ServiceKind::Config)
        .map(|backups| backups.layout.prefix.as_str())
        .collect();
    let (mut looked, mut leaks, mut unread, mut places) = (0, Vec::new(), Vec::new(), Vec::new());
    for (site, prefix) in world.sites.iter().flat_map(|site| prefixes.iter().map(move |prefix| (site, *prefix))) {
        for object in stored(site, prefix)? {
            let place = format!("{} in {}", object.key, site.region.name());
            let bytes = site.region.objects().get(&site.bucket, &object.key, object.version.as_deref());
            let bytes = bytes.map_err(|e| e.to_string()).and_then(|o| o.body.read_all().map_err(|e| e.to_string()));
            match bytes.and_then(|bytes| scan_object(&bytes)) {
                Ok(found) => {
                    let holds = Place { region: site.region.name().to_owned(), object: object.key.clone() };
                    if !found.is_empty() && !places.contains(&holds) {
                        places.push(holds);
                    }
                    leaks.extend(found.into_iter().map(|leak| format!("{place}, {leak}")));
                }
                Err(why) => unread.push(format!("{place}: {why}")),
            }
            looked += 1;
        }
    }
    let outcome = match (leaks.len(), unread.first(), looked) {
        (0, None, 0) => Outcome::NothingToAsk("nothing is stored for the configuration".into()),
        (0, None, n) => Outcome::Passed(format!("{} hold no secret", words::count(n, "stored object"))),
        (0, Some(why), _) => Outcome::NothingToAsk(format!("not everything could be looked through: {why}")),
        (n, ..) => {
            leaks.truncate(NAMED);
            let more = if n > NAMED { format!("; and {} more", n - NAMED) } else { String::new() };
            Outcome::Failed(format!("in clear: {}{more}", leaks.join("; ")))
        }
    };
    Ok((outcome, places))
}

/// All versions of all objects below a prefix, past every link and lock.
fn stored(site: &Site, prefix: &str) -> Result<Vec<ObjectMeta>, ServiceError> {
    let query = ListQuery { max: usize::MAX, ..ListQuery::below(prefix) };
    let page = site.region.objects().list_versions(&site.bucket, &query, None);
    let page = page.map_err(|e| ServiceError(e.to_string()))?;
    Ok(page.entries.into_iter().filter_map(|entry| entry.object).map(|object| object.meta).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::fake::world,
        emulator::{
            Backups, Schedule,
            s3::{Region, buckets::BucketOptions},
        },
        model::{naming::Layout, plan::DumpFormat},
    };

    fn with_a_bucket(scratch: &tempfile::TempDir) -> World {
        let mut world = world();
        let region = Region::new("here", &world.clock, scratch.path()).unwrap();
        region.objects().create_bucket("b", BucketOptions::versioned()).unwrap();
        world.sites.push(Site { region, bucket: "b".into() });
        let layout = Layout { prefix: "config/".into(), format: DumpFormat::JsonlGz, written_by: Default::default() };
        let backups = Backups { kind: ServiceKind::Config, schedule: Schedule::default(), layout };
        world.backups.insert("config".into(), backups);
        world
    }

    fn put(world: &World, key: &str, text: &str) {
        let objects = world.sites[0].region.objects();
        objects.put("b", key, objects.body(text.as_bytes()).unwrap(), Default::default()).unwrap();
    }

    #[test]
    fn a_secret_is_found_also_where_it_was_overwritten_or_deleted_over_and_is_not_told() {
        let scratch = tempfile::tempdir().unwrap();
        let world = with_a_bucket(&scratch);
        let secret = ["sk_li", "ve_4Kq9ZtW2bX7mRv1LpDf8sHj3Nc6Y"].concat();
        assert!(matches!(look(&world), Ok((Outcome::NothingToAsk(_), _))));
        put(&world, "config/a.env", "NODE_ENV=production\n");
        put(&world, "elsewhere/a.env", &format!("CLERK_SECRET_KEY={secret}\n"));
        assert!(matches!(look(&world), Ok((Outcome::Passed(said), _)) if said == "1 stored object hold no secret"));
        put(&world, "config/a.env", &format!("NODE_ENV=production\n# CLERK_SECRET_KEY={secret}\n"));
        put(&world, "config/a.env", "NODE_ENV=production\n");
        let Ok((Outcome::Failed(said), places)) = look(&world) else { panic!("the older version holds it") };
        assert_eq!(
            said,
            "in clear: config/a.env in here, line 2: a secret key of Clerk or Stripe in CLERK_SECRET_KEY (secret-key)"
        );
        assert_eq!(places, [Place { region: "here".into(), object: "config/a.env".into() }]);
    }
}
