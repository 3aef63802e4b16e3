//! Configurations: what is taken, what is shown, and what is refused with file, line, column, key and what is allowed.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

mod all;
mod commands;
mod default;
mod guides;
mod reference;
mod refused;
mod secrets;

use vmpool_server::{Config, ConfigError};

const GOOD: &str = r#"[daemon]
listen = "127.0.0.1:0"

[providers.lab]
driver = "dummy"

[providers.lab.options]
boot_latency = "2s"
faults.lost_answers = 0.1

[pools.small]
provider = "lab"
template = "small"
size = 2
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, "vmpool.toml", &vmpool::drivers::builtin())
}

/// Replaces a part of the good configuration.
#[track_caller]
fn replaced(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from));
    GOOD.replacen(from, to, 1)
}

/// Replaces a part of the good configuration and checks the whole error.
#[track_caller]
fn check(from: &str, to: &str, wanted: &str) {
    assert_eq!(parse(&replaced(from, to)).unwrap_err().to_string(), wanted);
}

/// Replaces a part of the good configuration and checks the beginning of the error.
#[track_caller]
fn check_begin(from: &str, to: &str, wanted: &str) {
    let err = parse(&replaced(from, to)).unwrap_err();
    assert!(err.to_string().starts_with(wanted), "{err}");
}
