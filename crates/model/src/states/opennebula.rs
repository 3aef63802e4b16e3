//! OpenNebula's two states of a VM, and what they mean together.
//!
//! Both are serialized as the number that OpenNebula sends, so that a number of a newer OpenNebula is kept as it is.

mod lcm_state;
mod vm_state;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::NodeState;

pub use lcm_state::LcmState;
pub use vm_state::VmState;

/// Returns the uniform state of a VM.
///
/// The LCM state counts only while the VM is [`VmState::Active`].
/// A number that is not in the tables is [`NodeState::Unknown`]: busy, never gone.
///
/// # Examples
///
/// ```
/// use vmpool_model::states::NodeState;
/// use vmpool_model::states::opennebula::{LcmState, VmState, node_state};
///
/// assert_eq!(node_state(VmState::Active, LcmState::Boot), NodeState::Starting);
/// assert_eq!(node_state(VmState::Poweroff, LcmState::LcmInit), NodeState::Stopped);
/// assert_eq!(node_state(VmState::Active, LcmState::from_number(99)), NodeState::Unknown);
/// ```
#[must_use]
pub fn node_state(vm: VmState, lcm: LcmState) -> NodeState {
    vm.node_state().unwrap_or_else(|| lcm.node_state())
}

/// Returns whether a VM is being changed: a disk, a network card, a snapshot, its size or a backup.
///
/// Such a VM may well be running, but refuses most actions until the change is done.
#[must_use]
pub fn is_reconfiguring(vm: VmState, lcm: LcmState) -> bool {
    vm == VmState::Active && lcm.is_reconfiguring()
}

/// Returns the four letters that OpenNebula shows to its users: the LCM state's if the VM is active, else the VM state's.
#[must_use]
pub fn short_status(vm: VmState, lcm: LcmState) -> &'static str {
    if vm == VmState::Active { lcm.short_lcm_state() } else { vm.short_state() }
}

impl VmState {
    /// Returns the state with this name, as [`str_state`](Self::str_state) gives it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.str_state() == name)
    }
}

impl LcmState {
    /// Returns the state with this name, as [`str_lcm_state`](Self::str_lcm_state) gives it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.str_lcm_state() == name)
    }
}

/// Writes the name; a number that is not in the table is written as `UNRECOGNIZED(72)`.
impl fmt::Display for VmState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unrecognized(number) => write!(f, "UNRECOGNIZED({number})"),
            state => f.pad(state.str_state()),
        }
    }
}

/// Writes the name; a number that is not in the table is written as `UNRECOGNIZED(72)`.
impl fmt::Display for LcmState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unrecognized(number) => write!(f, "UNRECOGNIZED({number})"),
            state => f.pad(state.str_lcm_state()),
        }
    }
}

impl Serialize for VmState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(self.number())
    }
}

impl<'de> Deserialize<'de> for VmState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i32::deserialize(deserializer).map(Self::from_number)
    }
}

impl Serialize for LcmState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(self.number())
    }
}

impl<'de> Deserialize<'de> for LcmState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i32::deserialize(deserializer).map(Self::from_number)
    }
}
