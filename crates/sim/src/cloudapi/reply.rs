//! What is answered.

use serde_json::{Value, json};

/// An answer of a simulated CloudAPI.
#[derive(Debug, Clone, PartialEq)]
pub struct SimReply {
    /// The status of HTTP.
    pub status: u16,
    /// The headers that this answer has beyond those of all.
    pub headers: Vec<(&'static str, String)>,
    /// The body, if there is one.
    pub body: Option<Value>,
    /// Whether the server got so far that it chose a version of its API.
    pub(super) has_version: bool,
}

/// An answer that says no.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Box<SimReply>);

/// What a call is answered with.
pub(super) type Answer = Result<SimReply, Refusal>;

impl SimReply {
    fn new(status: u16, body: Option<Value>) -> Self {
        Self { status, headers: Vec::new(), body, has_version: true }
    }

    /// Says something.
    pub(super) fn ok(body: Value) -> Self {
        Self::new(200, Some(body))
    }

    /// Shows what was made, and where it is.
    pub(super) fn created(body: Value, location: String) -> Self {
        Self::new(201, Some(body)).with_header("location", location)
    }

    /// Says nothing but a status.
    pub(super) fn empty(status: u16) -> Self {
        Self::new(status, None)
    }

    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Returns a header that this answer has beyond those of all.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }
}

impl Refusal {
    /// Says no in the server's usual form.
    pub(super) fn new(status: u16, code: &str, message: &str) -> Self {
        Self(Box::new(SimReply::new(status, Some(json!({"code": code, "message": message})))))
    }

    /// Says no as the server does when it came to grief, without a code.
    pub(super) fn grief(message: &str) -> Self {
        Self(Box::new(SimReply::new(500, Some(json!({"message": message})))))
    }

    /// Says no because of the wrong value of a field.
    pub(super) fn field(message: &str, field: &str, code: &str, why: &str) -> Self {
        let errors = json!([{"field": field, "code": code, "message": why}]);
        let body = json!({"code": "ValidationFailed", "message": message, "errors": errors});
        Self(Box::new(SimReply::new(409, Some(body))))
    }

    /// Says no by showing something, as for a machine that is gone.
    pub(super) fn shown(status: u16, body: Value) -> Self {
        Self(Box::new(SimReply::new(status, Some(body))))
    }

    /// Says no before the server chose a version.
    pub(super) fn early(mut self) -> Self {
        self.0.has_version = false;
        self
    }

    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }
}

/// Says no.
pub(super) fn refuse<T>(status: u16, code: &str, message: &str) -> Result<T, Refusal> {
    Err(Refusal::new(status, code, message))
}

/// Says that something is not there.
pub(super) fn missing<T>(message: &str) -> Result<T, Refusal> {
    refuse(404, "ResourceNotFound", message)
}

/// Says that an argument is wrong.
pub(super) fn invalid<T>(message: &str) -> Result<T, Refusal> {
    refuse(409, "InvalidArgument", message)
}
