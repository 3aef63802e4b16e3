//! The operations of a driver, by name.

/// An operation of a driver; part of every error and every metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Making a driver of its configuration.
    Open,
    /// Listing nodes.
    List,
    /// Getting one node.
    Get,
    /// Creating a node.
    Create,
    /// Destroying a node.
    Destroy,
    /// Starting a node.
    Start,
    /// Stopping a node.
    Stop,
    /// Rebooting a node.
    Reboot,
    /// Listing sizes, images and locations.
    Catalog,
    /// Setting when a node ends by itself.
    SetExpiry,
    /// Opening the stream of hints, or reading it.
    Hints,
    /// Waiting for a node's state.
    Wait,
    /// Running something on a new node.
    Deploy,
}

impl Operation {
    /// Returns the operation's name, such as `create`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::List => "list",
            Self::Get => "get",
            Self::Create => "create",
            Self::Destroy => "destroy",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Reboot => "reboot",
            Self::Catalog => "catalog",
            Self::SetExpiry => "set_expiry",
            Self::Hints => "hints",
            Self::Wait => "wait",
            Self::Deploy => "deploy",
        }
    }

    /// Returns whether the operation changes nothing, so that repeating it is always safe.
    #[must_use]
    pub fn is_read(self) -> bool {
        matches!(self, Self::List | Self::Get | Self::Catalog | Self::Hints | Self::Wait)
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
