//! A request before it is sent.

use std::fmt;

use bytes::Bytes;
use reqwest::Url;

use crate::{InvalidUrl, redact};

/// The methods of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Asks for something.
    Get,
    /// Asks for the headers of something.
    Head,
    /// Changes something, or makes something new.
    Post,
    /// Replaces something.
    Put,
    /// Removes something.
    Delete,
}

impl Method {
    /// Returns the method as it is sent, such as `GET`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// Returns whether the method changes nothing.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A request before it is sent; its `Debug` shows neither headers, nor the values of the query, nor the body.
///
/// ```
/// use vmpool_http::{Method, Request};
/// let request = Request::new(Method::Get, "http://127.0.0.1:8080/my/machines?limit=1")?;
/// assert_eq!(request.target(), "/my/machines?limit=1");
/// # Ok::<(), vmpool_http::InvalidUrl>(())
/// ```
#[derive(Clone)]
pub struct Request {
    method: Method,
    url: Url,
    headers: Vec<(&'static str, String)>,
    body: Option<Bytes>,
}

impl Request {
    /// Makes a request without headers and body.
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`] if the text is no `http` or `https` address with a host.
    pub fn new(method: Method, url: &str) -> Result<Self, InvalidUrl> {
        let invalid = |reason: String| InvalidUrl { url: redact::url_text(url), reason };
        let url = Url::parse(url).map_err(|err| invalid(err.to_string()))?;
        match (url.scheme(), url.has_host()) {
            ("http" | "https", true) => Ok(Self { method, url, headers: Vec::new(), body: None }),
            _ => Err(invalid("it does not begin with http:// or https:// and a host".to_owned())),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(self, body: impl Into<Bytes>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// Returns path and query exactly as they are sent; what a signature has to cover.
    #[must_use]
    pub fn target(&self) -> String {
        match self.url.query() {
            None => self.url.path().to_owned(),
            Some(query) => format!("{}?{query}", self.url.path()),
        }
    }

    /// Returns the value of a header, if the request has it.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the body, if there is one.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }

    /// Returns the address without what may be secret in it.
    pub(crate) fn shown(&self) -> String {
        redact::url(&self.url)
    }

    pub(crate) fn into_parts(self) -> (Method, Url, Vec<(&'static str, String)>, Option<Bytes>) {
        (self.method, self.url, self.headers, self.body)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_shows_no_header_no_body_and_no_value_of_its_query() {
        let request =
            Request::new(Method::Post, "https://me:hunter2@cloud.example/a?signature=hunter2&limit")
                .unwrap()
                .with_header("authorization", "hunter2")
                .with_body("hunter2");
        assert_eq!(format!("{request:?}"), "POST https://cloud.example/a?signature=…&limit");
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_showing_its_password() {
        let shown = Request::new(Method::Get, "ftp://me:hunter2@cloud.example/").unwrap_err().to_string();
        assert!(shown.contains("ftp://") && !shown.contains("hunter2"), "{shown}");
        let shown = Request::new(Method::Get, "me:hunter2@cloud").unwrap_err().to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn the_target_is_escaped_as_it_is_sent() {
        let request = Request::new(Method::Get, "http://a/my/machines?tag.a=b c&name=ä").unwrap();
        assert_eq!(request.target(), "/my/machines?tag.a=b%20c&name=%C3%A4");
    }
}
