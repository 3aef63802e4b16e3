//! [`RawState`], a node's state in its provider's own words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::NodeState;
use super::cloudapi::MachineState;
use super::opennebula::{self, LcmState, VmState};

/// The state of a node in its provider's own words, which stands beside the [`NodeState`] and is never lost.
///
/// # Examples
///
/// ```
/// use vmpool_model::states::opennebula::{LcmState, VmState};
/// use vmpool_model::states::{NodeState, RawState};
///
/// let raw = RawState::OpenNebula { vm: VmState::Active, lcm: LcmState::BootFailure };
/// assert_eq!(raw.to_string(), "ACTIVE/BOOT_FAILURE");
/// assert_eq!(raw.node_state(), NodeState::Error);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "state", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RawState {
    /// OpenNebula's two states.
    #[serde(rename = "opennebula")]
    OpenNebula {
        /// The state of the VM.
        vm: VmState,
        /// The state of its life cycle, which tells more if the VM is active.
        lcm: LcmState,
    },
    /// CloudAPI's state.
    #[serde(rename = "cloudapi")]
    CloudApi(MachineState),
    /// The state of any other provider, as text.
    Text(String),
}

impl RawState {
    /// Returns the uniform state.
    ///
    /// A text is taken for the name of a [`NodeState`], and is [`NodeState::Unknown`] if it is none.
    #[must_use]
    pub fn node_state(&self) -> NodeState {
        match self {
            Self::OpenNebula { vm, lcm } => opennebula::node_state(*vm, *lcm),
            Self::CloudApi(state) => state.node_state(),
            Self::Text(text) => NodeState::from_text(text),
        }
    }
}

/// Writes the state as its provider's tools do: `ACTIVE/BOOT` or `POWEROFF`, `running`, or the text.
impl fmt::Display for RawState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenNebula { vm: VmState::Active, lcm } => write!(f, "ACTIVE/{lcm}"),
            Self::OpenNebula { vm, .. } => vm.fmt(f),
            Self::CloudApi(state) => state.fmt(f),
            Self::Text(text) => f.pad(text),
        }
    }
}

impl From<MachineState> for RawState {
    fn from(state: MachineState) -> Self {
        Self::CloudApi(state)
    }
}
