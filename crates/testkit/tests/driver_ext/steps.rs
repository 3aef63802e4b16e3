//! The deployments of libcloud's test suite: key, file, script, several steps, and what they refuse.

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

use vmpool_driver::{
    CreateRequest, DeployError, DeployOptions, DeployTarget, Deployment, DriverExt, FileDeployment,
    MultiStep, ScriptDeployment, ShellError, SshKeyDeployment,
};
use vmpool_model::FailureKind;

use crate::{
    door::{Door, ready},
    script::{Waited, running},
};

const KEY: &str = "ssh-ed25519 AAAA it's me";

fn script(text: &str) -> ScriptDeployment {
    ScriptDeployment::new(format!("#!/bin/sh\n{text}\n")).unwrap()
}

#[tokio::test]
async fn an_ssh_key_is_appended_to_the_authorized_keys_which_only_their_owner_reads() {
    let door = Door::open();
    door.deploy(&SshKeyDeployment::new(&format!("{KEY}\n")).unwrap()).await.unwrap();
    assert_eq!(door.read(".ssh/authorized_keys"), (format!("{KEY}\n"), 0o600));
    assert_eq!(fs::metadata(door.path(".ssh")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn an_ssh_key_leaves_the_keys_that_are_there_and_comes_once_however_often_it_is_deployed() {
    let door = Door::open();
    fs::create_dir(door.path(".ssh")).unwrap();
    // As people leave it: without an end of the last line.
    fs::write(door.path(".ssh/authorized_keys"), "ssh-rsa BBBB other").unwrap();
    let key = SshKeyDeployment::new(KEY).unwrap();
    for _ in 0..2 {
        door.deploy(&key).await.unwrap();
    }
    assert_eq!(door.read(".ssh/authorized_keys").0, format!("ssh-rsa BBBB other\n{KEY}\n"));
}

#[tokio::test]
async fn an_ssh_key_is_read_from_its_file() {
    let door = Door::open();
    fs::write(door.path("id.pub"), KEY).unwrap();
    assert_eq!(SshKeyDeployment::read(door.path("id.pub")).unwrap(), SshKeyDeployment::new(KEY).unwrap());
}

#[tokio::test]
async fn a_file_is_put_with_its_content_and_mode() {
    let door = Door::open();
    door.deploy(&FileDeployment::new("a file", "text").unwrap().with_mode(0o640)).await.unwrap();
    assert_eq!(door.read("a file"), ("text".to_owned(), 0o640));
}

#[tokio::test]
async fn a_file_of_this_host_is_put_with_the_mode_it_has_here() {
    let door = Door::open();
    let source = door.path("source");
    fs::write(&source, "text").unwrap();
    fs::set_permissions(&source, fs::Permissions::from_mode(0o751)).unwrap();
    door.deploy(&FileDeployment::read(&source, "target").unwrap()).await.unwrap();
    assert_eq!(door.read("target"), ("text".to_owned(), 0o751));
}

#[tokio::test]
async fn a_script_is_put_under_a_given_name_and_run_with_its_arguments_as_they_are() {
    let door = Door::open();
    let script = script("echo \"$1|$2\"; echo wrong >&2").with_path("setup.sh").unwrap();
    let script = Arc::new(script.with_arg("it's $HOME").with_arg("b"));
    door.deploy(&script).await.unwrap();
    assert_eq!(door.read("setup.sh").1, 0o755);
    let output = script.output().unwrap();
    assert_eq!(
        (output.exit, output.stdout.as_str(), output.stderr.as_str()),
        (0, "it's $HOME|b\n", "wrong\n")
    );
}

#[tokio::test]
async fn a_script_without_a_name_gets_one_of_its_own() {
    let (door, one, other) = (Door::open(), script("true"), script("true"));
    assert_ne!(one.path(), other.path());
    door.deploy(&one).await.unwrap();
    assert_eq!(door.files(), [one.path()]);
    assert!(one.path().starts_with("deployment_") && one.path().ends_with(".sh"), "{}", one.path());
}

#[tokio::test]
async fn a_script_with_an_absolute_path_is_put_and_run_there() {
    let door = Door::open();
    let path = door.path("absolute.sh").to_str().unwrap().to_owned();
    door.deploy(&script("pwd > ran").with_path(&path).unwrap()).await.unwrap();
    assert!(door.log().contains(&format!("run '{path}'")), "{:?}", door.log());
    assert!(door.path("ran").exists());
}

#[tokio::test]
async fn a_script_is_deleted_afterwards_if_so_asked_also_when_it_failed() {
    for (text, works) in [("true", true), ("exit 3", false)] {
        let door = Door::open();
        assert_eq!(door.deploy(&script(text).with_delete()).await.is_ok(), works);
        assert!(door.files().is_empty(), "{:?}", door.files());
    }
}

#[tokio::test]
async fn a_script_stays_unless_it_is_to_be_deleted() {
    let (door, script) = (Door::open(), script("true"));
    door.deploy(&script).await.unwrap();
    assert_eq!(door.files(), [script.path()]);
}

#[tokio::test]
async fn a_script_that_fails_is_an_error_that_shows_what_it_complained() {
    let (door, script) = (Door::open(), script("echo no space >&2; exit 3"));
    let err = door.deploy(&script).await.unwrap_err();
    let Some(ShellError::Failed { exit, .. }) = step_error(&err) else { panic!("{err:?}") };
    assert_eq!(*exit, 3);
    assert!(err.to_string().ends_with(": exit code 3: no space"), "{err}");
}

#[tokio::test]
async fn several_steps_use_one_shell_in_their_order() {
    let door = Door::open();
    let steps = MultiStep::new()
        .with(FileDeployment::new("a", "1").unwrap())
        .with(SshKeyDeployment::new(KEY).unwrap())
        .with(script("cat a .ssh/authorized_keys > b").with_path("s").unwrap());
    door.deploy(&steps).await.unwrap();
    assert_eq!(door.read("b").0, format!("1{KEY}\n"));
    let log = door.log();
    assert_eq!(log[..2], ["root@10.0.0.1", "put a 644"]);
    assert!(log[2].starts_with("run umask"), "{log:?}");
    assert_eq!(log[3..], ["put s 755", "run './s'"]);
}

#[test]
fn what_cannot_be_deployed_anywhere_is_refused_when_it_is_made() {
    let shown = |err: vmpool_driver::InvalidDeployment| err.to_string();
    for key in ["", "ssh-ed25519", "two\nlines of", "-----BEGIN OPENSSH PRIVATE KEY-----\nabc"] {
        let message = shown(SshKeyDeployment::new(key).unwrap_err());
        assert!(message.starts_with("the key of the deployment cannot be used: "), "{message}");
    }
    let message = shown(FileDeployment::new("", "text").unwrap_err());
    assert_eq!(message, "the target of the deployment cannot be used: it is empty");
    assert!(FileDeployment::new("etc/", "text").is_err());
    assert!(ScriptDeployment::new("").is_err());
    assert!(script("true").with_path("").is_err());
    for missing in [
        shown(FileDeployment::read("/no/such/file", "a").unwrap_err()),
        shown(ScriptDeployment::read("/no/such/file").unwrap_err()),
        shown(SshKeyDeployment::read("/no/such/file").unwrap_err()),
    ] {
        assert!(missing.contains("/no/such/file cannot be read: "), "{missing}");
    }
}

#[test]
fn deployments_show_no_content() {
    let file = FileDeployment::new("a", "hunter2").unwrap();
    let script = ScriptDeployment::new("hunter2").unwrap().with_arg("hunter2");
    let shown = format!("{file:?} {script:?}");
    assert!(!shown.contains("hunter2") && shown.contains("0o644"), "{shown}");
}

#[tokio::test]
async fn a_deployment_that_needs_a_shell_is_refused_without_one_before_there_is_a_node() {
    let driver = ready();
    let options = DeployOptions::new(Waited::default().options());
    let request = CreateRequest::new("small").with_auth(vmpool_driver::Auth::SshKey(KEY.to_owned()));
    let steps = MultiStep::new().with(Arc::new(script("true")));
    let result = driver.deploy(request, &steps, &options).await;
    let Err(DeployError::Refused(err)) = result else { panic!("{result:?}") };
    assert_eq!(err.kind(), FailureKind::InvalidRequest);
    assert!(err.to_string().contains("needs a shell"), "{err}");
    assert!(driver.created.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_deployment_that_is_run_by_hand_without_a_shell_says_so() {
    let target = DeployTarget::new(running("1", &[]), [10, 0, 0, 1].into(), None);
    let err = script("true").run(&target).await.unwrap_err();
    assert!(err.to_string().starts_with("there is no shell on the node"), "{err}");
}

fn step_error(err: &DeployError) -> Option<&ShellError> {
    match err {
        DeployError::Step { source, .. } => source.downcast_ref(),
        _ => None,
    }
}
