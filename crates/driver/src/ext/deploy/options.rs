//! How to deploy.

use std::{fmt, sync::Arc, time::Duration};

use super::{Connect, DeployProgress};
use crate::WaitOptions;

/// How to deploy.
#[derive(Clone)]
#[non_exhaustive]
pub struct DeployOptions {
    /// How to wait for the node; its pause is also the timer of the phases after it.
    pub wait: WaitOptions,
    /// How to get a shell on the node. Default: not at all.
    pub connection: Option<ConnectOptions>,
    /// How often the deployment is tried; at least once. Default: 3.
    pub max_tries: usize,
    /// How long one try may take; a try that takes longer is the last one. Default: no limit.
    pub run_timeout: Option<Duration>,
    /// Makes up a password; by default 128 random bits as hexadecimal digits.
    pub password: Arc<dyn Fn() -> String + Send + Sync>,
    /// Is told of each phase and each try when it begins. Default: nobody is.
    pub progress: Arc<dyn Fn(DeployProgress<'_>) + Send + Sync>,
}

/// How to get a shell on a new node.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The way to get one.
    pub connector: Arc<dyn Connect>,
    /// The user names to log in with, in their turn: the next one where one is refused. Default: `root`.
    pub users: Vec<String>,
    /// How long to wait between two tries; at least a millisecond. Default: 1.5 s.
    pub interval: Duration,
    /// How long one try may take. Default: 10 s.
    pub try_timeout: Duration,
    /// How long to try altogether, counting the waits and the tries that took too long. Default: 5 min.
    pub timeout: Duration,
    /// How long refused logins are tried again, for images whose users come after their SSH server. Default: 0 s.
    pub login_grace: Duration,
}

impl DeployOptions {
    /// Deploys with these rules for the wait, and the defaults.
    #[must_use]
    pub fn new(wait: WaitOptions) -> Self {
        Self {
            wait,
            connection: None,
            max_tries: 3,
            run_timeout: None,
            password: Arc::new(super::login::random_password),
            progress: Arc::new(|_| {}),
        }
    }

    /// Gets a shell on the node before the deployment is run.
    #[must_use]
    pub fn with_connection(self, connection: ConnectOptions) -> Self {
        Self { connection: Some(connection), ..self }
    }

    /// Chooses how often the deployment is tried.
    #[must_use]
    pub fn with_max_tries(self, max_tries: usize) -> Self {
        Self { max_tries, ..self }
    }

    /// Chooses how long one try may take.
    #[must_use]
    pub fn with_run_timeout(self, run_timeout: Duration) -> Self {
        Self { run_timeout: Some(run_timeout), ..self }
    }

    /// Chooses how passwords are made up.
    #[must_use]
    pub fn with_password(self, password: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { password: Arc::new(password), ..self }
    }

    /// Tells of each phase and each try when it begins.
    #[must_use]
    pub fn with_progress(self, progress: impl Fn(DeployProgress<'_>) + Send + Sync + 'static) -> Self {
        Self { progress: Arc::new(progress), ..self }
    }
}

impl ConnectOptions {
    /// Connects this way, with the defaults.
    #[must_use]
    pub fn new(connector: impl Connect + 'static) -> Self {
        Self {
            connector: Arc::new(connector),
            users: vec!["root".to_owned()],
            interval: Duration::from_millis(1500),
            try_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(300),
            login_grace: Duration::ZERO,
        }
    }

    /// Chooses the user names to log in with.
    #[must_use]
    pub fn with_users<S: Into<String>>(self, users: impl IntoIterator<Item = S>) -> Self {
        Self { users: users.into_iter().map(Into::into).collect(), ..self }
    }

    /// Chooses how long to wait between two tries.
    #[must_use]
    pub fn with_interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Chooses how long one try may take.
    #[must_use]
    pub fn with_try_timeout(self, try_timeout: Duration) -> Self {
        Self { try_timeout, ..self }
    }

    /// Chooses how long to try altogether.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Chooses how long refused logins are tried again.
    #[must_use]
    pub fn with_login_grace(self, login_grace: Duration) -> Self {
        Self { login_grace, ..self }
    }
}

impl fmt::Debug for DeployOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeployOptions")
            .field("wait", &self.wait)
            .field("connection", &self.connection)
            .field("max_tries", &self.max_tries)
            .field("run_timeout", &self.run_timeout)
            .finish_non_exhaustive()
    }
}
