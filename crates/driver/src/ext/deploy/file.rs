//! Putting a file on a node.

use std::path::Path;

use async_trait::async_trait;

use super::{
    DeployTarget, Deployment, StepError,
    invalid::{InvalidDeployment, check_path},
};

/// Puts a file on a node.
///
/// Source: libcloud's `FileDeployment`.
#[derive(Clone, PartialEq, Eq)]
pub struct FileDeployment {
    target: String,
    mode: u32,
    content: Vec<u8>,
}

impl FileDeployment {
    /// Puts this content at a path of the node, readable by all and writable by its owner.
    ///
    /// # Errors
    ///
    /// [`InvalidDeployment`] if the path names no file.
    pub fn new(target: impl Into<String>, content: impl Into<Vec<u8>>) -> Result<Self, InvalidDeployment> {
        let (target, content) = (target.into(), content.into());
        check_path("target", &target)?;
        Ok(Self { target, mode: 0o644, content })
    }

    /// Puts a file of this host, as it is now and with its mode, at a path of the node.
    ///
    /// # Errors
    ///
    /// [`InvalidDeployment`] if the file cannot be read, or the path names no file.
    pub fn read(source: impl AsRef<Path>, target: impl Into<String>) -> Result<Self, InvalidDeployment> {
        let source = source.as_ref();
        let content = std::fs::read(source).map_err(|err| InvalidDeployment::file("source", source, &err))?;
        let file = Self::new(target, content)?;
        Ok(match mode(source) {
            Some(mode) => file.with_mode(mode),
            None => file,
        })
    }

    /// Chooses the mode, such as `0o600`.
    #[must_use]
    pub fn with_mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }
}

#[async_trait]
impl Deployment for FileDeployment {
    async fn run(&self, target: &DeployTarget) -> Result<(), StepError> {
        Ok(target.shell()?.put(&self.target, self.mode, &self.content).await?)
    }

    fn needs_shell(&self) -> bool {
        true
    }
}

/// Shows no content, which may be a secret.
impl std::fmt::Debug for FileDeployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileDeployment")
            .field("target", &self.target)
            .field("mode", &format_args!("{:#o}", self.mode))
            .field("bytes", &self.content.len())
            .finish()
    }
}

/// Returns the mode of a file of this host, if it has one.
#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}
