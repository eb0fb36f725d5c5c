//! The compliance report as one HTML file that needs nothing else, runs no script and prints whole.

use askama::Template;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::{
    Page,
    blocks::{self, Block},
};
use crate::report::Options;

/// Looks of every page here, and of this one.
const STYLE: &str =
    concat!(include_str!("../../../templates/base.css"), include_str!("../../../templates/compliance.css"));

#[derive(Template)]
#[template(path = "compliance.html")]
struct Document<'a> {
    language: &'static str,
    title: String,
    blocks: Vec<Block>,
    style: &'a str,
    style_digest: String,
}

/// The whole page.
pub(super) fn render(page: &Page<'_>, options: &Options) -> String {
    let blocks = blocks::blocks(page, options);
    let title = blocks.iter().find_map(|block| match block {
        Block::Heading(1, title) => Some(title.clone()),
        _ => None,
    });
    let document = Document {
        language: options.language.tag(),
        title: title.unwrap_or_default(),
        blocks,
        style: STYLE,
        style_digest: format!("sha256-{}", BASE64.encode(&Sha256::digest(STYLE))),
    };
    // Writing to a string cannot fail, and nothing in the template can.
    document.render().unwrap_or_default() + "\n"
}
