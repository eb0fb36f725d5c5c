//! `backdraft report`: reports again, from records that are there. One file a sort of report.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{
    Common, Ended,
    console::Console,
    document::Kind,
    output::{self, Output},
    pdf::Browser,
};
use crate::{
    error::Result,
    model::matrix::{MATRIX_FORMAT, Matrix},
    report::{
        self, Language, Options, Report, Run,
        compliance::{FORMATS, Page},
    },
};

mod compliance;
mod drills;
mod known;

/// Arguments of `report`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReportArgs {
    #[command(subcommand)]
    what: Reported,
}

#[derive(Debug, Clone, Subcommand)]
enum Reported {
    /// The reports of drills, from their records; with --history its trend and its end, too.
    Drills(drills::DrillsArgs),
    /// What the drills of a period show of the plan: for whoever owes it to an auditor.
    Compliance(compliance::ComplianceArgs),
}

pub(super) fn report(args: &ReportArgs, common: &Common, console: &Console) -> Ended {
    match &args.what {
        Reported::Drills(args) => drills::drills(args, console),
        Reported::Compliance(args) => compliance::compliance(args, common, console),
    }
}

/// Languages of reports, as the command line names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Lang {
    #[default]
    En,
    Ko,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::En => Language::English,
            Lang::Ko => Language::Korean,
        }
    }
}

/// How reports are written.
#[derive(Debug, Clone, Args)]
pub(super) struct Form {
    /// Language of the reports that people read.
    #[arg(long, value_name = "LANGUAGE", value_enum, default_value_t)]
    lang: Lang,
    /// Print the HTML report to report.pdf, too, through an installed Chromium.
    #[arg(long)]
    pdf: bool,
    /// Show this detection matrix in the HTML report, too: the matrix.json that `matrix` wrote.
    #[arg(long, value_name = "FILE")]
    matrix: Option<PathBuf>,
}

/// Reports in one form.
#[derive(Debug)]
pub(super) struct Press {
    options: Options,
    browser: Option<Browser>,
    matrix: Option<Matrix>,
}

/// No matrix of every fault on every service comes near it.
const MATRIX_LIMIT: u64 = 64 << 20;

impl Press {
    /// Looks for the browser and reads the matrix before anything is played or written.
    ///
    /// # Errors
    /// When a PDF is wanted and there is no browser to print it; when the matrix cannot be read.
    pub(super) fn new(form: &Form) -> Result<Self> {
        let browser = form.pdf.then(Browser::find).transpose()?;
        let help = "give the matrix.json in the folder that `backdraft matrix` wrote";
        let format = MATRIX_FORMAT;
        let kind = Kind { name: "matrix", noun: "detection matrix", format, limit: MATRIX_LIMIT, help };
        let matrix = form.matrix.as_ref().map(|file| kind.read(file)).transpose()?;
        Ok(Press { options: Options { language: form.lang.into(), ..Options::default() }, browser, matrix })
    }

    /// Writes a run in these formats; the terminal's is printed.
    ///
    /// # Errors
    /// When a file cannot be written, or the PDF not be printed.
    pub(super) fn write(
        &self,
        run: &Run<'_>,
        formats: &[&dyn Report],
        output: &Output,
        console: &Console,
    ) -> Result<()> {
        let run = &Run { matrix: self.matrix.as_ref(), ..*run };
        for format in formats {
            if format.name() == "terminal" {
                let options = Options { language: self.options.language, ..output::terminal() };
                console.text(format.render(run, &options));
                continue;
            }
            let text = format.render(run, &self.options);
            let path = output.write(&self.file(format.is_read(), format.file()), &text)?;
            if !console.is_quiet() {
                console.line(format_args!("{}: {}", format.name(), path.display()));
            }
        }
        let Some(browser) = &self.browser else { return Ok(()) };
        let Some(html) = report::by_name("html") else { return Ok(()) };
        let pdf = browser.print(&html.render(run, &self.options))?;
        let path = output.write_bytes(&self.file(true, "report.pdf"), &pdf)?;
        if !console.is_quiet() {
            console.line(format_args!("pdf: {}", path.display()));
        }
        Ok(())
    }

    /// Writes a compliance report in every format, the PDF of its HTML among them where one is wanted.
    ///
    /// # Errors
    /// When a file cannot be written, or the PDF not be printed.
    fn write_compliance(&self, page: &Page<'_>, output: &Output, console: &Console) -> Result<()> {
        let said = |name: &str, path: PathBuf| {
            if !console.is_quiet() {
                console.line(format_args!("{name}: {}", path.display()));
            }
        };
        for format in &FORMATS {
            let text = (format.render)(page, &self.options);
            said(format.name, output.write(&self.file(format.is_read, format.file), &text)?);
            if let (Some(browser), "html") = (&self.browser, format.name) {
                let pdf = browser.print(&text)?;
                said("pdf", output.write_bytes(&self.file(true, "compliance.pdf"), &pdf)?);
            }
        }
        Ok(())
    }

    /// `report.html`; in another language than English `report.ko.html`, so that both have room in one folder.
    fn file(&self, is_read: bool, name: &str) -> String {
        match (self.options.language, name.rsplit_once('.')) {
            (language, Some((stem, ending))) if language != Language::English && is_read => {
                format!("{stem}.{}.{ending}", language.tag())
            }
            _ => name.to_owned(),
        }
    }
}
