//! Logging in, with a key or a password, and what stands in the way.

use vmpool::driver::{Auth, Connect, ConnectError};

use crate::fake::{Fake, target};

#[tokio::test]
async fn a_node_that_answers_gives_a_shell() {
    let fake = Fake::new();
    fake.program().check().await.unwrap();
    fake.connect().await.unwrap();
    let arguments = fake.arguments();
    for expected in ["BatchMode=yes", "StrictHostKeyChecking=accept-new", "-p\n22\n-l\nroot\n--\n10.0.0.1\n"]
    {
        assert!(arguments.contains(expected), "{expected} is not in {arguments}");
    }
}

#[tokio::test]
async fn the_key_the_port_and_the_host_keys_are_the_ones_that_were_chosen() {
    let fake = Fake::new();
    let hosts = fake.path("known hosts 100%");
    let program = fake.program().with_identity("some key").with_port(2222).with_known_hosts(&hosts);
    program.connect(&target(None), "admin").await.unwrap();
    let arguments = fake.arguments();
    let file = format!("UserKnownHostsFile=\"{}\"", hosts.display()).replace('%', "%%");
    for expected in ["-i\nsome key\n", "-p\n2222\n-l\nadmin\n", "StrictHostKeyChecking=yes", &file] {
        assert!(arguments.contains(expected), "{expected} is not in {arguments}");
    }
}

#[tokio::test]
async fn a_missing_program_or_key_is_found_before_there_is_a_node() {
    let fake = Fake::new();
    let missing = fake.program().with_program("no-such-ssh").check().await.unwrap_err();
    assert!(
        matches!(&missing, ConnectError::Fatal(why) if why.starts_with("cannot run no-such-ssh: ")),
        "{missing}"
    );
    let key = fake.path("no-such-key");
    for program in [fake.program().with_identity(&key), fake.program().with_known_hosts(&key)] {
        let err = program.check().await.unwrap_err();
        assert!(
            matches!(&err, ConnectError::Fatal(why) if why.contains("no-such-key cannot be read")),
            "{err}"
        );
    }
}

#[tokio::test]
async fn a_node_that_does_not_answer_yet_may_be_tried_again() {
    let line = "ssh: connect to host 10.0.0.1 port 22: Connection refused";
    let fake = Fake::new().tell("says", line);
    assert_eq!(fake.connect().await.unwrap_err(), ConnectError::Unreachable(line.to_owned()));
}

#[tokio::test]
async fn a_refused_login_names_the_user() {
    let line = "root@10.0.0.1: Permission denied (publickey).";
    let err = Fake::new().tell("says", line).connect().await.unwrap_err();
    assert_eq!(err.to_string(), format!("the login as root was refused: {line}"));
}

#[tokio::test]
async fn an_image_that_wants_another_user_name_refuses_the_login() {
    let answer = "Please login as the user \"ubuntu\" rather than the user \"root\".";
    let err = Fake::new().tell("answers", answer).connect().await.unwrap_err();
    assert!(matches!(&err, ConnectError::LoginRefused { reason, .. } if reason.contains("ubuntu")), "{err}");
}

#[tokio::test]
async fn a_changed_host_key_is_not_tried_again() {
    let err = Fake::new().tell("says", "Host key verification failed.").connect().await.unwrap_err();
    assert_eq!(err, ConnectError::Fatal("Host key verification failed.".to_owned()));
}

#[tokio::test]
async fn a_password_is_given_when_it_is_asked_for_and_stands_in_no_argument() {
    let fake = Fake::new().tell("password", "hunter2 'x'\n");
    let log_in = async |password: &str| {
        let auth = Auth::Password(password.to_owned());
        fake.program().connect(&target(Some(auth)), "root").await
    };
    let shell = log_in("hunter2 'x'").await.unwrap();
    shell.put("a", 0o600, b"text").await.unwrap();
    assert!(!fake.arguments().contains("hunter2"));
    assert!(!format!("{shell:?}").contains("hunter2"));
    let err = log_in("wrong").await.unwrap_err();
    assert!(matches!(err, ConnectError::LoginRefused { .. }), "{err}");
}

#[tokio::test]
async fn what_a_session_kept_on_this_host_goes_with_it() {
    let fake = Fake::new();
    let shell = fake.shell().await;
    let dir = {
        let arguments = fake.arguments();
        let line = arguments.lines().find(|line| line.contains("UserKnownHostsFile")).unwrap();
        let file = line.split('"').nth(1).unwrap();
        std::path::Path::new(file).parent().unwrap().to_owned()
    };
    assert!(dir.is_dir());
    drop(shell);
    assert!(!dir.exists());
}
