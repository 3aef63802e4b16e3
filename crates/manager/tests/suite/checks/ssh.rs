//! The check over SSH, with a program that stands for `ssh`.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command, time::Duration};

use tempfile::TempDir;
use vmpool_manager::{
    CheckReport, CheckTarget, Checker, NetworkChecker,
    model::config::{CheckConfig, SshCheck},
};

use super::target;

const KEY: &str = "ssh-ed25519 AAAAC3Nz";

/// A place with a program that stands for `ssh`.
struct Fake(TempDir);

impl Fake {
    /// Makes one that shows [`KEY`] and then does what a shell script says.
    fn new(act: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/checks/fake_ssh.sh");
        symlink(program, dir.path().join("ssh")).unwrap();
        fs::write(dir.path().join("act"), act).unwrap();
        fs::write(dir.path().join("key"), KEY).unwrap();
        Self(dir)
    }

    fn shows_key(&self, key: &str) {
        fs::write(self.0.path().join("key"), key).unwrap();
    }

    async fn check(&self, target: &CheckTarget) -> Result<CheckReport, String> {
        NetworkChecker::new().with_ssh_program(self.0.path().join("ssh")).check(target).await
    }

    fn arguments(&self) -> Vec<String> {
        let given = fs::read_to_string(self.0.path().join("arguments")).unwrap();
        given.lines().map(str::to_owned).collect()
    }
}

fn over_ssh(check: SshCheck) -> CheckTarget {
    target(&["10.0.0.7"], CheckConfig::Ssh(check))
}

fn hello() -> CheckTarget {
    over_ssh(SshCheck::default())
}

#[tokio::test]
async fn c89_the_expected_answer_passes_and_tells_the_host_key() {
    let report = Fake::new("echo hello").check(&hello()).await.unwrap();
    assert_eq!(report.host_key.as_deref(), Some(KEY));
}

#[tokio::test]
async fn white_space_at_the_end_of_the_answer_does_not_matter() {
    assert!(Fake::new("printf 'hello \\n\\n'").check(&hello()).await.is_ok());
    assert!(Fake::new("printf hello").check(&hello()).await.is_ok());
}

#[tokio::test]
async fn an_answer_that_is_not_the_expected_one_is_shown() {
    for act in ["echo hello you", "echo ' hello'", "echo hello hello", "printf ''"] {
        let why = Fake::new(act).check(&hello()).await.unwrap_err();
        assert!(why.starts_with("ssh 10.0.0.7:22: it printed ") && why.ends_with("not \"hello\""), "{why}");
    }
    let why = Fake::new("seq 100000").check(&hello()).await.unwrap_err();
    assert!(why.len() < 400, "{why}");
}

#[tokio::test]
async fn an_answer_on_the_stream_for_errors_does_not_count() {
    assert!(Fake::new("echo hello >&2").check(&hello()).await.is_err());
    assert!(Fake::new("echo 'Welcome!' >&2; echo hello").check(&hello()).await.is_ok());
}

#[tokio::test]
async fn c88_a_login_that_fails_tells_the_exit_code_and_the_last_line() {
    let act = "echo 'debug: x' >&2; echo 'me@10.0.0.7: Permission denied (publickey).' >&2; exit 255";
    let why = Fake::new(act).check(&hello()).await.unwrap_err();
    let expected = "ssh 10.0.0.7:22: exit code 255: me@10.0.0.7: Permission denied (publickey).";
    assert_eq!(why, expected);
    // The right answer of a command that fails is not enough.
    let why = Fake::new("echo hello; exit 3").check(&hello()).await.unwrap_err();
    assert!(why.contains("exit code 3"), "{why}");
}

#[tokio::test]
async fn c87_no_answer_is_a_failure_when_the_time_is_over() {
    let mut target = hello();
    target.timeout = Duration::from_millis(300);
    let why = Fake::new("echo begun >&2; sleep 60").check(&target).await.unwrap_err();
    assert!(why.contains("did not end within 300ms") && why.contains("begun"), "{why}");
}

#[tokio::test]
async fn the_first_host_key_is_taken_and_another_one_is_refused_after_that() {
    let fake = Fake::new("echo hello");
    let pinned = hello().with_host_key(fake.check(&hello()).await.unwrap().host_key);
    assert_eq!(fake.check(&pinned).await, Ok(CheckReport::default()));
    fake.shows_key("ssh-ed25519 AAAAother");
    let why = fake.check(&pinned).await.unwrap_err();
    assert!(why.ends_with("exit code 255: Host key verification failed."), "{why}");
}

#[tokio::test]
async fn f16_a_host_key_is_kept_under_the_name_of_the_vm_not_its_address() {
    let fake = Fake::new("echo hello");
    fake.check(&hello()).await.unwrap();
    let arguments = fake.arguments();
    assert!(arguments.contains(&"HostKeyAlias=small-1".to_owned()), "{arguments:?}");
    assert!(arguments.contains(&"GlobalKnownHostsFile=/dev/null".to_owned()), "{arguments:?}");
}

#[tokio::test]
async fn without_pinning_any_host_key_is_taken_and_none_is_told() {
    let mut check = SshCheck::default();
    check.pin_host_key = false;
    let fake = Fake::new("echo hello");
    assert_eq!(fake.check(&over_ssh(check)).await, Ok(CheckReport::default()));
    assert!(fake.arguments().contains(&"StrictHostKeyChecking=no".to_owned()));
}

#[tokio::test]
async fn who_logs_in_where_and_how_is_as_configured() {
    let mut check = SshCheck::default();
    (check.user, check.port) = (Some("builder".to_owned()), 2222);
    check.identity = Some("/etc/vmpool/key file".into());
    check.command = "uname -m; echo $HOME".to_owned();
    check.expect = String::new();
    let fake = Fake::new("true");
    fake.check(&over_ssh(check)).await.unwrap();
    let arguments = fake.arguments();
    let beginning = ["-T", "-p", "2222", "-i", "/etc/vmpool/key file", "-l", "builder"];
    assert_eq!(arguments[..7], beginning);
    assert_eq!(arguments[arguments.len() - 3..], ["--", "10.0.0.7", "uname -m; echo $HOME"]);
}

#[tokio::test]
async fn openssh_understands_all_that_it_is_told() {
    let mut check = SshCheck::default();
    check.user = Some("builder".to_owned());
    let fake = Fake::new("echo hello");
    fake.check(&over_ssh(check)).await.unwrap();
    // Where there is no OpenSSH, there is nothing to compare with.
    let Ok(told) = Command::new("ssh").arg("-G").args(fake.arguments()).output() else { return };
    let (told, problems) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    for line in ["batchmode yes", "hostkeyalias small-1", "user builder", "stricthostkeychecking accept-new"]
    {
        assert!(told.lines().any(|found| found == line), "{line}: {told}{problems}");
    }
}

#[tokio::test]
async fn of_several_addresses_one_that_answers_is_enough() {
    let check = CheckConfig::Ssh(SshCheck::default());
    let target = target(&["10.0.0.7", "10.0.0.8"], check);
    let act = r#"case "$*" in *10.0.0.8*) echo hello ;; *) sleep 60 ;; esac"#;
    assert!(Fake::new(act).check(&target).await.is_ok());
    let why = Fake::new("exit 1").check(&target).await.unwrap_err();
    assert_eq!(why, "ssh 10.0.0.7:22: exit code 1; ssh 10.0.0.8:22: exit code 1");
}

#[test]
fn a_program_or_key_that_is_not_there_is_found_early() {
    let mut check = SshCheck::default();
    let missing = NetworkChecker::new().with_ssh_program("/no/such/ssh");
    let why = missing.validate(&CheckConfig::Ssh(check.clone())).unwrap_err().to_string();
    assert!(why.starts_with("kind: there is no command /no/such/ssh"), "{why}");

    let checker = NetworkChecker::new().with_ssh_program("/bin/sh");
    assert_eq!(checker.validate(&CheckConfig::Ssh(check.clone())), Ok(()));
    check.identity = Some("/no/such/key".into());
    let why = checker.validate(&CheckConfig::Ssh(check)).unwrap_err().to_string();
    assert!(why.starts_with("identity: the private key cannot be read"), "{why}");
}
