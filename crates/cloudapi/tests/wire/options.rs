//! The options of the driver.

use std::fs;

use serde_json::{Value, json};
use vmpool_cloudapi::factory;
use vmpool_driver::FactoryContext;
use vmpool_model::config::DriverOptions;

fn options(value: Value) -> DriverOptions {
    DriverOptions(value.as_object().unwrap().clone())
}

fn key(name: &str) -> String {
    format!("{}/tests/data/keys/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn whole() -> Value {
    json!({"url": "https://cloud.example", "account": "ops", "key_file": key("ed25519.openssh"), "insecure": true,
        "templates": {"small": {"package": "p", "image": "i", "metadata": {"user-script": "hunter2"}}}})
}

/// Returns the whole options with some changed; `null` takes one away.
fn with(changes: Value) -> DriverOptions {
    let mut value = whole();
    for (key, change) in changes.as_object().unwrap() {
        match change {
            Value::Null => drop(value.as_object_mut().unwrap().remove(key)),
            change => value[key] = change.clone(),
        }
    }
    options(value)
}

async fn open(options: &DriverOptions) -> Result<String, String> {
    let context = FactoryContext::new("lab".parse().unwrap());
    let opened = factory().open(context, options).await;
    opened.map(|driver| driver.info().endpoint.clone()).map_err(|err| err.to_string())
}

#[test]
fn options_that_do_not_fit_are_named_by_their_place() {
    for (changes, place) in [
        (json!({"account": null}), "account"),
        (json!({"key_file": null}), "key_file"),
        (json!({"key_id": "my key"}), "key_id"),
        (json!({"profile": "lab"}), "profile"),
        (json!({"passphrase": "a", "passphrase_file": "b"}), "passphrase_file"),
        (json!({"templates": {"small": {"package": "p"}}}), "templates.small"),
        (json!({"timeout": "soon"}), "timeout"),
        (json!({"no_such": 1}), "no_such"),
    ] {
        let err = factory().check(&with(changes)).unwrap_err().to_string();
        assert!(err.starts_with(&format!("option {place}")), "{place}: {err}");
    }
    factory().check(&with(json!({}))).unwrap();
}

#[test]
fn a_passphrase_is_never_shown() {
    let options = with(json!({"passphrase": "hunter2"}));
    let read: vmpool_cloudapi::CloudApiOptions = vmpool_driver::OpenError::parse(&options).unwrap();
    assert!(!format!("{read:?}").contains("hunter2"));
    let wrong = factory().check(&with(json!({"passphrase": ["hunter2"]}))).unwrap_err();
    assert!(!format!("{wrong} {wrong:?}").contains("hunter2"), "{wrong}");
}

#[tokio::test]
async fn a_driver_is_opened_without_any_request() {
    assert_eq!(open(&with(json!({}))).await.unwrap(), "https://cloud.example/ops");
}

#[tokio::test]
async fn a_key_that_cannot_be_used_says_why() {
    let sealed = key("ed25519.openssh-encrypted");
    let err = open(&with(json!({"key_file": sealed}))).await.unwrap_err();
    assert!(err.contains("the key is encrypted: give its passphrase"), "{err}");
    let err = open(&with(json!({"key_file": sealed, "passphrase": "hunter3"}))).await.unwrap_err();
    assert!(err.contains("the passphrase does not open the key") && !err.contains("hunter"), "{err}");
    assert!(open(&with(json!({"key_file": sealed, "passphrase": "hunter2"}))).await.is_ok());
    let err = open(&with(json!({"key_file": "/no/such/key"}))).await.unwrap_err();
    assert!(err.contains("/no/such/key"), "{err}");
}

#[tokio::test]
async fn a_passphrase_may_be_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passphrase");
    fs::write(&file, "hunter2\n").unwrap();
    let changes =
        json!({"key_file": key("rsa.pkcs8-encrypted.pem"), "passphrase_file": file, "rsa_sha512": true});
    assert!(open(&with(changes)).await.is_ok());
    let err = open(&with(json!({"passphrase_file": "/no/such"}))).await.unwrap_err();
    assert!(err.contains("passphrase_file: /no/such"), "{err}");
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_refused() {
    let err = open(&with(json!({"insecure": null, "ca_file": key("rsa.pub")}))).await.unwrap_err();
    assert!(err.contains("certificates to trust"), "{err}");
}

/// Returns the names that a type knows, from its refusal of one that it does not.
fn known(place: &str, unknown: Value) -> Vec<String> {
    let err = factory().check(&with(unknown)).unwrap_err().to_string();
    let names = err.split_once("expected one of ").unwrap().1;
    names.split('`').skip(1).step_by(2).map(|name| format!("`{place}{name}`")).collect()
}

#[test]
fn the_guide_has_a_row_for_each_option_and_for_no_other() {
    let guide = include_str!("../../../../docs/cloudapi.md");
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows: Vec<String> = rows.map(|row| format!("`{}`", row.split('`').next().unwrap())).collect();
    let mut expected = known("", json!({"no_such": 1}));
    expected.retain(|name| name != "`templates`");
    expected.extend(known("templates.NAME.", json!({"templates": {"small": {"no_such": 1}}})));
    assert_eq!(rows, expected);
}

#[test]
fn the_example_of_the_guide_is_accepted() {
    let guide = include_str!("../../../../docs/cloudapi.md");
    let example = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let config: toml::Value = toml::from_str(example).unwrap();
    let provider = &config["providers"]["lab"];
    assert_eq!(provider["driver"].as_str(), Some("cloudapi"));
    let read = serde_json::to_value(&provider["options"]).unwrap();
    factory().check(&options(read)).unwrap();
    let template = config["pools"]["small"]["template"].as_str().unwrap();
    assert!(provider["options"]["templates"].get(template).is_some());
}
