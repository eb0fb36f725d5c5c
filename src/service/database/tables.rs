//! The tables of HookLabs and what stands in a row of each. References point from a table to those before it.

use jiff::{Timestamp, tz::Offset};

use super::{
    line::{Draw, Line},
    text,
};

/// One table.
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// Its share of the data set, in percent of the bytes.
    pub(super) share: u64,
    /// Bytes of its shortest line; what the fixed fields take at the most, and some prose.
    pub(super) shortest: u64,
    /// Its share of the writes, in percent.
    pub(super) writes: u64,
    /// Writes the fields between the common ones and the closing prose.
    pub(super) fields: fn(&mut Line<'_>, &mut Row<'_>),
}

/// Number of a table, as [`TABLES`] and references count.
const USERS: usize = 0;
const SUBSCRIPTIONS: usize = 1;
const SOCIAL_ACCOUNTS: usize = 3;
const POSTS: usize = 4;

/// All tables, in the order in which they are exported. The last one is empty and must survive nevertheless.
pub(super) const TABLES: [Table; 7] = [
    Table { name: "users", share: 12, shortest: 600, writes: 10, fields: user },
    Table { name: "subscriptions", share: 8, shortest: 500, writes: 10, fields: subscription },
    Table { name: "payments", share: 20, shortest: 460, writes: 20, fields: payment },
    Table { name: "socialAccounts", share: 10, shortest: 480, writes: 5, fields: social_account },
    Table { name: "posts", share: 30, shortest: 560, writes: 30, fields: post },
    Table { name: "analytics", share: 20, shortest: 500, writes: 25, fields: analytics },
    Table { name: "auditLogs", share: 0, shortest: 0, writes: 0, fields: |_, _| {} },
];

/// What a row is made from.
pub(super) struct Row<'d> {
    /// Its place in the table.
    pub(super) index: u64,
    /// How often it was changed.
    pub(super) revision: u32,
    /// When it was created, in milliseconds since 1970.
    pub(super) created_ms: i64,
    /// Draws what stays the same through all revisions.
    pub(super) fixed: Draw,
    /// Draws what a change may alter.
    pub(super) current: Draw,
    /// Seeded rows of each table, for references.
    pub(super) counts: &'d [u64],
}

impl Row<'_> {
    /// A seeded row of another table, the same through all revisions.
    fn reference(&mut self, line: &mut Line<'_>, table: usize) {
        let index = self.fixed.below(self.counts[table]);
        line.id(table, index);
    }

    /// A moment after the row was created, in milliseconds; later with each revision.
    fn later_ms(&mut self) -> i64 {
        self.created_ms + i64::from(self.revision) * 86_400_000 + self.current.below(86_400_000) as i64
    }
}

fn moment(line: &mut Line<'_>, millis: i64) {
    line.float(millis * 1000);
}

fn user(line: &mut Line<'_>, row: &mut Row<'_>) {
    line.raw(r#","clerkId":"user_"#).digits(row.fixed.word(), 20);
    line.raw(r#"","email":""#).raw(row.fixed.pick(text::MAILBOXES)).raw("+");
    line.digits(row.index, 1).raw(r#"@hooklabs.io","name":""#).raw(row.fixed.pick(text::NAMES));
    line.raw(r#"","locale":""#).raw(row.fixed.pick(&["ko-KR", "en-US", "de-DE"]));
    line.raw(r#"","accountNumber":"#).int(row.fixed.wide());
    line.raw(r#","deviceFingerprint":"#).int(row.fixed.word() as i64);
    line.raw(r#","referredBy":"#);
    match row.fixed.chance(30) {
        true => row.reference(line, USERS),
        false => _ = line.raw("null"),
    }
    line.raw(r#","plan":""#).raw(row.current.pick(text::PLANS));
    line.raw(r#"","creditBalance":"#).float(row.current.below(5_000_000) as i64 - 100_000);
    line.raw(r#","monthlyQuota":"#).float(row.current.pick(&[36_000, 120_000, 0, 1_500]));
    line.raw(r#","tags":[""#).raw(row.current.pick(text::TAGS)).raw(r#"",""#).raw(row.current.pick(text::TAGS));
    line.raw(r#""],"settings":{"theme":""#).raw(row.current.pick(&["dark", "light"]));
    line.raw(r#"","notifications":{"email":"#).flag(row.current.chance(70));
    line.raw(r#","push":"#).flag(row.current.chance(40)).raw(r#","quietHours":["#);
    line.int(row.current.below(24) as i64).raw(",").int(row.current.below(24) as i64);
    line.raw(r#"]},"timezone":"Asia/Seoul"},"lastSeenAt":"#);
    moment(line, row.later_ms());
    line.raw(r#","bio":""#);
}

fn subscription(line: &mut Line<'_>, row: &mut Row<'_>) {
    line.raw(r#","userId":"#);
    row.reference(line, USERS);
    line.raw(r#","lemonSqueezyId":""#).digits(row.fixed.below(9_999_999), 7);
    line.raw(r#"","variantId":"#).int(row.fixed.below(900_000) as i64);
    line.raw(r#","plan":""#).raw(row.current.pick(text::PLANS));
    line.raw(r#"","status":""#).raw(row.current.pick(&["active", "past_due", "cancelled", "on_trial"]));
    line.raw(r#"","price":{"krw":"#).int(row.current.pick(&[9_900, 19_900, 49_000, 0]));
    line.raw(r#","usd":"#).float(row.current.pick(&[7_900, 14_900, 36_000, 0]));
    line.raw(r#"},"seats":"#).int(row.current.below(50) as i64 + 1);
    line.raw(r#","usage":{"tokens":"#).int(row.current.wide());
    line.raw(r#","ratio":"#).float(row.current.below(1001) as i64);
    line.raw(r#"},"currentPeriod":{"start":"#);
    let start = row.later_ms();
    moment(line, start);
    line.raw(r#","end":"#);
    moment(line, start + 30 * 86_400_000);
    line.raw(r#"},"cancelAtPeriodEnd":"#).flag(row.current.chance(10)).raw(r#","note":""#);
}

fn payment(line: &mut Line<'_>, row: &mut Row<'_>) {
    line.raw(r#","userId":"#);
    row.reference(line, USERS);
    line.raw(r#","subscriptionId":"#);
    row.reference(line, SUBSCRIPTIONS);
    let amount = row.fixed.pick(&[9_900, 19_900, 49_000, 1_290_000]);
    line.raw(r#","amount":{"value":"#).int(amount).raw(r#","currency":"KRW","vat":"#).float(amount * 100);
    line.raw(r#"},"feeRate":"#).float(row.fixed.pick(&[29, 50, 36_000]));
    line.raw(r#","ledgerSequence":"#).int(row.fixed.wide());
    line.raw(r#","paidAtNs":"#).int(row.created_ms.wrapping_mul(1_000_000) | 1);
    line.raw(r#","method":{"type":"card","brand":""#).raw(row.fixed.pick(text::CARDS));
    line.raw(r#"","last4":""#).digits(row.fixed.below(10_000), 4);
    line.raw(r#""},"status":""#).raw(row.current.pick(&["paid", "refunded", "failed", "pending"]));
    line.raw(r#"","refundedAmount":"#).float(row.current.pick(&[0, 0, 9_900_000]));
    line.raw(r#","memo":""#);
}

fn social_account(line: &mut Line<'_>, row: &mut Row<'_>) {
    line.raw(r#","userId":"#);
    row.reference(line, USERS);
    line.raw(r#","platform":""#).raw(row.fixed.pick(text::PLATFORMS));
    line.raw(r#"","handle":"@hook_"#).digits(row.index, 1);
    line.raw(r#"","externalId":"#).int(row.fixed.wide());
    line.raw(r#","profile":{"displayName":""#).raw(row.current.pick(text::NAMES));
    line.raw(r#"","verified":"#).flag(row.current.chance(20));
    line.raw(r#","links":["https://hooklabs.io/@"#).digits(row.index, 1).raw(r#""]},"followers":"#);
    line.int(row.current.below(2_000_000) as i64);
    line.raw(r#","engagementRate":"#).float(row.current.below(100_000) as i64);
    line.raw(r#","scopes":["read","publish"],"tokenExpiresAt":"#);
    moment(line, row.later_ms());
    line.raw(r#","about":""#);
}

fn post(line: &mut Line<'_>, row: &mut Row<'_>) {
    line.raw(r#","userId":"#);
    row.reference(line, USERS);
    line.raw(r#","socialAccountId":"#);
    row.reference(line, SOCIAL_ACCOUNTS);
    line.raw(r#","title":""#).raw(row.current.pick(text::TITLES));
    line.raw(r#"","hashtags":[""#).raw(row.current.pick(text::TAGS)).raw(r#"",""#).raw(row.current.pick(text::TAGS));
    line.raw(r#""],"status":""#).raw(row.current.pick(&["draft", "scheduled", "published"]));
    line.raw(r#"","publishedAt":"#);
    match row.current.chance(60) {
        true => {
            let at = row.later_ms();
            moment(line, at);
        }
        false => _ = line.raw("null"),
    }
    line.raw(r#","metrics":{"views":"#).int(row.current.wide());
    line.raw(r#","likes":"#).int(row.current.below(90_000) as i64);
    line.raw(r#","clickRate":"#).float(row.current.below(1001) as i64).raw(r#"},"body":""#);
}

fn analytics(line: &mut Line<'_>, row: &mut Row<'_>) {
    line.raw(r#","userId":"#);
    row.reference(line, USERS);
    line.raw(r#","postId":"#);
    row.reference(line, POSTS);
    let day = Offset::UTC.to_datetime(Timestamp::from_millisecond(row.created_ms).unwrap_or(Timestamp::MIN));
    line.raw(r#","day":""#).digits(day.year().unsigned_abs().into(), 4).raw("-");
    line.digits(day.month().unsigned_abs().into(), 2).raw("-").digits(day.day().unsigned_abs().into(), 2);
    line.raw(r#"","sampledAtNs":"#).int(row.created_ms.wrapping_mul(1_000_000) | 1);
    line.raw(r#","counters":{"impressions":"#).int(row.current.wide());
    line.raw(r#","clicks":"#).int(row.current.below(1_000_000) as i64);
    line.raw(r#","net":"#).int(row.current.below(2_000) as i64 - 1_000);
    line.raw(r#"},"rates":{"bounce":"#).float(row.current.below(100_001) as i64);
    line.raw(r#","growth":"#).float(row.current.below(60_000) as i64 - 30_000).raw(r#"},"hourly":["#);
    for hour in 0..6 {
        line.raw(if hour == 0 { "" } else { "," }).int(row.current.below(5_000) as i64);
    }
    line.raw(r#"],"insight":""#);
}
