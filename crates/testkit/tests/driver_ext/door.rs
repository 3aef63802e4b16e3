//! A way into nodes that opens as it is told, and a shell behind it that works in a directory of this host.

use std::{
    collections::VecDeque,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tempfile::TempDir;
use vmpool_driver::{
    Auth, Connect, ConnectError, ConnectOptions, CreateRequest, DeployError, DeployOptions, DeployTarget,
    Deployment, DriverExt, Shell, ShellError, ShellOutput,
};
use vmpool_model::Node;

use crate::script::{Script, Waited, running};

/// What happens at the door.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Opens,
    Refuses(ConnectError),
    /// After 9 s.
    Slow(ConnectError),
    Never,
}

/// A way in that answers each try with the next answer; the last one stays.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) home: Arc<TempDir>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    /// The user names that were tried, and what was run, as lines.
    pub(crate) log: Arc<Mutex<Vec<String>>>,
    /// Why the next commands fail.
    pub(crate) faults: Arc<Mutex<VecDeque<ShellError>>>,
    /// Why there is no way in at all, if so.
    pub(crate) missing: Option<ConnectError>,
}

impl Door {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            home: Arc::new(tempfile::tempdir().unwrap()),
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            log: Arc::default(),
            faults: Arc::default(),
            missing: None,
        }
    }

    pub(crate) fn open() -> Self {
        Self::new([Answer::Opens])
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Reads a file in the home directory, with its mode.
    pub(crate) fn read(&self, name: &str) -> (String, u32) {
        let path = self.path(name);
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        (fs::read_to_string(path).unwrap(), mode)
    }

    /// Lists the home directory.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn connection(&self) -> ConnectOptions {
        ConnectOptions::new(self.clone())
            .with_interval(Duration::from_secs(2))
            .with_timeout(Duration::from_secs(60))
    }

    /// Deploys to a node that runs at once.
    pub(crate) async fn deploy(&self, deployment: &dyn Deployment) -> Result<Node, DeployError> {
        let options = DeployOptions::new(Waited::default().options());
        self.deploy_with(deployment, options.with_connection(self.connection())).await
    }

    pub(crate) async fn deploy_with(
        &self,
        deployment: &dyn Deployment,
        options: DeployOptions,
    ) -> Result<Node, DeployError> {
        let request = CreateRequest::new("small").with_auth(Auth::SshKey("ssh-ed25519 AAAA".to_owned()));
        ready().deploy(request, deployment, &options).await
    }
}

/// A cloud that takes keys and whose node runs at once.
pub(crate) fn ready() -> Script {
    Script::of(vec![vec![running("1", &["10.0.0.1"])]])
        .with_capabilities(|has| has.create_with_ssh_key = true)
}

#[async_trait]
impl Connect for Door {
    async fn check(&self) -> Result<(), ConnectError> {
        self.missing.clone().map_or(Ok(()), Err)
    }

    async fn connect(&self, target: &DeployTarget, user: &str) -> Result<Arc<dyn Shell>, ConnectError> {
        self.log.lock().unwrap().push(format!("{user}@{}", target.address));
        let answer = {
            let mut answers = self.answers.lock().unwrap();
            if answers.len() == 1 { answers[0].clone() } else { answers.pop_front().unwrap() }
        };
        match answer {
            Answer::Opens => {
                let (log, faults) = (self.log.clone(), self.faults.clone());
                Ok(Arc::new(LocalShell { home: self.home.path().to_owned(), log, faults }))
            }
            Answer::Refuses(err) => Err(err),
            Answer::Slow(err) => {
                slowly().await;
                Err(err)
            }
            Answer::Never => std::future::pending().await,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the time that a login takes, on a paused clock")]
async fn slowly() {
    tokio::time::sleep(Duration::from_secs(9)).await;
}

/// A shell in a directory of this host.
#[derive(Debug)]
struct LocalShell {
    home: PathBuf,
    log: Arc<Mutex<Vec<String>>>,
    faults: Arc<Mutex<VecDeque<ShellError>>>,
}

impl LocalShell {
    fn path(&self, path: &str) -> PathBuf {
        Path::new(&self.home).join(path)
    }

    fn note(&self, what: String) {
        self.log.lock().unwrap().push(what);
    }
}

#[async_trait]
impl Shell for LocalShell {
    async fn put(&self, path: &str, mode: u32, content: &[u8]) -> Result<(), ShellError> {
        self.note(format!("put {path} {mode:o}"));
        fs::write(self.path(path), content).unwrap();
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
        Ok(())
    }

    async fn run(&self, command: &str) -> Result<ShellOutput, ShellError> {
        self.note(format!("run {command}"));
        if let Some(fault) = self.faults.lock().unwrap().pop_front() {
            return Err(fault);
        }
        let done = Command::new("sh").args(["-c", command]).current_dir(&self.home).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ok(ShellOutput::new(done.status.code().unwrap(), text(done.stdout), text(done.stderr)))
    }

    async fn delete(&self, path: &str) -> Result<(), ShellError> {
        self.note(format!("delete {path}"));
        fs::remove_file(self.path(path)).unwrap();
        Ok(())
    }
}
