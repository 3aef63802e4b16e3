//! A node behind a program that plays `ssh`.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;
use vmpool::{
    driver::{Auth, Connect, ConnectError, DeployTarget, Shell},
    model::{Node, NodeId, states::NodeState},
    ssh::SshProgram,
};

/// The directory of one fake `ssh`, whose files tell it what to do.
pub(crate) struct Fake {
    dir: TempDir,
}

impl Fake {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Linked, not written: a file that was just written cannot always be run at once.
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ssh/fake-ssh");
        symlink(program, dir.path().join("ssh")).unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Tells it what to do.
    pub(crate) fn tell(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    pub(crate) fn forget(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    pub(crate) fn program(&self) -> SshProgram {
        SshProgram::new().with_program(self.path("ssh"))
    }

    pub(crate) async fn connect(&self) -> Result<Arc<dyn Shell>, ConnectError> {
        self.program().connect(&target(None), "root").await
    }

    pub(crate) async fn shell(&self) -> Arc<dyn Shell> {
        self.connect().await.unwrap()
    }

    /// Returns the arguments of the last run, one per line.
    pub(crate) fn arguments(&self) -> String {
        fs::read_to_string(self.path("arguments")).unwrap()
    }

    /// Reads a file in the home directory of the node, with its mode.
    pub(crate) fn read(&self, name: &str) -> (String, u32) {
        let path = self.path("home").join(name);
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        (fs::read_to_string(path).unwrap(), mode)
    }

    /// Lists the home directory of the node.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("home")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub(crate) fn target(auth: Option<Auth>) -> DeployTarget {
    let node = Node::new(NodeId::new("1").unwrap(), "n1", NodeState::Running);
    DeployTarget::new(node, [10, 0, 0, 1].into(), auth)
}
