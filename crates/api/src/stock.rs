//! What the daemon tells about how many VMs a pool keeps ready.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::duration;

/// How many VMs a pool keeps ready at present, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stock {
    /// How many VMs are to be ready beside those that are taken: the largest of `min_ready`, `scheduled` and `likely`, as
    /// far as `max_total` allows.
    pub target: u32,
    /// Why so many, for people.
    pub why: String,
    /// How many `schedule` says at present; 0 if no entry holds.
    #[serde(default)]
    pub scheduled: u32,
    /// When an entry of `schedule` begins or ends next.
    #[serde(default)]
    pub changes_at: Option<Timestamp>,
    /// The times of the week at which more VMs are kept ready.
    #[serde(default)]
    pub schedule: Vec<Schedule>,
    /// How many VMs are likely to be asked for while one boots; absent if the pool does not look at demand, or no VM became
    /// ready since the start.
    #[serde(default)]
    pub likely: Option<u32>,
    /// How the pool looks at demand, if it does.
    #[serde(default)]
    pub demand: Option<Demand>,
    /// How many VMs are asked for per hour, as measured since the start: an average that forgets.
    #[serde(default)]
    pub arrivals_per_hour: f64,
    /// How long VMs take from being asked for to being ready, as measured since the start: an average that forgets. Absent
    /// until one became ready.
    #[serde(default, with = "duration::option")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub boot_time: Option<Duration>,
}

/// A time of the week at which more VMs are kept ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Schedule {
    /// The days on which it begins, such as `mon`; all if empty.
    #[serde(default)]
    pub days: Vec<String>,
    /// When it begins, such as `07:30`, in UTC.
    pub from: String,
    /// When it ends, in UTC; before `from` means on the next day.
    pub to: String,
    /// How many VMs are kept ready then.
    pub min_ready: u32,
}

/// How a pool looks at demand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Demand {
    /// With which probability the VMs kept ready are to suffice.
    pub quantile: f64,
    /// After how long what was measured counts half.
    #[serde(with = "duration::text")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub half_life: Duration,
    /// How many VMs are kept ready for demand at most, if there is a limit.
    #[serde(default)]
    pub max_ready: Option<u32>,
}
