//! Secrets come from files, the environment or systemd, and from the configuration itself only where it says so.

use std::fs;

use serde_json::Value;
use vmpool_server::Config;

use crate::parse;

/// A driver with a secret, which answers with what it was given.
fn registry() -> vmpool::driver::Registry {
    vmpool::driver::Registry::new().with(std::sync::Arc::new(Keyed))
}

#[derive(Debug)]
struct Keyed;

#[vmpool::driver::async_trait]
impl vmpool::driver::DriverFactory for Keyed {
    fn name(&self) -> &'static str {
        "keyed"
    }

    fn check(&self, options: &vmpool::model::config::DriverOptions) -> Result<(), vmpool::driver::OpenError> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Options {
            #[serde(rename = "auth")]
            _auth: String,
        }
        vmpool::driver::OpenError::parse::<Options>(options).map(drop)
    }

    async fn open(
        &self,
        _: vmpool::driver::FactoryContext,
        options: &vmpool::model::config::DriverOptions,
    ) -> Result<std::sync::Arc<dyn vmpool::driver::Driver>, vmpool::driver::OpenError> {
        self.check(options)?;
        Err(vmpool::driver::OpenError::InUse("nobody opens it".to_owned()))
    }
}

fn text(auth: &str, daemon: &str) -> String {
    format!(
        "[daemon]\n{daemon}\n[providers.lab]\ndriver = \"keyed\"\n[providers.lab.options]\nauth = {auth}\n"
    )
}

fn secret(config: &Config) -> &Value {
    &config.providers["lab"].options.0["auth"]
}

fn refused(auth: &str) -> String {
    Config::parse(&text(auth, ""), "vmpool.toml", &registry()).unwrap_err().to_string()
}

#[test]
fn a_secret_in_clear_is_refused_and_not_shown_unless_it_is_allowed() {
    let why = refused("\"ada:hunter2\"");
    assert!(why.starts_with("vmpool.toml:6:1: providers.lab.options.auth: it is a secret"), "{why}");
    assert!(why.contains("{ file = \"PATH\" }") && why.contains("allow_clear_secrets = true"), "{why}");
    assert!(!why.contains("hunter2") && why.lines().count() == 1, "{why}");
    let allowed = text("\"ada:hunter2\"", "allow_clear_secrets = true");
    let config = Config::parse(&allowed, "vmpool.toml", &registry()).unwrap();
    assert_eq!(secret(&config), "ada:hunter2");
}

#[test]
fn a_secret_is_read_from_a_file_beside_the_configuration_and_again_when_it_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vmpool.toml");
    fs::write(&file, text("{ file = \"auth\" }", "")).unwrap();
    for content in ["ada:one\n", "ada:two"] {
        fs::write(folder.path().join("auth"), content).unwrap();
        let config = Config::load(&file, &registry()).unwrap();
        assert_eq!(secret(&config), content.trim_end());
        assert!(!format!("{config:?}").contains(content.trim_end()), "it is not shown");
    }
    fs::remove_file(folder.path().join("auth")).unwrap();
    let why = Config::load(&file, &registry()).unwrap_err().to_string();
    assert!(why.contains(":6:1: providers.lab.options.auth: the secret cannot be read from"), "{why}");
}

#[test]
fn a_secret_that_is_nowhere_says_where_it_was_looked_for() {
    assert!(refused("{ env = \"VMPOOL_NO_SUCH\" }").contains("no secret in the variable VMPOOL_NO_SUCH"));
    assert!(refused("{ credential = \"../auth\" }").contains("is no name of a credential"));
    assert!(refused("{ credential = \"auth\" }").contains("LoadCredential=auth:PATH"));
    for wrong in ["{ fil = \"x\" }", "{ file = \"x\", env = \"y\" }", "{ }", "{ file = 7 }"] {
        assert!(refused(wrong).contains("a secret is one of"), "{wrong}");
    }
}

/// The variable is one that every test run has.
#[test]
fn a_secret_is_read_from_the_environment() {
    let config = Config::parse(&text("{ env = \"PATH\" }", ""), "vmpool.toml", &registry()).unwrap();
    assert_eq!(secret(&config).as_str(), std::env::var("PATH").ok().as_deref());
}

#[test]
fn a_driver_without_secrets_needs_no_leave() {
    parse("[providers.lab]\ndriver = \"dummy\"\n[providers.lab.options]\npath = \"auth\"").unwrap();
}
