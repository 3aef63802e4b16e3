//! Traces of requests, as a collector gets them.

use std::{
    io::{BufRead, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;
use vmpool_api::exit;
use vmpool_tests::{
    command::prepare,
    daemon::Daemon,
    wait::{DEADLINE, now},
};

use crate::support::{Place, Server, VMPOOL, assert_fails, text};

/// The trace of the caller, from the specification of W3C Trace Context.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A collector of traces: what it was sent, with the header `x-key` of the request.
struct Collector {
    url: String,
    spans: mpsc::Receiver<(String, Value)>,
    seen: Vec<Value>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, spans) = mpsc::channel();
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(connection);
                // One connection may bring many.
                while let Some((key, body)) = receive(&mut reader) {
                    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
                    for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap() {
                        let _ = sender.send((key.clone(), span.clone()));
                    }
                }
            }
        });
        Self { url, spans, seen: Vec::new() }
    }

    /// Waits for a span.
    fn wait_for(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let deadline = now() + DEADLINE;
        loop {
            if let Some(span) = self.seen.iter().find(|span| is_it(span)) {
                return span.clone();
            }
            let left = deadline.saturating_duration_since(now());
            let Ok((key, span)) = self.spans.recv_timeout(left.max(Duration::from_millis(1))) else {
                unreachable!("there is no span of {what}: {:#?}", self.seen);
            };
            assert_eq!(key, "hunter2");
            self.seen.push(span);
        }
    }
}

/// Reads a request: its header `x-key`, and its body.
fn receive(reader: &mut impl BufRead) -> Option<(String, Value)> {
    let (mut key, mut length) = (String::new(), 0);
    let mut first = String::new();
    if reader.read_line(&mut first).ok()? == 0 {
        return None;
    }
    assert!(first.starts_with("POST /v1/traces "), "{first}");
    for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        match line.split_once(": ") {
            Some(("x-key", value)) => value.clone_into(&mut key),
            Some(("content-length", value)) => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((key, serde_json::from_slice(&body).unwrap()))
}

fn attribute(span: &Value, key: &str) -> Option<String> {
    let found = span["attributes"].as_array()?.iter().find(|field| field["key"] == key)?;
    let value = found["value"].as_object()?.values().next()?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// Starts a daemon that is told about a collector.
fn traced(place: &Place, collector: &Collector) -> Server {
    let config = place.write("vmpool.toml", &place.setup(1).text());
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.clone()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=hunter2".to_owned()),
    ];
    let daemon = Daemon::start_with(Path::new(VMPOOL), &config, &place.path("daemon.log"), &environment);
    Server { daemon: daemon.unwrap() }
}

#[test]
fn a_request_is_traced_from_its_caller_over_the_commit_to_the_provider() {
    let place = Place::new();
    let mut collector = Collector::start();
    let server = traced(&place, &collector);
    let lease = text(&server.acquire(&[]), "id");
    let mut command = prepare(Path::new(VMPOOL), server.daemon.url(), &["release", &lease]);
    let ran = command.env("TRACEPARENT", format!("00-{TRACE}-{CALLER}-01")).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");

    let is_ours = |span: &Value| span["traceId"] == TRACE;
    let request = collector.wait_for("the release", |span| is_ours(span) && span["kind"] == 2);
    assert_eq!((request["parentSpanId"].as_str(), request["name"].as_str()), (Some(CALLER), Some("DELETE")));
    assert_eq!(attribute(&request, "http.response.status_code").as_deref(), Some("204"));
    assert!(attribute(&request, "url.path").unwrap().contains(&lease), "{request}");
    let below = |above: &Value| {
        let id = above["spanId"].clone();
        move |span: &Value| is_ours(span) && span["parentSpanId"] == id
    };
    let is_commit = below(&request);
    collector.wait_for("the commit", |span| is_commit(span) && span["name"] == "commit");
    let is_effect = below(&request);
    let effect = collector.wait_for("the effect", |span| is_effect(span) && span["name"] == "effect");
    assert_eq!(attribute(&effect, "what").as_deref(), Some("destroy"));
    let is_call = below(&effect);
    let call = collector.wait_for("the call to the provider", is_call);
    assert_eq!((call["name"].as_str(), call["kind"].as_u64()), (Some("destroy"), Some(3)));
    assert_eq!(attribute(&call, "provider").as_deref(), Some("cloud"));
    let nanos = |span: &Value, key: &str| span[key].as_str().unwrap().parse::<u128>().unwrap();
    for span in &collector.seen {
        assert!(nanos(span, "startTimeUnixNano") <= nanos(span, "endTimeUnixNano"), "{span}");
    }
    let log = server.daemon.logged();
    assert!(log.contains("requests are traced") && !log.contains("hunter2"), "{log}");
}

#[test]
fn a_trace_that_its_caller_does_not_record_is_not_exported_and_the_last_spans_are() {
    let place = Place::new();
    let mut collector = Collector::start();
    let server = traced(&place, &collector);
    let ask = |flags: &str, path: &str| {
        let mut command = prepare(Path::new(VMPOOL), server.daemon.url(), &["vm", "show", path]);
        let ran = command.env("TRACEPARENT", format!("00-{TRACE}-{CALLER}-{flags}")).output().unwrap();
        assert_eq!(ran.status.code(), Some(i32::from(exit::NOT_FOUND)), "{ran:?}");
    };
    ask("00", "unseen");
    ask("01", "seen");
    server.daemon.stop().unwrap();
    let is_of = |span: &Value, path: &str| attribute(span, "url.path").is_some_and(|it| it.ends_with(path));
    collector.wait_for("the second request", |span| is_of(span, "/seen"));
    assert!(!collector.seen.iter().any(|span| is_of(span, "/unseen")));
}

#[test]
fn variables_that_do_not_fit_are_named_and_a_collector_that_is_away_harms_nothing() {
    let place = Place::new();
    let config = place.write("vmpool.toml", &place.setup(1).text());
    let mut command = prepare(Path::new(VMPOOL), "", &["serve", "--config", config.to_str().unwrap()]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let ran = command.env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc").output().unwrap().into();
    assert_fails(&ran, exit::CONFIG, &["OTEL_EXPORTER_OTLP_PROTOCOL", "only http/json"]);

    let nobody = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1".to_owned())];
    let daemon = Daemon::start_with(Path::new(VMPOOL), &config, &place.path("daemon.log"), &nobody);
    let server = Server { daemon: daemon.unwrap() };
    server.acquire(&[]);
    assert_eq!(server.leases().len(), 1);
}

#[test]
fn a_line_of_the_log_about_a_request_has_its_id_and_who_asked() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    assert_eq!(server.run(&["token", "create", "ci", "--role", "user"]).code, Some(0));
    let log = server.daemon.logged();
    let line = log.lines().find(|line| line.contains("a token was made")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("request{id=\"r-") && line.contains("actor=\"uid:"), "{line}");
}
