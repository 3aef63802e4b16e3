//! Variables and profiles.

use std::{collections::BTreeMap, fs};

use vmpool_cloudapi::{CloudApiConfig, KeySource};
use vmpool_http::Tls;

const KEY: &str = "52:f6:8c:4d:7d:06:a3:fa:a5:ea:16:33:c6:47:95:fe";

fn read(variables: &[(&str, &str)]) -> Result<CloudApiConfig, String> {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    CloudApiConfig::from_variables(&|name| variables.get(name).map(|value| (*value).to_owned()))
        .map_err(|err| err.to_string())
}

fn with(more: &[(&'static str, &'static str)]) -> CloudApiConfig {
    let base = [("TRITON_URL", "https://a"), ("TRITON_ACCOUNT", "ops"), ("TRITON_KEY_ID", KEY)];
    read(&[&base[..], more].concat()).unwrap()
}

#[test]
fn the_variables_of_triton_are_read() {
    let config = with(&[
        ("TRITON_USER", "ci"),
        ("TRITON_ACT_AS", "customer"),
        ("TRITON_ROLE", "ops,dev"),
        ("SSH_AUTH_SOCK", "/tmp/agent"),
        ("HOME", "/home/ops"),
    ]);
    assert_eq!((config.url.as_str(), config.account.as_str()), ("https://a", "ops"));
    assert_eq!((config.user.as_deref(), config.act_as.as_deref()), (Some("ci"), Some("customer")));
    assert_eq!(config.roles, ["ops", "dev"]);
    let KeySource::Find { fingerprint, agent, folder, .. } = config.key else { panic!() };
    assert_eq!(fingerprint.to_string(), KEY);
    assert_eq!((agent, folder), (Some("/tmp/agent".into()), Some("/home/ops/.ssh".into())));
}

#[test]
fn the_old_variables_are_read_and_the_new_ones_win() {
    let old = [("SDC_URL", "https://old"), ("SDC_ACCOUNT", "ops"), ("SDC_KEY_ID", KEY)];
    assert_eq!(read(&old).unwrap().url, "https://old");
    assert_eq!(read(&[&old[..], &[("TRITON_URL", "https://new")]].concat()).unwrap().url, "https://new");
}

#[test]
fn any_text_in_the_old_switch_is_insecure_and_only_a_yes_in_the_new_one() {
    for (name, value, insecure) in [
        ("SDC_TESTING", "0", true),
        ("SDC_TESTING", "1", true),
        ("SDC_TESTING", "", false),
        ("TRITON_TLS_INSECURE", "1", true),
        ("TRITON_TLS_INSECURE", "true", true),
        ("TRITON_TLS_INSECURE", "0", false),
        ("TRITON_TLS_INSECURE", "false", false),
        ("SDC_TLS_INSECURE", "1", true),
    ] {
        assert_eq!(with(&[(name, value)]).http.tls == Tls::Insecure, insecure, "{name}={value}");
    }
    assert_eq!(with(&[("TRITON_TLS_INSECURE", "0"), ("SDC_TESTING", "1")]).http.tls, Tls::System);
}

#[test]
fn what_is_missing_is_named() {
    let missing = read(&[("TRITON_URL", "https://a")]).unwrap_err();
    assert_eq!(missing, "the account is not set: set TRITON_ACCOUNT or SDC_ACCOUNT");
    assert!(read(&[]).unwrap_err().contains("TRITON_URL"));
    let all = [("TRITON_URL", "https://a"), ("TRITON_ACCOUNT", "ops"), ("TRITON_KEY_ID", "my key")];
    assert!(read(&all).unwrap_err().contains("is no fingerprint"));
}

fn home(files: &[(&str, &str)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(".triton/profiles.d")).unwrap();
    for (name, text) in files {
        fs::write(home.path().join(".triton").join(name), text).unwrap();
    }
    home
}

fn profile(url: &str, more: &str) -> String {
    format!(
        r#"{{"url": "{url}", "account": "ops", "keyId": "SHA256:Kw4LWmCb4LRCKh25fYMhMWCbs+hEK5+PKn9Tst/qsYM"{more}}}"#
    )
}

#[test]
fn the_profile_in_use_is_read_unless_the_variables_say_where() {
    let more = r#", "user": "ci", "insecure": true, "actAsAccount": "customer", "roles": ["ops"]"#;
    let home = home(&[
        ("config.json", r#"{"profile": "lab"}"#),
        ("profiles.d/lab.json", &profile("https://lab", more)),
    ]);
    let path = home.path().to_str().unwrap();
    let config = read(&[("HOME", path)]).unwrap();
    assert_eq!((config.url.as_str(), config.user.as_deref()), ("https://lab", Some("ci")));
    assert_eq!((config.roles.len(), config.http.tls), (1, Tls::Insecure));
    let variables =
        [("HOME", path), ("TRITON_URL", "https://a"), ("TRITON_ACCOUNT", "ops"), ("TRITON_KEY_ID", KEY)];
    assert_eq!(read(&variables).unwrap().url, "https://a");
}

#[test]
fn a_profile_that_is_named_wins_and_env_is_the_variables() {
    let home = home(&[("profiles.d/lab.json", &profile("https://lab", ""))]);
    let path = home.path().to_str().unwrap();
    let base =
        [("HOME", path), ("TRITON_URL", "https://a"), ("TRITON_ACCOUNT", "ops"), ("TRITON_KEY_ID", KEY)];
    let named = |name: &'static str| read(&[&base[..], &[("TRITON_PROFILE", name)]].concat());
    assert_eq!(named("lab").unwrap().url, "https://lab");
    assert_eq!(named("env").unwrap().url, "https://a");
    assert!(named("no-such").unwrap_err().contains("no-such.json"));
    assert!(named("../../etc/passwd").unwrap_err().contains("is no name of a profile"));
}

#[test]
fn a_profile_with_a_field_that_is_not_known_is_refused() {
    let home = home(&[("profiles.d/lab.json", &profile("https://lab", r#", "urll": 1"#))]);
    let err = read(&[("HOME", home.path().to_str().unwrap()), ("TRITON_PROFILE", "lab")]).unwrap_err();
    assert!(err.contains("lab.json") && err.contains("urll"), "{err}");
}
