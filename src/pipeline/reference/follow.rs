//! The last step of the runbook: a restored configuration is pointed at the services that came back after it, and every
//! address in it is tried. That something answers is no proof that it is the service: the provider that runs it is asked
//! in any case, and what it says counts.

use super::{Reference, cost};
use crate::{
    model::event::{AlarmKind, Phase},
    service::contract::{Directory, ServiceError},
};

impl Reference {
    pub(super) async fn follow_services(&self) {
        self.bench.recorder.begin(Phase::CutOver);
        let followed = self.try_to_follow().await;
        self.bench.clock.spend(cost::SWITCH).await;
        self.bench.recorder.end(Phase::CutOver, matches!(followed, Ok(true)));
        if let Err(why) = followed {
            self.alarm(AlarmKind::WrongAddress, None, format!("the addresses could not be brought up to date: {why}"));
        }
    }

    /// Whether something answers at every address now.
    async fn try_to_follow(&self) -> Result<bool, ServiceError> {
        self.platform.follow(Directory::Runbook).await?;
        let dead = self.platform.dead_addresses().await?;
        let corrected = self.platform.follow(Directory::Provider).await?;
        let still_dead = self.platform.dead_addresses().await?;
        let provider_says = || format!("the provider says {}", corrected.join(", "));
        let wrong = match (dead.is_empty(), corrected.is_empty(), still_dead.is_empty()) {
            (true, true, _) => return Ok(true),
            (true, false, _) => {
                format!("what answers at the runbook's addresses is not the service; {}", provider_says())
            }
            (false, _, true) => format!("nothing answers at {}; {}", dead.join(", "), provider_says()),
            (false, _, false) => format!("nothing answers at {}; the provider knows no better", dead.join(", ")),
        };
        self.alarm(AlarmKind::WrongAddress, None, wrong);
        Ok(still_dead.is_empty())
    }
}
