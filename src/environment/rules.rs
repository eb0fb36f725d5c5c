//! How secrets look: one table, kept as data. The forms are those that the issuers document and that gitleaks' default
//! configuration knows (github.com/gitleaks/gitleaks, config/gitleaks.toml); each rule is proven by an example that it
//! finds and one that it must not.

/// A rule of detection.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its name, in reports.
    pub id: &'static str,
    /// What it finds.
    pub what: &'static str,
    /// How it looks.
    pub shape: Shape,
}

/// How a secret looks.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// One of these beginnings, then at least so many characters of an alphabet.
    Prefix {
        /// The beginnings.
        of: &'static [&'static str],
        /// What follows.
        then: Alphabet,
        /// How many of it, at the least.
        at_least: usize,
    },
    /// Three parts of base64url, the first two JSON objects: a JSON Web Token.
    Jwt,
    /// The head of a PEM block with a private key.
    PrivateKey,
    /// A URL with a password before its host.
    UrlPassword,
    /// A Convex deploy key: what it is for, a name, a bar and a token.
    DeployKey,
    /// A value of high entropy under a name that says secret.
    Entropy,
}

/// Sets of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// Letters and digits.
    Alphanumeric,
    /// Upper-case letters and digits.
    Upper,
    /// Letters, digits, `-` and `_`.
    Url,
    /// Letters, digits, `+`, `/`, `=`, `-`, `_` and `.`.
    Base64,
}

impl Alphabet {
    /// Whether a character belongs to it.
    pub(super) fn has(self, c: char) -> bool {
        match self {
            Alphabet::Alphanumeric => c.is_ascii_alphanumeric(),
            Alphabet::Upper => c.is_ascii_uppercase() || c.is_ascii_digit(),
            Alphabet::Url => c.is_ascii_alphanumeric() || "-_".contains(c),
            Alphabet::Base64 => c.is_ascii_alphanumeric() || "+/=-_.".contains(c),
        }
    }
}

const fn prefix(
    id: &'static str,
    what: &'static str,
    of: &'static [&'static str],
    then: Alphabet,
    at_least: usize,
) -> Rule {
    Rule { id, what, shape: Shape::Prefix { of, then, at_least } }
}

/// All rules. The one by entropy comes last: where a form is known, it is what a report should name.
pub static RULES: &[Rule] = &[
    Rule { id: "private-key", what: "a private key", shape: Shape::PrivateKey },
    Rule { id: "convex-deploy-key", what: "a Convex deploy key", shape: Shape::DeployKey },
    // Clerk's secret keys have Stripe's form.
    prefix(
        "secret-key",
        "a secret key of Clerk or Stripe",
        &["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
        Alphabet::Alphanumeric,
        16,
    ),
    prefix("webhook-secret", "a signing secret of a webhook", &["whsec_"], Alphabet::Base64, 24),
    prefix("aws-access-key", "an AWS access key", &["AKIA", "ASIA", "ABIA", "ACCA"], Alphabet::Upper, 16),
    prefix("github-token", "a GitHub token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], Alphabet::Alphanumeric, 36),
    prefix("github-fine-grained-token", "a GitHub token", &["github_pat_"], Alphabet::Url, 60),
    prefix("gitlab-token", "a GitLab token", &["glpat-"], Alphabet::Url, 20),
    prefix("slack-token", "a Slack token", &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xapp-"], Alphabet::Url, 20),
    prefix("slack-webhook", "a Slack webhook", &["https://hooks.slack.com/services/"], Alphabet::Base64, 30),
    prefix("sentry-token", "a Sentry token", &["sntrys_", "sntryu_"], Alphabet::Base64, 40),
    prefix("npm-token", "an npm token", &["npm_"], Alphabet::Alphanumeric, 36),
    prefix("sendgrid-key", "a SendGrid key", &["SG."], Alphabet::Base64, 60),
    prefix("anthropic-key", "an Anthropic key", &["sk-ant-"], Alphabet::Url, 40),
    prefix("openai-key", "an OpenAI key", &["sk-proj-", "sk-svcacct-"], Alphabet::Url, 40),
    // Lemon Squeezy's keys are JSON Web Tokens.
    Rule { id: "json-web-token", what: "a JSON Web Token", shape: Shape::Jwt },
    Rule { id: "url-password", what: "a password in a URL", shape: Shape::UrlPassword },
    Rule { id: "high-entropy", what: "a random value under a name that says secret", shape: Shape::Entropy },
];
