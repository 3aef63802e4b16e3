//! What a failed login means for another try.

use vmpool_driver::ConnectError;

use super::{process::Ended, session::last_line};

/// What `ssh` says when no try can ever work.
const FATAL: [&str; 10] = [
    "Host key verification failed",
    "REMOTE HOST IDENTIFICATION HAS CHANGED",
    "UNPROTECTED PRIVATE KEY FILE",
    "Bad owner or permissions",
    "bad permissions",
    "invalid format",
    "error in libcrypto",
    "no such identity",
    "Bad configuration option",
    "Unsupported option",
];

/// What it says when the node does not let this user in.
const REFUSED: [&str; 3] =
    ["Permission denied", "Too many authentication failures", "No supported authentication methods"];

/// Says why a login did not work.
pub(super) fn refusal(user: &str, ended: &Ended) -> ConnectError {
    let said = |texts: &[&str]| {
        // A route that is forbidden is "Permission denied", too.
        let lines = ended.stderr.lines().filter(|line| !line.starts_with("ssh: connect to host"));
        lines
            .rev()
            .find(|line| texts.iter().any(|text| line.contains(text)))
            .map(|line| line.trim().to_owned())
    };
    let refused = |reason: String| ConnectError::LoginRefused { user: user.to_owned(), reason };
    match (said(&FATAL), said(&REFUSED), ended.stdout.trim()) {
        (Some(line), _, _) => ConnectError::Fatal(line),
        (None, Some(line), _) => refused(line),
        (None, None, "") => ConnectError::Unreachable(last_line(ended)),
        // As images do that want another user name: they run a command of their own.
        (None, None, answer) => {
            refused(format!("it answered {:?}", answer.chars().take(200).collect::<String>()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stdout: &str, stderr: &str) -> ConnectError {
        refusal("root", &Ended { exit: Some(255), stdout: stdout.to_owned(), stderr: stderr.to_owned() })
    }

    fn refused(reason: &str) -> ConnectError {
        ConnectError::LoginRefused { user: "root".to_owned(), reason: reason.to_owned() }
    }

    #[test]
    fn what_no_key_opens_is_a_refused_login() {
        let line = "root@10.0.0.1: Permission denied (publickey).";
        assert_eq!(check("", &format!("{line}\r\n")), refused(line));
    }

    #[test]
    fn a_node_that_wants_another_user_name_refuses_the_login() {
        let wants = "Please login as the user \"ubuntu\" rather than the user \"root\".";
        assert_eq!(check(&format!("{wants}\n\n"), ""), refused(&format!("it answered {wants:?}")));
    }

    #[test]
    fn a_changed_host_key_is_fatal_although_it_is_followed_by_a_refused_login() {
        let said = "Host key verification failed.\nroot@10.0.0.1: Permission denied (publickey).";
        assert_eq!(check("", said), ConnectError::Fatal("Host key verification failed.".to_owned()));
    }

    #[test]
    fn what_does_not_answer_is_tried_again_whatever_the_reason() {
        for line in [
            "ssh: connect to host 10.0.0.1 port 22: Connection refused",
            "ssh: connect to host 10.0.0.1 port 22: Permission denied",
            "kex_exchange_identification: Connection closed by remote host",
        ] {
            assert_eq!(check("", &format!("{line}\n")), ConnectError::Unreachable(line.to_owned()));
        }
        let silent = ConnectError::Unreachable("ssh ended with exit code 255".to_owned());
        assert_eq!(check("", ""), silent);
    }
}
