//! Running a script on a node.

use std::{
    hash::{BuildHasher, RandomState},
    path::Path,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{
    DeployTarget, Deployment, ShellOutput, StepError,
    invalid::{InvalidDeployment, check_path},
    quote,
};

/// Puts a script on a node and runs it there; it fails if its exit code is not 0.
///
/// Source: libcloud's `ScriptDeployment`, which takes any exit code for success and leaves what is in its arguments to the
/// shell of the node.
pub struct ScriptDeployment {
    content: Vec<u8>,
    path: String,
    args: Vec<String>,
    delete: bool,
    output: Mutex<Option<ShellOutput>>,
}

impl ScriptDeployment {
    /// Runs a script, which names its interpreter in its first line, under a name of its own in the login's home.
    ///
    /// # Errors
    ///
    /// [`InvalidDeployment`] if the script is empty.
    pub fn new(content: impl Into<Vec<u8>>) -> Result<Self, InvalidDeployment> {
        let content = content.into();
        if content.is_empty() {
            return Err(InvalidDeployment::new("script", "it is empty"));
        }
        // Of the operating system's randomness, by way of the keys of the standard hasher.
        let path = format!("deployment_{:016x}.sh", RandomState::new().hash_one(0_u8));
        Ok(Self { content, path, args: Vec::new(), delete: false, output: Mutex::default() })
    }

    /// Runs the script in a file of this host, as it is now.
    ///
    /// Source: libcloud's `ScriptFileDeployment`.
    ///
    /// # Errors
    ///
    /// [`InvalidDeployment`] if the file cannot be read or is empty.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, InvalidDeployment> {
        let path = path.as_ref();
        Self::new(std::fs::read(path).map_err(|err| InvalidDeployment::file("script", path, &err))?)
    }

    /// Chooses where the script is put; a relative path begins at the login's home.
    ///
    /// # Errors
    ///
    /// [`InvalidDeployment`] if the path names no file.
    pub fn with_path(self, path: impl Into<String>) -> Result<Self, InvalidDeployment> {
        let path = path.into();
        check_path("path", &path)?;
        Ok(Self { path, ..self })
    }

    /// Adds an argument, which the script gets as it is.
    #[must_use]
    pub fn with_arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Deletes the script from the node when it is done, however it ended.
    ///
    /// It stays if the try took too long or the session was lost.
    #[must_use]
    pub fn with_delete(self) -> Self {
        Self { delete: true, ..self }
    }

    /// Returns where the script is put.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns how the script ended when it was run last, if it was.
    #[must_use]
    pub fn output(&self) -> Option<ShellOutput> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn command(&self) -> String {
        // Without a `/` it would be looked for in the search path.
        let path = match self.path.starts_with('/') {
            true => self.path.clone(),
            false => format!("./{}", self.path),
        };
        let words = std::iter::once(&path).chain(&self.args).map(|word| quote(word));
        words.collect::<Vec<_>>().join(" ")
    }
}

#[async_trait]
impl Deployment for ScriptDeployment {
    async fn run(&self, target: &DeployTarget) -> Result<(), StepError> {
        let shell = target.shell()?;
        shell.put(&self.path, 0o755, &self.content).await?;
        let output = shell.run(&self.command()).await?;
        *self.output.lock().unwrap_or_else(PoisonError::into_inner) = Some(output.clone());
        let deleted = match self.delete {
            true => shell.delete(&self.path).await,
            false => Ok(()),
        };
        output.ok(format!("the script {}", self.path))?;
        Ok(deleted?)
    }

    fn needs_shell(&self) -> bool {
        true
    }
}

/// Shows neither content nor arguments, which may be secrets.
impl std::fmt::Debug for ScriptDeployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScriptDeployment")
            .field("path", &self.path)
            .field("bytes", &self.content.len())
            .field("args", &self.args.len())
            .field("delete", &self.delete)
            .finish_non_exhaustive()
    }
}
