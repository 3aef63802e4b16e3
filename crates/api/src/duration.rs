//! Durations as text such as `90s`, `10m` or `1h30m`, on the wire and on the command line.

use std::time::Duration;

/// Says why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a duration: {reason}")]
pub struct InvalidDuration {
    text: String,
    reason: &'static str,
}

/// Parses a duration.
///
/// # Errors
///
/// [`InvalidDuration`] if the text is no duration, has no unit, or is negative.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(vmpool_api::duration::parse("1m30s")?, Duration::from_secs(90));
/// assert!(vmpool_api::duration::parse("90").is_err());
/// # Ok::<(), vmpool_api::duration::InvalidDuration>(())
/// ```
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let invalid = |reason| InvalidDuration { text: text.chars().take(80).collect(), reason };
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| {
        invalid("write numbers with units up to hours, such as 500ms, 60s, 10m, 1h30m or 48h")
    })?;
    Duration::try_from(parsed).map_err(|_| invalid("it is negative"))
}

/// Formats a duration as [`parse`] reads it.
#[must_use]
pub fn format(duration: Duration) -> String {
    match jiff::SignedDuration::try_from(duration) {
        Ok(signed) => format!("{signed:#}").replace(' ', ""),
        Err(_) => format!("{}s", duration.as_secs()),
    }
}

/// Serializes a duration as text; for `#[serde(with = "text")]`.
pub(crate) mod text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        super::parse(&text).map_err(D::Error::custom)
    }
}

/// Serializes a duration that may be absent; for `#[serde(with = "option")]`.
pub(crate) mod option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => serializer.serialize_some(&super::format(*duration)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.map(|text| super::parse(&text)).transpose().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_survives_its_text() {
        for text in ["500ms", "1m30s", "10m", "1h", "0s"] {
            assert_eq!(format(parse(text).unwrap()), text);
        }
    }

    #[test]
    fn what_is_no_duration_is_answered_with_examples() {
        assert_eq!(
            parse("1 month").unwrap_err().to_string(),
            "\"1 month\" is not a duration: write numbers with units up to hours, such as 500ms, 60s, 10m, 1h30m or 48h"
        );
    }

    #[test]
    fn a_duration_without_unit_or_below_zero_is_refused() {
        assert!(parse("60").is_err());
        assert!(parse("-5s").unwrap_err().to_string().contains("negative"));
    }
}
