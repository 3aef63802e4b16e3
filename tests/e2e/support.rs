//! What the tests share.

use std::path::Path;

use vmpool_tests::command::{Ran, run};

/// The binary under test.
pub(crate) const VMPOOL: &str = env!("CARGO_BIN_EXE_vmpool-under-test");

/// Runs the binary against a daemon to its end.
pub(crate) fn vmpool(url: &str, arguments: &[&str]) -> Ran {
    run(Path::new(VMPOOL), url, arguments).unwrap()
}

/// Asserts that a run failed with an exit code, wrote nothing but an error that contains `parts`, and one hint at most.
pub(crate) fn assert_fails(ran: &Ran, code: u8, parts: &[&str]) {
    assert_eq!(ran.code, Some(i32::from(code)), "{ran:?}");
    assert_eq!(ran.stdout, "", "{ran:?}");
    let (errors, rest): (Vec<&str>, Vec<&str>) =
        ran.stderr.lines().partition(|line| line.starts_with("error: "));
    assert_eq!(errors.len(), 1, "{ran:?}");
    let hints = rest.iter().filter(|line| line.starts_with("hint: ")).count();
    assert!(hints <= 1 && !ran.stderr.contains("panicked"), "{ran:?}");
    for part in parts {
        assert!(ran.stderr.contains(part), "{part:?} is missing: {ran:?}");
    }
}
