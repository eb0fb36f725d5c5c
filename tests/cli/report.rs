//! Reports again, from records: the same as the run wrote, in the format and language asked for; and what is refused.

use std::fs;

use crate::bench::Bench;

const RUN: [&str; 7] = ["run", "--simulate", "--quiet", "--out", "{out}", "--only", "corrupt-truncated-latest"];

fn reports(bench: &Bench, folder: &str) -> Vec<(String, String)> {
    let files = fs::read_dir(bench.path(folder)).unwrap().map(|entry| entry.unwrap());
    let text = |file: fs::DirEntry| {
        (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap_or_default())
    };
    // What programs read, and the evidence of all of it, is held to elsewhere.
    let mut all: Vec<_> = files.map(text).filter(|(name, _)| name.starts_with("report.")).collect();
    all.sort();
    all
}

#[test]
fn reports_from_records_are_those_that_the_run_wrote_and_the_run_stays_as_it_was_evidenced() {
    let bench = Bench::new();
    assert_eq!(bench.run(&[&RUN[..], &["--only", "database/stream-gap"]].concat()).code, Some(0));
    let (by_run, left) = (reports(&bench, "out"), bench.written());
    let names: Vec<&str> = by_run.iter().map(|(name, _)| name.as_str()).collect();
    assert!(["report.html", "report.json", "report.md"].iter().all(|name| names.contains(name)), "{names:?}");
    let at = |name: &str| bench.path(name).display().to_string();
    for (from, to) in [("out", "again"), ("out/records", "more")] {
        let ended = bench.run(&["report", "drills", &at(from), "--out", &at(to)]);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
        assert!(ended.out.contains(&format!("html: [dir]/{to}/report.html")), "{}", ended.out);
        // Whole, so also in the order in which the run played them: `x` before `x-y`, unlike `x.json` and `x-y.json`.
        assert_eq!(reports(&bench, to), by_run);
    }
    let mut command = bench.command(&["report", "drills", "{out}", "--format", "html", "--lang", "ko"]);
    let korean = bench.ended(&command.current_dir(bench.path("")).output().unwrap());
    let file = korean.out.strip_prefix("html: ").unwrap_or_else(|| panic!("{}", korean.out)).trim_end();
    assert!(file.starts_with("reports/runs/") && file.ends_with("/report.ko.html"), "{file}");
    assert!(fs::read_to_string(bench.path(file)).unwrap().contains("<html lang=\"ko\">"));
    for folder in ["out", "out/records", "out/new"] {
        let refused = bench.run(&["report", "drills", &at("out"), "--out", &at(folder)]);
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{folder}");
        assert!(refused.err.contains("this folder is evidence"), "{}", refused.err);
    }
    assert_eq!(bench.written(), left);
    assert!(bench.run(&["verify-evidence", "{out}"]).out.starts_with("UNSIGNED, intact\n"));
}

#[test]
fn what_cannot_be_reported_on_is_refused_in_words_and_nothing_is_written() {
    let bench = Bench::new();
    assert_eq!(bench.run(&RUN).code, Some(0));
    let record = bench.path("out/records/database/corrupt-truncated-latest.json");
    let text = fs::read_to_string(&record).unwrap();
    let before = bench.written();
    let edited = bench.file("edited/one.json", text.replacen("\"result\": \"pass\"", "\"result\": \"fail\"", 1));
    let sound = bench.file("mixed/a.json", &text);
    bench.file("mixed/b.json", "{}");
    let mixed = bench.path("mixed").display().to_string();
    fs::create_dir(bench.path("empty")).unwrap();
    let (empty, missing) = (bench.path("empty").display().to_string(), bench.path("missing").display().to_string());
    let lines: [&[&str]; 6] = [
        &["report", "drills", &edited],
        &["report", "drills", &mixed],
        &["report", "drills", &empty],
        &["report", "drills", &missing],
        &["report", "drills", &sound, "--format", "html", "--format", "docx"],
        &["report", "drills", &sound, "--lang", "fr"],
    ];
    let said = lines.map(|line| {
        let ended = bench.run(&[line, &["--out", &bench.path("again").display().to_string()]].concat());
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
        ended.err
    });
    insta::assert_snapshot!(said.join("\n"));
    assert!(bench.written() == before && !bench.path("again").exists());
}

#[test]
fn a_page_from_records_shows_the_trend_of_a_history_and_a_detection_matrix_where_they_are_named() {
    let bench = Bench::new();
    let at = |name: &str| bench.path(name).display().to_string();
    let history = at("history");
    assert_eq!(bench.run(&[&RUN[..], &["--history", &history]].concat()).code, Some(0));
    let tried = bench.run(&["matrix", "--fault", "target-not-empty", "--quiet", "--out", &at("matrix")]);
    assert_eq!(tried.code, Some(0), "{}", tried.err);
    let page = |more: &[&str]| {
        let ended =
            bench.run(&[&["report", "drills", &at("out"), "--format", "html", "--out", &at("page")], more].concat());
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
        fs::read_to_string(bench.path("page/report.html")).unwrap()
    };
    let bare = page(&[]);
    assert!(
        !bare.contains("id=\"trend\"") && !bare.contains("id=\"detection\"") && bare.contains("no history is kept")
    );
    let whole = page(&["--history", &history, "--matrix", &at("matrix/matrix.json")]);
    assert!(whole.contains("id=\"trend\"") && whole.contains("id=\"detection\""));
    assert!(whole.contains("target-not-empty") && !whole.contains("no history is kept"));
    let no_matrix = bench.run(&["report", "drills", &at("out"), "--matrix", &at("out/report.json")]);
    assert_eq!(no_matrix.code, Some(2));
    insta::assert_snapshot!(no_matrix.err);
}

#[test]
fn without_a_browser_a_pdf_is_refused_before_anything_is_played() {
    let bench = Bench::new();
    let mut command = bench.command(&[&RUN[..], &["--pdf"]].concat());
    let ended = bench.ended(&command.env("PATH", bench.path("nothing")).output().unwrap());
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
    insta::assert_snapshot!(ended.err);
    assert!(!bench.path("out").exists());
}
