//! What a checklist asks of the scenarios: do they fit the plan, does every drill end as it should, are the objectives
//! met?

use super::{
    Desk,
    items::{Item, State},
};
use crate::{
    cli::{
        console::Refused,
        keeper::Keeper,
        selection::{self, Chosen, Selection},
        session::{DEFAULT_SEED, Troupe},
    },
    error::{Error, Result},
    exit,
    input::lint,
    measure,
    model::{
        outcome::{DrillResult, Verdict},
        record::{Record, Way},
        words,
    },
};

impl Desk<'_> {
    pub(super) fn scenarios_fit(&self) -> Item {
        let title = "Recovery scenarios reviewed";
        match self.scenarios() {
            Ok(chosen) => {
                let fit = format!("{} fit the plan", words::count(chosen.len() as u64, "scenario"));
                let ask = "read them: is there a way to fail that none of them plays?";
                Item::new(title, State::ForPeople, format!("{fit}; {ask}"))
            }
            Err(Refused(wrong)) => {
                let lines = wrong.iter().map(|error| error.to_string().lines().next().unwrap_or_default().to_owned());
                let detail = words::count(wrong.len() as u64, "mistake");
                Item::new(title, State::Failed, detail).with(lines.collect())
            }
        }
    }

    /// Every drill, and what the drills say of the objectives.
    pub(super) fn drills(&self) -> Result<[Item; 2]> {
        let (drilled, met) = ("Full recovery drill played", "RTO and RPO met");
        let chosen = match self.scenarios() {
            Ok(chosen) => chosen,
            Err(Refused(mut wrong)) => {
                return Err(if wrong.is_empty() { Error::new("no scenario can be read") } else { wrong.remove(0) });
            }
        };
        let records = self.play(chosen)?;
        if self.session.is_stopped() {
            let stopped = |title| Item::new(title, State::NotChecked, "somebody stopped it");
            return Ok([stopped(drilled), stopped(met)]);
        }
        // Records have text keys and finite numbers alone, so this cannot fail.
        let json = serde_json::to_string_pretty(&records).unwrap_or_default() + "\n";
        let path = self.output.write(&format!("{}-drills.json", self.stem), &json)?;
        let bad = records.iter().filter(|record| record.result.result != DrillResult::Pass);
        let lines = bad
            .map(|r| format!("{}: {}: {}", r.identity.scenario, r.result.result.words(), r.result.reasons.join("; ")));
        let passed = records.iter().filter(|record| record.result.result == DrillResult::Pass).count();
        let state = if measure::exit_code(&records, false) == exit::PASS { State::Done } else { State::Failed };
        let way = if self.args.real { "real" } else { "simulated" };
        let total = words::count(records.len() as u64, "drill");
        let detail = format!("{passed} of {total} ended as expected, {way}; records: {}", path.display());
        Ok([Item::new(drilled, state, detail).with(lines.collect()), self.objectives(met, &records)])
    }

    /// Weaknesses of the plan, for whoever reads it.
    pub(super) fn weaknesses(&self) -> Vec<String> {
        let found = lint::lint(self.plan);
        found.iter().map(|weakness| format!("{}: {}", weakness.severity.words(), weakness.what)).collect()
    }

    fn scenarios(&self) -> std::result::Result<Vec<Chosen>, Refused> {
        selection::scenarios(&Selection::of_names(&self.args.only), self.plan)
    }

    /// These drills are evidence as those of `run` are, and are kept in the same history.
    fn play(&self, chosen: Vec<Chosen>) -> Result<Vec<Record>> {
        let way = if self.args.real { Way::Real } else { Way::Simulated };
        let keeper = Keeper::open(&self.args.keep, self.console)?;
        self.session.play_all(&Troupe::new(self.plan, DEFAULT_SEED, way)?, chosen, keeper.as_ref(), self.console)
    }

    /// A miss that a scenario expects is for people to judge: it passes as a test, and is a miss nevertheless.
    fn objectives(&self, title: &'static str, records: &[Record]) -> Item {
        let all: usize = records.iter().map(|record| record.objectives.len()).sum();
        let unmet = |record: &&Record| record.objectives.iter().any(|judged| judged.verdict != Verdict::Met);
        let short: Vec<&Record> = records.iter().filter(unmet).collect();
        let met = records.iter().flat_map(|r| &r.objectives).filter(|judged| judged.verdict == Verdict::Met).count();
        let unexpected = |record: &&Record| record.result.result != DrillResult::Pass;
        let judged = short.iter().map(|record| {
            let missed = record.objectives.iter().filter(|judged| judged.verdict != Verdict::Met);
            let missed: Vec<String> =
                missed.map(|j| format!("{} {} {}", j.whose, j.objective.words(), j.verdict.words())).collect();
            format!("{}: {}", record.identity.scenario, missed.join(", "))
        });
        let lines: Vec<String> = judged.collect();
        let told = format!("{met} of {all} objectives met");
        match (short.is_empty(), short.iter().any(unexpected) || self.args.strict) {
            (true, _) => Item::new(title, State::Done, told),
            (false, true) => Item::new(title, State::Failed, told).with(lines),
            (false, false) => {
                let judge =
                    "the rest as their scenarios expect: judge whether the plan may promise what it cannot hold then";
                Item::new(title, State::ForPeople, format!("{told}; {judge}")).with(lines)
            }
        }
    }
}
