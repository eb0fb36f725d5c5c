//! A run as a step of GitHub Actions: its summary, and annotations at the lines of the scenario files.

use std::{env, fs, io::Write, path::Path};

use super::{console::Console, selection::Chosen};
use crate::{
    error::{Error, Result},
    model::origin::Origins,
    report::{Options, Run, by_name, github},
};

/// Largest summary of a step that GitHub takes, in bytes.
const LARGEST_SUMMARY: u64 = 1 << 20;

/// Where the scenarios were written. GitHub wants paths from the root of the repository, wherever this runs.
pub(super) fn origins(chosen: &[Chosen]) -> Origins {
    let root = env::var_os("GITHUB_WORKSPACE");
    let of = |one: &Chosen| {
        let mut origin = one.scenario.origin();
        let whole = std::path::absolute(&origin.file).unwrap_or_default();
        let below = root.as_ref().and_then(|root| whole.strip_prefix(Path::new(root)).ok());
        if let Some(path) = below.or_else(|| Path::new(&origin.file).strip_prefix("./").ok()) {
            origin.file = path.display().to_string();
        }
        (one.id.clone(), origin)
    };
    chosen.iter().map(of).collect()
}

/// Prints annotations, and adds the summary to the file that GitHub names.
///
/// # Errors
/// When that file cannot be written.
pub(super) fn tell(run: &Run<'_>, console: &Console) -> Result<()> {
    console.commands(github::annotations(run));
    let (Some(path), Some(report)) = (env::var_os("GITHUB_STEP_SUMMARY"), by_name("github")) else { return Ok(()) };
    let path = Path::new(&path);
    let summary = report.render(run, &Options::default());
    // Other commands of the step may have written to it: that is how GitHub gathers a summary.
    let before = fs::metadata(path).map_or(0, |file| file.len());
    if before + summary.len() as u64 > LARGEST_SUMMARY {
        let said = "the summary of this step is full, so it has nothing of this run; see github-summary.md";
        console.note("summary-full", said, serde_json::json!({ "bytes": before }));
        return Ok(());
    }
    let written = fs::OpenOptions::new().append(true).create(true).open(path);
    written.and_then(|mut file| file.write_all(summary.as_bytes())).map_err(|e| {
        Error::new("the summary of this step cannot be written")
            .at(path.display().to_string())
            .because(e)
            .help("GITHUB_STEP_SUMMARY names this file; unset it, or run without --github")
    })
}
