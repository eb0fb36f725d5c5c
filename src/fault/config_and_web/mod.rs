//! Faults on configuration and on web applications.

use super::Fault;

mod api_outage;
mod bad_deploy;
mod config_dump;
mod dns_stale;
mod homes;
mod hosting_api_down;
mod lying_health_check;
mod rollback_target_gone;
mod secret_leaked;
mod secret_store_lost;
mod variable_missing;
mod wrong_url;

/// In the order in which they are listed.
pub(super) static FAULTS: &[&dyn Fault] = &[
    &api_outage::ApiOutage,
    &bad_deploy::BadDeploy,
    &dns_stale::DnsStale,
    &hosting_api_down::HostingApiDown,
    &lying_health_check::LyingHealthCheck,
    &rollback_target_gone::RollbackTargetGone,
    &secret_leaked::SecretLeaked,
    &secret_store_lost::SecretStoreLost,
    &variable_missing::VariableMissing,
    &wrong_url::WrongUrl,
];
