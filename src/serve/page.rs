//! The control page: the state as people read it, and forms that work without scripts. What was done is told by the page
//! that follows; what cannot be done, by the same page with the reason on top.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Form, Router,
    extract::State as Shared,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use data_encoding::BASE64;
use http::{HeaderValue, header};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    Held,
    entry::Entries,
    held::Refusal,
    state::{self, FamilyInfo, State},
};
use crate::{
    input::load,
    model::{
        scenario::{FaultSpec, Generations, Moment},
        units::Span,
    },
};

const BASE: &str = include_str!("../../templates/base.css");
const STYLE: &str = include_str!("../../templates/serve.css");

#[derive(Clone)]
struct Desk {
    held: Arc<Held>,
    token: Arc<str>,
}

type Here = Shared<Desk>;

pub(super) fn routes(held: &Arc<Held>, token: &str) -> Router {
    Router::new()
        .route("/", get(show))
        .route("/inject", post(inject))
        .route("/entry", post(entry))
        .route("/heal", post(heal))
        .route("/heal-all", post(heal_all))
        .route("/backup", post(backup))
        .route("/write", post(write))
        .route("/provision", post(provision))
        .route("/clock", post(clock))
        .with_state(Desk { held: Arc::clone(held), token: token.into() })
}

#[derive(Template)]
#[template(path = "serve.html")]
struct Page<'p> {
    state: &'p State,
    catalogue: &'p [FamilyInfo],
    token: &'p str,
    refused: Option<&'p str>,
    /// What was written into the form for an entry, where that was refused.
    entry: &'p str,
    zone: TimeZone,
    style: &'p str,
}

impl Page<'_> {
    fn moment(&self, at: &Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    fn size(&self, bytes: &u64) -> String {
        match *bytes {
            small @ 0..1024 => format!("{small} B"),
            kib @ 1024..1_048_576 => format!("{:.1} KiB", kib as f64 / 1024.0),
            mib => format!("{:.1} MiB", mib as f64 / 1_048_576.0),
        }
    }
}

async fn show(Shared(desk): Here) -> Response {
    desk.page(None, "").await
}

impl Desk {
    async fn page(&self, refused: Option<&Refusal>, entry: &str) -> Response {
        let (state, catalogue) = (self.held.state().await, state::catalogue(&self.held));
        let style = format!("{BASE}{STYLE}");
        let digest = BASE64.encode(&Sha256::digest(&style));
        let page = Page {
            state: &state,
            catalogue: &catalogue,
            token: &self.token,
            refused: refused.map(Refusal::text),
            entry,
            zone: TimeZone::get(&self.held.plan.time_zone).unwrap_or(TimeZone::UTC),
            style: &style,
        };
        // Writing to a string cannot fail, and nothing in the template can.
        let mut answer = Html(page.render().unwrap_or_default()).into_response();
        if let Some(refused) = refused {
            *answer.status_mut() = refused.status();
        }
        let policy = format!(
            "default-src 'none'; img-src data:; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        if let Ok(policy) = HeaderValue::try_from(policy) {
            answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        answer
    }

    /// Back to the page, or the page with what is wrong.
    async fn done<T>(&self, done: Result<T, Refusal>, entry: &str) -> Response {
        match done {
            Ok(_) => Redirect::to(&format!("/?token={}", self.token)).into_response(),
            Err(refused) => self.page(Some(&refused), entry).await,
        }
    }
}

/// The form that breaks something. Fields of the form that are empty say nothing.
#[derive(Deserialize)]
struct Breaking {
    /// `fault` or `fault/mode`.
    fault: String,
    #[serde(default)]
    service: String,
    /// Names of regions with commas between them; all where there is none.
    #[serde(default)]
    regions: String,
    #[serde(default)]
    generations: String,
    #[serde(default)]
    lasts: String,
    /// Parameters, in YAML.
    #[serde(default)]
    with: String,
}

impl Breaking {
    fn spec(self) -> Result<FaultSpec, Refusal> {
        let (fault, mode) = self.fault.split_once('/').unwrap_or((&self.fault, ""));
        let said = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let generations = match said(&self.generations).as_deref() {
            None | Some("latest") => Generations::Latest,
            Some("all") => Generations::All,
            Some(number) => Generations::Newest(number.parse().map_err(|_| {
                Refusal::Unreadable("recovery points are `latest`, `all`, or a number of the newest".into())
            })?),
        };
        let lasts = said(&self.lasts).map(|text| text.parse::<Span>()).transpose();
        let lasts = lasts.map_err(|why| Refusal::Unreadable(format!("how long it lasts: {why}")))?;
        let with = said(&self.with).map(|text| {
            load::read_text::<BTreeMap<String, serde_json::Value>>(&text, "parameters", "list of parameters")
                .map(|read| read.value)
        });
        let with = with.transpose().map_err(|e| Refusal::Unreadable(e.to_string()))?;
        Ok(FaultSpec {
            fault: fault.to_owned(),
            mode: mode.to_owned(),
            service: said(&self.service),
            regions: self.regions.split(',').filter_map(said).collect(),
            generations,
            when: Moment::default(),
            lasts,
            with: with.unwrap_or_default(),
        })
    }
}

async fn inject(Shared(desk): Here, Form(form): Form<Breaking>) -> Response {
    let done = match form.spec() {
        Ok(spec) => desk.held.inject(Entries::one(spec)).await,
        Err(refused) => Err(refused),
    };
    desk.done(done, "").await
}

#[derive(Deserialize)]
struct Entry {
    entry: String,
}

async fn entry(Shared(desk): Here, Form(Entry { entry }): Form<Entry>) -> Response {
    let done = desk.held.inject_text(&entry).await;
    desk.done(done, &entry).await
}

#[derive(Deserialize)]
struct Which {
    id: u64,
}

async fn heal(Shared(desk): Here, Form(Which { id }): Form<Which>) -> Response {
    let done = desk.held.heal(id).await;
    desk.done(done, "").await
}

async fn heal_all(Shared(desk): Here) -> Response {
    desk.held.heal_all().await;
    desk.done(Ok(()), "").await
}

#[derive(Deserialize)]
struct OfService {
    service: String,
    #[serde(default)]
    writes: u32,
}

async fn backup(Shared(desk): Here, Form(form): Form<OfService>) -> Response {
    let done = desk.held.back_up(&form.service).await;
    desk.done(done, "").await
}

async fn write(Shared(desk): Here, Form(form): Form<OfService>) -> Response {
    let done = desk.held.write(&form.service, form.writes).await;
    desk.done(done, "").await
}

async fn provision(Shared(desk): Here, Form(form): Form<OfService>) -> Response {
    let done = desk.held.provision(Some(&form.service));
    desk.done(done, "").await
}

#[derive(Deserialize)]
struct Ahead {
    ahead: String,
}

async fn clock(Shared(desk): Here, Form(Ahead { ahead }): Form<Ahead>) -> Response {
    let span = ahead.trim().parse::<Span>().map_err(|why| Refusal::Unreadable(format!("how far ahead: {why}")));
    let done = span.and_then(|span| desk.held.let_pass(span));
    desk.done(done, "").await
}
