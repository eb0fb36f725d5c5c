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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{
        super::fake::{FakeLedger, FakeTarget, block_on, evidence},
        *,
    };
    use crate::service::contract::{Asked, Contents, View};

    /// A site whose pages are those of a target, and whose health and API are as said.
    struct FakeSite {
        pages: FakeTarget,
        health: (u16, &'static str),
        api: (u16, &'static str),
    }

    #[async_trait]
    impl View for FakeSite {
        async fn read_back(&self) -> Result<Contents, ServiceError> {
            self.pages.read_back().await
        }

        async fn ask(&self, path: &str) -> Result<Asked, ServiceError> {
            let (status, body) = if path == HEALTH { self.health } else { self.api };
            Ok(Asked { status, body: body.as_bytes().to_vec().into() })
        }
    }

    const OK: (u16, &str) = (200, r#"{"status":"ok"}"#);
    const HOOKS: (u16, &str) = (200, r#"{"topic":"drill-0","hooks":["about drill-0"]}"#);

    fn run(health: (u16, &'static str), api: (u16, &'static str), rows: usize) -> CheckResult {
        let ledger = FakeLedger::new(4, &[]);
        let rows = ledger.rows(0).into_iter().take(rows).collect();
        let mut evidence = evidence(&ledger, 0, Ok(vec![]));
        evidence.view = Arc::new(FakeSite { pages: FakeTarget(Ok(rows)), health, api });
        block_on(HealthCheck.run(&evidence))
    }

    #[test]
    fn a_healthy_site_passes_and_each_lie_is_found_for_its_own_reason() {
        assert_eq!(run(OK, HOOKS, 4).passed, Some(true));
        let wrong = [
            (run(OK, HOOKS, 3), "/api/health says ok, and lies: payments/i3: missing, lacks the seeding"),
            (run(OK, (502, ""), 4), "/api/health says ok, and lies: the API answers HTTP 502"),
            (
                run(OK, (200, r#"{"topic":"drill-0","hooks":["stored"]}"#), 4),
                "/api/health says ok, and lies: the API answers something else than it was asked",
            ),
            (run((503, ""), HOOKS, 4), "/api/health answers HTTP 503 and does not say ok"),
            (run((200, "<html>"), HOOKS, 4), "/api/health answers HTTP 200 and does not say ok"),
            (run((500, ""), (500, ""), 4), "/api/health answers HTTP 500, and the API answers HTTP 500"),
        ];
        for (result, detail) in wrong {
            assert_eq!((result.passed, result.detail.as_str()), (Some(false), detail));
        }
    }
}
