//! A deployment over HTTP, as a careful team's scripts reach it: the streaming export to read, a snapshot archive to
//! import. Knows the API and a key, and nothing of what stands behind.

use std::{borrow::Cow, collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Client, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tokio::sync::mpsc;

use crate::{
    archive::Packed,
    emulator::{convex::values, link::Link},
    service::{
        change::row_id,
        contract::{Contents, RowChunk, RowStream, ServiceError},
        struck::ANSWER,
    },
    sim::{clock::Clock, lanes::Lanes},
};

/// Bytes of a part of an upload, as the command line tool sends them.
const PART: usize = 5 << 20;

/// How often the state of an import is asked for.
const POLL: Duration = Duration::from_millis(5);

/// The form in which no integer loses a digit.
const FORMAT: &str = "convex_encoded_json";

/// Where a deployment is reached, and with which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Without a slash at the end.
    pub url: String,
    /// The deployment's admin key.
    pub key: String,
}

/// A deployment.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    client: Client,
    address: Address,
    /// Told of connections that the system refused in the deployment's name.
    link: Arc<Link>,
    clock: Clock,
    lanes: Lanes,
}

/// A page of a snapshot or of changes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageAnswer<'a> {
    #[serde(borrow)]
    values: Vec<&'a RawValue>,
    #[serde(default)]
    snapshot: i64,
    #[serde(borrow)]
    cursor: Option<&'a RawValue>,
    has_more: bool,
}

/// A page, its documents as they are stored.
struct Read {
    chunks: Vec<RowChunk>,
    snapshot: i64,
    /// As it is spelled.
    cursor: Option<String>,
    has_more: bool,
}

impl Remote {
    /// Reaches the deployment at that address. Proxies of the environment are none of its business.
    pub(super) fn new(
        url: &str,
        key: &str,
        link: &Arc<Link>,
        clock: &Clock,
        lanes: &Lanes,
    ) -> Result<Self, ServiceError> {
        // Where another part of the program has chosen one already, that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().connect_timeout(ANSWER).read_timeout(ANSWER).build();
        let client = client.map_err(|error| ServiceError(format!("no HTTP client can be had: {error}")))?;
        let address = Address { url: url.to_owned(), key: key.to_owned() };
        Ok(Remote { client, address, link: Arc::clone(link), clock: clock.clone(), lanes: lanes.clone() })
    }

    /// Where it is.
    pub(super) fn address(&self) -> Address {
        self.address.clone()
    }

    /// All documents at the newest moment, which comes with them.
    pub(super) async fn read_all(&self) -> Result<(i64, Contents), ServiceError> {
        let tables = self.tables().await?;
        let Some(first) = tables.first() else {
            return Ok((0, Contents { tables, rows: stream::empty().boxed() }));
        };
        let page = self.page(first, None, None).await?;
        let snapshot = page.snapshot;
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(self.clone().read_on(tables.clone(), page, sender));
        Ok((snapshot, Contents { tables, rows: received(receiver) }))
    }

    /// Reads page after page while somebody takes them; the next one comes while the last is used.
    async fn read_on(self, tables: Vec<Arc<str>>, first: Read, sender: mpsc::Sender<Result<RowChunk, ServiceError>>) {
        let snapshot = first.snapshot;
        let mut ready = Some(first);
        for table in &tables {
            let mut cursor = None;
            loop {
                let page = match ready.take() {
                    Some(page) => Ok(page),
                    None => self.page(table, Some(snapshot), cursor.as_deref()).await,
                };
                let (chunks, next) = match page {
                    Ok(page) => (page.chunks.into_iter().map(Ok).collect(), page.cursor.filter(|_| page.has_more)),
                    Err(error) => (vec![Err(error)], None),
                };
                for chunk in chunks {
                    let failed = chunk.is_err();
                    if sender.send(chunk).await.is_err() || failed {
                        return;
                    }
                }
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
        }
    }

    /// What changed after a moment: the newest of these moments, and a line a document, table by table.
    pub(super) async fn read_changes(&self, since: i64) -> Result<(i64, RowStream), ServiceError> {
        const MOST_PAGES: usize = 128;
        let mut newest = since;
        let mut tables: Vec<(Arc<str>, Latest)> = Vec::new();
        for _ in 0..MOST_PAGES {
            let query = [("cursor", newest.to_string()), ("format", FORMAT.into())];
            let page = self.read_page(self.client.get(self.at("/api/document_deltas")).query(&query)).await?;
            for chunk in page.chunks {
                let known = tables.iter().position(|(name, _)| *name == chunk.table).unwrap_or(tables.len());
                if known == tables.len() {
                    tables.push((Arc::clone(&chunk.table), Latest::default()));
                }
                tables[known].1.take(&chunk.lines);
            }
            newest = page.cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(newest);
            if !page.has_more {
                break;
            }
        }
        let chunks: Vec<_> = tables.into_iter().map(|(table, latest)| Ok(latest.chunk(table))).collect();
        Ok((newest, stream::iter(chunks).boxed()))
    }

    /// Imports a snapshot archive in the place of what the deployment holds of its tables.
    pub(super) async fn import(&self, mut archive: Packed) -> Result<(), ServiceError> {
        let started = self.post("/api/import/start_upload", &json!({})).await?;
        let token = started["uploadToken"].as_str().unwrap_or_default().to_owned();
        let (mut part, mut tokens) = (Vec::with_capacity(PART), Vec::new());
        loop {
            let piece = archive.bytes.try_next().await.map_err(|error| ServiceError(error.to_string()))?;
            let ended = piece.is_none();
            part.extend_from_slice(&piece.unwrap_or_default());
            if part.len() >= PART || (ended && !part.is_empty()) {
                let query = [("uploadToken", token.clone()), ("partNumber", (tokens.len() + 1).to_string())];
                let asked = self.client.post(self.at("/api/import/upload_part")).query(&query);
                let body = Bytes::from(std::mem::replace(&mut part, Vec::with_capacity(PART)));
                tokens.push(value(self.send(asked.body(body)).await?).await?);
            }
            if ended {
                break;
            }
        }
        let import = json!({ "mode": "replace", "format": "zip" });
        let finish = json!({ "import": import, "uploadToken": token, "partTokens": tokens });
        let finished = self.post("/api/import/finish_upload", &finish).await?;
        self.see_through(finished["importId"].as_str().unwrap_or_default()).await
    }

    /// Confirms an import, and waits until it is done.
    async fn see_through(&self, import: &str) -> Result<(), ServiceError> {
        loop {
            let shown = self.query("_system/cli/queryImport", json!({ "importId": import })).await?;
            match shown["state"]["state"].as_str().unwrap_or_default() {
                "completed" => return Ok(()),
                "failed" => {
                    let why = shown["state"]["error_message"].as_str().unwrap_or("no reason given");
                    return Err(ServiceError(format!("the import failed: {}", why.replace('\n', " "))));
                }
                "waiting_for_confirmation" => {
                    self.post("/api/perform_import", &json!({ "importId": import })).await?;
                }
                "uploaded" | "in_progress" => self.clock.sleep(POLL).await,
                other => return Err(ServiceError(format!("the import is in no known state: {other}"))),
            }
        }
    }

    async fn tables(&self) -> Result<Vec<Arc<str>>, ServiceError> {
        let shown = self.query("_system/cli/tables", json!({})).await?;
        let names = shown["page"].as_array().ok_or_else(|| ServiceError("the deployment lists no tables".into()))?;
        Ok(names.iter().filter_map(|table| table["name"].as_str()).map(Arc::from).collect())
    }

    async fn query(&self, path: &str, args: Value) -> Result<Value, ServiceError> {
        let mut answer = self.post("/api/query", &json!({ "path": path, "args": [args] })).await?;
        match answer["status"].as_str() {
            Some("success") => Ok(answer["value"].take()),
            _ => Err(ServiceError(answer["errorMessage"].as_str().unwrap_or("the function failed").to_owned())),
        }
    }

    async fn page(&self, table: &str, snapshot: Option<i64>, cursor: Option<&str>) -> Result<Read, ServiceError> {
        let mut query = vec![("tableName", table.to_owned()), ("format", FORMAT.into())];
        query.extend(snapshot.map(|snapshot| ("snapshot", snapshot.to_string())));
        query.extend(cursor.map(|cursor| ("cursor", cursor.trim_matches('"').to_owned())));
        self.read_page(self.client.get(self.at("/api/list_snapshot")).query(&query)).await
    }

    async fn read_page(&self, asked: RequestBuilder) -> Result<Read, ServiceError> {
        let body = self.send(asked).await?.bytes().await.map_err(|error| broken(&error))?;
        self.lanes.run(move || read_page(&body)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, ServiceError> {
        value(self.send(self.client.post(self.at(path)).json(body)).await?).await
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address.url)
    }

    async fn send(&self, asked: RequestBuilder) -> Result<Response, ServiceError> {
        let answered = asked.header("authorization", format!("Convex {}", self.address.key)).send().await;
        let answer = answered.map_err(|error| {
            // No answer at all: the connection was refused, or one that stood open broke.
            self.link.count_refused();
            broken(&error)
        })?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let told: Value = answer.json().await.unwrap_or_default();
        let (code, message) = (told["code"].as_str(), told["message"].as_str());
        Err(ServiceError(match (code, message) {
            (Some("ServiceUnavailable"), Some(message)) => message.to_owned(),
            (Some(code), Some(message)) => format!("the deployment answers {status}: {code}: {message}"),
            _ => format!("the deployment answers {status}"),
        }))
    }
}

/// Changed documents of a table, each in its last form.
#[derive(Default)]
struct Latest {
    lines: Vec<Bytes>,
    places: HashMap<String, usize>,
}

impl Latest {
    fn take(&mut self, lines: &Bytes) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let id = row_id(line).unwrap_or_default().into_owned();
            let place = *self.places.entry(id).or_insert(self.lines.len());
            if place == self.lines.len() {
                self.lines.push(Bytes::new());
            }
            self.lines[place] = lines.slice_ref(line);
        }
    }

    fn chunk(self, table: Arc<str>) -> RowChunk {
        RowChunk { table, rows: self.lines.len() as u64, lines: self.lines.concat().into() }
    }
}

async fn value(answer: Response) -> Result<Value, ServiceError> {
    let body = answer.bytes().await.map_err(|error| broken(&error))?;
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body).map_err(|error| ServiceError(format!("the deployment's answer is no JSON: {error}")))
}

/// An error of the connection, without the address, which differs from run to run.
fn broken(error: &reqwest::Error) -> ServiceError {
    ServiceError(match error {
        error if error.is_connect() => "the deployment refuses connections".into(),
        error if error.is_timeout() => "the deployment does not answer".into(),
        _ => "the connection to the deployment broke".into(),
    })
}

fn received(receiver: mpsc::Receiver<Result<RowChunk, ServiceError>>) -> RowStream {
    stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) }).boxed()
}

/// Reads a page: each document in the table that it names.
fn read_page(body: &[u8]) -> Result<Read, ServiceError> {
    let unreadable = |why: String| ServiceError(format!("a page of the export cannot be read: {why}"));
    let page: PageAnswer<'_> = serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
    let mut chunks: Vec<RowChunk> = Vec::new();
    let mut lines = Vec::with_capacity(body.len());
    let (mut table, mut rows): (Option<Arc<str>>, u64) = (None, 0);
    let mut cut = |table: &Option<Arc<str>>, rows: &mut u64, lines: &mut Vec<u8>| {
        if let Some(table) = table.as_ref().filter(|_| *rows > 0) {
            let (rows, lines) = (std::mem::take(rows), std::mem::take(lines).into());
            chunks.push(RowChunk { table: Arc::clone(table), rows, lines });
        }
    };
    for document in page.values {
        let (name, fields) = split(document.get()).ok_or_else(|| unreadable("a document names no table".into()))?;
        if table.as_deref() != Some(&*name) {
            cut(&table, &mut rows, &mut lines);
            table = Some(name.as_ref().into());
        }
        lines.push(b'{');
        values::store(fields.as_bytes(), &mut lines).map_err(unreadable)?;
        lines.extend_from_slice(b"}\n");
        rows += 1;
    }
    cut(&table, &mut rows, &mut lines);
    let cursor = page.cursor.map(|cursor| cursor.get().to_owned()).filter(|cursor| cursor != "null");
    Ok(Read { chunks, snapshot: page.snapshot, cursor, has_more: page.has_more })
}

/// The table that a document names, and the document's own fields as they are spelled.
fn split(document: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    if let Some(rest) = document.strip_prefix(r#"{"_table":""#)
        && let Some((table, rest)) = rest.split_once(r#"","_ts":"#)
        && !table.contains(['"', '\\'])
    {
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let fields = rest.strip_suffix('}')?;
        return Some((table.into(), fields.strip_prefix(',').unwrap_or(fields).into()));
    }
    let members: Members<'_> = serde_json::from_str(document).ok()?;
    let table = members.0.iter().find(|(key, _)| key == "_table")?;
    let table: String = serde_json::from_str(table.1.get()).ok()?;
    let own = members.0.iter().filter(|(key, _)| !matches!(&**key, "_table" | "_ts" | "_component"));
    let fields: Vec<String> = own.map(|(key, value)| format!("{}:{value}", Value::from(&**key))).collect();
    Some((table.into(), fields.join(",").into()))
}

/// The members of an object in their order, values as they are spelled.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> serde::de::Visitor<'de> for Collect {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_whatever_the_order_of_its_fields() {
        let shown = |document: &str| split(document).map(|(table, fields)| (table.into_owned(), fields.into_owned()));
        let own = r#""_id":"a","n":{"$integer":"JAAAAAAAAAA="}"#;
        let expected = Some(("users".to_owned(), own.to_owned()));
        assert_eq!(shown(&format!(r#"{{"_table":"users","_ts":17,{own}}}"#)), expected);
        assert_eq!(shown(&format!(r#"{{"_component":"",{own},"_table":"users","_ts":17}}"#)), expected);
        assert_eq!(shown(r#"{"_table":"users","_ts":17}"#), Some(("users".to_owned(), String::new())));
        assert_eq!(shown(r#"{"_id":"a"}"#), None);
    }
}
