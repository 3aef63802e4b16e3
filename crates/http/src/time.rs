//! The two forms of time in headers: dates, and how long to wait.

use std::time::Duration;

use vmpool_model::Timestamp;

/// The longest wait that a server is believed to ask for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Writes a time as headers have it, such as `Sat, 21 Nov 2026 08:36:15 GMT`; fractions of a second are cut off.
///
/// ```
/// use vmpool_driver::model::Timestamp;
/// let time = Timestamp::from_millis(784_111_777_999);
/// assert_eq!(vmpool_http::format_http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
/// ```
#[must_use]
pub fn format_http_date(time: Timestamp) -> String {
    // A time that the calendar does not have becomes the epoch, which every server refuses.
    let time = jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or_default();
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap_or_default()
}

/// Reads the time in a header, such as `Sat, 21 Nov 2026 08:36:15 GMT`; nothing if it is no such time.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(Timestamp::from_millis(time.as_millisecond()))
}

/// Reads the value of `Retry-After`: a number of seconds, or a date, which counts from `date`, the time by the server's clock.
///
/// At most a day is believed; what cannot be read is nothing.
#[must_use]
pub fn retry_after(value: &str, date: Option<Timestamp>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(LONGEST));
    }
    let at = parse_http_date(value)?;
    Some(at.since(date?).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        let now = parse_http_date("Sat, 21 Nov 2026 08:36:15 GMT");
        assert_eq!(retry_after("120", None), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Sat, 21 Nov 2026 08:36:45 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sat, 21 Nov 2026 08:36:00 GMT", now), Some(Duration::ZERO));
    }

    #[test]
    fn a_date_says_nothing_without_the_time_of_the_server() {
        assert_eq!(retry_after("Sat, 21 Nov 2026 08:36:45 GMT", None), None);
    }

    #[test]
    fn nonsense_is_nothing_and_a_year_is_a_day() {
        let now = parse_http_date("Sat, 21 Nov 2026 08:36:15 GMT");
        for text in ["", "soon", "-5", "1.5", "Sat, 99 Nov 2026 08:36:45 GMT"] {
            assert_eq!(retry_after(text, now), None, "{text:?}");
        }
        assert_eq!(retry_after("31536000", now), Some(LONGEST));
        assert_eq!(retry_after("Sun, 21 Nov 2027 08:36:45 GMT", now), Some(LONGEST));
    }
}
