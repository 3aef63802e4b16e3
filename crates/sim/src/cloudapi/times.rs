//! Times as the server reads and writes them.

use vmpool_model::Timestamp;

/// Writes a time as the bodies of answers have it: `2026-11-21T08:36:16.360Z`.
pub(super) fn written(at: Timestamp) -> String {
    formatted(at, "%Y-%m-%dT%H:%M:%S.%3fZ")
}

/// Writes a time as the name of a snapshot: `20261121T083616Z`.
pub(super) fn compact(at: Timestamp) -> String {
    formatted(at, "%Y%m%dT%H%M%SZ")
}

/// Writes a time as the headers of HTTP have it: `Sat, 21 Nov 2026 08:36:16 GMT`.
pub(super) fn http_date(at: Timestamp) -> String {
    formatted(at, "%a, %d %b %Y %H:%M:%S GMT")
}

/// Reads a time as the headers of HTTP have it.
pub(super) fn from_http(text: &str) -> Option<Timestamp> {
    let time = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Some(Timestamp::from_millis(time.timestamp().as_millisecond()))
}

fn formatted(at: Timestamp, format: &str) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(time) => time.strftime(format).to_string(),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_server_does() {
        let at = Timestamp::from_millis(1_795_250_176_360);
        assert_eq!(written(at), "2026-11-21T08:36:16.360Z");
        assert_eq!(compact(at), "20261121T083616Z");
        assert_eq!(http_date(at), "Sat, 21 Nov 2026 08:36:16 GMT");
        assert_eq!(from_http(&http_date(at)), Some(Timestamp::from_millis(1_795_250_176_000)));
        assert_eq!(from_http("yesterday"), None);
    }
}
