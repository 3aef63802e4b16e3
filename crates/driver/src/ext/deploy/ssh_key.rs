//! Installing a key on a node.

use std::path::Path;

use async_trait::async_trait;

use super::{DeployTarget, Deployment, InvalidDeployment, StepError, quote};

/// Lets the owner of an SSH key log in to a node: appends the key to `.ssh/authorized_keys`, if it is not in there.
///
/// Source: libcloud's `SSHKeyDeployment`, which appends the key once more with every try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshKeyDeployment {
    key: String,
}

impl SshKeyDeployment {
    /// Installs a public key in OpenSSH's one-line form.
    ///
    /// # Errors
    ///
    /// [`InvalidDeployment`] if it is none; the message does not show it.
    pub fn new(key: &str) -> Result<Self, InvalidDeployment> {
        let key = key.trim();
        let refuse = |reason: &str| Err(InvalidDeployment::new("key", reason));
        match key {
            key if key.contains("PRIVATE KEY") => refuse("it is a private key: give the public one"),
            key if key.lines().count() != 1 => refuse("a public key is one line"),
            key if key.contains('\0') || key.split_whitespace().count() < 2 => {
                refuse("a public key is its type and its text, such as `ssh-ed25519 AAAA…`")
            }
            key => Ok(Self { key: key.to_owned() }),
        }
    }

    /// Installs the public key in a file of this host.
    ///
    /// # Errors
    ///
    /// [`InvalidDeployment`] if the file cannot be read or holds none.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, InvalidDeployment> {
        let path = path.as_ref();
        let key = std::fs::read_to_string(path).map_err(|err| InvalidDeployment::file("key", path, &err))?;
        Self::new(&key)
    }

    fn command(&self) -> String {
        let key = quote(&self.key);
        // The last line of the file may lack its end, and the key may be there from an earlier try.
        format!(
            "umask 077 && mkdir -p .ssh && touch .ssh/authorized_keys \
             && chmod 700 .ssh && chmod 600 .ssh/authorized_keys && cd .ssh \
             && {{ test -z \"$(tail -c 1 authorized_keys)\" || echo >> authorized_keys; }} \
             && {{ grep -qxF -e {key} authorized_keys || printf '%s\\n' {key} >> authorized_keys; }}"
        )
    }
}

#[async_trait]
impl Deployment for SshKeyDeployment {
    async fn run(&self, target: &DeployTarget) -> Result<(), StepError> {
        target.shell()?.run(&self.command()).await?.ok("installing the key")?;
        Ok(())
    }

    fn needs_shell(&self) -> bool {
        true
    }
}
