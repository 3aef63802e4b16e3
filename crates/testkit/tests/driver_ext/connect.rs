//! Getting a shell on a new node: when it is tried again, with whom, and when not.

use std::{sync::Arc, time::Duration};

use vmpool_driver::{ConnectError, DeployError, DeployOptions, MultiStep, WaitOptions};

use crate::{
    door::{
        Answer::{self, Never, Opens, Refuses, Slow},
        Door,
    },
    script::Waited,
};

fn unreachable() -> Answer {
    Refuses(ConnectError::Unreachable("connection refused".to_owned()))
}

fn refused(user: &str) -> Answer {
    Refuses(ConnectError::LoginRefused { user: user.to_owned(), reason: "permission denied".to_owned() })
}

/// Logs in with these user names; returns how it went and how many seconds were waited, the tries not counted.
async fn log_in(door: &Door, users: &[&str], grace: u64) -> (Result<(), DeployError>, u64) {
    let waited = Waited::default();
    let connection =
        door.connection().with_users(users.to_vec()).with_login_grace(Duration::from_secs(grace));
    let options = DeployOptions::new(waited.options()).with_connection(connection);
    let result = door.deploy_with(&MultiStep::new(), options).await;
    (result.map(|_| ()), waited.total().as_secs())
}

fn connect_error(result: Result<(), DeployError>) -> (usize, ConnectError) {
    match result {
        Err(DeployError::Connect { node, tries, source }) => {
            assert_eq!(node.id.as_str(), "1", "the node is the caller's to destroy");
            (tries, source)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_node_that_answers_is_logged_in_to_at_once() {
    let door = Door::open();
    let (result, waited) = log_in(&door, &["root"], 0).await;
    assert_eq!((result.is_ok(), waited), (true, 0));
    assert_eq!(door.log(), ["root@10.0.0.1"]);
}

#[tokio::test]
async fn a_node_that_does_not_answer_yet_is_tried_again() {
    let door = Door::new([unreachable(), unreachable(), Opens]);
    let (result, waited) = log_in(&door, &["root", "ubuntu"], 0).await;
    assert_eq!((result.is_ok(), waited), (true, 4));
    assert_eq!(door.log(), ["root@10.0.0.1"; 3], "another name would not help");
}

#[tokio::test]
async fn a_node_that_never_answers_is_given_up_at_the_deadline_with_its_node_in_the_error() {
    let (result, waited) = log_in(&Door::new([unreachable()]), &["root"], 0).await;
    let message = result.as_ref().unwrap_err().to_string();
    let expected = "deploy failed on node 1, which still exists, in 30 tries to log in: \
                    not reachable: connection refused";
    assert_eq!((message.as_str(), waited), (expected, 60));
}

#[tokio::test]
async fn a_try_that_hangs_is_given_up_and_counts_as_not_reachable() {
    let (result, _) = log_in(&Door::new([Never]), &["root"], 0).await;
    let (tries, source) = connect_error(result);
    // A try takes 10 s and the wait behind it 2 s.
    assert_eq!((tries, source), (5, ConnectError::Unreachable("no answer in 10s".to_owned())));
    let (result, _) = log_in(&Door::new([Never, Opens]), &["root"], 0).await;
    assert!(result.is_ok());
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "it is the timer of a caller, on a paused clock")]
async fn the_deadline_counts_the_time_of_slow_tries_by_the_callers_timer() {
    let Refuses(slow) = unreachable() else { panic!() };
    let door = Door::new([Slow(slow)]);
    let wait = WaitOptions::new(Arc::new(|time| Box::pin(tokio::time::sleep(time))));
    let begin = tokio::time::Instant::now();
    let options = DeployOptions::new(wait).with_connection(door.connection());
    let result = door.deploy_with(&MultiStep::new(), options).await.map(|_| ());
    assert_eq!(begin.elapsed(), Duration::from_secs(60));
    // A try takes 9 s and the wait behind it 2 s.
    assert_eq!(connect_error(result).0, 6);
}

#[tokio::test]
async fn a_refused_login_is_followed_by_the_next_name() {
    let door = Door::new([refused("root"), refused("admin"), Opens]);
    let (result, waited) = log_in(&door, &["root", "admin", "ubuntu"], 0).await;
    assert_eq!((result.is_ok(), waited), (true, 0));
    assert_eq!(door.log(), ["root@10.0.0.1", "admin@10.0.0.1", "ubuntu@10.0.0.1"]);
}

#[tokio::test]
async fn logins_that_are_all_refused_end_it_at_once() {
    let (result, waited) = log_in(&Door::new([refused("x")]), &["root", "ubuntu"], 0).await;
    let (tries, source) = connect_error(result);
    assert!(matches!(source, ConnectError::LoginRefused { .. }), "{source:?}");
    assert_eq!((tries, waited), (2, 0));
}

#[tokio::test]
async fn a_grace_for_logins_lets_users_come_after_the_server() {
    let door = Door::new([refused("x"), refused("x"), refused("x"), Opens]);
    let (result, waited) = log_in(&door, &["root", "ubuntu"], 10).await;
    assert_eq!((result.is_ok(), waited), (true, 2));
    let (result, waited) = log_in(&Door::new([refused("x")]), &["root"], 10).await;
    assert_eq!((connect_error(result).0, waited), (6, 10));
}

#[tokio::test]
async fn an_error_that_no_try_can_mend_ends_it_at_once() {
    let fatal = ConnectError::Fatal("the key file is missing".to_owned());
    let (result, waited) = log_in(&Door::new([unreachable(), Refuses(fatal.clone())]), &["a", "b"], 9).await;
    assert_eq!((connect_error(result), waited), ((2, fatal), 2));
}

#[tokio::test]
async fn a_missing_ssh_program_is_found_before_there_is_a_node() {
    let mut door = Door::open();
    door.missing = Some(ConnectError::Fatal("there is no program ssh".to_owned()));
    let (result, _) = log_in(&door, &["root"], 0).await;
    let Err(DeployError::Refused(err)) = result else { panic!("{result:?}") };
    assert!(err.to_string().contains("there is no program ssh"), "{err}");
    assert_eq!(door.log(), [""; 0]);
}

#[tokio::test]
async fn a_connection_without_any_user_name_is_refused_before_there_is_a_node() {
    let (result, _) = log_in(&Door::open(), &[], 0).await;
    assert!(matches!(result, Err(DeployError::Refused(_))), "{result:?}");
}
