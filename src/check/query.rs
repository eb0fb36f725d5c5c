//! What the application asks first when it is back: list the users, find the user of every payment, and read what was
//! written last. Asks in the application's words, row by row as JSON, in one pass.

use std::{borrow::Cow, sync::Arc};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::{Check, Evidence, Outcome, result};
use crate::{
    model::{event::CheckResult, plan::ServiceKind},
    service::contract::{Ledger, Recognised, RowChunk, ServiceError},
};

const USERS: &str = "users";
const PAYMENTS: &str = "payments";

/// The check.
#[derive(Debug)]
pub struct QueryCheck;

#[async_trait]
impl Check for QueryCheck {
    fn name(&self) -> &'static str {
        "query"
    }

    fn summary(&self) -> &'static str {
        "lists the users, finds the user of every payment, reads the newest promised write"
    }

    fn is_for(&self, kind: ServiceKind) -> bool {
        kind == ServiceKind::Database
    }

    fn proves(&self) -> &'static str {
        "an application that reads the restored database gets its answers"
    }

    async fn run(&self, evidence: &Evidence) -> CheckResult {
        result(self, ask(evidence).await)
    }
}

/// What can be asked, by what the ledger knows.
struct Questions {
    ledger: Arc<dyn Ledger>,
    claimed: u64,
    newest: Newest,
    users_expected: bool,
}

/// The newest promised write.
struct Newest {
    item: u64,
    version: usize,
    /// Whether the row is there after it.
    present: bool,
    table: String,
    id: String,
}

impl Questions {
    /// `None` where the ledger knows of nothing that could be asked. Looks through all items, in the worst case.
    fn prepare(ledger: Arc<dyn Ledger>, claimed: u64) -> Option<Self> {
        let written = |item| {
            let versions = ledger.versions(item);
            let version = versions.iter().position(|version| version.seq == claimed)?;
            Some((item, version, versions[version].present))
        };
        let (item, version, present) = (0..ledger.items()).rev().find_map(written)?;
        let name = ledger.name(item);
        let (table, id) = name.split_once('/')?;
        let newest = Newest { item, version, present, table: table.to_owned(), id: id.to_owned() };
        let is_user = |item| ledger.name(item).split_once('/').is_some_and(|(table, _)| table == USERS);
        let users_expected =
            (0..ledger.items()).any(|item| present_at(ledger.as_ref(), item, claimed) && is_user(item));
        Some(Questions { ledger, claimed, newest, users_expected })
    }

    /// Looks for answers in a chunk.
    fn look(&self, chunk: &RowChunk) -> Answers {
        let mut answers = Answers::default();
        for row in chunk.lines.split_inclusive(|byte| *byte == b'\n') {
            match &*chunk.table {
                USERS => answers.user(row, &*self.ledger),
                PAYMENTS => answers.payment(row, &*self.ledger),
                _ => {}
            }
            if *chunk.table == *self.newest.table {
                answers.newest(row, &self.newest, &*self.ledger);
            }
        }
        answers
    }
}

fn present_at(ledger: &dyn Ledger, item: u64, seq: u64) -> bool {
    ledger.versions(item).iter().rfind(|version| version.seq <= seq).is_some_and(|version| version.present)
}

/// The parts of a row that are asked for.
#[derive(Deserialize, Serialize)]
struct Row<'r> {
    #[serde(rename = "_id", borrow)]
    id: Cow<'r, str>,
}

#[derive(Deserialize)]
struct Payment<'r> {
    #[serde(rename = "userId", borrow)]
    user_id: Cow<'r, str>,
}

/// What one chunk answers.
#[derive(Default)]
struct Answers {
    /// Users listed, by item.
    users: Vec<u64>,
    /// Users listed, known or not.
    listed: u64,
    /// Rows of users that are no rows.
    unlisted: u64,
    payments: u64,
    /// Users that payments name, by item.
    named: Vec<u64>,
    /// Payments that name nobody, or somebody who never was; and one of those names.
    nobody: u64,
    stranger: Option<String>,
    /// Whether rows of the newest write's item hold it.
    newest: Option<bool>,
}

impl Answers {
    fn user(&mut self, row: &[u8], ledger: &dyn Ledger) {
        match serde_json::from_slice::<Row<'_>>(row) {
            Ok(_) => self.listed += 1,
            Err(_) => self.unlisted += 1,
        }
        self.users.extend(item(&ledger.recognise(USERS, row)));
    }

    fn payment(&mut self, row: &[u8], ledger: &dyn Ledger) {
        self.payments += 1;
        let Ok(Payment { user_id }) = serde_json::from_slice(row) else {
            self.nobody += 1;
            return;
        };
        // The ledger tells by the id alone whose row it is.
        let user = serde_json::to_vec(&Row { id: Cow::Borrowed(&*user_id) }).unwrap_or_default();
        match item(&ledger.recognise(USERS, &user)) {
            Some(item) => self.named.push(item),
            None => {
                self.nobody += 1;
                self.stranger.get_or_insert_with(|| user_id.chars().take(60).collect());
            }
        }
    }

    fn newest(&mut self, row: &[u8], newest: &Newest, ledger: &dyn Ledger) {
        if serde_json::from_slice::<Row<'_>>(row).is_ok_and(|row| row.id == newest.id) {
            let wanted = Recognised::Version { item: newest.item, version: newest.version };
            let is_it = ledger.recognise(&newest.table, row) == wanted;
            self.newest = Some(self.newest.unwrap_or(true) && is_it);
        }
    }
}

fn item(recognised: &Recognised) -> Option<u64> {
    match recognised {
        Recognised::Version { item, .. } | Recognised::Altered { item } => Some(*item),
        Recognised::Unknown(_) => None,
    }
}

/// A set of items, one bit each.
struct Items(Vec<u64>);

impl Items {
    fn new(items: u64) -> Self {
        Items(vec![0; items.div_ceil(64) as usize])
    }

    fn insert(&mut self, item: u64) {
        if let Some(word) = self.0.get_mut((item / 64) as usize) {
            *word |= 1 << (item % 64);
        }
    }

    /// Those in `self` that are not in `other`.
    fn without<'s>(&'s self, other: &'s Items) -> impl Iterator<Item = u64> + 's {
        let words = self.0.iter().zip(&other.0).zip(0u64..).filter(|((mine, theirs), _)| *mine & !*theirs != 0);
        words.flat_map(|((mine, theirs), word)| {
            (0..64).filter(move |bit| (mine & !theirs) >> bit & 1 == 1).map(move |bit| word * 64 + bit)
        })
    }
}

async fn ask(evidence: &Evidence) -> Result<Outcome, ServiceError> {
    let (ledger, claimed) = (Arc::clone(&evidence.ledger), evidence.claim.position.seq);
    let last = ledger.last().seq;
    if claimed > last {
        return Ok(Outcome::Failed(format!(
            "the newest promised write, {claimed}, was never made: the last is {last}"
        )));
    }
    if ledger.items() == 0 {
        return nothing_ever(evidence).await;
    }
    let prepared = evidence.lanes.run(move || Questions::prepare(ledger, claimed)).await;
    let Some(questions) = prepared.map(Arc::new) else {
        return Ok(Outcome::NothingToAsk("the ledger knows of no row to ask for".into()));
    };
    let contents = evidence.view.read_back().await?;
    let asked = Arc::clone(&questions);
    let look = move |chunk: Result<RowChunk, _>| chunk.map(|chunk| asked.look(&chunk));
    let mut pieces = std::pin::pin!(evidence.lanes.map(contents.rows, look));
    let items = questions.ledger.items();
    let (mut all, mut users, mut named) = (Answers::default(), Items::new(items), Items::new(items));
    while let Some(mut piece) = pieces.try_next().await? {
        piece.users.drain(..).for_each(|item| users.insert(item));
        piece.named.drain(..).for_each(|item| named.insert(item));
        all.merge(piece);
    }
    // A payment may outlive its user: who was deleted by the claimed position is not missed.
    let missing = |item: &u64| !deleted_at(&*questions.ledger, *item, claimed);
    let mut missed = named.without(&users).filter(missing);
    let first = missed.next();
    let count = u64::from(first.is_some()) + missed.count() as u64;
    Ok(outcome(&questions, &all, first.map(|first| (count, first))))
}

/// Where no row was ever written, whoever lists anything finds none.
async fn nothing_ever(evidence: &Evidence) -> Result<Outcome, ServiceError> {
    let mut contents = evidence.view.read_back().await?;
    let mut rows = 0;
    while let Some(chunk) = contents.rows.try_next().await? {
        rows += chunk.rows;
    }
    Ok(match rows {
        0 => Outcome::Passed(format!("{} tables listed, all empty, as they always were", contents.tables.len())),
        _ => Outcome::Failed(format!("{rows} rows are there, and none was ever written")),
    })
}

fn deleted_at(ledger: &dyn Ledger, item: u64, seq: u64) -> bool {
    ledger.versions(item).iter().rfind(|version| version.seq <= seq).is_some_and(|version| !version.present)
}

impl Answers {
    /// Adds the answers of the next chunk, but for its sets of items.
    fn merge(&mut self, next: Answers) {
        self.listed += next.listed;
        self.unlisted += next.unlisted;
        self.payments += next.payments;
        self.nobody += next.nobody;
        self.stranger = self.stranger.take().or(next.stranger);
        self.newest = match (self.newest, next.newest) {
            (Some(here), Some(there)) => Some(here && there),
            (here, there) => here.or(there),
        };
    }
}

/// Puts the answers together; `missed` is how many users are missing, and the first of them.
fn outcome(questions: &Questions, answers: &Answers, missed: Option<(u64, u64)>) -> Outcome {
    let Newest { table, id, present, .. } = &questions.newest;
    let newest = format!("the newest promised write ({}, {table}/{id})", questions.claimed);
    let mut wrong = Vec::new();
    if questions.users_expected && answers.listed == 0 {
        wrong.push("there are no users to list".to_owned());
    }
    if answers.unlisted > 0 {
        wrong.push(format!("{} users cannot be read", answers.unlisted));
    }
    if answers.nobody > 0 {
        let who = answers.stranger.as_ref().map_or(String::new(), |id| format!(", for one {id}"));
        wrong.push(format!("{} payments name no user that ever was{who}", answers.nobody));
    }
    if let Some((count, first)) = missed {
        let name = questions.ledger.name(first);
        wrong.push(format!("{count} users that payments name are missing, for one {name}"));
    }
    match (present, answers.newest) {
        (true, None) => wrong.push(format!("{newest} is not there")),
        (true, Some(false)) => wrong.push(format!("{newest} cannot be read: the row holds something else")),
        (false, Some(_)) => wrong.push(format!("{newest}, a deletion, is not done")),
        (true, Some(true)) | (false, None) => {}
    }
    match wrong.is_empty() {
        false => Outcome::Failed(wrong.join("; ")),
        true => Outcome::Passed(format!(
            "{} users listed, {} payments name a user, {newest} reads as written",
            answers.listed, answers.payments
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Check,
        fake::{FakeLedger, FakeRow, Op, block_on, evidence},
    };
    use super::*;

    /// Four seeded rows (two users, two payments), the second user updated, a third user inserted and deleted.
    fn ledger() -> FakeLedger {
        FakeLedger::new(4, &[Op::Update(2), Op::Insert, Op::Delete(4)])
    }

    fn run(claimed: u64, rows: Result<Vec<FakeRow>, ServiceError>) -> CheckResult {
        block_on(QueryCheck.run(&evidence(&ledger(), claimed, rows)))
    }

    fn without(claimed: u64, id: &str) -> Vec<FakeRow> {
        let id = format!("\"_id\":\"{id}\"");
        ledger().rows(claimed).into_iter().filter(|(_, row)| !row.contains(&id)).collect()
    }

    #[test]
    fn a_restored_prefix_answers_every_question() {
        for claimed in 0..=ledger().writes {
            let result = run(claimed, Ok(ledger().rows(claimed)));
            assert_eq!(result.passed, Some(true), "{}", result.detail);
        }
    }

    #[test]
    fn each_question_fails_for_its_own_reason() {
        let payment = |row: &str| [without(0, "i1"), vec![("payments", row.to_owned())]].concat();
        let mut undone = ledger().rows(3);
        undone.push(FakeLedger::row(4, 0));
        let wrong = [
            ("no users", run(0, Ok(ledger().rows(0).into_iter().filter(|row| row.0 != "users").collect()))),
            ("a user that a payment names is missing", run(3, Ok(without(3, "i0")))),
            ("a payment of a stranger", run(0, Ok(payment(r#"{"_id":"i1","userId":"i77"}"#)))),
            ("a payment of nobody", run(0, Ok(payment(r#"{"_id":"i1"}"#)))),
            ("a user that is no row", run(0, Ok([ledger().rows(0), vec![("users", "{".into())]].concat()))),
            ("the newest write undone", run(1, Ok(ledger().rows(0)))),
            ("the newest row missing", run(2, Ok(without(2, "i4")))),
            ("the newest deletion undone", run(3, Ok(undone))),
            ("a claim beyond the last write", run(9, Ok(ledger().rows(3)))),
        ];
        assert!(wrong.iter().all(|(_, result)| result.passed == Some(false)), "{wrong:#?}");
        insta::assert_snapshot!(wrong.map(|(what, result)| format!("{what}: {}", result.detail)).join("\n"));
    }

    #[test]
    fn a_payment_may_outlive_its_user() {
        let ledger = FakeLedger::new(2, &[Op::Delete(0)]);
        let result = block_on(QueryCheck.run(&evidence(&ledger, 1, Ok(ledger.rows(1)))));
        assert_eq!(result.passed, Some(true), "{}", result.detail);
    }

    #[test]
    fn a_check_that_could_not_run_says_so() {
        let unread = run(0, Err(ServiceError("the disk is gone".into())));
        assert_eq!((unread.passed, unread.detail.contains("the disk is gone")), (None, true));
    }

    #[test]
    fn an_empty_database_comes_back_empty_or_fails() {
        let ask = |rows| block_on(QueryCheck.run(&evidence(&FakeLedger::default(), 0, Ok(rows)))).passed;
        assert_eq!((ask(vec![]), ask(vec![FakeLedger::row(0, 0)])), (Some(true), Some(false)));
    }
}
