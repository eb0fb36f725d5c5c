//! Each rule finds what it is for, and leaves alone what only looks like it. Examples are put together here, so that no
//! scanner takes this file for a leak.

use std::io::Write as _;

use super::*;

const RANDOM: &str = "4Kq9ZtW2bX7mRv1LpDf8sHj3Nc6YgUe5TaQoViBw0ExMkCzJyGhFrPdSnAlOuI";

/// For each rule: what it finds, and what it must not.
fn examples() -> Vec<(&'static str, String, String)> {
    let random = |n: usize| &RANDOM[..n];
    let upper = random(62).to_ascii_uppercase();
    let jwt = |head: &str, body: &str| format!("{head}{}.{body}{}.{}", random(24), random(30), random(40));
    vec![
        ("private-key", ["-----BEGIN RSA PRIVATE", " KEY-----"].concat(), "-----BEGIN PUBLIC KEY-----".into()),
        ("convex-deploy-key", format!("prod:happy-otter-123|{}", random(40)), "prod:happy-otter-123".into()),
        ("secret-key", ["sk_li", "ve_", random(40)].concat(), ["pk_li", "ve_", random(40)].concat()),
        ("webhook-secret", ["whs", "ec_", random(32)].concat(), "whsec_your_signing_secret".into()),
        ("aws-access-key", ["AK", "IA", &upper[..16]].concat(), ["XAK", "IA", &upper[..16]].concat()),
        ("github-token", ["gh", "p_", random(36)].concat(), ["gh", "p_", random(20)].concat()),
        ("github-fine-grained-token", ["github_", "pat_", random(62)].concat(), "github_pat_tokens_are_long".into()),
        ("gitlab-token", ["gl", "pat-", random(20)].concat(), "glpat-xxxxxxxxxxxxxxxxxxxx".into()),
        ("slack-token", ["xo", "xb-", random(30)].concat(), "xoxb-".into()),
        (
            "slack-webhook",
            ["https://hooks.slack", ".com/services/", "T0A/B0A/", random(30)].concat(),
            "https://hooks.slack.com/services/".into(),
        ),
        ("sentry-token", ["snt", "rys_", random(50)].concat(), format!("https://{}@o1.ingest.sentry.io/2", random(32))),
        ("npm-token", ["np", "m_", random(36)].concat(), "npm_config_registry".into()),
        ("sendgrid-key", ["S", "G.", random(22), ".", random(43)].concat(), "SG.short".into()),
        ("anthropic-key", ["sk-", "ant-", random(50)].concat(), "sk-ant-your-key".into()),
        ("openai-key", ["sk-", "proj-", random(50)].concat(), "sk-proj-".into()),
        ("json-web-token", jwt("eyJ", "eyJ"), jwt("eyJ", "abc")),
        ("url-password", "postgres://app:hunter22@db.internal/main".into(), "https://user@example.com/a:b@c".into()),
        ("high-entropy", format!("PAYMENT_API_KEY={}", random(32)), format!("NEXT_PUBLIC_API_KEY={}", random(32))),
    ]
}

#[test]
fn each_rule_finds_what_it_is_for_and_leaves_alone_what_it_must() {
    let examples = examples();
    for rule in RULES {
        let (_, secret, harmless) =
            examples.iter().find(|(id, ..)| *id == rule.id).expect("each rule has its examples");
        let text = format!("first line\n# {secret}\n");
        let found = scan(&text);
        assert_eq!(found.iter().map(|leak| (leak.line, leak.rule)).collect::<Vec<_>>(), [(2, rule.id)], "{}", rule.id);
        let told = format!("{} {found:?}", found[0]);
        assert!(!told.contains(&RANDOM[..12]) && !told.contains("hunter22"), "a leak never tells the value: {told}");
        assert_eq!(scan(harmless), [], "{}", rule.id);
    }
    assert_eq!(examples.len(), RULES.len());
}

#[test]
fn a_secret_is_found_in_a_row_in_a_comment_and_inside_gzip() {
    let row = format!(r#"{{"_table":"production","_id":"PAYMENT_API_KEY","value":"{}"}}"#, &RANDOM[..32]);
    let comment = format!("# PAYMENT_API_KEY={}", &RANDOM[..32]);
    for text in [row, comment] {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(format!("\n{text}\n{}", "and more of it\n".repeat(2000)).as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        let found = scan_object(&gzip).unwrap();
        assert_eq!(found, scan_object(&gzip[..gzip.len() - 9]).unwrap(), "a cut object can be read as far as it goes");
        assert_eq!(
            found[0].to_string(),
            "line 2: a random value under a name that says secret in PAYMENT_API_KEY (high-entropy)"
        );
    }
    assert!(scan_object(&vec![b'a'; 17 << 20]).unwrap_err().contains("16 MiB"));
}

#[test]
fn digests_ids_addresses_and_placeholders_are_no_secrets() {
    let harmless = [
        r#"{"_id":"CLERK_SECRET_KEY","redacted":true}"#,
        r#"{"format":"backdraft.manifest/1","stored_sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}"#,
        "# CLERK_SECRET_KEY=[REDACTED]",
        "LEMONSQUEEZY_API_KEY=your_lemonsqueezy_api_key_here",
        "SESSION_SECRET=${SESSION_SECRET_FROM_VAULT}",
        "NEXT_PUBLIC_CONVEX_URL=https://happy-otter-123.convex.cloud",
        "NEXT_PUBLIC_SENTRY_DSN=https://0a1b2c3d4e5f60718293a4b5c6d7e8f9@o450.ingest.sentry.io/4506",
        "LEMONSQUEEZY_STORE_ID=184467",
        "TOKEN_TTL_SECONDS=86400",
        "RELEASE=dpl_5xQmZ8rT2vKc9bNf4LhW",
    ];
    for text in harmless {
        assert_eq!(scan(text), [], "{text}");
    }
}

#[test]
fn a_name_or_a_value_makes_a_variable_one_to_redact() {
    for name in
        ["CLERK_SECRET_KEY", "LEMONSQUEEZY_API_KEY", "SENTRY_AUTH_TOKEN", "DATABASE_PASSWORD", "AWS_SECRET_ACCESS_KEY"]
    {
        assert!(is_secret(name, "short"), "{name}");
    }
    assert!(is_secret("DATABASE_URL", "postgres://app:hunter22@db.internal/main"));
    for name in ["NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "NODE_ENV", "SENTRY_ORG", "CONVEX_DEPLOYMENT", "FEATURE_KEYBOARD"]
    {
        assert!(!is_secret(name, "value"), "{name}");
    }
}
