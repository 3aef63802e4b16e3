//! Whole deployments on the cloud in memory.

use std::{sync::Arc, time::Duration};

use vmpool::{
    driver::{
        Auth, ConnectOptions, CreateRequest, DeployError, DeployOptions, DriverExt, FileDeployment,
        MultiStep, ScriptDeployment, ShellError, SshKeyDeployment, WaitOptions,
    },
    drivers,
    dummy::{DummyCloud, DummyConfig, DummyDriver, Feature},
};

use crate::fake::Fake;

fn cloud(feature: Feature) -> DummyDriver {
    DummyDriver::new(DummyCloud::in_memory(DummyConfig::default().with_feature(feature)).unwrap())
}

fn options(fake: &Fake) -> DeployOptions {
    let wait = WaitOptions::new(drivers::pause());
    let connection =
        ConnectOptions::new(fake.program()).with_interval(Duration::from_millis(1)).with_users(["root"]);
    DeployOptions::new(wait).with_connection(connection)
}

fn with_key() -> CreateRequest {
    CreateRequest::new("small").with_auth(Auth::SshKey("ssh-ed25519 AAAA".to_owned()))
}

#[tokio::test]
async fn a_node_gets_its_key_its_file_and_its_script() {
    let fake = Fake::new();
    let script = ScriptDeployment::new("#!/bin/sh\ncat motd > \"$1\"\n").unwrap().with_arg("a copy");
    let script = Arc::new(script.with_delete());
    let steps = MultiStep::new()
        .with(SshKeyDeployment::new("ssh-ed25519 BBBB me").unwrap())
        .with(FileDeployment::new("motd", "hello\n").unwrap())
        .with(Arc::clone(&script));
    let node = cloud(Feature::SshKey).deploy(with_key(), &steps, &options(&fake)).await.unwrap();
    assert_eq!(node.name, "dummy-1");
    assert_eq!(fake.files(), [".ssh", "a copy", "motd"]);
    assert_eq!(fake.read(".ssh/authorized_keys"), ("ssh-ed25519 BBBB me\n".to_owned(), 0o600));
    assert_eq!(script.output().unwrap().exit, 0);
}

#[tokio::test]
async fn a_node_with_a_made_up_password_is_logged_in_to_with_it() {
    let fake = Fake::new().tell("password", "made up\n");
    let options = options(&fake).with_password(|| "made up".to_owned());
    let steps = FileDeployment::new("a", "x").unwrap();
    let node = cloud(Feature::Password).deploy(CreateRequest::new("small"), &steps, &options).await.unwrap();
    assert_eq!((node.extra["password"].as_str(), fake.files()), ("made up", vec!["a".to_owned()]));
}

#[tokio::test]
async fn a_node_whose_server_comes_late_is_waited_for() {
    let fake = Fake::new().tell("says", "ssh: connect to host 127.0.0.1 port 22: Connection refused");
    let fake = fake.tell("once", "");
    cloud(Feature::SshKey).deploy(with_key(), &MultiStep::new(), &options(&fake)).await.unwrap();
}

#[tokio::test]
async fn a_script_that_hangs_is_ended_by_the_clock_and_leaves_its_node_in_the_error() {
    let fake = Fake::new();
    let options = options(&fake).with_run_timeout(Duration::from_millis(300));
    let script = ScriptDeployment::new("#!/bin/sh\necho $$ > pid\nexec sleep 600\n").unwrap();
    let err = cloud(Feature::SshKey).deploy(with_key(), &script, &options).await.unwrap_err();
    let DeployError::Step { node, tries: 1, source } = &err else { panic!("{err:?}") };
    assert_eq!(node.name, "dummy-1");
    assert!(matches!(source.downcast_ref(), Some(ShellError::TimedOut { .. })), "{source:?}");
    let pid = fake.read("pid").0;
    let gone = async || {
        while std::path::Path::new("/proc").join(pid.trim()).exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone()).await.expect("what ssh began is killed with it");
}

#[tokio::test]
async fn without_the_program_no_node_is_created() {
    let driver = cloud(Feature::SshKey);
    let fake = Fake::new();
    fake.forget("ssh");
    let err = driver.deploy(with_key(), &MultiStep::new(), &options(&fake)).await.unwrap_err();
    assert!(matches!(err, DeployError::Refused(_)), "{err:?}");
    assert_eq!(driver.cloud().nodes().len(), 0);
}
