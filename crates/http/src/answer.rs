//! What a server answered.

use std::fmt;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use vmpool_model::Timestamp;

use crate::{Classified, classify, parse_http_date};

/// What a server answered, whatever the status; its `Debug` shows neither headers nor the body.
#[derive(Clone)]
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    headers: HeaderMap,
    /// The body; empty if there is none.
    pub body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Bytes) -> Self {
        Self { status, headers, body }
    }

    /// Makes an answer that nobody sent, for tests; headers that cannot be any are left out.
    #[doc(hidden)]
    #[must_use]
    pub fn made_up(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Self {
        let pair = |(name, value): &(&'static str, &str)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
        };
        Self::new(status, headers.iter().filter_map(pair).collect(), Bytes::copy_from_slice(body))
    }

    /// Returns the value of a header, if there is one that is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns whether the status is one of success, 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the time by the server's clock, if it tells.
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        self.header("date").and_then(parse_http_date)
    }

    /// Returns what the status means, or nothing if it is one of success.
    #[must_use]
    pub fn classify(&self) -> Option<Classified> {
        classify(self.status, self.header("retry-after"), self.date())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}, {} bytes", self.status, self.body.len())
    }
}
