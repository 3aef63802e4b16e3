//! Who may speak to the daemon without a token.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error as _};
use vmpool::model::Owner;
use vmpool_api::Role;

/// Who may speak to the daemon without a token.
///
/// Root and the user of the daemon may do everything over its Unix socket; everybody else shows a token, unless this says
/// otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct AccessConfig {
    /// Whether whoever connects over loopback may do everything and shows nothing. Default: no.
    pub open_loopback: bool,
    /// What users of this host may do over the Unix socket, by their number.
    #[serde(deserialize_with = "uids")]
    pub uids: BTreeMap<u32, Grant>,
    /// What holders of certificates may do, by what the certificate is called: a DNS name, URI or mail address in it, `CN=` and
    /// the common name of its subject, or `sha256:` and its fingerprint. Of several the first counts, in this order:
    /// fingerprint, alternative names, common name.
    pub certificates: BTreeMap<String, Grant>,
}

impl AccessConfig {
    /// Lets whoever connects over loopback do everything, or not.
    #[must_use]
    pub fn with_open_loopback(self, open_loopback: bool) -> Self {
        Self { open_loopback, ..self }
    }
}

/// What somebody may do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Grant {
    /// What they may do.
    #[serde(deserialize_with = "role")]
    pub role: Role,
    /// Whom leases belong to that they acquire, unless an operator says otherwise: `uid-NUMBER` or the name in the
    /// certificate (without `CN=`) if absent.
    #[serde(default)]
    pub owner: Option<Owner>,
}

fn role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Role, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// Keys of TOML are text.
fn uids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<u32, Grant>, D::Error> {
    let grants = BTreeMap::<String, Grant>::deserialize(deserializer)?;
    let number = |(uid, grant): (String, Grant)| match uid.parse() {
        Ok(uid) => Ok((uid, grant)),
        Err(_) => {
            Err(D::Error::custom(format!("{uid:?} is not the number of a user: `id -u NAME` tells it")))
        }
    };
    grants.into_iter().map(number).collect()
}
