//! A page for everybody: the first sheet for who decides, then the map of all drills, the trend, and each drill in full.
//! One file that needs nothing else and runs no script.

mod chart;
mod commands;
mod drill;
mod evidence;
mod executive;
mod gantt;
mod heat;
mod matrix;
mod service;
mod table;
mod trend;

use askama::Template;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use self::{drill::Drill, executive::Executive, heat::Heat, matrix::Detection, trend::Charts};
use super::{
    Options, Report, Run,
    figures::{self, Short},
    text::{cut, plain},
};
use crate::model::{status::Status, time::Elapsed};

/// Looks of every page here, and of this one.
const STYLE: &str =
    concat!(include_str!("../../../templates/base.css"), include_str!("../../../templates/report/report.css"));

/// Records as one HTML file.
#[derive(Debug)]
pub(super) struct Html;

impl Report for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn summary(&self) -> &'static str {
        "one self-contained page: a sheet for who decides, the map of all drills, and each in full; prints to PDF"
    }

    fn file(&self) -> &'static str {
        "report.html"
    }

    fn render(&self, run: &Run<'_>, options: &Options) -> String {
        let drills = run.records.iter().enumerate();
        let page = Page {
            options,
            style: STYLE,
            style_digest: format!("sha256-{}", BASE64.encode(&Sha256::digest(STYLE))),
            executive: Executive::of(run, options),
            heat: Heat::of(run.records, options),
            trend: run.trend.map(|trend| Charts::of(trend, options)),
            detection: run.matrix.map(|matrix| Detection::of(matrix, options)),
            drills: drills.map(|(index, record)| Drill::of(index + 1, record, options)).collect(),
            statuses: Status::ALL,
        };
        // Writing to a string cannot fail, and nothing in the templates can.
        page.render().unwrap_or_default() + "\n"
    }
}

#[derive(Debug, Template)]
#[template(path = "report/page.html")]
struct Page<'r> {
    options: &'r Options,
    style: &'static str,
    style_digest: String,
    executive: Executive<'r>,
    heat: Heat<'r>,
    trend: Option<Charts<'r>>,
    detection: Option<Detection<'r>>,
    drills: Vec<Drill<'r>>,
    statuses: [Status; 12],
}

/// A duration in short, in the language asked for.
fn short(elapsed: Option<Elapsed>, options: &Options) -> Option<Short> {
    let short = figures::short(elapsed?);
    Some(Short { total: options.say(&short.total).into_owned(), ..short })
}

/// A text cut to that many columns, for headings and tables whose whole text stands elsewhere.
fn brief(text: &str, width: usize) -> String {
    cut(&plain(text), width)
}
