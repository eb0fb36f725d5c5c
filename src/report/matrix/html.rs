//! The matrix as a heat map: one HTML file that needs nothing else and runs no script.

use askama::Template;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::{Family, families, subject, verdict};
use crate::model::matrix::{Caught, Matrix, Score};

const STYLE: &str = concat!(include_str!("../../../templates/base.css"), include_str!("../../../templates/matrix.css"));

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

/// The whole page.
pub fn html(matrix: &Matrix) -> String {
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
        families: families(matrix),
        places: Caught::ALL,
        style: STYLE,
        style_digest: format!("sha256-{}", BASE64.encode(&Sha256::digest(STYLE))),
    };
    // Writing to a string cannot fail, and nothing in the template can.
    page.render().unwrap_or_default()
}
