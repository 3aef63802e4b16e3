//! A VM as listings tell about it.

use vmpool_model::states::opennebula::{LcmState, VmState};

use super::{Addresses, Attributes};

/// A VM in a listing.
///
/// Which fields are filled depends on the call: the short listing lacks all attributes of the user template but a few of the
/// server's own, and the template that the VM was made from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ListedVm {
    /// The id.
    pub id: i32,
    /// The user that owns it.
    pub uid: i32,
    /// The group that owns it.
    pub gid: i32,
    /// The name; it need not be unique.
    pub name: String,
    /// The state.
    pub state: VmState,
    /// The state of its life cycle, which tells more if it is active.
    pub lcm_state: LcmState,
    /// When it was made, in seconds since the epoch.
    pub stime: i64,
    /// When it ended, in seconds since the epoch; 0 if it has not.
    pub etime: i64,
    /// The template that it was made from; absent if it was made of a text, and in short listings.
    pub template_id: Option<i32>,
    /// The host that it is, or was last, on.
    pub host_id: Option<i32>,
    /// The name of that host.
    pub host: String,
    /// Its addresses.
    pub addresses: Addresses,
    /// The user template; an attribute that has attributes itself is left out.
    pub user_template: Attributes,
}

impl ListedVm {
    /// Returns the first attribute of a name in the user template.
    #[must_use]
    pub fn user_attribute(&self, name: &str) -> Option<&str> {
        self.user_template.get(name)
    }
}

impl Default for ListedVm {
    fn default() -> Self {
        Self {
            id: -1,
            uid: -1,
            gid: -1,
            name: String::new(),
            state: VmState::Init,
            lcm_state: LcmState::LcmInit,
            stime: 0,
            etime: 0,
            template_id: None,
            host_id: None,
            host: String::new(),
            addresses: Addresses::default(),
            user_template: Attributes::default(),
        }
    }
}
