//! A layer that makes any driver fail, by script or by chance: [`FaultLayer`].

mod dice;
mod driver;
mod layer;

pub use self::{dice::FaultRates, layer::FaultLayer};

use vmpool_model::FailureKind;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The call is refused with a failure of this kind and has no effect.
    Refuse(FailureKind),
    /// The call has no effect; the caller sees a time-out and cannot know.
    LoseRequest,
    /// The call has its effect; the caller sees a time-out and cannot know.
    LoseAnswer,
    /// The call has no effect and is never answered.
    Hang,
    /// The call has its effect and is never answered.
    HangAfterwards,
}

/// What is wrong with one listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListingFault {
    /// It holds only so many nodes, and says that it is incomplete.
    Partial {
        /// How many nodes it holds at most.
        keep: usize,
    },
    /// It is the listing that was returned last, if there was one, and says that it is complete.
    Stale,
}
