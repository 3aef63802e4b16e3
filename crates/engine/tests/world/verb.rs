//! What operators say about single VMs.

use proptest::prelude::*;
use vmpool_engine::Input;
use vmpool_model::{RecordState, VmName};

use crate::setup::seconds;

/// What an operator says about a VM.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verb {
    /// It is to be destroyed.
    Terminate,
    /// It is to be destroyed if it is in this state; if it is being destroyed, that is to be asked for again.
    TerminateIf(RecordState),
    /// It is to be kept for some seconds.
    Hold(u8),
    /// It need not be kept.
    Unhold,
    /// Its record is to be removed.
    Forget,
}

pub(crate) fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        2 => Just(Verb::Terminate),
        1 => proptest::sample::select(RecordState::ALL.to_vec()).prop_map(Verb::TerminateIf),
        4 => (1..90_u8).prop_map(Verb::Hold),
        2 => Just(Verb::Unhold),
        1 => Just(Verb::Forget),
    ]
}

impl Verb {
    pub(crate) fn input(self, vm: VmName) -> Input {
        let reason = "operator".to_owned();
        match self {
            Self::Terminate => Input::Terminate { vm, only_if: None, reason },
            Self::TerminateIf(state) => Input::Terminate { vm, only_if: Some(state), reason },
            Self::Hold(time) => Input::Hold { vm, reason, by: None, time: Some(seconds(u64::from(time))) },
            Self::Unhold => Input::Unhold(vm),
            Self::Forget => Input::Forget { vm, reason },
        }
    }
}
