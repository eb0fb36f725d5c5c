//! Each form of the matrix, with a cell at every place and hostile text in them.

use super::*;
use crate::{
    model::{
        family::Family,
        matrix::{Control, FamilyScore, MATRIX_FORMAT, Score, Subject},
        record::Way,
    },
    report::Options,
};

fn cell(family: Family, fault: &str, mode: &str, service: &str, caught: Caught, evidence: &str) -> Cell {
    let (fault, mode, service, evidence) = (fault.into(), mode.into(), service.into(), evidence.into());
    Cell { family, fault, mode, service, caught, outcome: None, evidence }
}

/// A cell at each place, hostile text in some.
fn sample(green: bool) -> Matrix {
    let cells: Vec<Cell> = Caught::ALL
        .into_iter()
        .enumerate()
        .map(|(n, caught)| {
            let family = if n < 4 { Family::Artefact } else { Family::Network };
            let service = if n % 2 == 0 { "database" } else { "files" };
            let evidence = format!("seen {n} <script>alert(1)</script> | \u{1b}[31m*red*");
            cell(family, ["bit-flip", "outage"][n / 4], ["", "refused"][n / 4], service, caught, &evidence)
        })
        .collect();
    let families = [Family::Artefact, Family::Network]
        .map(|family| FamilyScore { family, score: Score::of(cells.iter().filter(|cell| cell.family == family)) });
    let control = |service: &str, green| Control { service: service.into(), green, evidence: "all is back".into() };
    Matrix {
        format: MATRIX_FORMAT.into(),
        of: Subject {
            tool_version: "0.0.0".into(),
            platform: "A & B".into(),
            plan_sha256: "00ff".into(),
            pipeline: "reference".into(),
            seed: 7,
            way: Way::Simulated,
        },
        controls: vec![control("database", true), control("files", green)],
        score: Score::of(cells.iter()),
        cells,
        families: families.into(),
    }
}

#[test]
fn every_form_says_where_each_fault_was_caught_and_what_it_comes_to() {
    let matrix = sample(true);
    let screen = terminal(&matrix, &Options { width: 90, ..Options::default() });
    insta::assert_snapshot!("terminal", screen);
    insta::assert_snapshot!("markdown", markdown(&matrix));
    let page = html(&matrix);
    insta::assert_snapshot!("html", page.split("</style>").last().unwrap_or_default());
    assert!(!page.contains("<script"), "text from elsewhere is text");
}

#[test]
fn a_control_that_is_not_green_speaks_first_in_every_form() {
    let matrix = sample(false);
    for page in [terminal(&matrix, &Options::default()), markdown(&matrix), html(&matrix)] {
        assert!(page.contains("The control drill of files is not green"), "{page}");
        assert!(page.contains("NOT GREEN"));
    }
}

#[test]
fn a_score_is_rounded_down_so_that_only_all_is_a_hundred() {
    let score = |caught, bitten| Score { caught, bitten, ..Score::default() }.words();
    assert_eq!(score(199, 200), "199 of 200 caught (99%)");
    assert_eq!((score(3, 3), score(0, 0)), ("3 of 3 caught (100%)".to_owned(), "nothing bit".to_owned()));
}

#[test]
fn on_a_narrow_screen_no_line_is_longer_than_it_and_nothing_is_left_out() {
    let matrix = sample(true);
    let [narrow, wide] = [60, 200].map(|width| terminal(&matrix, &Options { width, ..Options::default() }));
    for line in narrow.lines() {
        assert!(crate::report::text::columns(line) <= 60, "{line}");
    }
    let words = |page: &str| page.split_whitespace().filter(|word| *word != "·").map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&narrow), words(&wide));
}
