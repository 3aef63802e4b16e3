//! What can happen in a history; picks are taken modulo what there is, so that every act shrinks by itself.

use proptest::prelude::*;
use vmpool_model::states::NodeState;

use crate::{
    operator::{Deed, deed},
    verb::{Verb, verb},
    wants::{self, Wish},
};

/// One thing that happens.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Time passes until the engine wants to be woken.
    Wake,
    /// Time passes, and nobody wakes the engine meanwhile.
    Pass { millis: u64 },
    /// The next steps share one commit.
    Group { steps: u8 },
    /// An effect is carried out and answered.
    Resolve { pick: u8, how: How },
    /// An effect is carried out; its answer is on its way.
    Execute { pick: u8, how: How },
    /// The answer of an effect that was carried out arrives.
    Answer { pick: u8 },
    /// A node changes at its cloud.
    Node { pick: u8, state: NodeState },
    /// A cloud says that something may have changed, rightly or not.
    Hint { pick: u8 },
    /// A node appears that belongs to others, to nobody, or twice.
    Stray { kind: StrayKind, pick: u8 },
    /// A client wants a VM.
    Acquire(Wish),
    /// A client repeats a request.
    Repeat { pick: u8 },
    /// A client withdraws a request.
    Cancel { pick: u8 },
    /// A client renews a lease, which may have ended long ago.
    Renew { pick: u8 },
    /// A client releases a lease, which may have ended long ago.
    Release { pick: u8 },
    /// An operator says something about a VM.
    Verb { pick: u8, verb: Verb },
    /// An operator does something about a pool, a provider or the configuration.
    Operate(Deed),
    /// The engine is killed; when it is back, its last pool may have left the configuration.
    Crash { point: CrashPoint, applied: u8, downtime: u8, retire: bool },
}

/// How an effect fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// As it should; a node boots in some seconds, and is visible after some.
    Well { boots: u8, hides: u8 },
    /// It is done, and the answer is lost.
    DoneAndLost { boots: u8, hides: u8 },
    /// It is not done, and the answer is lost.
    NotDoneAndLost,
    /// It is refused for certain, perhaps with a time to wait.
    Refused { wait: u8 },
    /// It is done later, and the answer is lost; destructions are answered, and take effect later.
    Late { after: u8 },
    /// It comes out bad: a node that is dead or never boots, a partial listing, a destruction that is accepted only.
    Bad { which: u8 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StrayKind {
    Unmarked,
    OfOthers,
    OfNoRecord,
    Duplicate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CrashPoint {
    /// Between two steps, with effects under way.
    WithEffects,
    /// After the next commit, before its effects.
    AfterCommit,
    /// Before the next commit.
    BeforeCommit,
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        8 => (0..20_u8, 0..15_u8).prop_map(|(boots, hides)| How::Well { boots, hides }),
        1 => (0..20_u8, 0..15_u8).prop_map(|(boots, hides)| How::DoneAndLost { boots, hides }),
        1 => Just(How::NotDoneAndLost),
        1 => (0..40_u8).prop_map(|wait| How::Refused { wait }),
        1 => (0..15_u8).prop_map(|after| How::Late { after }),
        1 => any::<u8>().prop_map(|which| How::Bad { which }),
    ]
}

fn node_state() -> impl Strategy<Value = NodeState> {
    proptest::sample::select(vec![
        NodeState::Running,
        NodeState::Stopped,
        NodeState::Paused,
        NodeState::Rebooting,
        NodeState::Unknown,
        NodeState::Error,
        NodeState::Terminated,
    ])
}

pub(crate) fn act() -> impl Strategy<Value = Act> {
    use StrayKind as K;
    let kinds = vec![K::Unmarked, K::OfOthers, K::OfNoRecord, K::Duplicate];
    let points = vec![CrashPoint::WithEffects, CrashPoint::AfterCommit, CrashPoint::BeforeCommit];
    let pick = any::<u8>;
    prop_oneof![
        20 => Just(Act::Wake),
        4 => (1..40_000_u64).prop_map(|millis| Act::Pass { millis }),
        1 => (60_000..8_000_000_u64).prop_map(|millis| Act::Pass { millis }),
        3 => (1..5_u8).prop_map(|steps| Act::Group { steps }),
        40 => (pick(), how()).prop_map(|(pick, how)| Act::Resolve { pick, how }),
        6 => (pick(), how()).prop_map(|(pick, how)| Act::Execute { pick, how }),
        6 => pick().prop_map(|pick| Act::Answer { pick }),
        3 => (pick(), node_state()).prop_map(|(pick, state)| Act::Node { pick, state }),
        6 => pick().prop_map(|pick| Act::Hint { pick }),
        2 => (proptest::sample::select(kinds), pick()).prop_map(|(kind, pick)| Act::Stray { kind, pick }),
        10 => wants::wish().prop_map(Act::Acquire),
        2 => pick().prop_map(|pick| Act::Repeat { pick }),
        1 => pick().prop_map(|pick| Act::Cancel { pick }),
        2 => pick().prop_map(|pick| Act::Renew { pick }),
        5 => pick().prop_map(|pick| Act::Release { pick }),
        4 => (pick(), verb()).prop_map(|(pick, verb)| Act::Verb { pick, verb }),
        4 => deed().prop_map(Act::Operate),
        3 => (proptest::sample::select(points), pick(), prop_oneof![0..3_u8, any::<u8>()], prop::bool::weighted(0.2))
            .prop_map(|(point, applied, downtime, retire)| Act::Crash { point, applied, downtime, retire }),
    ]
}
