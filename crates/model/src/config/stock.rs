//! How many VMs a pool keeps ready beyond a constant.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::duration_text;

/// Keeps as many VMs ready as are likely to be asked for while a new one boots.
///
/// The rate of requests and the time that VMs take to become ready are measured, both as averages that forget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct DemandConfig {
    /// With which probability the VMs kept ready are to suffice, above 0 and below 1. Default: 0.95.
    pub quantile: f64,
    /// After how long what was measured counts half. Default: 10 min.
    #[serde(with = "duration_text")]
    pub half_life: Duration,
    /// How many VMs are kept ready at most, above 0 and at most `max_total`. Default: as many as `max_total` allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ready: Option<u32>,
}

impl Default for DemandConfig {
    fn default() -> Self {
        Self { quantile: 0.95, half_life: Duration::from_secs(600), max_ready: None }
    }
}

/// A time of the week at which more VMs are kept ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ScheduleConfig {
    /// The days on which it begins; all if empty. Default: all.
    #[serde(default)]
    pub days: Vec<Day>,
    /// When it begins, such as `07:30`, in UTC.
    pub from: TimeOfDay,
    /// When it ends, in UTC; before `from` means on the next day.
    pub to: TimeOfDay,
    /// How many VMs are kept ready then, if that is more than `min_ready`.
    pub min_ready: u32,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    /// Returns the day's text in a configuration, such as `mon`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

/// A time of day, such as `07:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    minutes: u16,
}

impl TimeOfDay {
    /// Returns the minutes since midnight.
    #[must_use]
    pub fn minutes(self) -> u16 {
        self.minutes
    }
}

/// Says that a text is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time of day: write hours and minutes, such as 07:30")]
pub struct InvalidTimeOfDay(String);

impl TryFrom<String> for TimeOfDay {
    type Error = InvalidTimeOfDay;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = |part: &str| match part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()) {
            true => part.parse::<u16>().ok(),
            false => None,
        };
        let parts = text.split_once(':').and_then(|(hours, minutes)| digits(hours).zip(digits(minutes)));
        match parts {
            Some((hours, minutes)) if hours < 24 && minutes < 60 => {
                Ok(Self { minutes: hours * 60 + minutes })
            }
            _ => Err(InvalidTimeOfDay(text.chars().take(80).collect())),
        }
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        format!("{:02}:{:02}", time.minutes / 60, time.minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Result<TimeOfDay, InvalidTimeOfDay> {
        TimeOfDay::try_from(text.to_owned())
    }

    #[test]
    fn a_time_of_day_survives_its_text() {
        assert_eq!(time("07:30").map(TimeOfDay::minutes), Ok(450));
        assert_eq!(time("23:59").map(String::from).as_deref(), Ok("23:59"));
    }

    #[test]
    fn a_day_is_told_as_it_is_written() {
        for day in [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun] {
            assert_eq!(serde_json::to_value(day).unwrap(), day.as_str());
        }
    }

    #[test]
    fn what_no_clock_shows_is_refused() {
        for text in ["24:00", "07:60", "7:30", "0730", "+7:30", ""] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
