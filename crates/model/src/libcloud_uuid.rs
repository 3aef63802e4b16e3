//! The unique ids that libcloud gives to nodes, byte for byte.
//!
//! libcloud hashes a node's id and its provider; programs that kept such hashes can find their nodes again by them.
//! Up to 0.11 the provider is a number ([`libcloud_v1`]), since 0.12 a text ([`libcloud_v2`]).
//! Like every hash of an id, it names another machine once the provider uses the id again.

use std::fmt::{Display, Write as _};

use sha1::{Digest, Sha1};

/// The numbers of the providers up to libcloud 0.11, each beside the text that replaced it in 0.12.
///
/// Only the providers are listed whose nodes are met in practice; libcloud 0.11 numbers them from 0 to 48.
pub const PROVIDER_NUMBERS: [(&str, u32); 9] = [
    ("dummy", 0),
    ("ec2", 1),
    ("rackspace", 3),
    ("gogrid", 5),
    ("linode", 7),
    ("opennebula", 16),
    ("openstack", 31),
    ("cloudstack", 37),
    ("joyent", 45),
];

/// How the Python of the time wrote a string that came out of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PythonString {
    /// `'208.75.1.10'`: Python 3, and Python 2 with `simplejson`.
    Plain,
    /// `u'208.75.1.10'`: Python 2 with the `json` of its standard library.
    Unicode,
}

/// Returns the unique id of a node as libcloud up to 0.11 computes it, as 40 lower-case hexadecimal digits.
///
/// It is the SHA-1 of `ID:NUMBER`, where a missing id is written `None`.
/// libcloud drops ids that Python takes for false: the number 0 and the empty text, see [`legacy_id`]; the text `0` is
/// kept.
///
/// # Examples
///
/// ```
/// use vmpool_model::libcloud_uuid::libcloud_v1;
///
/// assert_eq!(libcloud_v1(Some("3"), 0), "d3748461511d8b9b0e0bfa0d4d3383a619a2bb9f");
/// ```
#[must_use]
pub fn libcloud_v1(id: Option<&str>, provider_number: u32) -> String {
    hash(id, &provider_number)
}

/// Returns the unique id of a node as libcloud 0.12 and later compute it, as 40 lower-case hexadecimal digits.
///
/// It is the SHA-1 of `ID:PROVIDER`, where a missing id is written `None`, as for [`libcloud_v1`].
///
/// # Examples
///
/// ```
/// use vmpool_model::libcloud_uuid::libcloud_v2;
///
/// assert_eq!(libcloud_v2(Some("3"), "dummy"), "aef321fde331680846014b121ff377dcb8477731");
/// ```
#[must_use]
pub fn libcloud_v2(id: Option<&str>, provider: &str) -> String {
    hash(id, &provider)
}

/// Returns the id that libcloud makes of a number: none for 0.
///
/// The first VM of an OpenNebula has the number 0.
/// As a number it loses its id, as the text `0`, which is what a driver reads from XML, it keeps it.
#[must_use]
pub fn legacy_id(number: i64) -> Option<String> {
    (number != 0).then(|| number.to_string())
}

/// Returns the number of a provider up to libcloud 0.11, if it is one of [`PROVIDER_NUMBERS`].
#[must_use]
pub fn provider_number(provider: &str) -> Option<u32> {
    PROVIDER_NUMBERS.into_iter().find(|(name, _)| *name == provider).map(|(_, number)| number)
}

/// Returns what stands in place of the id of a GoGrid node: its public addresses as Python prints a list.
///
/// It goes into [`libcloud_v1`] with the number 5, or into [`libcloud_v2`] with `gogrid`.
///
/// # Examples
///
/// ```
/// use vmpool_model::libcloud_uuid::{PythonString, gogrid_id, libcloud_v1};
///
/// let id = gogrid_id(["208.75.1.10"], PythonString::Plain);
/// assert_eq!(id, "['208.75.1.10']");
/// assert_eq!(libcloud_v1(Some(&id), 5), "d80ad2194525cadb485a5ee3d4479c70b21a936e");
/// ```
#[must_use]
pub fn gogrid_id(public_ips: impl IntoIterator<Item: Display>, strings: PythonString) -> String {
    let prefix = match strings {
        PythonString::Plain => "",
        PythonString::Unicode => "u",
    };
    let quoted: Vec<String> = public_ips.into_iter().map(|ip| format!("{prefix}'{ip}'")).collect();
    format!("[{}]", quoted.join(", "))
}

fn hash(id: Option<&str>, provider: &dyn Display) -> String {
    let digest = Sha1::digest(format!("{}:{provider}", id.unwrap_or("None")));
    digest.iter().fold(String::with_capacity(40), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
