//! A request as it came, and what is asked in it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::reply::{Refusal, refuse};

/// The longest body that is read, in bytes.
const LONGEST: usize = 100_000;

/// A request to a simulated CloudAPI, as if it had come over a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimRequest {
    /// The method, in upper case.
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// The headers, by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl SimRequest {
    /// Makes a request without headers and body; `target` is path and query.
    #[must_use]
    pub fn new(method: impl Into<String>, target: impl Into<String>) -> Self {
        Self { method: method.into(), target: target.into(), headers: BTreeMap::new(), body: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.into());
        self
    }

    /// Adds a body.
    #[must_use]
    pub fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Returns whether the request can change nothing.
    pub(super) fn is_read(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    /// Returns the path, as it was sent.
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns the parts of the path.
    pub(super) fn segments(&self) -> Vec<String> {
        self.path().split('/').skip(1).map(|part| unescape(part, false)).collect()
    }

    /// Returns the pairs of the query, in their order.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        match self.target.split_once('?') {
            None => Vec::new(),
            Some((_, query)) => pairs(query),
        }
    }

    /// Returns the value of a key in the query.
    pub(super) fn asked(&self, key: &str) -> Option<String> {
        self.query().into_iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Returns all parameters: those of the query, and those of the body, which win.
    ///
    /// A body of a kind that is not known is not read.
    pub(super) fn parameters(&self) -> Result<Map<String, Value>, Refusal> {
        if LONGEST < self.body.len() {
            return refuse(
                413,
                "PayloadTooLargeError",
                format!("Request body size exceeds {LONGEST}").as_str(),
            );
        }
        let mut all: Map<String, Value> =
            self.query().into_iter().map(|(key, value)| (key, Value::String(value))).collect();
        let kind = self.header("content-type").unwrap_or_default();
        match kind.split(';').next().unwrap_or_default().trim() {
            "application/json" if !self.body.is_empty() => {
                match serde_json::from_slice::<Value>(&self.body) {
                    Ok(Value::Object(body)) => all.extend(body),
                    Ok(_) => {}
                    Err(err) => {
                        let why = match err.is_eof() {
                            true => "Unexpected end of JSON input".to_owned(),
                            false => err.to_string(),
                        };
                        return refuse(400, "InvalidContent", format!("Invalid JSON: {why}").as_str());
                    }
                }
            }
            "application/x-www-form-urlencoded" => {
                let body = String::from_utf8_lossy(&self.body);
                all.extend(pairs(&body).into_iter().map(|(key, value)| (key, Value::String(value))));
            }
            _ => {}
        }
        Ok(all)
    }
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescape(key, true), unescape(value, true))
    };
    text.split('&').filter(|text| !text.is_empty()).map(pair).collect()
}

/// Returns a text with its escapes replaced; a `+` of a query is a space.
fn unescape(text: &str, in_query: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) if in_query => {
                bytes.push(b' ');
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Escapes a text as JavaScript's `encodeURIComponent` does.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => escaped.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_wins_over_the_query_and_an_unknown_kind_is_not_read() {
        let request =
            SimRequest::new("POST", "/my/machines/x?action=stop&a=1+2%2B3").with_body("action=start");
        assert_eq!(request.parameters().unwrap()["action"], "stop");
        let form = request.with_header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
        let all = form.parameters().unwrap();
        assert_eq!((&all["action"], &all["a"]), (&"start".into(), &"1 2+3".into()));
        let json =
            form.with_header("content-type", "application/json").with_body(r#"{"action": "reboot", "n": 1}"#);
        assert_eq!(
            (&json.parameters().unwrap()["action"], &json.parameters().unwrap()["n"]),
            (&"reboot".into(), &1.into())
        );
        assert!(json.with_body("{").parameters().is_err());
    }
}
