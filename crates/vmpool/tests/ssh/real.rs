//! The host's `ssh` against a real `sshd` on loopback, for deployments and for checks.
//!
//! Where `VMPOOL_TEST_SSHD` is set, as `.ci/run` does, `sshd` must be there; elsewhere these tests are left out without it.

use std::{
    env, fs,
    net::TcpListener,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use tempfile::TempDir;
use vmpool::{
    driver::{Connect, ConnectError, DeployTarget, ShellError},
    manager::{CheckTarget, Checker, NetworkChecker},
    model::{
        Node, NodeId, NodeView,
        config::{CheckConfig, SshCheck},
        states::NodeState,
    },
    ssh::SshProgram,
};

const SSHD: &str = "/usr/sbin/sshd";

/// Kills the `sshd` above the shell, which need not be its parent, and reads on until its input ends.
const KILL_SSHD: &str = r"p=$PPID; until grep -q sshd /proc/$p/comm; do p=$(sed -n 's/^PPid:\t//p' /proc/$p/status); done; kill -9 $p; cat";

/// An `sshd` that lets in the user of the test by a key, one process per connection.
struct Sshd {
    dir: TempDir,
    port: u16,
}

impl Sshd {
    /// Returns nothing where there is no `sshd`, and need not be.
    #[expect(clippy::print_stdout, reason = "what is left out is to be seen")]
    fn start() -> Option<Self> {
        if !Path::new(SSHD).exists() {
            assert!(env::var_os("VMPOOL_TEST_SSHD").is_none(), "{SSHD} is not installed");
            println!("left out: {SSHD} is not installed");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sshd = Self { port: listener.local_addr().unwrap().port(), dir };
        for name in ["host", "client", "stranger"] {
            sshd.make_key(name);
        }
        let path = |name: &str| sshd.path(name).display().to_string();
        let config = format!(
            "HostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\n\
             PasswordAuthentication no\nPermitRootLogin prohibit-password\n",
            path("host"),
            path("client.pub")
        );
        fs::write(sshd.path("config"), config).unwrap();
        let (config, log) = (sshd.path("config"), sshd.path("log"));
        // It ends with the test's process.
        thread::spawn(move || {
            for connection in listener.incoming() {
                let connection = OwnedFd::from(connection.unwrap());
                let input = connection.try_clone().unwrap();
                let mut command = Command::new(SSHD);
                command.args(["-i", "-f"]).arg(&config).arg("-E").arg(&log);
                command.stdin(Stdio::from(input)).stdout(Stdio::from(connection)).stderr(Stdio::null());
                let mut child = command.spawn().unwrap();
                drop(command);
                thread::spawn(move || child.wait());
            }
        });
        Some(sshd)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a pair of keys, in place of one that was there.
    fn make_key(&self, name: &str) {
        let _ = fs::remove_file(self.path(name));
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(self.path(name));
        assert!(command.status().unwrap().success());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn program(&self) -> SshProgram {
        SshProgram::new().with_port(self.port).with_identity(self.path("client"))
    }

    fn check(&self) -> CheckTarget {
        let mut check = SshCheck::default();
        (check.user, check.port, check.identity) = (Some(user()), self.port, Some(self.path("client")));
        let (vm, pool) = ("small-1".parse().unwrap(), "small".parse().unwrap());
        let timeout = std::time::Duration::from_secs(30);
        CheckTarget::new(vm, pool, node(), CheckConfig::Ssh(check), timeout)
    }
}

fn node() -> NodeView {
    let mut node = Node::new(NodeId::new("0").unwrap(), "vm", NodeState::Running);
    node.public_ips = vec!["127.0.0.1".parse().unwrap()];
    NodeView::from(&node)
}

fn target() -> DeployTarget {
    let node = Node::new(NodeId::new("0").unwrap(), "vm", NodeState::Running);
    DeployTarget::new(node, "127.0.0.1".parse().unwrap(), None)
}

/// Returns who runs the test.
fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_real_sshd_gives_a_shell_that_puts_runs_and_deletes() {
    let Some(sshd) = Sshd::start() else { return };
    let shell = match sshd.program().connect(&target(), &user()).await {
        Ok(shell) => shell,
        Err(err) => panic!("{err}; sshd says:\n{}", sshd.log()),
    };
    let path = sshd.path("it's a file").display().to_string();
    let content: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    shell.put(&path, 0o751, &content).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), content);
    let output = shell.run("printf out; printf err >&2; exit 7").await.unwrap();
    assert_eq!((output.exit, output.stdout.as_str(), output.stderr.trim_end()), (7, "out", "err"));
    shell.delete(&path).await.unwrap();
    assert!(!Path::new(&path).exists());
    let lost = shell.run(KILL_SSHD).await.unwrap_err();
    assert!(matches!(lost, ShellError::Lost { .. }), "{lost}");
}

#[tokio::test]
async fn a_real_sshd_refuses_a_key_that_it_does_not_know() {
    let Some(sshd) = Sshd::start() else { return };
    let program = sshd.program().with_identity(sshd.path("stranger"));
    let err = program.connect(&target(), &user()).await.unwrap_err();
    assert!(matches!(&err, ConnectError::LoginRefused { .. }), "{err:?}");
    assert!(err.to_string().contains("Permission denied"), "{err}");
}

#[tokio::test]
async fn f16_the_host_key_of_a_real_sshd_is_learned_and_another_one_is_refused() {
    let Some(sshd) = Sshd::start() else { return };
    let checker = NetworkChecker::new();
    let report = match checker.check(&sshd.check()).await {
        Ok(report) => report,
        Err(err) => panic!("{err}; sshd says:\n{}", sshd.log()),
    };
    let key = fs::read_to_string(sshd.path("host.pub")).unwrap();
    let learned = report.host_key.clone().unwrap();
    assert!(key.starts_with(&learned), "{learned} is not {key}");
    let pinned = || sshd.check().with_host_key(report.host_key.clone());
    checker.check(&pinned()).await.unwrap();

    sshd.make_key("host");
    let why = checker.check(&pinned()).await.unwrap_err();
    assert!(why.contains("verification failed"), "{why}");
}

#[tokio::test]
async fn a_command_that_prints_something_else_on_a_real_sshd_fails_the_check() {
    let Some(sshd) = Sshd::start() else { return };
    let mut other = sshd.check();
    let CheckConfig::Ssh(check) = &mut other.check else { return };
    check.command = "echo bye".to_owned();
    let why = NetworkChecker::new().check(&other).await.unwrap_err();
    assert!(why.ends_with("it printed \"bye\", not \"hello\""), "{why}");
}
