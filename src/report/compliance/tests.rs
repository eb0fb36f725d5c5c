//! The compliance report in every format, from one set; and names that would do harm.

use jiff::civil::date;
use proptest::prelude::*;
use serde_json::json;

use super::{FORMATS, Page};
use crate::{
    model::{
        compliance::{
            Action, ActionStatus, Beside, COMPLIANCE_FORMAT, Completeness, Compliance, Control, Coverage, Kept,
            Objective, Period, Played, Share, Support, Tracked, Untested, Window,
        },
        finding::Severity,
        history::Head,
        outcome::{DrillResult, Outcome, Verdict},
        record::{ObjectiveKind, Way},
        status::{Colour, Status, margin_percent},
        time::Elapsed,
        units::Span,
    },
    report::Options,
};

fn at(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

fn objective(whose: &str, status: Status, worst: Option<Elapsed>) -> Objective {
    let standing = status.colour();
    let (met, missed) = (u64::from(standing <= Colour::Amber) * 3, u64::from(standing == Colour::Red));
    let limit = Span::hours(2);
    Objective {
        whose: whose.into(),
        objective: ObjectiveKind::Rto,
        limit,
        met,
        missed,
        unmeasured: 0,
        stale: 1,
        worst,
        worst_in: (met + missed > 0).then(|| "database/control".into()),
        margin_percent: worst.map(|worst| margin_percent(worst.total_ms(), limit.millis())),
        status,
        standing,
    }
}

fn objectives() -> Vec<Objective> {
    let ran = |minutes: u64| Some(Elapsed::assumed(Span::minutes(6)).plus(Elapsed::ran(minutes * 60_000, false)));
    vec![
        objective("service database", Status::Met, ran(30)),
        objective("service files", Status::Thin, ran(110)),
        objective("service web", Status::Untested, None),
        objective("level 3", Status::Missed, None),
    ]
}

fn cadence() -> Vec<Kept> {
    let window = |from, to, tests, standing| Window { from, to, tests, standing, before_history: false };
    let windows = vec![
        window(date(2026, 1, 15), date(2026, 2, 1), 2, Colour::Green),
        window(date(2026, 2, 1), date(2026, 3, 1), 0, Colour::Red),
        window(date(2026, 3, 1), date(2026, 4, 1), 0, Colour::Grey),
    ];
    let every = Span::hours(720);
    let before = Window { before_history: true, ..window(date(2026, 2, 1), date(2026, 3, 1), 0, Colour::Grey) };
    vec![
        Kept { service: "database".into(), every, windows, standing: Colour::Red },
        Kept { service: "files".into(), every, windows: vec![before], standing: Colour::Grey },
    ]
}

fn coverage() -> Coverage {
    let untested =
        |kind: &str, name: &str, why: &str| Untested { kind: kind.into(), name: name.into(), why: why.into() };
    Coverage {
        objectives: Share { tested: 3, of: 4 },
        levels: Share { tested: 1, of: 2 },
        scenarios: Share { tested: 1, of: 3 },
        whole: Share { tested: 5, of: 9 },
        untested: vec![
            untested("objective", "service web RTO", "no drill in the period"),
            untested("scenario", "web/one", "drilled in virtual time alone"),
            untested("scenario", "web/two", "no drill in the period"),
        ],
    }
}

fn tracked(title: &str, name: &str) -> Tracked {
    Tracked {
        severity: Severity::High,
        title: title.into(),
        remedy: "Let the monitor read what it watches.".into(),
        scenarios: vec![name.into()],
        since: at("2025-12-01T03:00:00Z"),
        carried_over: true,
        closed_at: None,
        action: None,
        overdue: false,
    }
}

/// Findings in each state.
fn findings(name: &str) -> Vec<Tracked> {
    let action = |status, note: Option<&str>| {
        let (finding, owner, note) = (name.to_owned(), name.to_owned(), note.map(str::to_owned));
        Some(Action { finding, service: None, scenario: None, owner, due: date(2026, 2, 28), status, note })
    };
    let many = ["a", "b", "c", "d"].map(|n| format!("database/{n}"));
    vec![
        Tracked { overdue: true, action: action(ActionStatus::Open, Some(name)), ..tracked("Monitoring slept", name) },
        Tracked { scenarios: many.into(), carried_over: false, ..tracked("Nothing could be restored", name) },
        Tracked {
            action: action(ActionStatus::Accepted, Some("Two accounts cost too much")),
            ..tracked("One copy", name)
        },
        Tracked { closed_at: Some(at("2026-02-03T04:00:00Z")), ..tracked("Alarm unheard", name) },
    ]
}

fn controls() -> Vec<Control> {
    let control = |framework: &str, id: &str, support, confirm| Control {
        framework: framework.into(),
        id: id.into(),
        asks: "tests of the recovery plan".into(),
        support,
        evidence: if support.is_some() { "3 drills with a result, 0 failed" } else { "no evidence in this period" }
            .into(),
        confirm,
    };
    vec![
        control("SOC 2", "A1.3", Some(Support::Supports), false),
        control("PCI DSS", "12.10.2", Some(Support::Partly), false),
        control("전자금융감독규정", "23", None, true),
    ]
}

fn drills(name: &str) -> Vec<Played> {
    let real = Played {
        at: at("2026-02-03T15:30:00Z"),
        sequence: Some(12),
        record_sha256: "ab".repeat(32),
        scenario: name.into(),
        services: vec![name.into(), "files".into()],
        level: 2,
        way: Way::Real,
        result: DrillResult::Pass,
        outcome: Some(Outcome::Recovered),
        verdict: Verdict::Met,
        of_this_plan: true,
    };
    let crashed = Played {
        sequence: None,
        result: DrillResult::NotExecuted,
        outcome: None,
        verdict: Verdict::Inconclusive,
        of_this_plan: false,
        ..real.clone()
    };
    let simulated = Played { way: Way::Simulated, ..real.clone() };
    vec![real, crashed, simulated]
}

/// A period with one of everything, in which `name` stands wherever somebody else's words do.
fn report(name: &str) -> Compliance {
    let completeness = Completeness {
        drills: 3,
        passed: 2,
        not_executed: 1,
        simulated: 1,
        of_another_plan: 1,
        undated: 2,
        ..Completeness::default()
    };
    Compliance {
        format: COMPLIANCE_FORMAT.into(),
        platform: name.into(),
        plan_sha256: "cd".repeat(32),
        tool_version: "0.1.0".into(),
        period: Period { from: date(2026, 1, 15), to: date(2026, 4, 1), time_zone: "Asia/Seoul".into() },
        made_at: at("2026-03-20T00:00:00Z"),
        standing: Colour::Red,
        completeness,
        objectives: objectives(),
        cadence: cadence(),
        coverage: coverage(),
        findings: findings(name),
        idle_actions: vec![name.into()],
        controls: controls(),
        drills: drills(name),
        head: Some(Head { sequence: 12, sha256: "ef".repeat(32) }),
        beside: None,
        limits: vec!["Times that people take are assumed by the plan; none was measured.".into()],
    }
}

fn render(format: &str, of: &Compliance, key: Option<&str>) -> String {
    let format = FORMATS.iter().find(|one| one.name == format).unwrap();
    (format.render)(&Page { of, key }, &Options::default())
}

#[test]
fn each_format_says_all_of_it() {
    let report = report("database/control");
    insta::assert_snapshot!("compliance_markdown", render("markdown", &report, None));
    let html = render("html", &report, Some("sha256:abc"));
    insta::assert_snapshot!(
        "compliance_html",
        html.split("<style>").next().unwrap().to_owned() + html.split("</style>").nth(1).unwrap()
    );
    insta::assert_snapshot!("compliance_csv", render("csv", &report, Some("sha256:abc")));
    let json = render("json", &report, None);
    assert_eq!(serde_json::from_str::<Compliance>(&json).unwrap(), report);
}

#[test]
fn a_period_without_anything_says_so_in_every_format() {
    let nothing = Compliance {
        completeness: Completeness::default(),
        objectives: Vec::new(),
        cadence: Vec::new(),
        coverage: Coverage { untested: Vec::new(), ..coverage() },
        findings: Vec::new(),
        idle_actions: Vec::new(),
        controls: Vec::new(),
        drills: Vec::new(),
        head: None,
        beside: Some(Beside { signed: 1, unchecked: 2, unsigned: 3, none: 4 }),
        ..report("x")
    };
    let page = render("markdown", &nothing, None);
    for said in ["No drill is known in the period.", "asks for no restore tests", "No finding was open", "UNSIGNED"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(FORMATS.iter().all(|format| render(format.name, &nothing, None).ends_with('\n')));
}

#[test]
fn no_format_calls_anything_compliant() {
    for format in FORMATS {
        let text = render(format.name, &report("x"), None).to_lowercase();
        assert!(!text.contains("compliant"), "{}", format.name);
    }
}

/// Names that would do harm somewhere.
fn hostile() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\"><b>",
        "' onmouseover='x",
        "=HYPERLINK(\"http://evil.example\")",
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1",
        "\u{feff}=1",
        "\u{202e}txt.exe",
        "\u{2066}",
        "\u{1b}[2J\u{1b}]0;title\u{7}",
        "\0",
        "a|b",
        "\n# heading\n",
        "[x](javascript:alert(1))",
        "![x](http://evil.example/x.png)",
        "`code`",
        "- { yaml: [1, *x] }",
        "{{ style }}",
        "</style>",
        "재해복구",
    ]);
    let long = Just("A".repeat(10_240));
    let one = prop_oneof![12 => parts.prop_map(str::to_owned), 1 => long, 2 => "\\PC{0,20}"];
    prop::collection::vec(one, 1..4).prop_map(|parts| parts.concat())
}

/// Tags of a page with their attributes, foreign text left out.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|part| part.split('>').next().unwrap()).collect()
}

fn is_formula(cell: &str) -> bool {
    cell != "-" && cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn hostile_names_come_out_harmless_in_every_format(name in hostile()) {
        let (evil, plain) = (report(&name), report("plain"));
        let innocent = render("html", &plain, None);
        let controls = |text: &str| text.contains(|c: char| c.is_control() && c != '\n');
        let turns = |text: &str| text.contains(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}'));

        let html = render("html", &evil, None);
        prop_assert_eq!(tags(&html), tags(&innocent), "a name makes no tag and no attribute");
        prop_assert!(!controls(&html) && !turns(&html));
        prop_assert!(html.len() < 60_000, "{} bytes", html.len());

        let page = render("markdown", &evil, None);
        prop_assert!(!controls(&page) && !turns(&page) && !page.contains("<script"));
        prop_assert!(!page.replace("\\]", "").contains("]("), "a link: {}", page);
        prop_assert_eq!(page.matches("\n#").count(), render("markdown", &plain, None).matches("\n#").count());
        for table in page.split("\n\n").filter(|block| block.starts_with('|')) {
            let cells = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
            let heads = cells(table.lines().next().unwrap());
            prop_assert!(table.lines().all(|line| cells(line) == heads), "{}", table);
        }

        let sheet = render("csv", &evil, None);
        prop_assert!(!controls(&sheet) && !turns(&sheet));
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(sheet.as_bytes());
        for row in reader.records() {
            let row = row.unwrap();
            prop_assert!(row.len() == 9 && !row.iter().any(is_formula), "{:?}", row);
        }

        // For programs: everything is there as it is, and nothing of it can be taken for anything but text.
        let json = render("json", &evil, None);
        prop_assert!(!controls(&json));
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&read["platform"], &json!(name));
    }
}
