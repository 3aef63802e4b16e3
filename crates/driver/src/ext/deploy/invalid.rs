//! The error of a deployment that cannot work on any node.

/// Says why a deployment cannot work on any node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {what} of the deployment cannot be used: {reason}")]
pub struct InvalidDeployment {
    /// Which part of it, such as `key`.
    pub what: &'static str,
    /// Why.
    pub reason: String,
}

impl InvalidDeployment {
    pub(super) fn new(what: &'static str, reason: impl Into<String>) -> Self {
        Self { what, reason: reason.into() }
    }

    /// Says that a file of this host cannot be read.
    pub(super) fn file(what: &'static str, path: &std::path::Path, err: &std::io::Error) -> Self {
        Self::new(what, format!("{} cannot be read: {err}", path.display()))
    }
}

/// Refuses what names no file on a node.
pub(super) fn check_path(what: &'static str, path: &str) -> Result<(), InvalidDeployment> {
    match path {
        "" => Err(InvalidDeployment::new(what, "it is empty")),
        path if path.ends_with('/') => Err(InvalidDeployment::new(what, format!("{path:?} is a directory"))),
        path if path.contains('\0') => Err(InvalidDeployment::new(what, "it contains a NUL")),
        _ => Ok(()),
    }
}
