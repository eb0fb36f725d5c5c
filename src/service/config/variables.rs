//! The variables of the HookLabs platform, and what people do to them: settings change, features come and go, secrets
//! are rotated.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;

use crate::{
    emulator::{
        addresses::{APP_URL, DEPLOYMENT, DEPLOYMENT_URL, ENVIRONMENT},
        operator::stored_name,
    },
    environment::{Secret, Variable},
    sim::seed::Seed,
};

/// The environment files, by what they are for.
pub(super) const TABLES: [&str; 2] = [ENVIRONMENT, "preview"];

/// Secrets of each file.
pub(super) const SECRETS: [&str; 2] = ["CLERK_SECRET_KEY", "LEMONSQUEEZY_API_KEY"];

/// Variables that hold an address of a service. In the production file they follow the services.
pub(super) const ADDRESSES: [&str; 3] = [APP_URL, DEPLOYMENT, DEPLOYMENT_URL];

/// Settings that people change.
const SETTINGS: [&str; 3] = ["RATE_LIMIT_PER_MINUTE", "UPLOAD_LIMIT_MB", "SUPPORT_GREETING"];

/// Beginning of the variables that come and go.
const FEATURE: &str = "FEATURE_";

const DIGITS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Whether a variable follows a service rather than its backup.
pub(super) fn is_address(table: &str, name: &str) -> bool {
    table == TABLES[0] && ADDRESSES.contains(&name)
}

/// What a file holds at the start; addresses of the production file as they are.
pub(super) fn seeded(table: &str, seed: Seed, live: &BTreeMap<String, String>) -> Vec<Variable> {
    let production = table == TABLES[0];
    let address = |name: &str, other: &str| match live.get(name).filter(|_| production) {
        Some(live) => live.clone(),
        None => other.to_owned(),
    };
    let key = BASE64URL_NOPAD.encode(format!("clerk.{table}.hooklabs.io$").as_bytes());
    let hosted = if production { "live" } else { "test" };
    let secret = |name: &str| secret(seed, &stored_name(table, name), 0).expose().to_owned();
    let digits = seed.child("dsn").nth(u64::from(production)).0;
    let all = [
        ("NODE_ENV", "production".to_owned()),
        ("NEXT_PUBLIC_APP_ENV", table.to_owned()),
        (APP_URL, address(APP_URL, "https://preview.hooklabs.io")),
        (DEPLOYMENT, address(DEPLOYMENT, "dev:patient-heron-204")),
        (DEPLOYMENT_URL, address(DEPLOYMENT_URL, "https://patient-heron-204.convex.cloud")),
        ("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", format!("pk_{hosted}_{key}")),
        (SECRETS[0], secret(SECRETS[0])),
        ("LEMONSQUEEZY_STORE_ID", (100_000 + digits % 900_000).to_string()),
        (SECRETS[1], secret(SECRETS[1])),
        ("NEXT_PUBLIC_SENTRY_DSN", format!("https://{digits:016x}{digits:016x}@o450.ingest.sentry.io/4506")),
        ("SENTRY_ORG", "hooklabs".to_owned()),
        ("SENTRY_PROJECT", "elite".to_owned()),
        (SETTINGS[0], "600".to_owned()),
        (SETTINGS[1], "25".to_owned()),
        (SETTINGS[2], greeting(0)),
    ];
    all.map(|(name, value)| Variable { name: name.to_owned(), value }).into()
}

/// A text that only a correct reader reads back: quotes, a `#`, a `$`, two lines.
fn greeting(number: u64) -> String {
    format!("안녕하세요 \"{number}\"\nFrom $9 a month # no trick")
}

/// A secret in its issuer's form; each rotation has a number.
pub(super) fn secret(seed: Seed, stored_name: &str, rotation: u64) -> Secret {
    let seed = seed.child("secret").child(stored_name).nth(rotation);
    let text = |part: u64, length: u64| -> String {
        (0..length).map(|n| char::from(DIGITS[(seed.nth(part << 32 | n).0 % 62) as usize])).collect()
    };
    Secret::new(match stored_name.ends_with(SECRETS[0]) {
        true => format!("sk_{}_{}", if stored_name.starts_with("PRODUCTION") { "live" } else { "test" }, text(0, 42)),
        false => {
            let head = BASE64URL_NOPAD.encode(br#"{"typ":"JWT","alg":"RS256"}"#);
            let body = BASE64URL_NOPAD.encode(format!(r#"{{"aud":"{}","jti":"{rotation}"}}"#, text(0, 16)).as_bytes());
            format!("{head}.{body}.{}", text(1, 86))
        }
    })
}

/// One thing that people do to a file.
#[derive(Debug)]
pub(super) enum Change {
    /// A variable is set, new or not.
    Set(Variable),
    /// A variable goes.
    Remove(String),
    /// A secret gets another value.
    Rotate(&'static str),
}

/// The change of that number, and the table that it is made to. Values never come twice, so that each version of a
/// variable is told from all others.
pub(super) fn change(
    seed: Seed,
    number: u64,
    variables: impl Fn(&'static str) -> Vec<Variable>,
) -> (&'static str, Change) {
    let mut draws = (0..).map(|n| seed.child("changes").nth(number).nth(n).0);
    let mut below = move |limit: u64| draws.next().unwrap_or_default() % limit;
    let table = TABLES[usize::from(below(3) == 0)];
    let set = |name: String, value: String| Change::Set(Variable { name, value });
    let change = match below(100) {
        0..15 => Change::Rotate(SECRETS[below(2) as usize]),
        15..60 => match below(3) {
            0 => set(SETTINGS[0].into(), (600 + number * 10).to_string()),
            1 => set(SETTINGS[1].into(), (25 + number).to_string()),
            _ => set(SETTINGS[2].into(), greeting(number)),
        },
        60..85 => set(format!("{FEATURE}{number}"), ["on", "off", "beta"][below(3) as usize].into()),
        _ => {
            let features: Vec<_> = variables(table).into_iter().filter(|v| v.name.starts_with(FEATURE)).collect();
            match features.get(below(features.len().max(1) as u64) as usize) {
                Some(feature) => Change::Remove(feature.name.clone()),
                None => set(format!("{FEATURE}{number}"), "on".into()),
            }
        }
    };
    (table, change)
}
