//! The detection matrix as people read it: for a screen, as Markdown, as a heat map in HTML. One line a fault and mode;
//! its columns are the places where it was caught.

mod html;
mod markdown;
mod terminal;

pub use html::html;
pub use markdown::markdown;
pub use terminal::terminal;

use crate::model::{
    self,
    matrix::{Caught, Cell, FamilyScore, Matrix, Score},
};

/// One fault in one mode, with its cells.
#[derive(Debug)]
pub(super) struct Line<'m> {
    pub(super) name: String,
    pub(super) cells: Vec<&'m Cell>,
}

impl<'m> Line<'m> {
    /// Whether any of its cells is at that place.
    pub(super) fn has(&self, place: &Caught) -> bool {
        self.at(*place).next().is_some()
    }

    /// Its cells at that place.
    pub(super) fn at(&self, place: Caught) -> impl Iterator<Item = &'m Cell> + use<'_, 'm> {
        self.cells.iter().copied().filter(move |cell| cell.caught == place)
    }
}

/// A family of faults with its lines.
#[derive(Debug)]
pub(super) struct Family<'m> {
    pub(super) name: &'static str,
    pub(super) score: Score,
    pub(super) lines: Vec<Line<'m>>,
}

/// The families that were tried, in their order.
pub(super) fn families(matrix: &Matrix) -> Vec<Family<'_>> {
    let family =
        |one: &FamilyScore| Family { name: one.family.words(), score: one.score, lines: lines(matrix, one.family) };
    matrix.families.iter().map(family).collect()
}

/// The lines of a family, in the order of the catalogue.
fn lines(matrix: &Matrix, family: model::family::Family) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for cell in matrix.cells.iter().filter(|cell| cell.family == family) {
        let name = cell.name();
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.cells.push(cell),
            None => lines.push(Line { name, cells: vec![cell] }),
        }
    }
    lines
}

/// What was tried, in one sentence.
fn subject(matrix: &Matrix) -> String {
    let (way, faults) = (matrix.of.way.words(), matrix.cells.len());
    format!(
        "pipeline {} · {} · {faults} trials in {way} time · seed {}",
        matrix.of.pipeline, matrix.of.platform, matrix.of.seed
    )
}

/// What it comes to, in one sentence.
pub(super) fn verdict(matrix: &Matrix) -> String {
    let red: Vec<&str> =
        matrix.controls.iter().filter(|control| !control.green).map(|control| control.service.as_str()).collect();
    if !red.is_empty() {
        return format!(
            "The control drill of {} is not green: without a fault it must be, so nothing below can be trusted.",
            red.join(", ")
        );
    }
    let score = &matrix.score;
    let silent = match score.silently_wrong {
        0 => "nothing is silently wrong".to_owned(),
        n => format!("{n} SILENTLY WRONG"),
    };
    let late = if score.late > 0 { format!(", {} late", score.late) } else { String::new() };
    let toothless = match score.did_not_bite {
        0 => String::new(),
        n => format!(", {n} did not bite (inconclusive)"),
    };
    format!("{}{late}, {silent}{toothless}.", score.words())
}

#[cfg(test)]
mod tests;
