//! The pages that people read (HTML report, compliance report, matrix) in a real browser: nothing to complain of, nothing fetched, WCAG 2.2 AA in light and dark, no page
//! wider than its window, and a print that leaves nothing out. Skipped, visibly, where a tool is missing;
//! `BACKDRAFT_REQUIRE_TOOLS` with `chromium`, `axe` or `pdftotext` in it makes that a failure.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::{fs, path::Path, process::Command, sync::OnceLock};

use backdraft::{
    measure::{
        self,
        compliance::{Inputs, compliance},
        trend::{MONTHS, Window as Months, trend},
    },
    model::{
        compliance::{Action, ActionStatus, Known, Playable, Source},
        event::What,
        family::Family,
        history::{Head, Summary},
        matrix::{Caught, Cell, Control, FamilyScore, MATRIX_FORMAT, Matrix, Score, Subject},
        record::{Record, Way},
        trend::Month,
    },
    report::{self, Options, Run, by_name, compliance::FORMATS},
};

mod kit;
use kit::browser::{Window, axe, browser, on_disk, program, scripted, seen, skipped, violations};

/// All is well, an older backup helps, nothing helps, several services.
const SET: [&str; 4] =
    ["database/control", "database/corrupt-truncated-latest", "config/one-generation-left", "level-3/everything-lost"];

fn records() -> &'static [Record] {
    static RECORDS: OnceLock<Vec<Record>> = OnceLock::new();
    RECORDS.get_or_init(|| {
        let plan = kit::plan();
        SET.iter().map(|id| kit::play(id, &plan, &kit::scenario(id), 42, Way::Simulated, Vec::new())).collect()
    })
}

/// The drills again on dates of other months, one month left out.
fn past(records: &[Record]) -> Vec<Summary> {
    let dates = ["2026-03-03", "2026-04-07", "2026-06-02", "2026-07-07"];
    let dated = |(date, record): (&str, &Record)| {
        let run_at = Some(format!("{date}T03:00:00Z").parse().unwrap());
        Summary { way: Way::Real, run_at, ..Summary::of(record) }
    };
    dates.into_iter().zip(records.iter().cycle()).map(dated).collect()
}

fn matrix() -> Matrix {
    let cell = |(n, caught): (usize, Caught)| Cell {
        family: Family::Network,
        fault: format!("fault-{n}"),
        mode: "always".into(),
        service: ["database", "files"][n % 2].into(),
        caught,
        outcome: None,
        evidence: "seen".into(),
    };
    let cells: Vec<Cell> = Caught::ALL.into_iter().enumerate().map(cell).collect();
    let score = Score::of(cells.iter());
    Matrix {
        format: MATRIX_FORMAT.into(),
        of: Subject {
            tool_version: "0.0.0".into(),
            platform: "A".into(),
            plan_sha256: "00ff".into(),
            pipeline: "reference".into(),
            seed: 7,
            way: Way::Simulated,
        },
        controls: vec![Control { service: "database".into(), green: true, evidence: "all is back".into() }],
        cells,
        families: vec![FamilyScore { family: Family::Network, score }],
        score,
    }
}

/// A page with everything that it can hold.
fn full(records: &[Record]) -> String {
    let (past, matrix) = (past(records), matrix());
    let services: Vec<String> = records[0].plan.services.keys().cloned().collect();
    let last: Month = "2026-07".parse().unwrap();
    let months = Months { services: &services, last, months: MONTHS, time_zone: "UTC", simulated: false };
    let trend = trend(&past, &months);
    let head = Head { sequence: 4, sha256: "ab".repeat(32) };
    let run = Run { past: &past, trend: Some(&trend), head: Some(&head), matrix: Some(&matrix), ..Run::of(records) };
    by_name("html").unwrap().render(&run, &Options::default())
}

/// The compliance report of the quarters in which these drills were run: tested and untested, open and assigned.
fn of_period(records: &[Record]) -> String {
    let known: Vec<Known> = past(records)
        .into_iter()
        .zip(1..)
        .map(|(summary, sequence)| Known { sequence: Some(sequence), record_sha256: "cd".repeat(32), summary })
        .collect();
    let never = records[0].identity.scenario.clone() + "/never";
    let playable = [Playable { id: never, sha256: "ef".repeat(32) }];
    let title = known.iter().find_map(|one| one.summary.findings.first()).map_or("none".into(), |f| f.title.clone());
    let (owner, note) = (records[0].scope.platform.clone(), Some(records[0].scenario.title.clone()));
    let (due, status) = (jiff::civil::date(2026, 4, 1), ActionStatus::Open);
    let actions = [Action { finding: title, service: None, scenario: None, owner, due, status, note }];
    let head = Head { sequence: 4, sha256: "ab".repeat(32) };
    let report = compliance(&Inputs {
        plan: &records[0].plan,
        plan_sha256: &records[0].identity.plan_sha256,
        tool_version: "0.0.0",
        from: jiff::civil::date(2026, 3, 1),
        to: jiff::civil::date(2026, 9, 1),
        made_at: "2026-08-10T03:00:00Z".parse().unwrap(),
        known: &known,
        unchecked: 0,
        playable: &playable,
        actions: &actions,
        head: Some(&head),
        source: Source::default(),
    });
    let html = FORMATS.iter().find(|format| format.name == "html").unwrap();
    (html.render)(&report::compliance::Page { of: &report, key: Some("sha256:abc") }, &Options::default())
}

/// Every page of these drills.
fn pages(records: &[Record]) -> [(&'static str, String); 3] {
    let mut matrix = matrix();
    matrix.of.platform = records[0].scope.platform.clone();
    matrix.cells.iter_mut().for_each(|cell| cell.evidence = records[0].scenario.title.clone());
    [("report", full(records)), ("compliance", of_period(records)), ("matrix", report::matrix::html(&matrix))]
}

/// A name that is as long and as foul as a name can be.
fn hostile() -> String {
    format!("\"'><img src=x onerror=alert(1)>\u{202e}\u{1b}[2J{}", "ab\u{5d0}".repeat(2_500))
}

/// Drills whose names and causes are hostile.
fn hostile_records() -> Vec<Record> {
    let mut records = records()[..2].to_vec();
    for record in &mut records {
        record.scenario.title = hostile();
        record.scenario.proves = hostile();
        record.scenario.disaster.cause = hostile();
        record.identity.scenario = format!("{0}/{0}", hostile());
        record.scope.platform = hostile();
        record.plan.platform = hostile();
        record.findings.iter_mut().for_each(|finding| finding.what = hostile());
        record.services.iter_mut().for_each(|one| one.checks.iter_mut().for_each(|check| check.detail = hostile()));
        record.services.iter_mut().for_each(|one| {
            one.restore.refused.iter_mut().for_each(|tried| tried.point = hostile());
            one.backups.iter_mut().for_each(|made| made.regions = vec![hostile()]);
        });
    }
    records
}

#[test]
fn each_page_opens_without_a_word_in_the_console_and_asks_for_nothing() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, page) in pages(records()).into_iter().chain(pages(&hostile_records())) {
        let window = Window::at(&browser, &on_disk(folder.path(), "page.html", &page), 2_000, &[]);
        assert_eq!(window.console, Vec::<String>::new(), "{name}");
        assert!(window.document.contains("</main>"), "{name} is cut off");
        let script = "document.getElementById('seen').textContent = performance.getEntriesByType('resource').length \
                      + ' ' + document.querySelectorAll('img,script[src],link[href]:not([href^=\"data:\"])').length;";
        let asked = Window::at(&browser, &on_disk(folder.path(), "page.html", &scripted(&page, script)), 2_000, &[]);
        assert_eq!(seen(&asked), "0 0", "{name}");
    }
}

#[test]
fn each_page_keeps_wcag_aa_in_light_and_in_dark() {
    let (Some(browser), Some(axe)) = (browser(), axe()) else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, light) in pages(records()) {
        let dark = light.replace("(prefers-color-scheme: dark)", "all");
        assert_ne!(light, dark);
        for (scheme, page) in [("light", &light), ("dark", &dark)] {
            let (found, held) = violations(&browser, folder.path(), page, &axe);
            assert_eq!(found, Vec::<String>::new(), "{name} in {scheme}");
            assert!(held > 10, "{held} rules held for {name} in {scheme}");
        }
    }
    let faint = full(records()).replace("</main>", "<p style=\"color:#bbb;background:#fff\">faint</p></main>");
    let (found, _) = violations(&browser, folder.path(), &faint, &axe);
    assert!(found.iter().any(|line| line.starts_with("color-contrast")), "what is wrong is seen: {found:?}");
}

#[test]
fn no_window_is_too_narrow_for_a_page_whatever_its_names() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = "parent.postMessage(document.documentElement.scrollWidth + ' of ' + innerWidth, '*')";
    for (name, page) in pages(records()).into_iter().chain(pages(&hostile_records())) {
        on_disk(folder.path(), "page.html", &scripted(&page, script));
        for width in [375, 1280] {
            let frame = format!(
                "<!doctype html><html><body><pre id=\"seen\">nothing</pre><script>addEventListener('message', \
                 said => document.getElementById('seen').textContent = said.data)</script>\
                 <iframe width={width} height=800 style=\"border:0\" src=\"page.html\"></iframe></body></html>"
            );
            let frame = on_disk(folder.path(), "frame.html", &frame);
            let window = Window::at(&browser, &frame, 5_000, &["--hide-scrollbars"]);
            assert_eq!(seen(&window), format!("{width} of {width}"), "{name}");
        }
    }
}

/// The text of the PDF that the program makes of the records in `{folder}`, which were run so in March 2026.
/// In the order in which it was printed, cell by cell.
fn printed(browser: &Path, pdftotext: &Path, way: Way, args: &[&str], name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    for record in records() {
        let mut record = record.clone();
        record.identity.run_at = Some("2026-03-03T03:00:00Z".parse().unwrap());
        if way == Way::Real {
            record.identity.way = way;
            let Record { identity, plan, scenario, events, .. } = record;
            record = measure::record(measure::Inputs { identity, plan, scenario, events });
        }
        let file = folder.path().join(format!("records/{}.json", record.identity.scenario));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, serde_json::to_string(&record).unwrap()).unwrap();
    }
    let place = folder.path().display().to_string();
    let run = Command::new(env!("CARGO_BIN_EXE_backdraft"))
        .args(args.iter().map(|arg| arg.replace("{folder}", &place)))
        .env(
            "PATH",
            std::env::join_paths([browser.parent().unwrap(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap(),
        )
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = Command::new(pdftotext).arg("-raw").arg(folder.path().join(name)).arg("-").output().unwrap();
    String::from_utf8(text.stdout).unwrap()
}

/// A print breaks lines, and hyphens at their ends; what is left must be there letter by letter.
fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[test]
fn the_compliance_report_prints_whole() {
    let Some(browser) = browser() else { return };
    let Some(pdftotext) = program(&["pdftotext"]) else {
        return skipped("pdftotext", "pdftotext (poppler-utils) is not installed");
    };
    let period = ["--from", "2026-01-01", "--to", "2026-07-01", "--records", "{folder}", "--out", "{folder}"];
    let args = [&["report", "compliance", "--pdf"][..], &period].concat();
    let text = printed(&browser, &pdftotext, Way::Real, &args, "compliance.pdf");
    assert!(text.split('\u{c}').next().unwrap().contains("RTO compliance report"), "{text}");
    let printed = letters(&text);
    for record in records() {
        assert!(printed.contains(&letters(&record.identity.scenario)), "{}", record.identity.scenario);
    }
    let findings = records().iter().flat_map(|record| &record.findings).map(|finding| &finding.title);
    assert!(findings.clone().count() > 3);
    // Whatever a reader can fold is open in print: the many scenarios that were not played.
    let untested =
        ["listing-ends-early", "sync-archive-wait", "outage-during-backup", "rollback-target-and-commit-gone"];
    for said in findings.map(String::as_str).chain(untested) {
        assert!(printed.contains(&letters(said)), "not printed: {said}");
    }
    for service in records()[0].plan.services.keys() {
        assert!(printed.contains(&letters(&format!("service {service} RTO"))), "{service}");
    }
    for said in ["Objectives", "Restore tests", "Coverage", "Control mapping", "All drills of the period", "untested"] {
        assert!(printed.contains(&letters(said)), "not printed: {said}");
    }
}

#[test]
fn a_print_leaves_nothing_out_and_its_first_sheet_stands_alone() {
    let Some(browser) = browser() else { return };
    let Some(pdftotext) = program(&["pdftotext"]) else {
        return skipped("pdftotext", "pdftotext (poppler-utils) is not installed");
    };
    let args = ["report", "drills", "--format", "html", "--pdf", "{folder}", "--out", "{folder}"];
    let text = printed(&browser, &pdftotext, Way::Simulated, &args, "report.pdf");
    let sheets: Vec<&str> = text.split('\u{c}').collect();
    assert!(sheets[0].contains("What to act on first") && sheets[0].contains("Chain head"), "{}", sheets[0]);
    assert!(
        sheets[1].contains("All drills: scenario by service") && !sheets[0].contains("All drills"),
        "{}",
        sheets[1]
    );
    let printed = letters(&text);
    for record in records() {
        let proofs = record.faults.iter().filter_map(|fault| Some(&fault.proof.as_ref()?.evidence));
        let refused = record.services.iter().flat_map(|one| one.restore.refused.iter().map(|tried| &tried.why));
        let findings = record.findings.iter().flat_map(|finding| [&finding.what, &finding.remedy]);
        let rest = [&record.scenario.proves, &record.identity.scenario_sha256];
        for said in proofs.chain(refused).chain(findings).chain(&record.limits).chain(rest) {
            assert!(printed.contains(&letters(said)), "{}: not printed: {said}", record.identity.scenario);
        }
        assert!(record.events.iter().any(|event| matches!(event.what, What::Disaster { .. })));
    }
}
