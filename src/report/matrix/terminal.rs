//! The matrix for a screen: a line a fault, with the places where it was caught and the services that it was tried on.

use super::{Line, lines, subject, verdict};
use crate::{
    model::matrix::{Caught, Matrix},
    report::{
        Options,
        text::{columns, cut, pad, plain, wrap},
    },
};

/// Widest column of names.
const NAMES: usize = 44;

/// The matrix, and below it each cell that is no catch, with what shows it.
pub fn terminal(matrix: &Matrix, options: &Options) -> String {
    let screen = Screen { colour: options.colour, width: options.width.max(60) };
    let mut page = format!("{}\n\n", wrap("", &plain(&subject(matrix)), screen.width));
    for control in &matrix.controls {
        let sign = if control.green { screen.paint(Caught::AtBackup, "green") } else { screen.alarm("NOT GREEN") };
        page += &format!(
            "{}\n",
            wrap(&format!("control {}: ", plain(&control.service)), &plain(&control.evidence), screen.width)
        )
        .replacen(": ", &format!(": {sign}, "), 1);
    }
    let names = matrix.cells.iter().map(|cell| columns(&cell.name())).max().unwrap_or(0).min(NAMES);
    for one in &matrix.families {
        page += &format!("\n{}  {}\n", one.family.words().to_uppercase(), one.score.words());
        for line in lines(matrix, one.family) {
            let head = format!("  {}  ", pad(&cut(&plain(&line.name), names), names));
            page += &format!("{head}{}\n", screen.places(&line, names + 4));
        }
    }
    page += &screen.against(matrix);
    page += &format!("\n{}\n", wrap("", &plain(&verdict(matrix)), screen.width));
    page
}

struct Screen {
    colour: bool,
    width: usize,
}

impl Screen {
    /// `at verify database, files · late config`, from that column on; what does not fit goes on below itself.
    fn places(&self, line: &Line<'_>, column: usize) -> String {
        let (mut said, mut at) = (String::new(), column);
        for place in Caught::ALL {
            let services: Vec<String> = line.at(place).map(|cell| plain(&cell.service)).collect();
            if services.is_empty() {
                continue;
            }
            let services = services.join(", ");
            let wide = columns(place.words()) + 1 + columns(&services);
            if at > column {
                let fits = at + 3 + wide <= self.width;
                said += &if fits { " · ".to_owned() } else { format!("\n{}", " ".repeat(column)) };
                at = if fits { at + 3 } else { column };
            }
            said += &format!("{} {services}", self.paint(place, place.words()));
            at += wide;
        }
        said
    }

    /// What is no catch, each with its evidence.
    fn against(&self, matrix: &Matrix) -> String {
        let mut said = String::new();
        for place in [Caught::SilentlyWrong, Caught::DidNotBite, Caught::Late] {
            let here: Vec<_> = matrix.cells.iter().filter(|cell| cell.caught == place).collect();
            if here.is_empty() {
                continue;
            }
            let head = wrap("", &format!("{}: {}", place.words(), place.meaning()), self.width);
            said += &format!("\n{}\n", head.replacen(place.words(), &self.paint(place, place.words()), 1));
            for cell in here {
                let head = format!("{} on {}: ", cell.name(), cell.service);
                said += &format!("{}\n", wrap("  - ", &plain(&format!("{head}{}", cell.evidence)), self.width));
            }
        }
        said
    }

    fn paint(&self, place: Caught, text: &str) -> String {
        let code = match place {
            Caught::AtBackup | Caught::ByMonitor | Caught::AtVerify | Caught::AtRestore => "32",
            Caught::RefusedLoudly => "36",
            Caught::Late | Caught::DidNotBite => "33",
            Caught::SilentlyWrong => "1;31",
        };
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn alarm(&self, text: &str) -> String {
        self.paint(Caught::SilentlyWrong, text)
    }
}
