//! Reports again, from records: the same as the run wrote, in the format and language asked for; and what is refused.

use std::fs;

use crate::bench::Bench;

const RUN: [&str; 7] = ["run", "--simulate", "--quiet", "--out", "{out}", "--only", "corrupt-truncated-latest"];

fn reports(bench: &Bench, folder: &str) -> Vec<(String, String)> {
    let below = format!("{folder}/");
    // What programs read, and the evidence of all of it, is held to elsewhere.
    let is_report = |name: &str| name.rsplit('/').next().is_some_and(|file| file.starts_with("report."));
    let written = bench.written().into_iter().filter(|(name, _)| !name.contains("records/") && is_report(name));
    let of_folder = |(name, text): (String, String)| match folder {
        "" => (!name.contains('/')).then_some((name, text)),
        _ => name.strip_prefix(&below).map(|name| (name.to_owned(), text.clone())),
    };
    written.filter_map(of_folder).collect()
}

#[test]
fn reports_from_records_are_those_that_the_run_wrote() {
    let bench = Bench::new();
    assert_eq!(bench.run(&RUN).code, Some(0));
    let by_run = reports(&bench, "");
    let names: Vec<&str> = by_run.iter().map(|(name, _)| name.as_str()).collect();
    assert!(["report.html", "report.json", "report.md"].iter().all(|name| names.contains(name)), "{names:?}");
    let record = bench.path("out/records/database/corrupt-truncated-latest.json").display().to_string();
    let (out, again) = (bench.path("out").display().to_string(), bench.path("out/again").display().to_string());
    let (records, more) =
        (bench.path("out/records").display().to_string(), bench.path("out/more").display().to_string());
    for (from, to) in [(&record, &again), (&records, &more)] {
        let ended = bench.run(&["report", "drills", from, "--out", to]);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
        assert!(ended.out.contains("1 of 1 drill") && ended.out.contains("html: [dir]/out/"), "{}", ended.out);
    }
    assert_eq!(reports(&bench, "again"), by_run);
    assert_eq!(reports(&bench, "more"), by_run);

    let korean = bench.run(&["report", "drills", &out, "--format", "html", "--lang", "ko"]);
    assert_eq!((korean.code, korean.out.as_str()), (Some(0), "html: [dir]/out/report.ko.html\n"));
    let page = fs::read_to_string(bench.path("out/report.ko.html")).unwrap();
    assert!(page.contains("<html lang=\"ko\">"));
    assert_eq!(reports(&bench, "").len(), by_run.len() + 1, "beside the English one, in the run's folder");
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
        let ended = bench.run(&[line, &["--out", "{out}/again"]].concat());
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
        ended.err
    });
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(bench.written(), before);
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
