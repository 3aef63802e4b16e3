//! One call: a path, a query, a body, and what comes back.

use serde::de::DeserializeOwned;
use serde_json::Value;
use vmpool_http::{Answer, Method, Request, format_http_date};
use vmpool_model::{Certainty, FailureKind, Timestamp};

use super::{CloudApiError, DataCenter};
use crate::sign::{Component, authorization};

/// What every signature covers, as the tools of Triton have it.
const SIGNED: [Component; 2] = [Component::RequestTarget, Component::Date];

/// A call before it is sent; its path is below the account's.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
    role_tags: Vec<String>,
}

impl Call {
    /// Asks for something below the account; each segment is escaped.
    pub(crate) fn new(method: Method, segments: &[&str]) -> Self {
        let path = segments.iter().map(|segment| format!("/{}", escape(segment))).collect();
        Self { method, path, query: Vec::new(), body: None, role_tags: Vec::new() }
    }

    pub(crate) fn with_query(mut self, key: &str, value: impl Into<String>) -> Self {
        self.query.push((key.to_owned(), value.into()));
        self
    }

    pub(crate) fn with_body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Tags what the call makes with roles.
    pub(crate) fn with_role_tags(self, role_tags: &[String]) -> Self {
        Self { role_tags: role_tags.to_vec(), ..self }
    }

    /// Returns path and query below an account.
    fn target(&self, account: &str, roles: &[String]) -> String {
        let roles = (!roles.is_empty()).then(|| ("as-role".to_owned(), roles.join(",")));
        let pairs: Vec<String> = self
            .query
            .iter()
            .chain(&roles)
            .map(|(key, value)| format!("{}={}", escape(key), escape(value)))
            .collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("/{}{}{mark}{}", escape(account), self.path, pairs.join("&"))
    }
}

impl DataCenter {
    /// Sends a call once and returns the answer, if its status is one of success.
    pub(crate) async fn answer(&self, call: Call) -> Result<Answer, CloudApiError> {
        self.answer_also(call, None).await
    }

    /// Sends a call once and returns the answer, if its status is one of success or the given one.
    pub(crate) async fn answer_also(&self, call: Call, also: Option<u16>) -> Result<Answer, CloudApiError> {
        let shown = self.shown(&call);
        let now = self.now();
        let request = self.signed(&call, now).await?;
        let answer =
            self.http().send(request).await.map_err(|err| CloudApiError::transport(shown.clone(), &err))?;
        match answer.is_success() || also == Some(answer.status) {
            true => Ok(answer),
            false => Err(CloudApiError::refused(shown, &answer, now)),
        }
    }

    /// Makes the request of a call, signed at a time.
    pub(super) async fn signed(&self, call: &Call, now: Timestamp) -> Result<Request, CloudApiError> {
        let target = call.target(self.account(), &self.config().roles);
        let shown = self.shown(call);
        let url = format!("{}{target}", self.base());
        let invalid = |reason: String| {
            CloudApiError::new(shown.clone(), FailureKind::InvalidRequest, Certainty::NotApplied, reason)
        };
        let date = format_http_date(now);
        let request = Request::new(call.method, &url).map_err(|err| invalid(err.to_string()))?;
        let target = request.target();
        let signature =
            authorization(self.signer(), self.key_id(), &SIGNED, (call.method, &target, &date)).await;
        let signature = signature.map_err(|err| CloudApiError::key(shown.clone(), &err))?;
        let mut request = request
            .with_header("accept", "application/json")
            .with_header("accept-version", &self.config().accept_version)
            .with_header("date", date)
            .with_header("authorization", signature);
        if !call.role_tags.is_empty() {
            request = request.with_header("role-tag", call.role_tags.join(","));
        }
        if let Some(body) = &call.body {
            request = request.with_header("content-type", "application/json").with_body(body.to_string());
        } else if matches!(call.method, Method::Post | Method::Put) {
            // Without a length some proxies refuse a POST.
            request = request.with_header("content-length", "0");
        }
        Ok(request)
    }

    /// Sends a call once and decodes the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, CloudApiError> {
        let shown = self.shown(&call);
        let answer = self.answer(call).await?;
        decode(shown, &answer)
    }

    /// Sends a call once of which only the success matters.
    pub(crate) async fn order(&self, call: Call) -> Result<(), CloudApiError> {
        self.answer(call).await.map(drop)
    }

    /// Returns a call as errors show it: without the values of its query.
    pub(crate) fn shown(&self, call: &Call) -> String {
        let keys: Vec<&str> = call.query.iter().map(|(key, _)| key.as_str()).collect();
        let mark = if keys.is_empty() { "" } else { "?" };
        format!("{} /{}{}{mark}{}", call.method, self.account(), call.path, keys.join("&"))
    }
}

/// Decodes the body of an answer.
pub(crate) fn decode<T: DeserializeOwned>(shown: String, answer: &Answer) -> Result<T, CloudApiError> {
    serde_json::from_slice(&answer.body).map_err(|err| CloudApiError::undecodable(shown, answer.status, &err))
}

/// Escapes a text for a path or a query, as JavaScript's `encodeURIComponent` does.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => escaped.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    // A dot alone would be taken for a step in the path.
    match escaped.as_str() {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => escaped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_values_are_escaped_as_other_clients_do() {
        let call = Call::new(Method::Get, &["keys", "52:f6/x"]).with_query("tag.a", "b c*(d)é");
        assert_eq!(call.target("my", &[]), "/my/keys/52%3Af6%2Fx?tag.a=b%20c*(d)%C3%A9");
    }

    #[test]
    fn roles_are_part_of_the_query() {
        let call = Call::new(Method::Get, &["machines"]).with_query("limit", "1");
        let roles = ["ops".to_owned(), "dev".to_owned()];
        assert_eq!(call.target("my", &roles), "/my/machines?limit=1&as-role=ops%2Cdev");
    }
}
