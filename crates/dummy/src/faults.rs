//! What can go wrong in a dummy cloud, by chance or by script.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use vmpool_model::FailureKind;

/// What goes wrong by chance; each field but `death_rate` is a probability from 0 to 1, and 0 by default.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FaultConfig {
    /// That a create is refused cleanly, as by a cloud without room.
    #[serde(deserialize_with = "probability")]
    pub fail_create: f64,
    /// That a change is made, but its answer is lost: the caller sees a time-out.
    #[serde(deserialize_with = "probability")]
    pub lost_answers: f64,
    /// That a change is not made, and the caller sees a time-out, as if the answer had been lost.
    #[serde(deserialize_with = "probability")]
    pub lost_requests: f64,
    /// That a create leaves half a node: one in error and a failed call, or one that runs without an
    /// address, at equal odds.
    #[serde(deserialize_with = "probability")]
    pub half_done_creates: f64,
    /// That a node that was created ends in error instead of running.
    #[serde(deserialize_with = "probability")]
    pub boot_failure: f64,
    /// That a listing lacks a random part of the nodes, and says that it is partial.
    #[serde(deserialize_with = "probability")]
    pub partial_listings: f64,
    /// That a listing shows what the listing before it showed, and calls itself complete.
    #[serde(deserialize_with = "probability")]
    pub stale_listings: f64,
    /// That a hint never comes.
    #[serde(deserialize_with = "probability")]
    pub lost_hints: f64,
    /// That a hint comes only with the one after it.
    #[serde(deserialize_with = "probability")]
    pub late_hints: f64,
    /// That a hint comes twice.
    #[serde(deserialize_with = "probability")]
    pub doubled_hints: f64,
    /// That after a hint one comes that names a node which does not exist.
    #[serde(deserialize_with = "probability")]
    pub false_hints: f64,
    /// That the stream of hints ends after a hint.
    #[serde(deserialize_with = "probability")]
    pub broken_hints: f64,
    /// How often an hour a node dies, that is, goes to error; 0.5 lets it live two hours on average.
    #[serde(deserialize_with = "rate")]
    pub death_rate: f64,
}

/// A fault that the next call of an operation meets, see [`DummyCloud::fail_next`](crate::DummyCloud::fail_next).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The call is refused with this kind of failure and has no effect.
    Refuse(FailureKind),
    /// The call has no effect, and the caller cannot know that: it sees a time-out.
    LostRequest,
    /// The call has its effect, and the caller cannot know that: it sees a time-out.
    LostAnswer,
    /// The call has no effect and is never answered.
    Hang,
    /// The node that is created is in error at once, and the call fails with an unclear answer; a call that
    /// creates nothing is refused.
    HalfDone,
    /// The node that is created runs in the end, but never has an address.
    NoAddress,
    /// The node that is created ends in error instead of running.
    BootFailure,
    /// The listing lacks a random part of the nodes and says so.
    PartialListing,
    /// The listing lacks all nodes and says that it is partial.
    EmptyListing,
}

fn probability<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    match (0.0..=1.0).contains(&value) {
        true => Ok(value),
        false => Err(D::Error::custom(format!("{value} is not a probability: 0 to 1 is expected"))),
    }
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    match value.is_finite() && 0.0 <= value {
        true => Ok(value),
        false => Err(D::Error::custom(format!("{value} is not a rate: a number not below 0 is expected"))),
    }
}
