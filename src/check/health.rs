//! Whether the application works, asked of what stands behind `/api/health`: the health check must say that all is well,
//! and every page and a call of the API must bear it out. A health check that is believed is none.

use async_trait::async_trait;
use serde::Deserialize;

use super::{Check, Evidence, Outcome, result};
use crate::{
    model::{event::CheckResult, plan::ServiceKind},
    service::contract::ServiceError,
};

const HEALTH: &str = "/api/health";

/// The check.
#[derive(Debug)]
pub struct HealthCheck;

#[async_trait]
impl Check for HealthCheck {
    fn name(&self) -> &'static str {
        "health"
    }

    fn summary(&self) -> &'static str {
        "asks /api/health, then the pages and the API behind it, and compares"
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::WebApplication
    }

    fn proves(&self) -> &'static str {
        "users get the pages that were released and answers from the API, and the health check tells the truth"
    }

    async fn run(&self, evidence: &Evidence) -> CheckResult {
        result(self, ask(evidence).await)
    }
}

#[derive(Deserialize)]
struct Health {
    status: String,
}

#[derive(Deserialize)]
struct Hooks {
    topic: String,
    hooks: Vec<String>,
}

async fn ask(evidence: &Evidence) -> Result<Outcome, ServiceError> {
    let health = evidence.view.ask(HEALTH).await?;
    let says_ok = serde_json::from_slice::<Health>(&health.body).is_ok_and(|said| said.status == "ok");
    let wrong = what_is_wrong(evidence).await?;
    Ok(match (health.status == 200 && says_ok, wrong) {
        (true, None) => Outcome::Passed(format!("{HEALTH} says ok; every page and a call of the API bear it out")),
        (true, Some(wrong)) => Outcome::Failed(format!("{HEALTH} says ok, and lies: {wrong}")),
        (false, Some(wrong)) => Outcome::Failed(format!("{HEALTH} answers HTTP {}, and {wrong}", health.status)),
        (false, None) => Outcome::Failed(format!("{HEALTH} answers HTTP {} and does not say ok", health.status)),
    })
}

/// What users do not get as they should; `None` where they do.
async fn what_is_wrong(evidence: &Evidence) -> Result<Option<String>, ServiceError> {
    let found = evidence.comparison().await?;
    if !found.as_claimed {
        let first = found.examples.first().map_or("the pages are not those of the release", String::as_str);
        return Ok(Some(first.to_owned()));
    }
    // A word that no answer can have been stored for.
    let topic = format!("drill-{}", found.last.seq);
    let answer = evidence.view.ask(&format!("/api/hooks?topic={topic}")).await?;
    if answer.status != 200 {
        return Ok(Some(format!("the API answers HTTP {}", answer.status)));
    }
    let answers = serde_json::from_slice::<Hooks>(&answer.body).is_ok_and(|said| {
        said.topic == topic && !said.hooks.is_empty() && said.hooks.iter().all(|hook| hook.contains(&topic))
    });
    Ok((!answers).then(|| "the API answers something else than it was asked".to_owned()))
}
