//! The streaming export: a snapshot page by page, and what changed after it.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header;
use serde::{Deserialize, Deserializer, de::Error};

use super::{
    Deployment,
    error::ApiError,
    http::FLUSH,
    values::{Spelling, spell},
};

/// Documents of a page of a snapshot.
const SNAPSHOT_ROWS: usize = 1024;
/// Changes of a page.
const DELTA_ROWS: u64 = 128;

/// What is asked for; in the query of a GET, or as the body of a POST.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SnapshotRequest {
    #[serde(deserialize_with = "number_or_text")]
    snapshot: Option<i64>,
    cursor: Option<String>,
    table_name: Option<String>,
    format: Option<String>,
}

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DeltasRequest {
    #[serde(deserialize_with = "number_or_text")]
    cursor: Option<i64>,
    table_name: Option<String>,
    format: Option<String>,
}

/// A number, which a query spells as text.
fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }
    match Option::<Either>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Either::Number(number)) => Ok(Some(number)),
        Some(Either::Text(text)) => text.parse().map(Some).map_err(D::Error::custom),
    }
}

fn spelling(format: Option<&str>) -> Result<Spelling, ApiError> {
    match format {
        None | Some("json") => Ok(Spelling::Clean),
        Some("convex_encoded_json") => Ok(Spelling::Typed),
        Some(other) => Err(ApiError::bad_request("InvalidFormat", format!("no format '{}'", other.escape_debug()))),
    }
}

impl Deployment {
    /// A page of a snapshot. A page ends with its table.
    pub(super) async fn list_snapshot(&self, request: SnapshotRequest) -> Result<Response, ApiError> {
        let how = spelling(request.format.as_deref())?;
        let snapshot = self.snapshot(request.snapshot).await?;
        let snapshot = snapshot.ok_or_else(|| {
            ApiError::bad_request("SnapshotTooOld", "The snapshot is not kept any more; start again without it.")
        })?;
        let tables = snapshot.tables();
        let wanted = |table: usize| request.table_name.as_deref().is_none_or(|name| *tables[table].name == *name);
        let (table, from) = match &request.cursor {
            Some(cursor) => place(cursor, tables.len())?,
            None => ((0..tables.len()).find(|table| wanted(*table)).unwrap_or(tables.len()), 0),
        };
        let timestamp = snapshot.timestamp();
        self.may_be_read()?;
        let mut answer = Answer::new();
        let mut cursor = None;
        if table < tables.len() {
            let page = snapshot.page(table, from, SNAPSHOT_ROWS).await?;
            answer.rows(&tables[table].name, timestamp, &page.lines, how);
            let following = (table + 1..tables.len()).find(|table| wanted(*table)).map(|table| (table, 0));
            cursor = page.next.map(|next| (table, next)).or(following);
        }
        let shown = cursor.map_or("null".into(), |(table, from)| format!("\"{table}:{from}\""));
        let rest = format!("\"snapshot\":{timestamp},\"cursor\":{shown},\"hasMore\":{}", cursor.is_some());
        Ok(self.sent(answer.finish(&rest)))
    }

    /// Whether an export can be made now, page by page as well as whole.
    fn may_be_read(&self) -> Result<(), ApiError> {
        match self.export_fails() {
            true => Err(ApiError::internal("Your request couldn't be completed. Try again later.")),
            false => Ok(()),
        }
    }

    /// A page as far as it gets: the first part of it where downloads break off.
    fn sent(&self, json: Vec<u8>) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let Some(cut) = self.state().cut() else { return (kind, Body::from(json)).into_response() };
        let whole = json.len();
        let mut first = Bytes::from(json);
        first.truncate(cut.after.of(whole as u64) as usize);
        let clock = self.clock.clone();
        let broken = stream::iter(cut.length_told.then_some(clock)).then(async |clock| {
            // What was sent before is to arrive.
            clock.sleep(FLUSH).await;
            Err("the answer is cut")
        });
        let body = Body::from_stream(stream::iter([Ok(first)]).chain(broken));
        match cut.length_told {
            true => (kind, [(header::CONTENT_LENGTH, whole.to_string())], body).into_response(),
            false => (kind, body).into_response(),
        }
    }

    /// What changed after a snapshot or a page of changes.
    pub(super) async fn document_deltas(&self, request: DeltasRequest) -> Result<Response, ApiError> {
        let how = spelling(request.format.as_deref())?;
        let cursor = request.cursor.ok_or_else(|| ApiError::bad_request("InvalidCursor", "a cursor is needed"))?;
        self.may_be_read()?;
        let deltas = self.documents.changes(cursor, DELTA_ROWS).await?;
        let mut rows = deltas.rows;
        let mut answer = Answer::new();
        while let Some(chunk) = rows.next().await.transpose()? {
            if request.table_name.as_deref().is_none_or(|name| name == &*chunk.table) {
                answer.rows(&chunk.table, deltas.to, &chunk.lines, how);
            }
        }
        Ok(self.sent(answer.finish(&format!("\"cursor\":{},\"hasMore\":{}", deltas.to, deltas.has_more))))
    }
}

/// Table and place that a cursor names.
fn place(cursor: &str, tables: usize) -> Result<(usize, u64), ApiError> {
    let parts = cursor.split_once(':').and_then(|(table, from)| Some((table.parse().ok()?, from.parse().ok()?)));
    let known = parts.filter(|(table, _)| *table < tables);
    known.ok_or_else(|| ApiError::bad_request("InvalidCursor", format!("no cursor '{}'", cursor.escape_debug())))
}

/// An answer in the making: the documents, and what stands behind them.
struct Answer {
    json: Vec<u8>,
    is_empty: bool,
}

impl Answer {
    fn new() -> Self {
        Answer { json: b"{\"values\":[".to_vec(), is_empty: true }
    }

    fn rows(&mut self, table: &str, timestamp: i64, lines: &[u8], how: Spelling) {
        self.json.reserve(lines.len() + lines.len() / 4);
        // When each was last modified is not known apart: all bear the timestamp of the page.
        let head = format!("{{\"_table\":\"{table}\",\"_ts\":{timestamp}");
        for line in lines.split(|byte| *byte == b'\n').filter(|line| line.len() > 1) {
            self.json.extend_from_slice(if std::mem::take(&mut self.is_empty) { b"" } else { b"," });
            self.json.extend_from_slice(head.as_bytes());
            let fields = &line[1..];
            self.json.extend_from_slice(if fields == b"}" { b"" } else { b"," });
            spell(fields, how, &mut self.json);
        }
    }

    fn finish(mut self, rest: &str) -> Vec<u8> {
        self.json.extend_from_slice(b"],");
        self.json.extend_from_slice(rest.as_bytes());
        self.json.push(b'}');
        self.json
    }
}
