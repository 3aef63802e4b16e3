//! What a shell does on a node.

use std::{fs, os::unix::fs::PermissionsExt};

use vmpool::driver::ShellError;

use crate::fake::Fake;

#[tokio::test]
async fn a_file_is_put_as_it_is_with_its_mode_whatever_its_name() {
    let fake = Fake::new();
    let shell = fake.shell().await;
    let content: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    for name in ["plain", "with space", "it's $HOME; `id`", "-x", "*"] {
        shell.put(name, 0o751, &content).await.unwrap();
        let path = fake.path("home").join(name);
        assert_eq!(fs::read(&path).unwrap(), content, "{name}");
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o751);
    }
    assert_eq!(fake.files().len(), 5, "{:?}", fake.files());
}

#[tokio::test]
async fn a_file_that_was_not_sent_whole_leaves_the_old_one() {
    let fake = Fake::new();
    let shell = fake.shell().await;
    shell.put("a", 0o600, b"old").await.unwrap();
    let fake = fake.tell("cuts", "3");
    let err = shell.put("a", 0o600, b"newer").await.unwrap_err();
    assert!(matches!(err, ShellError::Lost { .. }), "{err}");
    assert_eq!(fake.read("a"), ("old".to_owned(), 0o600));
    assert_eq!(fake.files(), ["a"]);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_says_why() {
    let fake = Fake::new();
    let err = fake.shell().await.put("no/such/dir", 0o600, b"x").await.unwrap_err();
    assert!(matches!(err, ShellError::Failed { exit: 1, .. }), "{err}");
    assert!(err.to_string().starts_with("putting no/such/dir failed: exit code 1: "), "{err}");
}

#[tokio::test]
async fn a_command_returns_what_it_wrote_and_its_exit_code() {
    let fake = Fake::new();
    let shell = fake.shell().await;
    let output = shell.run("echo \"it's\" out; echo wrong >&2; exit 255").await.unwrap();
    assert_eq!((output.exit, output.stdout.as_str(), output.stderr.as_str()), (255, "it's out\n", "wrong\n"));
    let output = shell.run("true").await.unwrap();
    assert_eq!((output.exit, output.stdout.as_str(), output.stderr.as_str()), (0, "", ""));
}

#[tokio::test]
async fn a_command_that_is_killed_by_a_signal_has_an_exit_code_too() {
    assert_eq!(Fake::new().shell().await.run("kill -9 $$").await.unwrap().exit, 137);
}

#[tokio::test]
async fn a_command_that_no_shell_understands_fails_without_the_session() {
    let output = Fake::new().shell().await.run("echo ')' ; (").await.unwrap();
    assert_eq!(output.exit, 2);
}

#[tokio::test]
async fn of_a_flood_the_end_is_kept() {
    let output = Fake::new().shell().await.run("yes | head -c 5000000; echo end").await.unwrap();
    assert_eq!((output.stdout.len(), output.stdout.ends_with("\nend\n")), (1 << 20, true));
}

#[tokio::test]
async fn a_session_that_breaks_off_is_lost() {
    let fake = Fake::new();
    let shell = fake.shell().await;
    let fake = fake.tell("says", "client_loop: send disconnect: Broken pipe");
    let err = shell.run("true").await.unwrap_err();
    let expected = "the command failed: the session was lost: client_loop: send disconnect: Broken pipe";
    assert_eq!(err.to_string(), expected);
    fake.forget("says");
    assert_eq!(shell.run("true").await.unwrap().exit, 0);
}

#[tokio::test]
async fn deleting_a_file_is_fine_if_there_is_none() {
    let fake = Fake::new();
    let shell = fake.shell().await;
    shell.put("-a b", 0o600, b"x").await.unwrap();
    for _ in 0..2 {
        shell.delete("-a b").await.unwrap();
    }
    assert_eq!(fake.files(), [""; 0]);
}
