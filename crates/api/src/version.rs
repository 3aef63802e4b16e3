//! The version of the API, and how both sides agree on it.
//!
//! Every request of a client and every answer of a daemon carries the header `vmpool-api` with the version that the
//! sender speaks.
//! The number changes only when an older peer would misread a newer one; new keys and new routes do not change it.

/// The version of the API that this crate describes; it is also in every path, as `/v1`.
pub const VERSION: u32 = 1;

/// The header that carries the version.
pub const HEADER: &str = "vmpool-api";

/// Says why a peer cannot be spoken to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionMismatch {
    /// The peer sent no version: it is no vmpool, or something in between answered.
    #[error(
        "the answer has no `vmpool-api` header, so what answers is not a vmpool daemon, or a proxy in front of it"
    )]
    Missing,
    /// The peer sent something that is no version.
    #[error("the `vmpool-api` header is {0:?}, which is not a version")]
    Invalid(String),
    /// The peer speaks an older version.
    #[error(
        "the peer is older: it speaks version {found} of the API, this side version {VERSION}; upgrade the peer"
    )]
    Older {
        /// The peer's version.
        found: u32,
    },
    /// The peer speaks a newer version.
    #[error(
        "the peer is newer: it speaks version {found} of the API, this side version {VERSION}; upgrade this side"
    )]
    Newer {
        /// The peer's version.
        found: u32,
    },
}

/// Checks the value of a peer's header.
///
/// # Errors
///
/// [`VersionMismatch`], which says which side is to be upgraded.
///
/// # Examples
///
/// ```
/// use vmpool_api::version::{VersionMismatch, check};
///
/// assert_eq!(check(Some("1")), Ok(()));
/// assert_eq!(check(Some("2")), Err(VersionMismatch::Newer { found: 2 }));
/// assert_eq!(check(None), Err(VersionMismatch::Missing));
/// ```
pub fn check(header: Option<&str>) -> Result<(), VersionMismatch> {
    let Some(text) = header else { return Err(VersionMismatch::Missing) };
    match text.trim().parse::<u32>() {
        Ok(VERSION) => Ok(()),
        Ok(found) if found < VERSION => Err(VersionMismatch::Older { found }),
        Ok(found) => Err(VersionMismatch::Newer { found }),
        Err(_) => Err(VersionMismatch::Invalid(text.chars().take(40).collect())),
    }
}
