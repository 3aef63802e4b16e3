//! A shell on new nodes by the host's `ssh`, for deployments.
//!
//! ```
//! use vmpool::driver::{ConnectOptions, DeployOptions, WaitOptions};
//! use vmpool::{drivers, ssh::SshProgram};
//!
//! let ssh = SshProgram::new().with_identity("deploy-key");
//! let connection = ConnectOptions::new(ssh).with_users(["root", "ubuntu"]);
//! let options = DeployOptions::new(WaitOptions::new(drivers::pause())).with_connection(connection);
//! # let _ = options;
//! ```
//!
//! `options` then goes to [`DriverExt::deploy`](crate::driver::DriverExt::deploy) with a
//! [`ScriptDeployment`](crate::driver::ScriptDeployment) or another one.

mod classify;
mod private_dir;
mod process;
mod session;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use vmpool_driver::{Auth, Connect, ConnectError, DeployTarget, Shell, async_trait};

use self::{private_dir::PrivateDir, process::Program, session::Session};

/// The host's `ssh`, as a way to get a shell on a node.
///
/// # Behavior
///
/// Every command is a run of its own, killed with all that it began on this host when its future is dropped; what it began on
/// the node may go on.
/// The configuration of `ssh` holds, but for what is said here: nothing is asked at a terminal, and nothing is forwarded.
/// A node that was made with a password is logged in to with it, by `SSH_ASKPASS`, for which OpenSSH 8.4 or later is needed.
/// The node needs a POSIX `sh`, `cat`, `chmod`, `mv`, `rm` and `wc`.
///
/// The host key that a node shows first is the only one taken from it until its deployment ends, or one has to be in the file
/// of [`with_known_hosts`](Self::with_known_hosts).
///
/// The last MiB of what a command writes is kept.
#[derive(Debug, Clone)]
pub struct SshProgram {
    program: PathBuf,
    port: u16,
    identity: Option<PathBuf>,
    known_hosts: Option<PathBuf>,
}

impl SshProgram {
    /// Uses the `ssh` in the search path, on port 22.
    #[must_use]
    pub fn new() -> Self {
        Self { program: "ssh".into(), port: 22, identity: None, known_hosts: None }
    }

    /// Uses another program that takes the arguments of OpenSSH's.
    #[must_use]
    pub fn with_program(self, program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), ..self }
    }

    /// Chooses the port.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Logs in with this private key and no other.
    #[must_use]
    pub fn with_identity(self, identity: impl Into<PathBuf>) -> Self {
        Self { identity: Some(identity.into()), ..self }
    }

    /// Takes no host key that is not in this file.
    #[must_use]
    pub fn with_known_hosts(self, known_hosts: impl Into<PathBuf>) -> Self {
        Self { known_hosts: Some(known_hosts.into()), ..self }
    }

    /// Returns the program with all its arguments but the command.
    fn for_target(
        &self,
        target: &DeployTarget,
        user: &str,
        dir: &PrivateDir,
    ) -> Result<Program, ConnectError> {
        let mut program = Program::new(&self.program);
        let known_hosts = match &self.known_hosts {
            Some(file) => file.clone(),
            None => dir.path().join("known_hosts"),
        };
        let strict = if self.known_hosts.is_some() { "yes" } else { "accept-new" };
        program.option("StrictHostKeyChecking", strict);
        program.option("UserKnownHostsFile", &quoted(&known_hosts)?);
        for (key, value) in [
            ("GlobalKnownHostsFile", "none"),
            ("LogLevel", "ERROR"),
            ("ControlMaster", "no"),
            ("ControlPath", "none"),
            ("ClearAllForwardings", "yes"),
            ("ForwardAgent", "no"),
            ("ForwardX11", "no"),
            ("ServerAliveInterval", "15"),
            ("ServerAliveCountMax", "4"),
        ] {
            program.option(key, value);
        }
        if let Some(identity) = &self.identity {
            program.option("IdentitiesOnly", "yes");
            program.arg("-i").arg(identity);
        }
        match &target.auth {
            Some(Auth::Password(password)) => {
                program.option("PreferredAuthentications", "password,keyboard-interactive");
                program.option("NumberOfPasswordPrompts", "1");
                program.password(dir.askpass()?, password);
            }
            _ => program.option("BatchMode", "yes"),
        }
        program.arg("-T").arg("-p").arg(self.port.to_string()).arg("-l").arg(user);
        program.arg("--").arg(target.address.to_string());
        Ok(program)
    }
}

impl Default for SshProgram {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Connect for SshProgram {
    async fn check(&self) -> Result<(), ConnectError> {
        let mut program = Program::new(&self.program);
        program.arg("-V");
        program.run(&[], "").await.map_err(|err| {
            let name = self.program.display();
            ConnectError::Fatal(format!(
                "cannot run {name}: {err}; install OpenSSH's client, or name its program"
            ))
        })?;
        for file in self.identity.iter().chain(&self.known_hosts) {
            std::fs::File::open(file).map_err(|err| {
                ConnectError::Fatal(format!("the file {} cannot be read: {err}", file.display()))
            })?;
        }
        Ok(())
    }

    async fn connect(&self, target: &DeployTarget, user: &str) -> Result<Arc<dyn Shell>, ConnectError> {
        let dir = PrivateDir::new()
            .map_err(|err| ConnectError::Fatal(format!("cannot make a directory for host keys: {err}")))?;
        let program = self.for_target(target, user, &dir)?;
        let session = Session::new(program, dir);
        session.try_it(user).await?;
        Ok(Arc::new(session))
    }
}

/// Returns a path as `ssh` reads it in an option, where `%` and spaces mean something.
fn quoted(path: &Path) -> Result<String, ConnectError> {
    match path.to_str() {
        Some(text) if !text.contains(['"', '\n']) => Ok(format!("\"{}\"", text.replace('%', "%%"))),
        _ => Err(ConnectError::Fatal(format!("the path {} cannot be given to ssh", path.display()))),
    }
}
