//! The detection matrix on the page: the score, and the heat map that the matrix has as a page of its own.

use askama::Template;

use crate::{
    model::matrix::{Caught, Matrix},
    report::{
        Options,
        matrix::{Family, families, verdict},
    },
};

/// The matrix.
#[derive(Debug, Template)]
#[template(path = "report/matrix.html")]
pub(super) struct Detection<'r> {
    options: &'r Options,
    verdict: String,
    families: Vec<Family<'r>>,
    places: [Caught; 8],
}

impl<'r> Detection<'r> {
    pub(super) fn of(matrix: &'r Matrix, options: &'r Options) -> Self {
        let verdict = options.say(&verdict(matrix)).into_owned();
        Detection { options, verdict, families: families(matrix), places: Caught::ALL }
    }
}
