//! What goes into a driver and comes out of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vmpool_model::{Node, NodeImage, NodeLocation, NodeSize, Token};

/// Who a driver is and what it speaks to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriverInfo {
    /// The driver's short name, as in `driver = "dummy"`.
    pub name: &'static str,
    /// What libcloud calls the provider; the driver's name unless it is said to differ.
    pub libcloud_provider: &'static str,
    /// A name for people, such as `Dummy Node Provider`.
    pub title: &'static str,
    /// Where to read about the cloud.
    pub website: &'static str,
    /// What the driver speaks to, without credentials: an address, or a file.
    pub endpoint: String,
}

impl DriverInfo {
    /// Describes a driver.
    #[must_use]
    pub fn new(name: &'static str, title: &'static str) -> Self {
        Self { name, libcloud_provider: name, title, website: "", endpoint: String::new() }
    }

    /// Says what libcloud calls the provider, such as `joyent` for CloudAPI.
    #[must_use]
    pub fn with_libcloud_provider(self, libcloud_provider: &'static str) -> Self {
        Self { libcloud_provider, ..self }
    }

    /// Says where to read about the cloud.
    #[must_use]
    pub fn with_website(self, website: &'static str) -> Self {
        Self { website, ..self }
    }

    /// Says what the driver speaks to.
    #[must_use]
    pub fn with_endpoint(self, endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), ..self }
    }
}

/// What a listing found, and whether that is everything.
///
/// The difference decides about life and death: only in a *complete* listing does a node's absence
/// mean anything.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Listing {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Why the listing may lack nodes; `None` if it certainly holds all of them.
    pub incomplete: Option<String>,
}

impl Listing {
    /// Makes a listing that holds every node of the account.
    pub fn complete(nodes: Vec<Node>) -> Self {
        Self { nodes, incomplete: None }
    }

    /// Makes a listing that may lack nodes, and says why.
    pub fn partial(nodes: Vec<Node>, why: impl Into<String>) -> Self {
        Self { nodes, incomplete: Some(why.into()) }
    }

    /// Returns whether the listing certainly holds every node of the account.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.incomplete.is_none()
    }
}

/// What a new node is to be.
///
/// ```
/// use vmpool_driver::CreateRequest;
/// let request = CreateRequest::new("small").with_name("web-1").with_label("role", "web");
/// assert_eq!(request.labels["role"], "web");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CreateRequest {
    /// What the node is made from; its meaning is the driver's.
    pub template: String,
    /// The node's name; the driver chooses one if there is none.
    pub name: Option<String>,
    /// The token that must be on the node from the first moment of its existence.
    pub token: Option<Token>,
    /// Further marks of the node; needs `Capabilities::create_with_labels`.
    pub labels: BTreeMap<String, String>,
    /// The size, by the provider's id, if it is not the template's.
    pub size: Option<String>,
    /// The image, by the provider's id, if it is not the template's.
    pub image: Option<String>,
    /// The location, by the provider's id, if it is not the template's.
    pub location: Option<String>,
    /// How to log in to the new node.
    pub auth: Option<Auth>,
}

impl CreateRequest {
    /// Asks for a node made from a template.
    #[must_use]
    pub fn new(template: impl Into<String>) -> Self {
        Self { template: template.into(), ..Self::default() }
    }

    /// Names the node.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Marks the node with a token, and names it after the token's VM unless it has a name.
    #[must_use]
    pub fn with_token(self, token: Token) -> Self {
        let name = self.name.or_else(|| Some(token.vm.to_string()));
        Self { name, token: Some(token), ..self }
    }

    /// Adds a mark.
    #[must_use]
    pub fn with_label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Chooses an image.
    #[must_use]
    pub fn with_image(self, image: impl Into<String>) -> Self {
        Self { image: Some(image.into()), ..self }
    }

    /// Chooses a size.
    #[must_use]
    pub fn with_size(self, size: impl Into<String>) -> Self {
        Self { size: Some(size.into()), ..self }
    }

    /// Says how to log in.
    #[must_use]
    pub fn with_auth(self, auth: Auth) -> Self {
        Self { auth: Some(auth), ..self }
    }
}

/// How to log in to a new node.
///
/// Its `Debug` and `Display` never show the secret. Source: libcloud's `NodeAuthSSHKey` and `NodeAuthPassword`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auth {
    /// A public SSH key, in OpenSSH's one-line form.
    SshKey(String),
    /// A password.
    Password(String),
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SshKey(_) => "<NodeAuthSSHKey>",
            Self::Password(_) => "<NodeAuthPassword>",
        })
    }
}

impl std::fmt::Display for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// What to do with a node's power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerAction {
    /// Start a stopped node; needs `Capabilities::start`.
    Start,
    /// Stop a running node; needs `Capabilities::stop`.
    Stop,
    /// Reboot a running node; needs `Capabilities::reboot`.
    Reboot,
}

impl PowerAction {
    /// Returns the operation of this action.
    #[must_use]
    pub fn operation(self) -> crate::Operation {
        match self {
            Self::Start => crate::Operation::Start,
            Self::Stop => crate::Operation::Stop,
            Self::Reboot => crate::Operation::Reboot,
        }
    }
}

/// What nodes can be made of and where, and what the provider says of itself and the account.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Catalog {
    /// The sizes, in the provider's order.
    pub sizes: Vec<NodeSize>,
    /// The images, in the provider's order.
    pub images: Vec<NodeImage>,
    /// The locations, in the provider's order.
    pub locations: Vec<NodeLocation>,
    /// The version of the provider's software, if it tells that.
    pub version: Option<String>,
    /// What the account may have, as far as the provider tells; what it tells nothing of is not limited, or not known to be.
    pub quotas: Vec<QuotaUse>,
}

/// How much of something an account has, and may have.
///
/// ```
/// use vmpool_driver::QuotaUse;
/// assert_eq!(QuotaUse::new("vms", Some(3.0), Some(10.0)).to_string(), "3 of 10 vms");
/// assert_eq!(QuotaUse::new("cpu", Some(1.5), None).to_string(), "1.5 cpu, no limit");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct QuotaUse {
    /// Of what, in the provider's word, such as `vms`, `cpu` or `memory`.
    pub what: String,
    /// How much the account has; `None` if that is not told.
    pub used: Option<f64>,
    /// How much it may have; `None` if there is no limit.
    pub limit: Option<f64>,
}

impl QuotaUse {
    /// Says how much of something an account has, and may have.
    #[must_use]
    pub fn new(what: impl Into<String>, used: Option<f64>, limit: Option<f64>) -> Self {
        Self { what: what.into(), used, limit }
    }

    /// Returns whether there is no room for more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.used.zip(self.limit).is_some_and(|(used, limit)| limit <= used)
    }
}

impl std::fmt::Display for QuotaUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, used, limit } = self;
        match (used, limit) {
            (Some(used), Some(limit)) => write!(f, "{used} of {limit} {what}"),
            (Some(used), None) => write!(f, "{used} {what}, no limit"),
            (None, Some(limit)) => write!(f, "at most {limit} {what}"),
            (None, None) => write!(f, "{what}, no limit"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l21_formatting_a_login_never_shows_the_secret() {
        let key = Auth::SshKey("ssh-ed25519 AAAA".to_owned());
        let password = Auth::Password("hunter2".to_owned());
        assert_eq!(format!("{key} {key:?}"), "<NodeAuthSSHKey> <NodeAuthSSHKey>");
        assert_eq!(format!("{password} {password:?}"), "<NodeAuthPassword> <NodeAuthPassword>");
    }

    #[test]
    fn a_node_is_named_after_its_token() {
        let request = CreateRequest::new("small").with_token("lab/small/small-7f3k".parse().unwrap());
        assert_eq!(request.name.as_deref(), Some("small-7f3k"));
    }
}
