//! L22 and L23: creating a node and running something on it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use vmpool_driver::{
    Auth, CreateRequest, DeployError, DeployOptions, DeployTarget, Deployment, DriverExt, MultiStep,
    StepError,
};
use vmpool_model::{FailureKind, Node, states::NodeState};

use crate::script::{Script, Waited, in_state, running};

/// A step that notes its name and the login, and fails the first few times.
struct Step {
    name: &'static str,
    log: Arc<Mutex<Vec<String>>>,
    failures: AtomicUsize,
}

#[async_trait]
impl Deployment for Step {
    async fn run(&self, target: &DeployTarget) -> Result<(), StepError> {
        let login = match &target.auth {
            Some(Auth::Password(password)) => password.clone(),
            Some(_) => "key".to_owned(),
            None => "none".to_owned(),
        };
        self.log.lock().unwrap().push(format!("{} {} {login}", self.name, target.address));
        match self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Err("exit status 1".into()),
            Err(_) => Ok(()),
        }
    }
}

#[derive(Default)]
struct Stage {
    log: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    fn step(&self, name: &'static str, failures: usize) -> Step {
        Step { name, log: self.log.clone(), failures: AtomicUsize::new(failures) }
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    async fn deploy(&self, driver: &Script, auth: Option<Auth>, step: Step) -> Result<Node, DeployError> {
        let options = DeployOptions::new(Waited::default().options()).with_password(|| "made up".to_owned());
        let mut request = CreateRequest::new("small");
        request.auth = auth;
        driver.deploy(request, &step, &options).await
    }
}

fn ready() -> Script {
    Script::of(vec![vec![running("1", &["10.0.0.1"])]])
}

fn key() -> Option<Auth> {
    Some(Auth::SshKey("ssh-ed25519 AAAA".to_owned()))
}

fn password() -> Option<Auth> {
    Some(Auth::Password("given".to_owned()))
}

/// Checks that a login is refused, and that nothing was created.
async fn check_refused(driver: Script, auth: Option<Auth>) {
    let stage = Stage::default();
    let result = stage.deploy(&driver, auth, stage.step("a", 0)).await;
    let Err(DeployError::Refused(err)) = result else { panic!("{result:?}") };
    assert_eq!(err.kind(), FailureKind::Unsupported);
    assert!(driver.created.lock().unwrap().is_empty() && stage.log().is_empty());
}

#[tokio::test]
async fn l22_a_driver_without_logins_deploys_nothing_and_creates_nothing() {
    for auth in [None, key(), password()] {
        check_refused(ready(), auth).await;
    }
}

#[tokio::test]
async fn l23_a_login_of_a_kind_that_the_driver_does_not_take_is_refused() {
    check_refused(ready().with_capabilities(|has| has.create_with_password = true), key()).await;
    check_refused(ready().with_capabilities(|has| has.create_with_ssh_key = true), password()).await;
    check_refused(ready().with_capabilities(|has| has.create_with_ssh_key = true), None).await;
}

#[tokio::test]
async fn l23_a_password_is_made_up_and_returned_if_none_was_given() {
    let (driver, stage) =
        (ready().with_capabilities(|has| has.create_with_password = true), Stage::default());
    let node = stage.deploy(&driver, None, stage.step("a", 0)).await.unwrap();
    assert_eq!(node.extra["password"], "made up");
    assert_eq!(stage.log(), ["a 10.0.0.1 made up"]);
    assert_eq!(driver.created.lock().unwrap()[0].auth, Some(Auth::Password("made up".to_owned())));
}

#[tokio::test]
async fn l23_a_given_password_is_not_returned() {
    let (driver, stage) =
        (ready().with_capabilities(|has| has.create_with_password = true), Stage::default());
    let node = stage.deploy(&driver, password(), stage.step("a", 0)).await.unwrap();
    assert!(!node.extra.contains_key("password"));
    assert_eq!(stage.log(), ["a 10.0.0.1 given"]);
}

#[tokio::test]
async fn l23_a_password_that_the_cloud_made_up_reaches_the_deployment_and_the_caller() {
    let (driver, stage) =
        (ready().with_capabilities(|has| has.create_generates_password = true), Stage::default());
    let node = stage.deploy(&driver, None, stage.step("a", 0)).await.unwrap();
    assert_eq!(node.extra["password"], "from the cloud");
    assert_eq!(stage.log(), ["a 10.0.0.1 from the cloud"]);
}

#[tokio::test]
async fn l23_an_ssh_key_is_taken_if_the_driver_takes_keys() {
    let (driver, stage) = (ready().with_capabilities(|has| has.create_with_ssh_key = true), Stage::default());
    stage.deploy(&driver, key(), stage.step("a", 0)).await.unwrap();
    assert_eq!(stage.log(), ["a 10.0.0.1 key"]);
}

#[tokio::test]
async fn made_up_passwords_are_long_and_differ() {
    let options = DeployOptions::new(Waited::default().options());
    let (one, other) = ((options.password)(), (options.password)());
    assert_eq!(one.len(), 32);
    assert_ne!(one, other);
}

#[tokio::test]
async fn several_steps_run_in_their_order() {
    let stage = Stage::default();
    let steps = MultiStep::new().with(stage.step("key", 0)).with(stage.step("script", 0));
    let driver = ready().with_capabilities(|has| has.create_with_ssh_key = true);
    let options = DeployOptions::new(Waited::default().options());
    let request = CreateRequest::new("small").with_auth(key().unwrap());
    driver.deploy(request, &steps, &options).await.unwrap();
    assert_eq!(stage.log(), ["key 10.0.0.1 key", "script 10.0.0.1 key"]);
}

#[tokio::test]
async fn a_deployment_that_fails_twice_is_tried_three_times() {
    let (driver, stage) = (ready().with_capabilities(|has| has.create_with_ssh_key = true), Stage::default());
    stage.deploy(&driver, key(), stage.step("a", 2)).await.unwrap();
    assert_eq!(stage.log().len(), 3);
}

#[tokio::test]
async fn a_deployment_that_keeps_failing_leaves_its_node_to_the_caller() {
    let (driver, stage) = (ready().with_capabilities(|has| has.create_with_ssh_key = true), Stage::default());
    let err = stage.deploy(&driver, key(), stage.step("a", 9)).await.unwrap_err();
    assert_eq!(err.node().unwrap().id.as_str(), "1");
    assert_eq!(err.to_string(), "deploy failed on node 1, which still exists, in 3 tries: exit status 1");
}

#[tokio::test]
async fn a_node_that_never_runs_is_left_to_the_caller_with_its_password() {
    let driver = Script::of(vec![vec![in_state("1", NodeState::Error)]])
        .with_capabilities(|has| has.create_with_password = true);
    let stage = Stage::default();
    let err = stage.deploy(&driver, None, stage.step("a", 0)).await.unwrap_err();
    let node = err.node().unwrap();
    assert_eq!((node.id.as_str(), node.extra["password"].as_str()), ("1", "made up"));
    assert!(stage.log().is_empty());
}
