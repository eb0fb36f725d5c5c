//! What a release must look like: every path with the digest that was noted when it was released, and an API that answers
//! a question that nobody can have answered beforehand.

use std::fmt;

use sha2::{Digest, Sha256};

use super::Step;
use crate::provider::{Answer, Release};

/// What is wrong with what is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not what was released: another release is needed.
    Content(String),
    /// The API does not answer, and the pages are right: another release may not help.
    Api(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Wrong::Content(why) | Wrong::Api(why)) = self;
        f.write_str(why)
    }
}

const TOPIC: &str = "restore-drill";

impl Step<'_> {
    /// Compares what a host serves with a release; what users get where no host is named.
    pub(super) async fn verify(&self, host: Option<&str>, release: &Release) -> Result<(), Wrong> {
        let (calls, pages): (Vec<_>, Vec<_>) = release.files.iter().partition(|(path, _)| path.starts_with("/api/"));
        for (path, wanted) in pages.into_iter().chain(calls) {
            let answer = self.get(host, path).await.map_err(Wrong::Content)?;
            match answer.status {
                200 if digest(&answer.body) == *wanted => {}
                200 => return Err(Wrong::Content(format!("{path} is not what was released"))),
                502..=504 if path.starts_with("/api/") => return Err(silent(path, answer.status)),
                status => return Err(Wrong::Content(format!("{path} answers HTTP {status}"))),
            }
        }
        let call = format!("/api/hooks?topic={TOPIC}");
        let answer = self.get(host, &call).await.map_err(Wrong::Api)?;
        match answer.status {
            200 if String::from_utf8_lossy(&answer.body).contains(TOPIC) => Ok(()),
            200 => Err(Wrong::Content(format!("{call} answers something else"))),
            status => Err(silent(&call, status)),
        }
    }

    async fn get(&self, host: Option<&str>, path: &str) -> Result<Answer, String> {
        let answer = match host {
            Some(host) => self.provider.get_at(host, path).await,
            None => self.provider.get(path).await,
        };
        answer.map_err(|e| format!("{path} is not answered: {e}"))
    }
}

fn silent(path: &str, status: u16) -> Wrong {
    Wrong::Api(format!("{path} answers HTTP {status}: what stands behind the API does not answer"))
}

fn digest(body: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(body))
}
