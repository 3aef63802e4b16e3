//! What the binary prints when no daemon is asked.

use std::process::Stdio;

use vmpool_api::exit;

use crate::support::{NOWHERE, VMPOOL, vmpool};

#[test]
fn without_arguments_it_explains_itself() {
    let ran = vmpool(NOWHERE, &[]);
    assert_eq!(ran.code, Some(i32::from(exit::USAGE)), "{ran:?}");
    assert!(ran.stderr.contains("acquire") && ran.stderr.contains("Usage: vmpool"), "{ran:?}");
}

#[test]
fn completions_of_each_shell_know_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = vmpool(NOWHERE, &["completions", shell]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stdout.contains("acquire"), "{shell}");
    }
}

#[test]
fn a_reader_that_stops_reading_is_no_failure() {
    let mut command = vmpool_tests::command::prepare(VMPOOL.as_ref(), NOWHERE, &["completions", "bash"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn the_guide_lists_every_exit_code() {
    let guide = include_str!("../../docs/cli.md");
    for (code, name, meaning) in exit::ALL {
        assert!(guide.contains(&format!("| {code} | {name} | {meaning} |")), "{code} {name} is missing");
    }
}
