//! Servers that break off, stall, lie or talk nonsense: none may pass for a region that did what it was asked.

use std::time::Duration;

use backdraft::{
    emulator::s3::gateway::Credentials,
    model::record::Way,
    sim::clock::Clock,
    store::{
        ByteStream, Patience, Store, StoreError,
        StoreErrorKind::{self, Corrupt, Cut, Nonsense, NotFound, Refused, ServerError, TimedOut},
        s3::S3Store,
    },
};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, method},
};

const DATE: &str = "Sun, 01 Mar 2026 03:00:00 GMT";

fn store_at(url: &str, patience: Patience) -> S3Store {
    let clock = Clock::new(Way::Real, "2026-03-01T03:00:00Z".parse().unwrap());
    let credentials = Credentials { access_key: "key".into(), secret_key: "secret".into() };
    S3Store::new("us-east-1", url, "backups", &credentials, &clock, patience)
}

/// Long enough for a machine that is busy: only what must time out does.
fn calm() -> Patience {
    Patience { attempts: 2, connect_ms: 10_000, read_ms: 10_000, attempt_ms: 10_000, backoff_ms: 1 }
}

fn body(size: usize) -> ByteStream {
    stream::iter([Ok(Bytes::from(vec![7; size]))]).boxed()
}

async fn read(store: &S3Store) -> Result<usize, StoreErrorKind> {
    let (_, body) = store.get("dump").await.map_err(kind)?;
    body.try_fold(0, |sum, piece| async move { Ok(sum + piece.len()) }).await.map_err(kind)
}

fn kind(error: StoreError) -> StoreErrorKind {
    error.kind
}

/// A server that answers every request with these bytes and then closes the connection, or keeps silent.
struct Raw {
    url: String,
    task: JoinHandle<()>,
}

impl Raw {
    async fn answering(answer: impl Into<String>, then_close: bool) -> Raw {
        let answer = answer.into();
        Raw::answering_each(move |_| answer.clone(), then_close).await
    }

    /// Answers by the head of the request.
    async fn answering_each(answer: impl Fn(&[u8]) -> String + Send + 'static, then_close: bool) -> Raw {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let mut silent = Vec::new();
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match connection.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => break, // the client has given up
                    }
                }
                let _ = connection.write_all(answer(&head).as_bytes()).await;
                if then_close {
                    let _ = connection.shutdown().await;
                } else {
                    silent.push(connection);
                }
            }
        });
        Raw { url, task }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn mock(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn xml(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(format!("<?xml version=\"1.0\"?>{body}"), "application/xml")
}

#[tokio::test]
async fn a_body_shorter_than_its_length_is_cut_and_never_complete() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nLast-Modified: {DATE}\r\n\r\n");
    let server = Raw::answering(format!("{head}only this much"), true).await;
    assert_eq!(read(&store_at(&server.url, calm())).await, Err(Cut));
}

#[tokio::test]
async fn a_body_that_stalls_times_out() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nLast-Modified: {DATE}\r\n\r\n");
    let server = Raw::answering(format!("{head}only this much"), false).await;
    assert_eq!(read(&store_at(&server.url, Patience { read_ms: 50, ..calm() })).await, Err(TimedOut));
}

#[tokio::test]
async fn a_body_without_its_length_is_held_to_the_size_that_the_very_object_has() {
    let whole = "e\r\nall that it is\r\n";
    let early = "4\r\nall \r\n";
    for (body, etag, end) in [(whole, "e", Ok(14)), (early, "e", Err(Cut)), (whole, "another", Err(Nonsense))] {
        let head = format!("HTTP/1.1 200 OK\r\nLast-Modified: {DATE}\r\nConnection: close\r\nETag: ");
        let (body, etag) = (body.to_owned(), etag.to_owned());
        let answer = move |request: &[u8]| match request.starts_with(b"HEAD") {
            true => format!("{head}\"{etag}\"\r\nContent-Length: 14\r\n\r\n"),
            false => format!("{head}\"e\"\r\nTransfer-Encoding: chunked\r\n\r\n{body}0\r\n\r\n"),
        };
        let server = Raw::answering_each(answer, true).await;
        assert_eq!(read(&store_at(&server.url, calm())).await, end);
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_not_understood() {
    let head = format!("HTTP/1.1 200 OK\r\nLast-Modified: {DATE}\r\nConnection: close\r\n\r\n");
    let server = Raw::answering(format!("{head}whole or not, who knows"), true).await;
    assert_eq!(read(&store_at(&server.url, calm())).await, Err(Nonsense));
}

#[tokio::test]
async fn a_server_that_never_answers_times_out_after_every_attempt() {
    let server = Raw::answering("", false).await;
    let store = store_at(&server.url, Patience { attempt_ms: 50, ..calm() });
    assert_eq!(store.head("dump").await.map_err(kind), Err(TimedOut));
    assert_eq!(store.put("dump", body(100)).await.map_err(kind), Err(TimedOut));
    assert_eq!(store.list("").await.map_err(kind), Err(TimedOut));
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_cut_and_nobody_there_is_refused() {
    let server = Raw::answering("", true).await;
    assert_eq!(read(&store_at(&server.url, calm())).await, Err(Cut));
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(read(&store_at(&format!("http://{gone}"), calm())).await, Err(Refused));
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_not_understood() {
    let server = Raw::answering("220 mail.example.com ESMTP\r\n\r\n", true).await;
    assert_eq!(read(&store_at(&server.url, calm())).await, Err(Nonsense));
}

#[tokio::test]
async fn a_body_with_another_checksum_than_stated_is_corrupt() {
    let answer = ResponseTemplate::new(200)
        .insert_header("Last-Modified", DATE)
        .insert_header("x-amz-checksum-crc32", "AAAAAA==")
        .set_body_bytes(vec![7; 1000]);
    let server = mock(answer).await;
    assert_eq!(read(&store_at(&server.uri(), calm())).await, Err(Corrupt));
}

#[tokio::test]
async fn a_listing_that_is_garbage_cut_short_or_an_error_is_never_an_empty_one() {
    let garbage = ["", "<html><body>Welcome!</body></html>", "<ListBucketResult><Contents><Key>a</K", "\u{0}\u{1}"];
    for garbage in garbage {
        let server = mock(xml(garbage)).await;
        assert_eq!(store_at(&server.uri(), calm()).list("").await.map_err(kind), Err(Nonsense), "{garbage:?}");
    }
    let server = mock(xml("<Error><Code>InternalError</Code><Message>sorry</Message></Error>")).await;
    assert_eq!(store_at(&server.uri(), calm()).list("").await.map_err(kind), Err(ServerError));
}

#[tokio::test]
async fn pages_that_go_in_circles_or_lead_nowhere_end() {
    let entry = "<Contents><Key>a</Key><Size>1</Size><LastModified>2026-03-01T03:00:00.000Z</LastModified></Contents>";
    let circle = "<IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>";
    for page in [format!("{entry}{circle}"), circle.to_owned(), format!("{entry}<IsTruncated>true</IsTruncated>")] {
        let server = mock(xml(&format!("<ListBucketResult><Name>backups</Name>{page}</ListBucketResult>"))).await;
        let clock = Clock::new(Way::Real, jiff::Timestamp::UNIX_EPOCH);
        let listed = clock.limit(Duration::from_secs(30), store_at(&server.uri(), calm()).list("")).await;
        assert_eq!(listed.unwrap().map_err(kind), Err(Nonsense), "{page}");
    }
}

#[tokio::test]
async fn a_redirect_without_end_is_not_followed() {
    let server = MockServer::start().await;
    let away = ResponseTemplate::new(307).insert_header("Location", server.uri());
    Mock::given(any()).respond_with(away).expect(2).mount(&server).await;
    let store = store_at(&server.uri(), calm());
    assert_eq!(read(&store).await, Err(Nonsense));
    assert_eq!(store.put("dump", body(10)).await.map_err(kind), Err(Nonsense));
}

#[tokio::test]
async fn a_put_that_is_answered_without_an_etag_was_not_acknowledged() {
    let server = mock(ResponseTemplate::new(200)).await;
    assert_eq!(store_at(&server.uri(), calm()).put("dump", body(10)).await.map_err(kind), Err(Nonsense));
    let server = mock(xml("<Error><Code>InternalError</Code></Error>")).await;
    assert_eq!(store_at(&server.uri(), calm()).put("dump", body(10)).await.map_err(kind), Err(ServerError));
}

#[tokio::test]
async fn an_upload_whose_completion_is_an_error_with_status_200_fails_and_is_aborted() {
    let server = MockServer::start().await;
    let created = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>";
    let failed = xml("<Error><Code>InternalError</Code><Message>sorry</Message></Error>");
    Mock::given(method("POST"))
        .and(wiremock::matchers::query_param_is_missing("uploadId"))
        .respond_with(xml(created))
        .mount(&server)
        .await;
    Mock::given(method("POST")).respond_with(failed).expect(2).mount(&server).await;
    Mock::given(method("PUT"))
        .respond_with(ResponseTemplate::new(200).insert_header("ETag", "\"e\""))
        .expect(2)
        .mount(&server)
        .await;
    Mock::given(method("DELETE")).respond_with(ResponseTemplate::new(204)).expect(1).mount(&server).await;
    let store = store_at(&server.uri(), calm());
    assert_eq!(store.put("dump", body((8 << 20) + 1)).await.map_err(kind), Err(ServerError));
}

#[tokio::test]
async fn a_head_without_an_object_tells_it_from_a_missing_bucket() {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::path("/backups/dump"))
        .respond_with(ResponseTemplate::new(404))
        .mount(&server)
        .await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    assert_eq!(store_at(&server.uri(), calm()).head("dump").await.map_err(kind), Err(NotFound));
    let nothing = mock(ResponseTemplate::new(404)).await;
    assert_eq!(store_at(&nothing.uri(), calm()).head("dump").await.map_err(kind), Err(StoreErrorKind::NoBucket));
}

#[tokio::test]
async fn a_deletion_refused_because_there_is_nothing_has_its_way() {
    let missing = ResponseTemplate::new(404).set_body_string("<Error><Code>NoSuchKey</Code></Error>");
    assert_eq!(store_at(&mock(missing).await.uri(), calm()).delete("dump").await, Ok(()));
}

#[tokio::test]
async fn a_key_that_s3_cannot_hold_is_an_error() {
    let store = store_at("http://127.0.0.1:9", calm());
    assert_eq!(store.head("").now_or_never().map(|head| head.map_err(kind)), Some(Err(Nonsense)));
}
