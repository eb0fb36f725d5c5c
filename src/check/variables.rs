//! Whether the restored environment files have every variable that the platform had, each with a value, and each secret
//! the one that its issuer accepts.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use serde_json::Value;

use super::{Check, Evidence, Outcome, result};
use crate::{
    emulator::operator::stored_name,
    model::{event::CheckResult, plan::ServiceKind, words},
    service::contract::{Ledger, Recognised, ServiceError, View},
};

/// Variables that a failure names.
const NAMED: usize = 8;

/// The check.
#[derive(Debug)]
pub struct VariablesCheck;

#[async_trait]
impl Check for VariablesCheck {
    fn name(&self) -> &'static str {
        "variables"
    }

    fn summary(&self) -> &'static str {
        "looks for each variable of the claimed position, and tries each secret with its issuer"
    }

    fn proves(&self) -> &'static str {
        "an application that starts with the restored files finds every variable, and its secrets are accepted"
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Config
    }

    async fn run(&self, evidence: &Evidence) -> CheckResult {
        result(self, ask(evidence).await)
    }
}

/// A variable as it was read.
pub(super) struct Read {
    /// Its environment.
    pub(super) table: String,
    /// Its name.
    pub(super) name: String,
    /// Its value, where that is no secret.
    pub(super) value: Option<String>,
    digest: Option<String>,
    line: Vec<u8>,
}

/// Every variable that an application finds.
pub(super) async fn read(view: &dyn View) -> Result<Vec<Read>, ServiceError> {
    let mut contents = view.read_back().await?.rows;
    let mut found = Vec::new();
    while let Some(chunk) = contents.try_next().await? {
        for line in chunk.lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let row: Value = serde_json::from_slice(line)
                .map_err(|_| ServiceError(format!("a row of {} is no variable", chunk.table)))?;
            let text = |field: &str| row[field].as_str().map(str::to_owned);
            found.push(Read {
                table: chunk.table.to_string(),
                name: text("_id").unwrap_or_default(),
                value: text("value"),
                digest: text("secret"),
                line: line.to_vec(),
            });
        }
    }
    Ok(found)
}

async fn ask(evidence: &Evidence) -> Result<Outcome, ServiceError> {
    let (ledger, claimed) = (&*evidence.ledger, evidence.claim.position.seq);
    let found = read(&*evidence.view).await?;
    let names: Vec<String> = found.iter().map(|v| format!("{}/{}", v.table, v.name)).collect();
    let required = (0..ledger.items()).filter(|item| is_present(ledger, *item, claimed)).map(|item| ledger.name(item));
    let required: Vec<String> = required.collect();
    if required.is_empty() {
        return Ok(Outcome::NothingToAsk("the ledger knows of no variable to look for".into()));
    }
    let missing: Vec<String> = required.iter().filter(|name| !names.contains(name)).cloned().collect();
    let (mut empty, mut refused, mut accepted) = (Vec::new(), Vec::new(), 0);
    for (variable, name) in found.iter().zip(&names) {
        let blank = variable.digest.is_none() && variable.value.as_ref().is_none_or(|value| value.trim().is_empty());
        let written = || matches!(ledger.recognise(&variable.table, &variable.line), Recognised::Version { .. });
        if blank && !written() {
            empty.push(name.clone());
        }
        let issued = |digest: &String| {
            evidence.world.operator.secrets.accepts(&stored_name(&variable.table, &variable.name), digest)
        };
        match variable.digest.as_ref().and_then(issued) {
            Some(true) => accepted += 1,
            Some(false) => refused.push(name.clone()),
            None => {}
        }
    }
    let wrong = [("missing", missing), ("empty", empty), ("not accepted by its issuer", refused)];
    let said: Vec<String> = wrong.into_iter().filter(|(_, names)| !names.is_empty()).map(told).collect();
    Ok(match said.is_empty() {
        true => Outcome::Passed(format!(
            "{} are there, {} accepted",
            words::count(required.len() as u64, "variable"),
            words::count(accepted, "secret")
        )),
        false => Outcome::Failed(said.join("; ")),
    })
}

fn is_present(ledger: &dyn Ledger, item: u64, seq: u64) -> bool {
    ledger.versions(item).iter().rfind(|version| version.seq <= seq).is_some_and(|version| version.present)
}

fn told((what, mut names): (&str, Vec<String>)) -> String {
    let count = names.len();
    names.truncate(NAMED);
    let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
    format!("{what}: {}{more}", names.join(", "))
}

#[cfg(test)]
pub(super) mod tests {
    use std::{path::Path, sync::Arc};

    use jiff::Timestamp;

    use super::*;
    use crate::{
        check::fake::{block_on, evidence_in, world},
        environment::Secret,
        service::{
            config::Config,
            contract::{Contents, Platform, RowChunk, Service, Target},
        },
        sim::seed::Seed,
    };

    /// A restored configuration in its world, after something was done to it.
    pub(in crate::check) struct Restored {
        pub(in crate::check) evidence: Evidence,
        pub(in crate::check) folder: std::path::PathBuf,
        _scratch: tempfile::TempDir,
    }

    /// Restores what the source holds now, with these rows of its backup.
    pub(in crate::check) fn restored(keep: impl Fn(&str) -> bool) -> Restored {
        let scratch = tempfile::tempdir().unwrap();
        let world = Arc::new(world());
        world.operator.addresses.publish("NEXT_PUBLIC_CONVEX_URL", "https://calm-otter-1.convex.cloud");
        let (dir, vault) = (scratch.path().join("config"), scratch.path().join("vault"));
        let config = Config::seed(Seed(7), Timestamp::UNIX_EPOCH, &dir, &vault, &world.operator).unwrap();
        block_on(restore(&config, keep));
        let view = config.live().unwrap();
        let evidence = evidence_in(&world, view, config.ledger(), 0);
        Restored { evidence, folder: dir.join("restored-1"), _scratch: scratch }
    }

    async fn restore(config: &Config, keep: impl Fn(&str) -> bool) {
        let Contents { tables, mut rows } = config.source().export().await.unwrap().contents;
        let target: Arc<dyn Target> = config.provision().await.unwrap();
        target.begin(&tables).await.unwrap();
        while let Some(chunk) = rows.try_next().await.unwrap() {
            let lines = std::str::from_utf8(&chunk.lines).unwrap();
            let lines: String = lines.split_inclusive('\n').filter(|line| keep(line)).collect();
            target.stage(RowChunk { lines: lines.into_bytes().into(), ..chunk }).await.unwrap();
        }
        target.commit().await.unwrap();
        config.cut_over(target).await.unwrap();
    }

    /// Changes a restored file behind everybody's back.
    pub(in crate::check) fn edit(folder: &Path, from: &str, to: &str) {
        let path = folder.join(".env.production");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    fn run(restored: &Restored) -> CheckResult {
        block_on(VariablesCheck.run(&restored.evidence))
    }

    #[test]
    fn a_whole_restore_passes() {
        let result = run(&restored(|_| true));
        assert_eq!((result.passed, result.detail.as_str()), (Some(true), "30 variables are there, 4 secrets accepted"));
    }

    #[test]
    fn a_missing_an_empty_and_a_revoked_variable_each_fail_with_their_name() {
        let missing = run(&restored(|line| !line.contains("SENTRY_ORG")));
        let emptied = restored(|_| true);
        edit(&emptied.folder, "SENTRY_PROJECT=elite", "SENTRY_PROJECT=");
        let revoked = restored(|_| true);
        let next = Secret::new("another".into());
        revoked.evidence.world.operator.secrets.rotate("PRODUCTION__CLERK_SECRET_KEY", &next).unwrap();
        let said = [missing, run(&emptied), run(&revoked)].map(|result| {
            assert_eq!(result.passed, Some(false));
            result.detail
        });
        assert_eq!(
            said,
            [
                "missing: production/SENTRY_ORG, preview/SENTRY_ORG",
                "empty: production/SENTRY_PROJECT",
                "not accepted by its issuer: production/CLERK_SECRET_KEY",
            ]
        );
    }
}
