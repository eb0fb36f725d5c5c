//! Whether what a place has beside its rows is back: sequences that are ahead of the rows, indexes, constraints, owners,
//! roles and their rights, extensions. A database without them answers today, and fails the application tomorrow.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Check, Evidence, Outcome, result};
use crate::{
    model::{event::CheckResult, plan::ServiceKind, words},
    service::contract::{ServiceError, Structure},
};

/// Differences that a failure names.
const NAMED: usize = 6;

/// The check.
#[derive(Debug)]
pub struct StructureCheck;

#[async_trait]
impl Check for StructureCheck {
    fn name(&self) -> &'static str {
        "structure"
    }

    fn summary(&self) -> &'static str {
        "compares sequences, indexes, constraints, owners, roles, rights and extensions with those of the lost source"
    }

    fn proves(&self) -> &'static str {
        "an application can go on writing to the restored database, and those who may not still may not"
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Database
    }

    fn is_asked(&self, evidence: &Evidence) -> bool {
        evidence.structure.is_some()
    }

    async fn run(&self, evidence: &Evidence) -> CheckResult {
        result(self, compare(evidence).await)
    }
}

async fn compare(evidence: &Evidence) -> Result<Outcome, ServiceError> {
    let wanted = match &evidence.structure {
        None => return Ok(Outcome::NothingToAsk("the source had nothing beside its rows".into())),
        Some(Err(why)) => return Ok(Outcome::NothingToAsk(format!("nobody knows what the source had: {why}"))),
        Some(Ok(structure)) => structure,
    };
    let Some(found) = evidence.view.structure().await? else {
        return Ok(Outcome::Failed("what is live has nothing beside its rows".into()));
    };
    let wrong = differences(wanted, &found);
    if wrong.is_empty() {
        return Ok(Outcome::Passed(format!("as it was: {}", summed_up(wanted))));
    }
    let more = wrong.len().saturating_sub(NAMED);
    let mut named: Vec<String> = wrong.into_iter().take(NAMED).collect();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    Ok(Outcome::Failed(named.join("; ")))
}

/// What is missing or otherwise than it was. What is there beyond it harms nobody: tools leave things of their own.
fn differences(wanted: &Structure, found: &Structure) -> Vec<String> {
    let told = |(name, was): (&String, &String)| match found.get(name) {
        None => Some(format!("{name} is missing")),
        Some(is) if is == was => None,
        Some(is) => Some(format!("{name} was “{was}” and is “{is}”")),
    };
    wanted.iter().filter_map(told).collect()
}

/// How many of each kind there are: `3 indexes, 1 role`.
fn summed_up(structure: &Structure) -> String {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for name in structure.keys() {
        *kinds.entry(name.split(' ').next().unwrap_or_default()).or_default() += 1;
    }
    let told: Vec<String> = kinds.into_iter().map(|(kind, count)| words::count(count, kind)).collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{
        super::{
            Check,
            fake::{FakeLedger, block_on, evidence_in, world},
        },
        *,
    };
    use crate::service::contract::{Contents, View};

    /// A place that is asked for its structure alone.
    struct Place(Result<Option<Structure>, ServiceError>);

    #[async_trait]
    impl View for Place {
        async fn read_back(&self) -> Result<Contents, ServiceError> {
            Err(ServiceError("nobody asks for rows here".into()))
        }
        async fn structure(&self) -> Result<Option<Structure>, ServiceError> {
            self.0.clone()
        }
    }

    const SOURCE: &[(&str, &str)] = &[
        ("constraint payments_amount of payments", "CHECK (amount > 0)"),
        ("encoding", "UTF8 C"),
        ("extension pg_trgm", "there"),
        ("index users_email of users", "CREATE UNIQUE INDEX users_email ON users (email)"),
        ("owner of users", "app"),
        ("right of reporting on users", "SELECT"),
        ("role app", "may log in"),
        ("sequence users_number_seq", "ahead of its rows"),
    ];

    fn source() -> Structure {
        SOURCE.iter().map(|(name, what)| ((*name).to_owned(), (*what).to_owned())).collect()
    }

    fn evidence(
        structure: Option<Result<Structure, ServiceError>>,
        live: Result<Option<Structure>, ServiceError>,
    ) -> Evidence {
        evidence_in(&Arc::new(world()), Arc::new(Place(live)), Arc::new(FakeLedger::default()), 0).structured(structure)
    }

    fn run(live: Structure) -> CheckResult {
        block_on(StructureCheck.run(&evidence(Some(Ok(source())), Ok(Some(live)))))
    }

    #[test]
    fn what_is_as_it_was_passes_and_more_than_that_too() {
        let mut live = source();
        live.insert("index payments_of_a_tool of payments".into(), "CREATE INDEX".into());
        let result = run(live);
        assert_eq!(result.passed, Some(true));
        assert!(result.detail.contains("1 index,") && result.detail.contains("1 sequence"), "{}", result.detail);
    }

    #[test]
    fn each_thing_that_is_missing_or_otherwise_fails_by_its_name() {
        for (name, was) in SOURCE {
            let mut live = source();
            live.remove(*name);
            let missing = run(live.clone());
            assert_eq!(missing.passed, Some(false));
            assert_eq!(missing.detail, format!("{name} is missing"));
            live.insert((*name).to_owned(), "gives 1 next, and a row has 640 already".into());
            let other = run(live);
            assert_eq!(other.passed, Some(false));
            assert_eq!(other.detail, format!("{name} was “{was}” and is “gives 1 next, and a row has 640 already”"));
        }
        let nothing = run(Structure::new());
        assert_eq!(
            (nothing.passed, nothing.detail.ends_with("; and 2 more")),
            (Some(false), true),
            "{}",
            nothing.detail
        );
    }

    #[test]
    fn it_is_asked_only_where_the_source_had_a_structure_and_says_when_it_could_not_run() {
        let gone = || ServiceError("the server is gone".into());
        assert!(!StructureCheck.is_asked(&evidence(None, Ok(None))));
        let unknown = evidence(Some(Err(gone())), Ok(Some(source())));
        assert!(StructureCheck.is_asked(&unknown));
        assert_eq!(block_on(StructureCheck.run(&unknown)).passed, None);
        assert_eq!(block_on(StructureCheck.run(&evidence(Some(Ok(source())), Err(gone())))).passed, None);
        assert_eq!(block_on(StructureCheck.run(&evidence(Some(Ok(source())), Ok(None)))).passed, Some(false));
    }
}
