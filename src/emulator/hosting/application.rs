//! The application that runs in a deployment, as its users meet it: pages and files, `/api/health`, and an API that asks
//! an upstream service. What a fault did to a deployment, to the upstream or to the health check shows here.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::{
    Deployment, Hosting, Quality, State, json as as_json,
    message::{Method, Request, Response},
};

/// The health check that everybody asks, and some believe.
pub(super) const HEALTH: &str = "/api/health";
/// A call of the API with a word of the caller's: its answer cannot be stored beforehand.
pub(super) const HOOKS: &str = "/api/hooks";
/// A list of every path that is served.
pub(super) const SITEMAP: &str = "/sitemap.json";

impl Hosting {
    pub(super) fn serve(&self, state: &mut State, host: &str, request: &Request, now: Timestamp) -> Response {
        let Some(deployment) = state.at_host(host).cloned() else {
            return text(404, "DEPLOYMENT_NOT_FOUND");
        };
        if deployment.ready_at > now {
            return text(503, "DEPLOYMENT_NOT_READY");
        }
        if request.method != Method::Get {
            return text(405, "only GET is answered here");
        }
        let app = Application { upstream: state.upstream.answers(&deployment, now), deployment: &deployment };
        let answer = app.answer(&request.path);
        let in_production = !host.ends_with(super::PREVIEW);
        let ill = answer.status != 200 || deployment.quality != Quality::Sound;
        let answer = match state.lying && request.path == HEALTH && ill {
            true => {
                state.counters.lies += 1;
                app.well()
            }
            false => answer,
        };
        let wrong = deployment.quality == Quality::WrongContent && request.path != HEALTH;
        if in_production && (wrong || answer.status >= 500) {
            state.counters.failed_answers += 1;
        }
        if !app.upstream && answer.status == 502 {
            state.counters.upstream_failures += 1;
        }
        if host == super::address(&self.old_home()) {
            state.counters.elsewhere += 1;
        }
        answer
    }
}

struct Application<'d> {
    deployment: &'d Deployment,
    /// Whether the service behind the API answers it.
    upstream: bool,
}

impl Application<'_> {
    fn answer(&self, path: &str) -> Response {
        let quality = self.deployment.quality;
        if quality == Quality::Broken {
            return text(500, "FUNCTION_INVOCATION_FAILED");
        }
        let (plain, query) = path.split_once('?').unwrap_or((path, ""));
        match plain {
            HEALTH if self.upstream => self.well(),
            HEALTH => as_json(503, &json!({"status": "error", "deployment": self.deployment.id})),
            SITEMAP => as_json(200, &self.deployment.files.keys().collect::<Vec<_>>()),
            api if api.starts_with("/api/") && !self.upstream => text(502, "UPSTREAM_UNREACHABLE"),
            HOOKS => hooks(query),
            path => self.file(path),
        }
    }

    fn well(&self) -> Response {
        let Deployment { id, commit, .. } = self.deployment;
        as_json(200, &json!({"status": "ok", "deployment": id, "commit": commit}))
    }

    fn file(&self, path: &str) -> Response {
        let Some(place) = self.deployment.files.keys().position(|known| known == path) else {
            return text(404, "NOT_FOUND");
        };
        let content = self.deployment.files.get(path).cloned().unwrap_or_default();
        match self.deployment.quality {
            // A path is served by one location, and one location in two has the new build.
            Quality::HalfRolledOut if place.is_multiple_of(2) => text(500, "FUNCTION_INVOCATION_FAILED"),
            Quality::WrongContent => typed(path, [b"<!-- staging -->\n", &content[..]].concat().into()),
            _ => typed(path, content),
        }
    }
}

/// Three hooks about the topic asked for.
fn hooks(query: &str) -> Response {
    let topic = query.split('&').find_map(|pair| pair.strip_prefix("topic=")).unwrap_or("");
    if topic.is_empty() || topic.len() > 60 {
        return text(400, "name a topic");
    }
    let hooks = ["Nobody tells you this about", "Three things I wish I had known about", "Stop scrolling:"];
    as_json(200, &json!({"topic": topic, "hooks": hooks.map(|hook| format!("{hook} {topic}"))}))
}

fn typed(path: &str, body: Bytes) -> Response {
    let content_type = match path.rsplit_once('.') {
        Some((_, "css")) => "text/css",
        Some((_, "js")) => "text/javascript",
        _ if path.starts_with("/api/") => "application/json",
        _ => "text/html; charset=utf-8",
    };
    Response { status: 200, content_type, body }
}

fn text(status: u16, said: &'static str) -> Response {
    Response { status, content_type: "text/plain; charset=utf-8", body: Bytes::from_static(said.as_bytes()) }
}
