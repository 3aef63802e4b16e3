//! What a new machine is to be.

use std::{collections::BTreeMap, fmt};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::{TagValue, Tags};

/// What a new machine is to be; its `Debug` shows no metadata.
///
/// ```
/// use vmpool_cloudapi::types::CreateMachine;
/// let request = CreateMachine::new("sample-1G", "2b683a82-a066-11e3-97ab-2faa44701c5a")
///     .with_name("web-1")
///     .with_tag("role", "web")
///     .with_metadata("user-script", "#!/bin/sh\n");
/// assert_eq!(request.to_body()["tag.role"], "web");
/// assert_eq!(request.to_body()["metadata.user-script"], "#!/bin/sh\n");
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct CreateMachine {
    /// The package, by its id or name.
    pub package: Option<String>,
    /// The image, by its id.
    pub image: Option<String>,
    /// The name; the server makes one up if there is none, and puts the beginning of the id where it says `{{shortId}}`.
    pub name: Option<String>,
    /// The networks; the server takes one outside and one inside if there are none.
    pub networks: Vec<CreateNetwork>,
    /// Where it may run, as rules such as `instance!=web-*` or `role==~db`.
    pub affinity: Vec<String>,
    /// The tags, which are on it from its first moment.
    pub tags: Tags,
    /// The metadata, such as `user-script` and `user-data`.
    pub metadata: BTreeMap<String, Value>,
    /// The passwords to set, by login.
    pub credentials: BTreeMap<String, SecretString>,
    /// Whether its firewall is on.
    pub firewall_enabled: Option<bool>,
    /// Whether it cannot be deleted.
    pub deletion_protection: bool,
    /// Whether it gets a dataset of its own.
    pub delegate_dataset: bool,
    /// The brand: `kvm` or `bhyve`.
    pub brand: Option<String>,
    /// Its disks in MiB, for the brand bhyve; the first is the boot disk, and one without a size has the image's.
    pub disks: Vec<Option<u64>>,
    /// Whether an image that somebody else shares may be used (since version 9).
    pub allow_shared_images: bool,
    /// The roles that the machine is tagged with, which is told beside the body.
    pub role_tags: Vec<String>,
    /// Any other parameter.
    pub parameters: BTreeMap<String, Value>,
}

/// A network of a new machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CreateNetwork {
    /// Any address of a network.
    Any(String),
    /// What is said of an address (since version 7.3).
    Chosen {
        /// The network.
        network: String,
        /// The address.
        ip: Option<String>,
        /// Whether its gateway is the machine's.
        primary: bool,
    },
}

impl CreateMachine {
    /// Makes a machine of a package and an image.
    #[must_use]
    pub fn new(package: impl Into<String>, image: impl Into<String>) -> Self {
        Self { package: Some(package.into()), image: Some(image.into()), ..Self::default() }
    }

    /// Names the machine.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Adds a tag.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<TagValue>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Adds an entry to the metadata.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Puts the machine on a network.
    #[must_use]
    pub fn with_network(mut self, network: impl Into<String>) -> Self {
        self.networks.push(CreateNetwork::Any(network.into()));
        self
    }

    /// Adds a rule about where it may run.
    #[must_use]
    pub fn with_affinity(mut self, rule: impl Into<String>) -> Self {
        self.affinity.push(rule.into());
        self
    }

    /// Tags the machine with a role.
    #[must_use]
    pub fn with_role_tag(mut self, role: impl Into<String>) -> Self {
        self.role_tags.push(role.into());
        self
    }

    /// Sets any other parameter.
    #[must_use]
    pub fn with_parameter(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.insert(key.into(), value.into());
        self
    }

    /// Returns the body of the call; the server passes over tags and metadata that are not at its top.
    #[must_use]
    pub fn to_body(&self) -> Value {
        let mut body = Map::new();
        let mut set = |key: String, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(key, value);
            }
        };
        let list = |values: Vec<Value>| (!values.is_empty()).then_some(Value::Array(values));
        let text = |text: &Option<String>| text.clone().map(Value::String);
        set("name".to_owned(), text(&self.name));
        set("package".to_owned(), text(&self.package));
        set("image".to_owned(), text(&self.image));
        set("networks".to_owned(), list(self.networks.iter().map(CreateNetwork::to_value).collect()));
        set("affinity".to_owned(), list(self.affinity.iter().cloned().map(Value::String).collect()));
        for (key, value) in &self.metadata {
            set(format!("metadata.{key}"), Some(value.clone()));
        }
        if !self.credentials.is_empty() {
            let secrets = self.credentials.iter().map(|(login, secret)| (login, secret.expose_secret()));
            let packed = json!(secrets.collect::<BTreeMap<_, _>>()).to_string();
            set("metadata.credentials".to_owned(), Some(Value::String(packed)));
        }
        for (key, value) in &self.tags {
            set(format!("tag.{key}"), Some(value.clone().into()));
        }
        set("firewall_enabled".to_owned(), self.firewall_enabled.map(Value::Bool));
        set("deletion_protection".to_owned(), self.deletion_protection.then_some(Value::Bool(true)));
        set("delegate_dataset".to_owned(), self.delegate_dataset.then_some(Value::Bool(true)));
        set("brand".to_owned(), text(&self.brand));
        let disk = |size: &Option<u64>| size.map_or_else(|| json!({}), |size| json!({"size": size}));
        set("disks".to_owned(), list(self.disks.iter().map(disk).collect()));
        set("allow_shared_images".to_owned(), self.allow_shared_images.then_some(Value::Bool(true)));
        for (key, value) in &self.parameters {
            set(key.clone(), Some(value.clone()));
        }
        Value::Object(body)
    }
}

impl CreateNetwork {
    fn to_value(&self) -> Value {
        match self {
            Self::Any(network) => json!(network),
            Self::Chosen { network, ip, primary } => {
                let mut value = Map::new();
                value.insert("ipv4_uuid".to_owned(), json!(network));
                if let Some(ip) = ip {
                    value.insert("ipv4_ips".to_owned(), json!([ip]));
                }
                if *primary {
                    value.insert("primary".to_owned(), json!(true));
                }
                Value::Object(value)
            }
        }
    }
}

impl fmt::Debug for CreateMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateMachine")
            .field("name", &self.name)
            .field("package", &self.package)
            .field("image", &self.image)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}
