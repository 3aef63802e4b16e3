//! A span while it lasts, and as OTLP has it in JSON.

use std::{
    fmt::Debug,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tracing::field::{Field, Visit};

use super::context::{Context, hex};

/// The field that says which trace a request belongs to that somebody else began.
pub(super) const TRACEPARENT: &str = "traceparent";

/// How many events of one span are told at most.
const EVENTS: usize = 32;

/// A span while it lasts.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) context: Context,
    pub(super) parent: Option<[u8; 8]>,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) began: u128,
    /// When it was left last: who waits for what it caused may keep it for longer.
    pub(super) left: Option<u128>,
    pub(super) fields: Fields,
    pub(super) error: Option<String>,
    pub(super) events: Vec<Value>,
}

/// Which side of a call a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
}

impl Recorded {
    /// Adds what happened in the span.
    pub(super) fn happened(&mut self, name: &str, fields: Fields) {
        if self.events.len() < EVENTS {
            let at = now().to_string();
            self.events.push(json!({"timeUnixNano": at, "name": name, "attributes": fields.0}));
        }
    }

    /// Returns the span as OTLP has it, once it has ended.
    pub(super) fn into_json(self) -> Value {
        let ended = self.left.unwrap_or_else(now).max(self.began);
        let status = match &self.error {
            Some(message) => json!({"code": 2, "message": message}),
            None => json!({}),
        };
        json!({
            "traceId": hex(&self.context.trace),
            "spanId": hex(&self.context.span),
            "parentSpanId": self.parent.map(|parent| hex(&parent)).unwrap_or_default(),
            "name": self.name,
            "kind": self.kind as u8,
            "startTimeUnixNano": self.began.to_string(),
            "endTimeUnixNano": ended.to_string(),
            "attributes": self.fields.0,
            "events": self.events,
            "status": status,
        })
    }
}

/// Returns the time in nanoseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "what traces tell is when things happen in the world; nothing is decided by it"
)]
pub(super) fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_nanos()).unwrap_or_default()
}

/// The fields of a span or an event, as attributes.
#[derive(Debug, Default)]
pub(super) struct Fields(pub(super) Vec<Value>);

impl Fields {
    pub(super) fn add(&mut self, key: &str, value: Value) {
        self.0.push(json!({"key": key, "value": value}));
    }

    /// Returns a text among the fields.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let field = self.0.iter().find(|field| field["key"] == key)?;
        field["value"]["stringValue"].as_str()
    }

    /// Returns a number among the fields.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        let field = self.0.iter().find(|field| field["key"] == key)?;
        field["value"]["intValue"].as_str()?.parse().ok()
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field.name(), json!({"stringValue": format!("{value:?}")}));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), json!({"stringValue": value}));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), json!({"boolValue": value}));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), json!({"intValue": value.to_string()}));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), json!({"intValue": value.to_string()}));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), json!({"doubleValue": value}));
    }
}
