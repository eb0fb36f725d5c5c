//! The matrix as a heat map: one HTML file that needs nothing else and runs no script.

use askama::Template;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::{Line, lines, subject, verdict};
use crate::model::matrix::{Caught, Matrix, Score};

const STYLE: &str = include_str!("../../../templates/matrix.css");

#[derive(Template)]
#[template(path = "matrix.html")]
struct Page<'m> {
    matrix: &'m Matrix,
    subject: String,
    verdict: String,
    /// `bad`, `unclear` or `good`.
    state: &'static str,
    families: Vec<Family<'m>>,
    places: [Caught; 8],
    style: &'m str,
    style_digest: String,
}

struct Family<'m> {
    name: &'static str,
    score: Score,
    lines: Vec<Line<'m>>,
}

/// The whole page.
pub fn html(matrix: &Matrix) -> String {
    let family = |one: &crate::model::matrix::FamilyScore| Family {
        name: one.family.words(),
        score: one.score,
        lines: lines(matrix, one.family),
    };
    let state = match matrix.score {
        _ if matrix.controls.iter().any(|control| !control.green) => "bad",
        Score { silently_wrong: 1.., .. } => "bad",
        Score { did_not_bite: 1.., .. } => "unclear",
        _ => "good",
    };
    let page = Page {
        matrix,
        subject: subject(matrix),
        verdict: verdict(matrix),
        state,
        families: matrix.families.iter().map(family).collect(),
        places: Caught::ALL,
        style: STYLE,
        style_digest: format!("sha256-{}", BASE64.encode(&Sha256::digest(STYLE))),
    };
    // Writing to a string cannot fail, and nothing in the template can.
    page.render().unwrap_or_default()
}
