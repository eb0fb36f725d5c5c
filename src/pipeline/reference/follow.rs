//! The last step of the runbook: a restored configuration is pointed at the services that came back after it, and every
//! address in it is tried. What the runbook says is believed only where something answers there; else the provider that
//! runs the service is asked.

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
        if dead.is_empty() {
            return Ok(true);
        }
        let corrected = self.platform.follow(Directory::Provider).await?;
        let still_dead = self.platform.dead_addresses().await?;
        let after = match still_dead.is_empty() {
            true => format!("the provider says {}", corrected.join(", ")),
            false => "the provider knows no better".to_owned(),
        };
        self.alarm(AlarmKind::WrongAddress, None, format!("nothing answers at {}; {after}", dead.join(", ")));
        Ok(still_dead.is_empty())
    }
}
