//! Running a deployment on a node: how often, how long, and who is told.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use vmpool_driver::{
    DeployError, DeployOptions, DeployTarget, Deployment, ScriptDeployment, ShellError, StepError,
};

use crate::{
    door::{
        Answer::{Opens, Refuses},
        Door,
    },
    script::Waited,
};

/// Runs a script whose commands fail with these errors first.
async fn run(door: &Door, faults: impl IntoIterator<Item = ShellError>) -> Result<(), DeployError> {
    door.faults.lock().unwrap().extend(faults);
    let script = ScriptDeployment::new("#!/bin/sh\n").unwrap().with_path("s").unwrap();
    door.deploy(&script).await.map(|_| ())
}

fn lost() -> ShellError {
    ShellError::Lost { what: "the script".to_owned(), reason: "broken pipe".to_owned() }
}

fn failed() -> ShellError {
    ShellError::Failed { what: "the script".to_owned(), exit: 1, stderr: String::new() }
}

#[tokio::test]
async fn a_script_that_works_is_run_once() {
    let door = Door::open();
    run(&door, []).await.unwrap();
    assert_eq!(door.log(), ["root@10.0.0.1", "put s 755", "run './s'"]);
}

#[tokio::test]
async fn a_script_that_fails_twice_is_run_three_times_in_one_session() {
    let door = Door::open();
    run(&door, [failed(), failed()]).await.unwrap();
    let runs = door.log().iter().filter(|line| *line == "run './s'").count();
    assert_eq!((runs, door.log().iter().filter(|line| line.starts_with("root@")).count()), (3, 1));
}

#[tokio::test]
async fn a_script_that_keeps_failing_leaves_its_node_in_the_error() {
    let err = run(&Door::open(), [failed(), failed(), failed()]).await.unwrap_err();
    let DeployError::Step { node, tries, .. } = &err else { panic!("{err:?}") };
    assert_eq!((node.id.as_str(), *tries), ("1", 3));
}

#[tokio::test]
async fn a_lost_session_is_opened_anew_for_the_next_try() {
    let door = Door::open();
    run(&door, [lost()]).await.unwrap();
    let log = door.log();
    assert_eq!(log[3..], ["root@10.0.0.1", "put s 755", "run './s'"]);
}

#[tokio::test]
async fn a_session_that_cannot_be_opened_anew_ends_it_in_the_phase_of_connecting() {
    let fatal = vmpool_driver::ConnectError::Fatal("the host key changed".to_owned());
    let err = run(&Door::new([Opens, Refuses(fatal)]), [lost()]).await.unwrap_err();
    assert!(matches!(&err, DeployError::Connect { tries: 1, .. }), "{err:?}");
    assert_eq!(err.node().map(|node| node.id.as_str()), Some("1"));
}

#[tokio::test]
async fn a_lost_session_within_a_deployments_own_error_is_found() {
    #[derive(Debug, thiserror::Error)]
    #[error("my step failed")]
    struct Mine(#[source] ShellError);

    struct Own(ScriptDeployment);

    #[async_trait]
    impl Deployment for Own {
        async fn run(&self, target: &DeployTarget) -> Result<(), StepError> {
            let result = target.shell()?.run(self.0.path()).await;
            result.map(|_| ()).map_err(|err| Mine(err).into())
        }
    }

    let door = Door::open();
    door.faults.lock().unwrap().push_back(lost());
    door.deploy(&Own(ScriptDeployment::new("x").unwrap())).await.unwrap();
    assert_eq!(door.log().iter().filter(|line| line.starts_with("root@")).count(), 2);
}

#[tokio::test]
async fn a_command_that_took_too_long_is_not_run_again() {
    let slow = ShellError::TimedOut { what: "the script".to_owned(), after: Duration::from_secs(9) };
    let err = run(&Door::open(), [slow]).await.unwrap_err();
    let shown = "deploy failed on node 1, which still exists, in 1 tries: the script failed: it was not done after 9s";
    assert_eq!(err.to_string(), shown);
}

/// A deployment that never ends.
struct Stuck;

#[async_trait]
impl Deployment for Stuck {
    async fn run(&self, _: &DeployTarget) -> Result<(), StepError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_try_of_a_deployment_has_a_deadline_and_is_the_last_one_then() {
    let (door, waited) = (Door::open(), Waited::default());
    let options = DeployOptions::new(waited.options()).with_run_timeout(Duration::from_secs(90));
    let err = door.deploy_with(&Stuck, options).await.unwrap_err();
    let DeployError::Step { tries: 1, source, .. } = &err else { panic!("{err:?}") };
    assert!(matches!(source.downcast_ref(), Some(ShellError::TimedOut { .. })), "{source:?}");
    assert_eq!(waited.total(), Duration::from_secs(90));
}

#[tokio::test]
async fn who_asks_is_told_of_each_phase_and_try() {
    let (door, told) = (Door::open(), Arc::new(Mutex::new(Vec::new())));
    door.faults.lock().unwrap().push_back(failed());
    let listener = Arc::clone(&told);
    let options = DeployOptions::new(Waited::default().options())
        .with_connection(door.connection().with_users(["admin"]))
        .with_progress(move |progress| listener.lock().unwrap().push(progress.to_string()));
    door.deploy_with(&ScriptDeployment::new("#!/bin/sh\n").unwrap(), options).await.unwrap();
    let expected = [
        "creating a node",
        "waiting until node 1 runs",
        "logging in to node 1 at 10.0.0.1 as admin, try 1",
        "deploying to node 1, try 1",
        "deploying to node 1, try 2",
        "node 1 is deployed",
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}
