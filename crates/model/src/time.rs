//! Points in time as milliseconds, and durations as text.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// It is an argument everywhere in this crate and in the engine: neither reads a clock.
/// As text, and so in records and JSON, it is RFC 3339 in UTC.
///
/// ```
/// use std::time::Duration;
/// use vmpool_model::Timestamp;
/// let start = Timestamp::from_millis(1_000);
/// assert_eq!((start + Duration::from_secs(2)).to_string(), "1970-01-01T00:00:03Z");
/// assert_eq!(start.since(start + Duration::from_secs(2)), Duration::ZERO);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Makes a timestamp of milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns how long `self` is after `earlier`, and zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    /// Adds a duration; the far future is the limit, never an overflow.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => f.pad(&time.to_string()),
            // Out of the calendar's range: a number is still better than nothing.
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(millis) = text.strip_suffix("ms").and_then(|digits| digits.parse().ok()) {
            return Ok(Self(millis));
        }
        match text.parse::<jiff::Timestamp>() {
            Ok(time) => Ok(Self(time.as_millisecond())),
            Err(_) => {
                Err(InvalidTime::new(text, "a time", "write it in RFC 3339, such as 2026-01-31T12:00:00Z"))
            }
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Says why a text is not a time or a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {wanted}: {reason}")]
pub struct InvalidTime {
    text: String,
    wanted: &'static str,
    reason: &'static str,
}

impl InvalidTime {
    fn new(text: &str, wanted: &'static str, reason: &'static str) -> Self {
        Self { text: text.chars().take(80).collect(), wanted, reason }
    }
}

/// Parses a duration such as `500ms`, `60s`, `10m`, `1h30m` or `0s`.
///
/// # Errors
///
/// [`InvalidTime`] if the text is no duration, has no unit, or is negative.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(vmpool_model::parse_duration("1m30s")?, Duration::from_secs(90));
/// assert!(vmpool_model::parse_duration("90").is_err());
/// # Ok::<(), vmpool_model::InvalidTime>(())
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, InvalidTime> {
    let invalid = |reason| InvalidTime::new(text, "a duration", reason);
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| {
        invalid("write numbers with units up to hours, such as 500ms, 60s, 10m, 1h30m or 48h")
    })?;
    Duration::try_from(parsed).map_err(|_| invalid("it is negative"))
}

/// Formats a duration as [`parse_duration`] reads it.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    match jiff::SignedDuration::try_from(duration) {
        Ok(signed) => format!("{signed:#}").replace(' ', ""),
        Err(_) => format!("{}s", duration.as_secs()),
    }
}

/// Serializes a [`Duration`] as text such as `10m`; for `#[serde(with = "duration_text")]`.
pub mod duration_text {
    use super::{Deserialize, Deserializer, Duration, Serializer, format_duration, parse_duration};
    use serde::de::Error as _;

    /// Writes the duration as text.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_duration(*duration))
    }

    /// Reads a duration from text.
    ///
    /// # Errors
    ///
    /// If the text is not a duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        parse_duration(&text).map_err(D::Error::custom)
    }
}

/// Serializes an optional [`Duration`] as text; for `#[serde(with = "optional_duration_text", default)]`.
pub mod optional_duration_text {
    use super::{Deserializer, Duration, Serializer, duration_text};

    /// Writes the duration as text, or nothing.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => duration_text::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a duration from text.
    ///
    /// # Errors
    ///
    /// If the text is not a duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        duration_text::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_its_text() {
        let time = Timestamp::from_millis(1_700_000_000_123);
        assert_eq!(time.to_string(), "2023-11-14T22:13:20.123Z");
        assert_eq!(time.to_string().parse(), Ok(time));
    }

    #[test]
    fn a_time_beyond_the_calendar_survives_its_text() {
        let time = Timestamp::from_millis(i64::MAX);
        assert_eq!(time.to_string().parse(), Ok(time));
    }

    #[test]
    fn a_duration_survives_its_text() {
        for text in ["500ms", "1m30s", "10m", "1h", "0s"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn a_duration_without_unit_or_below_zero_is_refused() {
        assert!(parse_duration("60").is_err());
        assert!(parse_duration("-5s").unwrap_err().to_string().contains("negative"));
    }

    #[test]
    fn what_is_no_duration_is_answered_with_examples() {
        for text in ["1 month", "60", "", "2d", "soon"] {
            assert_eq!(
                parse_duration(text).unwrap_err().to_string(),
                format!(
                    "{text:?} is not a duration: write numbers with units up to hours, such as 500ms, 60s, 10m, 1h30m \
                     or 48h"
                )
            );
        }
    }

    #[test]
    fn what_is_no_time_is_answered_with_an_example() {
        let err = "yesterday".parse::<Timestamp>().unwrap_err();
        assert_eq!(
            err.to_string(),
            "\"yesterday\" is not a time: write it in RFC 3339, such as 2026-01-31T12:00:00Z"
        );
    }

    #[test]
    fn adding_for_ever_ends_in_the_far_future() {
        assert_eq!(Timestamp::from_millis(1) + Duration::MAX, Timestamp::from_millis(i64::MAX));
    }
}
