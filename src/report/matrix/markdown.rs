//! The matrix as Markdown: a table a family, and the evidence of each cell below it.

use super::{Line, lines, subject, verdict};
use crate::{
    model::matrix::{Caught, Cell, Matrix},
    report::{page::Page, text::markdown as escaped},
};

/// The whole page.
pub fn markdown(matrix: &Matrix) -> String {
    let mut page = Page::default();
    page.heading(1, "Where each fault was caught");
    page.paragraph(&escaped(&subject(matrix)));
    page.paragraph(&format!("**{}**", escaped(&verdict(matrix))));
    let control = |control: &crate::model::matrix::Control| {
        let colour = if control.green { "green" } else { "**NOT GREEN**" };
        vec![escaped(&control.service), colour.to_owned(), escaped(&control.evidence)]
    };
    page.heading(2, "Controls");
    page.table(
        &["Service", "Without a fault", "What was seen"],
        &matrix.controls.iter().map(control).collect::<Vec<_>>(),
    );
    scores(&mut page, matrix);
    for one in &matrix.families {
        let lines = lines(matrix, one.family);
        page.heading(2, &format!("{}: {}", capital(one.family.words()), one.score.words()));
        page.table(&heads(), &lines.iter().map(row).collect::<Vec<_>>());
        page.heading(3, "What shows it");
        page.bullets(&lines.iter().flat_map(evidence).collect::<Vec<_>>());
    }
    page.heading(2, "Legend");
    let meaning = |place: &Caught| format!("**{}**: {}", place.words(), place.meaning());
    page.bullets(&Caught::ALL.iter().map(meaning).collect::<Vec<_>>());
    page.paragraph("The score is what was caught, of what bit; late and silently wrong are not caught.");
    page.text
}

fn scores(page: &mut Page, matrix: &Matrix) {
    page.heading(2, "Score");
    let figures = |s: &crate::model::matrix::Score| {
        [s.bitten, s.caught, s.late, s.silently_wrong, s.did_not_bite].map(|n| n.to_string())
    };
    let row = |name: &str, score| std::iter::once(name.to_owned()).chain(figures(score)).collect::<Vec<_>>();
    let mut rows: Vec<_> = matrix.families.iter().map(|one| row(one.family.words(), &one.score)).collect();
    rows.push(row("**all**", &matrix.score));
    page.table(&["Family", "Bit", "Caught", "Late", "Silently wrong", "Did not bite"], &rows);
}

fn heads() -> Vec<&'static str> {
    std::iter::once("Fault").chain(Caught::ALL.map(Caught::words)).collect()
}

fn row(line: &Line<'_>) -> Vec<String> {
    let at = |place: Caught| {
        let services: Vec<String> = line.at(place).map(|cell| escaped(&cell.service)).collect();
        match place {
            Caught::SilentlyWrong if !services.is_empty() => format!("**{}**", services.join(", ")),
            _ => services.join(", "),
        }
    };
    std::iter::once(escaped(&line.name)).chain(Caught::ALL.map(at)).collect()
}

fn evidence(line: &Line<'_>) -> Vec<String> {
    let said = |cell: &&Cell| {
        let (service, place, evidence) = (escaped(&cell.service), cell.caught.words(), escaped(&cell.evidence));
        format!("{} on {service}: *{place}*: {evidence}", escaped(&line.name))
    };
    line.cells.iter().map(said).collect()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
