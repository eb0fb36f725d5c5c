//! The control page: its forms without scripts, hostile text in them, and the page in a real browser.

use crate::{
    kit::browser::{Window, axe, browser, violations},
    rig::Served,
};

#[test]
fn the_forms_break_and_heal_without_scripts_and_the_page_tells_what_was_done() {
    let served = Served::start(&["--only", "s3,convex"]);
    assert!(served.page().contains("nothing is broken"));
    let slow = [
        ("fault", "region-outage/slow-link"),
        ("regions", "us-east-1"),
        ("service", ""),
        ("generations", ""),
        ("lasts", "8 min"),
        ("with", "rate: 64 KiB/s\r\nlatency: 20 ms"),
    ];
    let (status, leads, _) = served.form("/inject", &slow);
    assert_eq!(status, 303);
    assert!(served.page.ends_with(&leads.unwrap()), "back to the page");
    let page = served.page();
    assert!(
        page.contains("a slow link (64 KiB/s, 20 ms latency) of us-east-1") && page.contains("for 8 min"),
        "{page}"
    );
    assert!(page.contains("not met yet"), "{page}");
    assert_eq!(served.form("/entry", &[("entry", "- fault: region-outage\r\n  mode: denied\r\n")]).0, 303);
    assert_eq!(served.form("/heal", &[("id", "1")]).0, 303);
    assert!(served.page().contains("region-outage (slow-link) healed; it did not bite"));
    assert_eq!(served.form("/heal-all", &[]).0, 303);
    assert!(served.page().contains("nothing is broken"));
    assert_eq!(served.form("/backup", &[("service", "database")]).0, 303);
    assert!(served.page().contains("database backed up: "));
    assert_eq!(served.form("/write", &[("service", "database"), ("writes", "100")]).0, 303);
    assert_eq!(served.form("/provision", &[("service", "database")]).0, 303);
    assert_eq!(served.page().matches("new: import into it").count(), 2);
    assert_eq!(served.form("/clock", &[("ahead", "1 days")]).0, 303);
    assert!(
        served.page().contains("the clock went 1 days ahead") || served.page().contains("the clock went 24 h ahead")
    );
}

#[test]
fn hostile_text_in_a_form_comes_back_as_text_and_changes_nothing() {
    let served = Served::start(&["--only", "s3"]);
    let foul = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}\u{0}";
    let forms: [(&str, &[(&str, &str)]); 7] = [
        ("/inject", &[("fault", foul)]),
        ("/inject", &[("fault", "region-outage/denied"), ("regions", foul)]),
        ("/inject", &[("fault", "region-outage/denied"), ("with", foul)]),
        ("/inject", &[("fault", "region-outage/denied"), ("lasts", foul)]),
        ("/entry", &[("entry", foul)]),
        ("/backup", &[("service", foul)]),
        ("/clock", &[("ahead", foul)]),
    ];
    for (path, fields) in forms {
        let (status, _, page) = served.form(path, fields);
        assert!((400..500).contains(&status), "{path} {fields:?}: {status}");
        assert!(page.contains("role=\"alert\"") && page.contains("Not done"), "{page}");
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{202e}'), "{page}");
    }
    assert!(served.page().contains("nothing is broken"));
    assert_eq!(served.form("/heal", &[("id", "x")]).0, 422);
}

/// The page with everything on it: faults that act and were met, deployments, things done, a refusal.
fn full(served: &Served) -> String {
    served.done("/api/backup", "{\"service\": \"database\"}");
    served.done(
        "/api/inject",
        "- fault: region-outage\n  mode: denied\n  lasts: 8 min\n- fault: corrupt-json\n  mode: truncated\n- fault: target-wrong-key",
    );
    assert_eq!(served.post("/api/backup", "{\"service\": \"database\"}").0, 422);
    let (status, _, page) = served.form("/entry", &[("entry", "fault: region-outag\nregions: [a]")]);
    assert_eq!(status, 422);
    assert!(page.contains("bites") && page.contains("not met yet") && page.contains("not in full"), "{page}");
    page
}

#[test]
fn the_page_opens_in_a_browser_without_a_word_in_the_console() {
    let Some(browser) = browser() else { return };
    let served = Served::start(&["--only", "s3,convex"]);
    full(&served);
    let window = Window::at(&browser, &served.page, 2_000, &[]);
    assert_eq!(window.console, Vec::<String>::new());
    assert!(window.document.contains("corrupt-json (truncated)") && window.document.contains("</main>"));
}

#[test]
fn the_page_keeps_wcag_aa_in_light_and_in_dark() {
    let (Some(browser), Some(axe)) = (browser(), axe()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&[]);
    for light in [served.page(), full(&served)] {
        let dark = light.replace("(prefers-color-scheme: dark)", "all");
        assert_ne!(light, dark);
        for (scheme, page) in [("light", &light), ("dark", &dark)] {
            let (found, held) = violations(&browser, folder.path(), page, &axe);
            assert_eq!(found, Vec::<String>::new(), "in {scheme}");
            assert!(held > 10, "{held} rules held in {scheme}");
        }
    }
}
