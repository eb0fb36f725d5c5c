//! The status page in a real browser: during the outage of a real drill and after its recovery, without a reload, when
//! nobody answers, and without scripts. Skipped, visibly, where there is no browser; `BACKDRAFT_REQUIRE_TOOLS` with
//! `chromium` in it makes that a failure.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{
    io::{Read, Write},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::Html,
    routing::get,
};
use backdraft::{
    assembly::{self, Parts, assemble},
    emulator::status::{Shown, StatusSite},
    engine::{self, Drill},
    incident::{self, Board, status::Status},
    model::{
        event::{Event, Phase, What},
        record::Way,
    },
    sim::seed::Seed,
};
use tokio::sync::watch;

mod kit;
use kit::browser::{Window, browser};

const POLL: Duration = Duration::from_millis(200);

/// What a browser shows after so much of its own time: the document, and what its console said.
struct Seen {
    document: String,
    console: Vec<String>,
}

impl Seen {
    fn at(browser: &PathBuf, url: &str, millis: u32, more: &[&str]) -> Seen {
        let Window { document, console } = Window::at(browser, url, millis, more);
        // The script holds the sentences that it may say.
        Seen { document: document.split("<script").next().unwrap().to_owned(), console }
    }

    /// The state of the whole, and of each component.
    fn states(&self) -> (String, Vec<String>) {
        let after = |text: &str, mark: &str| text.split_once(mark).map(|(_, rest)| rest.to_owned()).unwrap();
        let value = |text: &str| after(text, "data-state=\"").split('"').next().unwrap().to_owned();
        let list = after(&self.document, "id=\"components\"");
        let list = list.split("</ul>").next().unwrap();
        (value(&after(&self.document, "id=\"overall\"")), list.split("<li ").skip(1).map(value).collect())
    }

    fn says(&self, text: &str) -> bool {
        self.document.contains(text)
    }
}

fn shown(status: &Status) -> Shown {
    Shown { page: incident::page(status, POLL), status: status.json() }
}

/// Plays a drill for real; `look` is called while its first dump is being fetched, and the drill waits for it.
fn play(id: &str, site: &StatusSite, look: impl FnOnce() + Send + 'static) {
    let (plan, scenario) = (kit::plan(), kit::scenario(id));
    let (publisher, board) = (site.publisher(), Board::new(&plan, &scenario));
    publisher.publish(shown(&board.status()));
    let state = Mutex::new((board, Some(look)));
    let listener = Arc::new(move |event: &Event| {
        let (board, look) = &mut *state.lock().unwrap();
        if board.hear(event) {
            publisher.publish(shown(&board.status()));
        }
        if let What::PhaseStarted { phase: Phase::Fetch } = event.what
            && let Some(look) = look.take()
        {
            look();
        }
    });
    let scratch = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (plan, scenario) = (Arc::new(plan), Arc::new(scenario));
        let (seed, way, scratch) = (Seed(7), Way::Real, scratch.path());
        let parts = Parts {
            plan: &plan,
            scenario: &scenario,
            seed,
            way,
            scratch,
            beside: std::path::Path::new("."),
            listener: Some(listener),
            storage: None,
        };
        let stage = assemble(parts).await.unwrap();
        let time_limit = assembly::time_limit(&plan, &scenario, way);
        let (_keep, stop) = watch::channel(false);
        engine::play(&Drill { plan: plan.clone(), scenario: scenario.clone(), time_limit, stop }, stage).await;
    });
}

#[test]
fn a_browser_sees_the_outage_of_a_real_drill_and_then_its_verified_recovery() {
    let Some(browser) = browser() else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let site = StatusSite::start(runtime.handle(), Shown::default()).unwrap();
    let (url, during) = (site.url(), Arc::new(Mutex::new(None)));
    let (program, address, seen) = (browser.clone(), url.clone(), during.clone());
    play("database/corrupt-truncated-latest", &site, move || {
        *seen.lock().unwrap() = Some(Seen::at(&program, &address, 1_000, &[]));
    });
    let during = during.lock().unwrap().take().unwrap();
    let (overall, components) = during.states();
    assert_eq!(overall, "outage");
    assert_eq!(components, ["degraded", "outage", "degraded", "outage", "degraded"]);
    assert!(during.says("Restoring from backup: database.") && !during.says("may be missing"));
    assert_eq!(during.console, Vec::<String>::new());

    let after = Seen::at(&browser, &url, 1_000, &[]);
    assert_eq!(after.states(), ("operational".into(), vec!["operational".into(); 5]));
    assert!(after.says("compared with the ledger of all writes: database.") && after.says("may be missing"));
    assert_eq!(after.console, Vec::<String>::new());

    let korean = Seen::at(&browser, &url, 1_000, &["--accept-lang=ko-KR"]);
    assert!(korean.says("<html lang=\"ko\">") && korean.says("전체 기록과 대조하여 복구를 확인했습니다"));
    runtime.block_on(site.shutdown());
}

/// The states of a drill's page: at its outage, and at its end.
fn outage_and_recovery() -> [Status; 2] {
    let (plan, scenario) = (kit::plan(), kit::scenario("database/control"));
    let record = kit::play("database/control", &plan, &scenario, 7, Way::Simulated, Vec::new());
    let mut board = Board::new(&plan, &scenario);
    let lost = record.events.iter().position(|event| matches!(event.what, What::Disaster { .. })).unwrap();
    record.events[..=lost].iter().for_each(|event| _ = board.hear(event));
    [board.status(), incident::status(&record)]
}

/// Serves a page, and to each question of the page the next answer; the last one for ever. An answer
/// without text is a failure of the server. Returns the address and a count of the pages served.
async fn serve(page: String, answers: Vec<String>) -> (String, Arc<AtomicUsize>) {
    let (pages, polls) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
    let counted = pages.clone();
    let home = move || async move {
        counted.fetch_add(1, Ordering::SeqCst);
        Html(page)
    };
    let polls = Arc::new(polls);
    let next = move || async move {
        let answer = answers[polls.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)].clone();
        let code = if answer.is_empty() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        (code, [(CONTENT_TYPE, "application/json")], answer)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let routes = Router::new().route("/", get(home)).route("/status.json", get(next));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (url, pages)
}

#[test]
fn an_open_page_follows_the_incident_and_never_keeps_the_last_green() {
    let Some(browser) = browser() else { return };
    let states = outage_and_recovery();
    let page = incident::page(&states[0], POLL);
    let [outage, recovered] = states.map(|status| status.json());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let seen = |answers: Vec<String>| {
        let (url, pages) = runtime.block_on(serve(page.clone(), answers));
        let seen = Seen::at(&browser, &url, 3_000, &[]);
        assert_eq!(pages.load(Ordering::SeqCst), 1, "the page was reloaded");
        seen
    };
    let broken = String::new();
    let well = seen(vec![outage.clone(), outage.clone(), recovered.clone()]);
    assert_eq!(well.states(), ("operational".into(), vec!["operational".into(); 5]));
    assert_eq!(well.console, Vec::<String>::new());

    for nonsense in [broken.clone(), "{\"format\": \"another/1\"}".into(), "not JSON".into()] {
        let silent = seen(vec![recovered.clone(), nonsense]);
        assert_eq!(silent.states(), ("unknown".into(), vec!["unknown".into(); 5]));
        assert!(silent.says("Status unknown: no answer since") && silent.says("Last known state of"));
        assert!(!silent.says("Everything works"));
    }
    let again = seen(vec![recovered.clone(), broken, recovered]);
    assert_eq!(again.states().0, "operational");
    assert!(again.says("Everything works") && !again.says("Status unknown"));
}

#[test]
fn a_page_that_cannot_ask_says_so_or_shows_its_moment() {
    let Some(browser) = browser() else { return };
    let [outage, recovered] = outage_and_recovery().map(|status| incident::page(&status, POLL));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("status.html");
    std::fs::write(&file, &outage).unwrap();
    let on_disk = Seen::at(&browser, &format!("file://{}", file.display()), 2_000, &[]);
    assert_eq!((on_disk.states().0.as_str(), on_disk.says("Snapshot, does not update.")), ("outage", true));
    assert_eq!(on_disk.console, Vec::<String>::new());

    let unscripted = outage.replace("<script>", "<script type=\"text/plain\">");
    let bare = Seen::at(&browser, &serve_once(unscripted), 2_000, &[]);
    assert_eq!(bare.states().0, "outage");
    assert!(bare.says("Without scripts it does not update."));

    let gone = Seen::at(&browser, &serve_once(recovered), 2_000, &[]);
    assert_eq!(gone.states(), ("unknown".into(), vec!["unknown".into(); 5]));
}

/// Answers one request with the page and is gone.
fn serve_once(page: String) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut connection, mut request) = (listener.accept().unwrap().0, [0; 4096]);
        // A browser may open a connection and ask over another.
        while connection.read(&mut request).unwrap_or(0) == 0 {
            connection = listener.accept().unwrap().0;
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close";
        write!(connection, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len()).unwrap();
    });
    url
}

/// WCAG 2 relative luminance of `#rrggbb`.
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[test]
fn text_stands_out_from_its_ground_in_both_schemes_as_wcag_aa_asks() {
    let style = include_str!("../templates/status.css");
    let schemes: Vec<&str> = style.split("--paper: ").skip(1).collect();
    assert_eq!(schemes.len(), 2);
    for scheme in schemes {
        let scheme = format!("--paper: {scheme}");
        let colour = |name: &str| scheme.split_once(&format!("--{name}: ")).unwrap().1[..7].to_owned();
        let pairs = ["good", "part", "bad", "none"].map(|tone| (tone.to_owned(), format!("{tone}-back")));
        let on_paper = ["ink", "soft", "good", "part", "bad", "none"].map(|name| (name.to_owned(), "paper".to_owned()));
        let on_chip = [("ink".to_owned(), "none-back".to_owned())];
        for (text, ground) in pairs.into_iter().chain(on_paper).chain(on_chip) {
            let (a, b) = (luminance(&colour(&text)), luminance(&colour(&ground)));
            let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
        }
    }
}
