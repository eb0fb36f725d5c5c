//! Whether the restored configuration names the services where they are now. An address that was right when the backup
//! was made is wrong once its service has been restored elsewhere.

use async_trait::async_trait;

use super::{Check, Evidence, Outcome, result, variables};
use crate::{
    emulator::addresses::ENVIRONMENT,
    model::{event::CheckResult, plan::ServiceKind},
    service::contract::ServiceError,
};

/// The check.
#[derive(Debug)]
pub struct AddressesCheck;

#[async_trait]
impl Check for AddressesCheck {
    fn name(&self) -> &'static str {
        "addresses"
    }

    fn summary(&self) -> &'static str {
        "compares each address in the restored files with where its service is now"
    }

    fn proves(&self) -> &'static str {
        "an application that starts with the restored files reaches the services that are live"
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Config
    }

    async fn run(&self, evidence: &Evidence) -> CheckResult {
        result(self, ask(evidence).await)
    }
}

async fn ask(evidence: &Evidence) -> Result<Outcome, ServiceError> {
    let live = evidence.world.operator.addresses.live();
    if live.is_empty() {
        return Ok(Outcome::NothingToAsk("no service has an address".into()));
    }
    let found = variables::read(&*evidence.view).await?;
    let mut wrong = Vec::new();
    for (name, address) in &live {
        let variable = found.iter().find(|v| v.table == ENVIRONMENT && v.name == *name);
        match variable.and_then(|variable| variable.value.as_ref()) {
            Some(value) if value == address => {}
            Some(value) => {
                let value = value.chars().take(80).collect::<String>();
                wrong.push(format!("{name} is {value}, and the service is at {address}"));
            }
            None => wrong.push(format!("{name} is not there, and the service is at {address}")),
        }
    }
    Ok(match wrong.is_empty() {
        true => Outcome::Passed(format!("{} addresses lead to what is live", live.len())),
        false => Outcome::Failed(wrong.join("; ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{fake::block_on, variables::tests::restored};

    #[test]
    fn an_address_is_right_only_as_long_as_its_service_is_there() {
        let restored = restored(|_| true);
        let run = || block_on(AddressesCheck.run(&restored.evidence));
        assert_eq!(run().passed, Some(true), "{}", run().detail);
        restored
            .evidence
            .world
            .operator
            .addresses
            .publish("NEXT_PUBLIC_CONVEX_URL", "https://warm-lynx-2.convex.cloud");
        let moved = run();
        assert_eq!(moved.passed, Some(false));
        assert_eq!(
            moved.detail,
            "NEXT_PUBLIC_CONVEX_URL is https://calm-otter-1.convex.cloud, and the service is at https://warm-lynx-2.convex.cloud"
        );
    }

    #[test]
    fn an_address_that_is_missing_is_wrong() {
        let restored = restored(|line| !line.contains("NEXT_PUBLIC_CONVEX_URL"));
        let result = block_on(AddressesCheck.run(&restored.evidence));
        assert_eq!((result.passed, result.detail.contains("is not there")), (Some(false), true));
    }
}
