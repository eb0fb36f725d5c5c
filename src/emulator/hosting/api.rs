//! The management API: projects, deployments, rollback, promotion, DNS records. Opened by a bearer token.

use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{
    BUILD, Deployment, Hosting, PREVIEW, Project, Quality, State, address, json,
    message::{
        DeployOrder, DeploymentInfo, Method, PointOrder, Problem, ProblemText, ProjectInfo, ProjectOrder, Request,
        Response,
    },
};

/// Where it is reached.
pub(super) const HOST: &str = "api.hosting.example";

type Answer = Result<Response, Response>;

impl Hosting {
    pub(super) fn manage(&self, state: &mut State, request: &Request, now: Timestamp) -> Response {
        if let Some(refusal) = state.api.refuses(now) {
            return problem(refusal, "unavailable", "the management API does not answer now");
        }
        if request.bearer.as_deref() != Some(&self.token) {
            return problem(401, "unauthorized", "no token, or one that opens nothing");
        }
        let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        let done = match (request.method, &path[..]) {
            (Method::Post, ["v1", "projects"]) => create(state, request),
            (Method::Get, ["v1", "projects", name]) => project(state, name).map(|found| json(200, &info(name, found))),
            (Method::Get, ["v1", "projects", name, "deployments"]) => list(state, name, now),
            (Method::Post, ["v1", "projects", name, "deployments"]) => self.deploy(state, name, request, now),
            (Method::Get, ["v1", "projects", name, "deployments", id]) => one(state, name, id, now),
            (Method::Post, ["v1", "projects", name, "rollback", id]) => alias(state, name, id, now, false),
            (Method::Post, ["v1", "projects", name, "promote", id]) => alias(state, name, id, now, true),
            (Method::Get, ["v1", "domains", name]) if *name == self.domain => Ok(json(200, &state.record)),
            (Method::Put, ["v1", "domains", name]) if *name == self.domain => point(state, request, now),
            _ => Err(problem(404, "not_found", "there is nothing at this path")),
        };
        done.unwrap_or_else(|refused| refused)
    }

    /// Builds a commit. What is built before the disaster is ready at once: the clock stands there.
    fn deploy(&self, state: &mut State, name: &str, request: &Request, now: Timestamp) -> Answer {
        let order: DeployOrder = read(request)?;
        let auto = project(state, name)?.auto_promote;
        let Some(files) = self.repository.files(&order.commit) else {
            return Err(problem(400, "commit_not_found", "the repository has no such commit"));
        };
        let ready_at = if self.clock.since_t0().is_none() { now } else { super::dns::later(now, BUILD) };
        let quality = Quality::Sound;
        let id = state.next_id();
        let promotes = order.promote && auto;
        let made = Deployment { id, commit: order.commit, made_at: now, ready_at, promotes, quality, files };
        let shown = shown(&made, now);
        if let Some(project) = state.projects.get_mut(name) {
            project.deployments.push(made);
        }
        state.settle(now);
        self.expire(state, now);
        Ok(json(201, &shown))
    }

    /// Removes what was kept long enough, but never what is in production.
    fn expire(&self, state: &mut State, now: Timestamp) {
        for project in state.projects.values_mut() {
            let production = project.production.clone();
            project.deployments.retain(|deployment| {
                let until = super::dns::later(deployment.made_at, self.keep);
                until >= now || Some(&deployment.id) == production.as_ref()
            });
        }
    }
}

impl State {
    pub(super) fn next_id(&mut self) -> String {
        self.deployments_made += 1;
        format!("dpl_{:04}", self.deployments_made)
    }
}

fn create(state: &mut State, request: &Request) -> Answer {
    let ProjectOrder { name } = read(request)?;
    let sound = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !sound {
        return Err(problem(400, "bad_name", "a project's name has small letters, digits and hyphens"));
    }
    if state.projects.contains_key(&name) {
        return Err(problem(409, "exists", "there is a project of that name"));
    }
    let made = Project { auto_promote: true, ..Project::default() };
    let shown = info(&name, &made);
    state.projects.insert(name, made);
    Ok(json(201, &shown))
}

fn list(state: &State, name: &str, now: Timestamp) -> Answer {
    let newest_first = project(state, name)?.deployments.iter().rev();
    Ok(json(200, &newest_first.map(|deployment| shown(deployment, now)).collect::<Vec<_>>()))
}

fn one(state: &State, name: &str, id: &str, now: Timestamp) -> Answer {
    Ok(json(200, &shown(deployment(project(state, name)?, id)?, now)))
}

/// Moves the production alias. A rollback keeps new deployments from moving it again; a promotion lets them.
fn alias(state: &mut State, name: &str, id: &str, now: Timestamp, auto_promote: bool) -> Answer {
    if deployment(project(state, name)?, id)?.ready_at > now {
        return Err(problem(409, "not_ready", "this deployment is still being built"));
    }
    let Some(project) = state.projects.get_mut(name) else { return Err(no_project()) };
    project.production = Some(id.to_owned());
    project.auto_promote = auto_promote;
    // Nothing that is being built may undo what was decided by hand.
    project.deployments.iter_mut().for_each(|deployment| deployment.promotes = false);
    Ok(json(200, &info(name, project)))
}

fn point(state: &mut State, request: &Request, now: Timestamp) -> Answer {
    let PointOrder { target } = read(request)?;
    state.point(target, now);
    Ok(json(200, &state.record))
}

fn project<'s>(state: &'s State, name: &str) -> Result<&'s Project, Response> {
    state.projects.get(name).ok_or_else(no_project)
}

fn no_project() -> Response {
    problem(404, "project_not_found", "there is no such project")
}

fn deployment<'p>(project: &'p Project, id: &str) -> Result<&'p Deployment, Response> {
    project.find(id).ok_or_else(|| problem(404, "deployment_not_found", "there is no such deployment"))
}

fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Response> {
    serde_json::from_slice(&request.body).map_err(|e| problem(400, "bad_request", &e.to_string()))
}

fn info(name: &str, project: &Project) -> ProjectInfo {
    let (production, auto_promote) = (project.production.clone(), project.auto_promote);
    ProjectInfo { name: name.to_owned(), address: address(name), production, auto_promote }
}

fn shown(deployment: &Deployment, now: Timestamp) -> DeploymentInfo {
    let Deployment { id, commit, made_at, ready_at, .. } = deployment;
    let address = format!("{id}{PREVIEW}");
    DeploymentInfo { id: id.clone(), commit: commit.clone(), made_at: *made_at, ready: *ready_at <= now, address }
}

fn problem(status: u16, code: &str, message: &str) -> Response {
    json(status, &Problem { error: ProblemText { code: code.into(), message: message.into() } })
}

impl Deployment {
    /// A deployment of another quality than the builder meant, of the same commit.
    pub(super) fn flawed(
        id: String,
        commit: String,
        now: Timestamp,
        quality: Quality,
        files: Arc<super::Tree>,
    ) -> Self {
        Deployment { id, commit, made_at: now, ready_at: now, promotes: false, quality, files }
    }
}
