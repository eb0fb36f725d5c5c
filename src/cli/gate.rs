//! The regression gate of `run`: how often each scenario is played, the baseline that it is held against, and the one
//! that it writes.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{console::Console, document::Kind, output};
use crate::{
    error::{Error, Result},
    exit,
    measure::{self, regression},
    model::{
        baseline::{BASELINE_FORMAT, Baseline, MOST_PLAYS, Machine},
        gate::{Gate, GateVerdict},
        outcome::DrillResult,
        record::Record,
        words,
    },
};

/// Arguments of the gate.
#[derive(Debug, Clone, Args)]
pub(super) struct GateArgs {
    /// Play each scenario so often, up to 50: durations of several plays show what is noise. With --baseline as often as
    /// that was played unless this is given.
    #[arg(long, value_name = "N", value_parser = repeats)]
    repeat: Option<usize>,
    /// Hold the durations of this run against those of this file, and fail where one is slower than allowed.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// How much slower than in the baseline anything may be.
    #[arg(long, value_name = "PERCENT", default_value = "20%", requires = "baseline", allow_hyphen_values = true)]
    max_slower: String,
    /// Write the durations of this run to this file, for later runs to be held against; only where every drill passes.
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
}

fn repeats(text: &str) -> std::result::Result<usize, String> {
    let number = text.parse().ok().filter(|n| (1..=MOST_PLAYS).contains(n));
    number.ok_or_else(|| format!("write a whole number from 1 to {MOST_PLAYS}"))
}

fn percent(text: &str) -> Result<u32> {
    let number = text.strip_suffix('%').and_then(|number| number.trim().parse().ok()).filter(|n| *n <= 10_000);
    number.ok_or_else(|| {
        let what = format!("`{}` is no share by which a run may be slower", text.escape_debug());
        Error::new(what).at("--max-slower").help("write a whole number from 0 to 10000 and a percent sign: 20%")
    })
}

/// A baseline of 106 drills with 50 plays has 4 MiB.
const LARGEST: u64 = 64 << 20;

/// Holds a run against its baseline.
pub(super) struct Gatekeeper<'a> {
    args: &'a GateArgs,
    max_slower: u32,
    before: Option<Baseline>,
    machine: Machine,
}

impl<'a> Gatekeeper<'a> {
    /// Reads the baseline, and looks whether the new one has a place, before anything is played.
    ///
    /// # Errors
    /// When the share makes no sense, one file is no baseline, or the other could not be written.
    pub(super) fn open(args: &'a GateArgs) -> Result<Self> {
        let max_slower = percent(&args.max_slower)?;
        if let Some(path) = &args.write_baseline {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            if path.is_dir() || !folder.is_dir() {
                return Err(Error::new("no baseline can be written here")
                    .at(path.display().to_string())
                    .help("name a file in a folder that is there"));
            }
        }
        let before = args.baseline.as_deref().map(read).transpose()?;
        Ok(Gatekeeper { args, max_slower, before, machine: machine() })
    }

    /// How often each scenario is to be played.
    pub(super) fn repeats(&self) -> usize {
        let as_before = || Some(self.before.as_ref()?.drills.values().map(|drill| drill.plays).max()?.max(1));
        self.args.repeat.or_else(as_before).unwrap_or(1)
    }

    /// What comes of holding these plays against the baseline; `None` where none was given.
    pub(super) fn judge(&self, plays: &[Record]) -> Option<Gate> {
        let before = self.before.as_ref()?;
        Some(regression::gate(before, plays, self.machine.clone(), self.max_slower))
    }

    /// Writes these plays as a baseline where that was asked for, and says so. A drill that did not go as expected says
    /// nothing about speed, so then nothing is written.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&self, plays: &[Record], console: &Console) -> Result<()> {
        let Some(path) = &self.args.write_baseline else { return Ok(()) };
        let failed = plays.iter().filter(|record| record.result.result != DrillResult::Pass).count();
        let now = regression::baseline(plays, self.machine.clone()).filter(|_| failed == 0);
        let Some(now) = now else {
            let plays = words::count(plays.len() as u64, "drill");
            console.line(format_args!("no baseline is written: {failed} of {plays} played did not pass"));
            return Ok(());
        };
        // A baseline is made of strings, numbers and lists: it always has a JSON form.
        let json = serde_json::to_string_pretty(&now).map(|json| json + "\n").unwrap_or_default();
        output::write_file(path, &json)?;
        let (drills, repeats) = (words::count(now.drills.len() as u64, "drill"), self.repeats());
        let said = format!("baseline: {} ({drills}, played {})", path.display(), words::count(repeats as u64, "time"));
        match regression::plays_needed(&now) {
            needed if repeats < needed => console.line(format_args!(
                "{said}; too few to be held against: write it with --repeat {needed}, or with fewer drills"
            )),
            _ if console.is_quiet() => {}
            _ => console.line(said),
        }
        Ok(())
    }
}

/// The exit code of a gate.
pub(super) fn exit_code(gate: &Gate) -> u8 {
    match gate.verdict() {
        GateVerdict::Held => exit::PASS,
        GateVerdict::Regression => exit::FAILED,
        GateVerdict::Inconclusive => exit::INCONCLUSIVE,
    }
}

/// Of the plays of each scenario the gravest, in the order of the first round; `plays` is round after round.
pub(super) fn gravest_of_each(plays: &[Record], scenarios: usize) -> Vec<Record> {
    let of = |number| plays.iter().skip(number).step_by(scenarios.max(1)).cloned().collect();
    (0..scenarios).filter_map(|number| measure::gravest_play(of(number))).collect()
}

fn read(path: &Path) -> Result<Baseline> {
    let help = "give a file that `backdraft run --write-baseline FILE` wrote";
    let kind = Kind { name: "baseline", noun: "baseline", format: BASELINE_FORMAT, limit: LARGEST, help };
    let read: Baseline = kind.read(path)?;
    for (name, drill) in &read.drills {
        let longest = drill.services.values().flat_map(|times| times.stretches().into_values()).map(<[_]>::len).max();
        if drill.plays > MOST_PLAYS || longest.unwrap_or(0) > drill.plays {
            let name = name.escape_debug();
            let (plays, longest) = (words::count(drill.plays as u64, "play"), longest.unwrap_or(0));
            let what = format!("`{name}` has {longest} durations of one kind, of {plays}; {MOST_PLAYS} are the most");
            return Err(Error::new(what).at(path.display().to_string()).help(help));
        }
    }
    Ok(read)
}

fn machine() -> Machine {
    Machine {
        os: std::env::consts::OS.into(),
        arch: std::env::consts::ARCH.into(),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        build: if cfg!(debug_assertions) { "debug" } else { "release" }.into(),
    }
}
