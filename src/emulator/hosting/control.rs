//! What faults and disasters do to the provider and to what runs there, behind the back of its API. Each control can be
//! taken back.

use jiff::Timestamp;

use super::{
    Deployment, Hosting, Project, Quality, State, address,
    dns::later,
    message::{Method, Request, Response},
    repository::Lost,
};
use crate::model::units::Span;

/// How the management API answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiState {
    /// The status of every answer, while it is out.
    status: Option<u16>,
    /// When it answers again by itself.
    until: Option<Timestamp>,
    refused: u64,
}

impl ApiState {
    /// The status of a refusal, counted; `None` where it answers.
    pub(super) fn refuses(&mut self, now: Timestamp) -> Option<u16> {
        let status = self.status.filter(|_| self.until.is_none_or(|until| now < until))?;
        self.refused += 1;
        Some(status)
    }
}

/// The service behind the application's API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Upstream {
    /// It answers.
    #[default]
    Up,
    /// It answers nobody; again from that moment on, where there is one.
    Down(Option<Timestamp>),
    /// It has a new address, which deployments made before that moment do not know.
    Moved(Timestamp),
}

impl Upstream {
    pub(super) fn answers(self, deployment: &Deployment, now: Timestamp) -> bool {
        match self {
            Upstream::Up => true,
            Upstream::Down(until) => until.is_some_and(|until| now >= until),
            Upstream::Moved(at) => deployment.made_at > at,
        }
    }
}

/// What was seen so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Answers to users that were errors, or held the wrong thing.
    pub failed_answers: u64,
    /// Calls that failed because the service behind the API did not answer.
    pub upstream_failures: u64,
    /// Times that the health check said ok of an application that was not.
    pub lies: u64,
    /// Answers to users from the old home.
    pub elsewhere: u64,
    /// Requests that the management API refused while it was out.
    pub refused: u64,
}

/// A bad deployment that was shipped, so that it can be taken back.
#[derive(Debug)]
pub struct Shipped {
    /// The deployment.
    pub id: String,
    commit: String,
    before: Option<String>,
}

/// Deployments and commits that were taken away.
#[derive(Debug, Default)]
pub struct Removed {
    deployments: Vec<(usize, Deployment)>,
    commits: Vec<Lost>,
}

impl Removed {
    /// Names of the deployments.
    pub fn deployments(&self) -> Vec<String> {
        self.deployments.iter().map(|(_, deployment)| deployment.id.clone()).collect()
    }

    /// Whether a deployment of that commit is among them.
    pub fn holds(&self, commit: &str) -> bool {
        self.deployments.iter().any(|(_, deployment)| deployment.commit == commit)
    }

    /// How many commits.
    pub fn commits(&self) -> usize {
        self.commits.len()
    }
}

impl Hosting {
    /// What was seen so far.
    pub fn counters(&self) -> Counters {
        let state = self.state();
        Counters { refused: state.api.refused, ..state.counters }
    }

    /// Pushes a commit whose build is flawed, and lets it go to production as any push does.
    ///
    /// # Errors
    /// Why it does not get there.
    pub fn ship(&self, quality: Quality) -> Result<Shipped, String> {
        let now = self.clock.now();
        let mut state = self.state();
        let project = state.projects.get(&self.project).ok_or("the project is gone")?;
        if !project.auto_promote {
            return Err("the project was rolled back, and new deployments do not go to production".into());
        }
        let before = project.production.clone();
        let commit = self.repository.commit(Vec::new());
        let files = self.repository.files(&commit).unwrap_or_default();
        let id = state.next_id();
        let made = Deployment::flawed(id.clone(), commit.clone(), now, quality, files);
        if let Some(project) = state.projects.get_mut(&self.project) {
            project.deployments.push(made);
            project.production = Some(id.clone());
        }
        Ok(Shipped { id, commit, before })
    }

    /// Takes a bad deployment back. Where it is still in production, what was there before is again.
    pub fn unship(&self, shipped: &Shipped) {
        self.repository.drop_commit(&shipped.commit);
        let mut state = self.state();
        let Some(project) = state.projects.get_mut(&self.project) else { return };
        project.deployments.retain(|deployment| deployment.id != shipped.id);
        if project.production.as_deref() == Some(&shipped.id) {
            project.production.clone_from(&shipped.before);
        }
    }

    /// Removes deployments of the project that are not in production, and commits: those that `gone` and `lost` say yes
    /// to.
    pub fn remove(&self, gone: impl Fn(&str) -> bool, lost: impl Fn(&str) -> bool) -> Removed {
        let mut removed = Removed::default();
        let mut state = self.state();
        if let Some(project) = state.projects.get_mut(&self.project) {
            let production = project.production.clone();
            let all = std::mem::take(&mut project.deployments);
            for (place, deployment) in all.into_iter().enumerate() {
                match gone(&deployment.commit) && Some(&deployment.id) != production.as_ref() {
                    true => removed.deployments.push((place, deployment)),
                    false => project.deployments.push(deployment),
                }
            }
        }
        for commit in self.repository.commits().iter().rev().filter(|commit| lost(commit)) {
            removed.commits.extend(self.repository.lose(commit));
        }
        removed
    }

    /// Whether nothing of what was removed is back.
    pub fn lacks(&self, removed: &Removed) -> bool {
        let state = self.state();
        let there = |id: &str| state.projects.values().any(|project| project.find(id).is_some());
        !removed.deployments.iter().any(|(_, deployment)| there(&deployment.id))
    }

    /// Puts back what was removed.
    pub fn put_back(&self, removed: &mut Removed) {
        // The last one lost stood first among those that were left.
        removed.commits.drain(..).rev().for_each(|lost| self.repository.put_back(lost));
        let mut state = self.state();
        let Some(project) = state.projects.get_mut(&self.project) else { return };
        for (place, deployment) in removed.deployments.drain(..) {
            let place = place.min(project.deployments.len());
            project.deployments.insert(place, deployment);
        }
    }

    /// Lets the management API answer every request with that status, for a while or until told otherwise; `None` lets
    /// it work.
    pub fn set_api(&self, status: Option<u16>, lasts: Option<Span>) {
        let until = lasts.map(|lasts| later(self.clock.now(), lasts));
        let mut state = self.state();
        state.api.status = status;
        state.api.until = until;
    }

    /// Sets how the service behind the application's API is.
    pub fn set_upstream(&self, upstream: Upstream) {
        self.state().upstream = upstream;
    }

    /// The moment until which an outage of that length lasts, from now on.
    pub fn after(&self, lasts: Span) -> Timestamp {
        later(self.clock.now(), lasts)
    }

    /// Now, as the provider's clock shows it.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets the health check say ok whatever happens.
    pub fn set_lying(&self, lying: bool) {
        self.state().lying = lying;
    }

    /// Lets the domain point to an old home that still serves the site's first release, with that time to live. Says
    /// what the record was.
    ///
    /// # Errors
    /// Where users could not tell the difference.
    pub fn send_to_old_home(&self, ttl: Span) -> Result<(String, Span), String> {
        let releases = self.repository.releases();
        let (Some(first), Some(newest)) = (releases.last(), releases.first()) else {
            return Err("nothing was released, so there is no old home".into());
        };
        if first.files == newest.files {
            return Err("the site has not changed since its first release: nobody could tell its old home".into());
        }
        let files = self.repository.files(&first.commit).ok_or("the commit of the first release is lost")?;
        let now = self.clock.now();
        let mut state = self.state();
        let id = "dpl_old_home".to_owned();
        let old = Deployment::flawed(id.clone(), first.commit.clone(), now, Quality::Sound, files);
        let home = Project { deployments: vec![old], production: Some(id), auto_promote: false };
        state.projects.insert(self.old_home(), home);
        let before = (state.record.target.clone(), state.record.ttl);
        state.record.target = address(&self.old_home());
        state.record.ttl = ttl;
        state.held = None;
        Ok(before)
    }

    /// Closes the old home. Where the record still points there, it says again what it said before.
    pub fn close_old_home(&self, before: &(String, Span)) {
        let mut state = self.state();
        state.projects.remove(&self.old_home());
        state.held = None;
        state.record.ttl = before.1;
        if state.record.target == address(&self.old_home()) {
            state.record.target.clone_from(&before.0);
        }
    }

    pub(super) fn old_home(&self) -> String {
        format!("{}-2019", self.project)
    }

    /// The disaster of a whole platform: the project is gone with every deployment.
    pub fn lose_project(&self) {
        self.state().projects.remove(&self.project);
    }

    /// Whether what users get is the newest release: every page, and an API that is answered. Asks as they do, and
    /// counts as nobody's asking.
    pub fn serves_newest_release(&self) -> bool {
        let Some(newest) = self.repository.releases().into_iter().next() else { return false };
        let Some(files) = self.repository.files(&newest.commit) else { return false };
        let now = self.clock.now();
        let mut state = self.state();
        let (host, counters) = (state.resolved(now).0, state.counters);
        let mut get = |path: &str| {
            let (host, path) = (host.clone(), path.to_owned());
            let request = Request { method: Method::Get, host, path, bearer: None, body: Default::default() };
            self.serve(&mut state, &request.host, &request, now)
        };
        let holds = |answer: &Response, wanted: &[u8]| answer.status == 200 && answer.body == wanted;
        let same = files.iter().all(|(path, content)| holds(&get(path), content));
        let asked = get(&format!("{}?topic=rollback", super::application::HOOKS)).status == 200;
        state.counters = counters;
        same && asked
    }

    /// A picture of everything that faults change, for comparing before and after.
    pub fn picture(&self) -> String {
        let state = self.state();
        let deployments = |project: &Project| -> Vec<String> {
            project.deployments.iter().map(|d| format!("{} of {} {:?}", d.id, d.commit, d.quality)).collect()
        };
        let project = |(name, p): (&String, &Project)| {
            format!("{name}: {:?} -> {:?} {}", deployments(p), p.production, p.auto_promote)
        };
        let projects: Vec<String> = state.projects.iter().map(project).collect();
        let State { record, api, upstream, lying, .. } = &*state;
        let commits = self.repository.commits();
        format!("{projects:#?} {record:?} {:?} {upstream:?} {lying} {commits:?}", (api.status, api.until))
    }
}
