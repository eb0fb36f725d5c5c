//! The variables that lead tools into the world, and the lines that set them.

use crate::{assembly::Doors, emulator::s3::rights::Principal, model::plan::Plan};

use super::Held;

/// A variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The first line of a file of variables: by it such a file is known.
pub const FIRST_LINE: &str = "# Written by `backdraft serve`. What it leads to is there as long as that runs.";

/// Variables that would lead a tool elsewhere, or stop it: a command that is run in the world does not inherit them.
pub const MISLEADING: &[&str] = &[
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CA_BUNDLE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "CONVEX_DEPLOYMENT",
    "CONVEX_DEPLOY_KEY",
    "CONVEX_PROVISION_HOST",
];

/// Where the control page and the status page are.
#[derive(Debug)]
pub struct Pages<'p> {
    /// The control page and API, without the token.
    pub control: &'p str,
    /// What opens them.
    pub token: &'p str,
    /// The status page.
    pub status: &'p str,
}

/// All variables of a world.
pub fn variables(held: &Held, pages: &Pages<'_>) -> Vec<Variable> {
    let mut all = Vec::new();
    let mut set = |name: &str, value: &str| all.push(Variable { name: name.to_owned(), value: value.to_owned() });
    set("BACKDRAFT_CONTROL_URL", pages.control);
    set("BACKDRAFT_CONTROL_TOKEN", pages.token);
    set("BACKDRAFT_STATUS_PAGE_URL", pages.status.trim_end_matches('/'));
    regions(held.doors(), &held.plan, &mut set);
    for (service, site) in &held.world.sources {
        set(&format!("BACKDRAFT_MEDIA_BUCKET_{}", suffix(service)), &site.bucket);
        set(&format!("BACKDRAFT_MEDIA_REGION_{}", suffix(service)), site.region.name());
    }
    databases(held, &mut set);
    hosting(held, &mut set);
    all
}

fn regions(doors: &Doors, plan: &Plan, set: &mut impl FnMut(&str, &str)) {
    set("AWS_ENDPOINT_URL", &doors.gateway);
    // The narrower variable wins where somebody has set it for a service of their own.
    set("AWS_ENDPOINT_URL_S3", &doors.gateway);
    set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false");
    if let Some(key) = doors.key(Principal::Writer) {
        set("AWS_ACCESS_KEY_ID", &key.access_key);
        set("AWS_SECRET_ACCESS_KEY", &key.secret_key);
    }
    // A token of somebody's own session does not belong to this key.
    set("AWS_SESSION_TOKEN", "");
    if let Some(first) = plan.regions.first() {
        set("AWS_REGION", &first.name);
        set("AWS_DEFAULT_REGION", &first.name);
    }
    set("AWS_EC2_METADATA_DISABLED", "true");
    for principal in [Principal::Owner, Principal::Reader] {
        if let Some(key) = doors.key(principal) {
            let name = principal.name().to_ascii_uppercase();
            set(&format!("BACKDRAFT_{name}_ACCESS_KEY_ID"), &key.access_key);
            set(&format!("BACKDRAFT_{name}_SECRET_ACCESS_KEY"), &key.secret_key);
        }
    }
    for region in &plan.regions {
        set(&format!("BACKDRAFT_BUCKET_{}", suffix(&region.name)), &region.bucket);
    }
    for (name, url) in &doors.regions {
        set(&format!("BACKDRAFT_ENDPOINT_{}", suffix(name)), url);
    }
}

fn databases(held: &Held, set: &mut impl FnMut(&str, &str)) {
    if let Some(first) = held.doors().databases.first() {
        set("CONVEX_SELF_HOSTED_URL", &first.source().url);
        set("CONVEX_SELF_HOSTED_ADMIN_KEY", &first.source().key);
    }
    if let Some(first) = held.provisioned().first() {
        set("BACKDRAFT_RESTORE_CONVEX_URL", &first.url);
        set("BACKDRAFT_RESTORE_CONVEX_ADMIN_KEY", &first.admin_key);
    }
}

fn hosting(held: &Held, set: &mut impl FnMut(&str, &str)) {
    let Some((service, address)) = held.doors().hosting.first_key_value() else { return };
    set("BACKDRAFT_HOSTING_ADDRESS", &address.to_string());
    set("BACKDRAFT_HOSTING_TOKEN", held.doors().hosting_token());
    if let Some(hosting) = held.world.hosting.get(service) {
        set("BACKDRAFT_HOSTING_PROJECT", hosting.project());
        set("BACKDRAFT_HOSTING_DOMAIN", hosting.domain());
    }
}

/// What keeps requests to the world from going to a proxy, where this environment has one: `said` tells its variables.
pub fn past_proxies(said: impl Fn(&str) -> Option<String>) -> Vec<Variable> {
    let has = |name: &&str| said(name).is_some_and(|value| !value.is_empty());
    let proxies = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    if !proxies.iter().any(has) {
        return Vec::new();
    }
    let already = ["no_proxy", "NO_PROXY"].iter().find(|name| has(name)).and_then(|name| said(name));
    let hosts = already.into_iter().chain(["127.0.0.1,localhost".into()]).collect::<Vec<_>>().join(",");
    // Some tools read one of them, some the other.
    ["NO_PROXY", "no_proxy"].map(|name| Variable { name: name.into(), value: hosts.clone() }).into()
}

/// A name as the end of a variable's: `us-east-1` as `US_EAST_1`.
fn suffix(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// A line for a shell that sets a variable.
pub fn export(variable: &Variable) -> String {
    format!("export {}='{}'", variable.name, variable.value.replace('\'', "'\\''"))
}

/// A file of variables, for `.` of a shell.
pub fn file(variables: &[Variable]) -> String {
    let lines = variables.iter().map(export);
    [FIRST_LINE.to_owned()].into_iter().chain(lines).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_value_to_a_shell_whatever_is_in_it() {
        let value = "a'b $(touch /tmp/x) \"c\" `d` \\";
        let line = export(&Variable { name: "A".into(), value: value.into() });
        let said =
            std::process::Command::new("sh").args(["-c", &format!("{line}\nprintf %s \"$A\"")]).output().unwrap();
        assert_eq!(String::from_utf8(said.stdout).unwrap(), value);
        let proxied = past_proxies(|name| match name {
            "HTTPS_PROXY" => Some("http://proxy:3128".into()),
            "NO_PROXY" => Some("a.example".into()),
            _ => None,
        });
        assert!(proxied.len() == 2 && proxied.iter().all(|one| one.value == "a.example,127.0.0.1,localhost"));
        assert_eq!(past_proxies(|_| None), []);
        assert_eq!(suffix("ap-northeast-1"), "AP_NORTHEAST_1");
    }
}
