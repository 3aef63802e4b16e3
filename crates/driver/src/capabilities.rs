//! What a driver and its cloud can do, as data.

use serde::{Deserialize, Serialize};

/// What a driver and its cloud can do.
///
/// A capability that is declared must work, and one that is not declared must be refused with
/// [`FailureKind::Unsupported`](vmpool_model::FailureKind::Unsupported); the suite of `vmpool-testkit` checks both.
/// Every field is a verb, or a verb with what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Capabilities {
    /// A stopped node can be started.
    pub start: bool,
    /// A running node can be stopped and keeps its disk.
    pub stop: bool,
    /// A running node can be rebooted.
    pub reboot: bool,
    /// Sizes, images and locations can be listed.
    pub catalog: bool,
    /// A node can be told to end by itself at a given time.
    pub set_expiry: bool,
    /// The provider can be asked to say by itself when something changes.
    pub hints: bool,
    /// A token given to `create` is found on the node in listings.
    pub create_with_token: bool,
    /// Labels given to `create` are found on the node in listings.
    pub create_with_labels: bool,
    /// A public SSH key given to `create` reaches the node.
    pub create_with_ssh_key: bool,
    /// A password given to `create` becomes the node's.
    pub create_with_password: bool,
    /// `create` without a password makes one up and returns it in `extra["password"]`.
    pub create_generates_password: bool,
}

impl Capabilities {
    /// Returns the capabilities of a cloud that has nothing optional.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            start: false,
            stop: false,
            reboot: false,
            catalog: false,
            set_expiry: false,
            hints: false,
            create_with_token: false,
            create_with_labels: false,
            create_with_ssh_key: false,
            create_with_password: false,
            create_generates_password: false,
        }
    }
}
