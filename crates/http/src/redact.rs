//! What may be shown of requests and answers.

use reqwest::Url;

/// How much of a foreign text an error shows.
const EXCERPT: usize = 200;

/// Returns an address without user, password, fragment and the values of its query.
pub(crate) fn url(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query: Vec<String> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((key, _)) => format!("{key}=…"),
            None => pair.to_owned(),
        })
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let host = url.host_str().unwrap_or_default();
    format!("{}://{host}{port}{}{mark}{}", url.scheme(), url.path(), query.join("&"))
}

/// Returns a text that is no address, without what stands before an `@` or behind a `?`.
pub(crate) fn url_text(text: &str) -> String {
    let text = text.split('?').next().unwrap_or_default();
    let text: String = match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        (_, None) => text.to_owned(),
    };
    text.chars().take(EXCERPT).collect()
}

/// Returns the beginning of a text that a server sent and that is not what was expected, on one line, fit for an error.
///
/// Of an HTML page it is the title. Control characters become spaces.
///
/// ```
/// let page = b"<html><head><title>502 Bad\nGateway</title></head><body>...";
/// assert_eq!(vmpool_http::excerpt(page), "502 Bad Gateway");
/// assert_eq!(vmpool_http::excerpt(b"{\"a\":\n1}"), "{\"a\": 1}");
/// ```
#[must_use]
pub fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4096)]);
    let text = title(&text).unwrap_or(&text);
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(EXCERPT).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

fn title(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let length = lower.get(start..)?.find("</title>")?;
    text.get(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_has_no_control_characters() {
        let shown = excerpt(format!("a\u{1b}[31m\n{}", "ä".repeat(1000)).as_bytes());
        assert!(shown.starts_with("a [31m ä") && shown.ends_with("ä…"), "{shown}");
        assert_eq!(shown.chars().count(), 201);
    }

    #[test]
    fn a_body_that_is_no_text_is_no_reason_to_fail() {
        assert_eq!(excerpt(&[0xff, 0x00, b'a']), "\u{fffd} a");
        assert_eq!(excerpt(b""), "");
    }

    #[test]
    fn an_unfinished_title_is_shown_as_it_is() {
        assert_eq!(excerpt(b"<title>half"), "<title>half");
    }
}
