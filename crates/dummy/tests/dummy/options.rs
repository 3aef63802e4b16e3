//! The options that the factory reads.

use std::{sync::Arc, sync::Mutex, time::Duration};

use vmpool_driver::{CreateRequest, FactoryContext, OpenError, Registry};
use vmpool_dummy::{DummyCloud, DummyConfig, factory, factory_of};
use vmpool_model::{ProviderName, config::DriverOptions};

fn options(json: &str) -> DriverOptions {
    serde_json::from_str(json).unwrap()
}

fn context() -> FactoryContext {
    FactoryContext::new(ProviderName::new("lab").unwrap())
}

fn check_fails(json: &str, expected: &str) {
    let err = factory().check(&options(json)).unwrap_err().to_string();
    assert!(err.starts_with(expected), "{json}: {err}");
}

#[tokio::test]
async fn a_registry_opens_the_driver_by_its_name() {
    let registry = Registry::new().with(factory());
    let driver = registry.get("dummy").unwrap().open(context(), &options(r#"{"quota": 2}"#)).await.unwrap();
    assert_eq!((driver.info().name, driver.info().endpoint.as_str()), ("dummy", "memory"));
}

#[test]
fn an_option_that_does_not_fit_is_named() {
    check_fails(r#"{"no_such": 1}"#, "option no_such: unknown field `no_such`");
    check_fails(
        r#"{"faults": {"lost_answers": 1.5}}"#,
        "option faults.lost_answers: 1.5 is not a probability",
    );
    check_fails(r#"{"faults": {"death_rate": -1}}"#, "option faults.death_rate: -1 is not a rate");
    check_fails(r#"{"boot_latency": "2"}"#, "option boot_latency: the value is not a duration");
    check_fails(r#"{"features": ["retina"]}"#, "option features[0]: unknown variant `retina`");
}

#[test]
fn d01_credentials_that_are_neither_number_nor_text_are_refused() {
    check_fails(
        r#"{"libcloud": [1]}"#,
        "option libcloud: invalid type: sequence, expected a number or a text",
    );
    check_fails(r#"{"libcloud": 1e9}"#, "option libcloud: a dummy cloud cannot begin with");
}

#[tokio::test]
async fn bad_options_open_nothing() {
    let opened = factory().open(context(), &options(r#"{"quota": -1}"#)).await;
    assert!(matches!(opened, Err(OpenError::Options { place, .. }) if place == "quota"));
}

#[tokio::test]
async fn a_cloud_that_cannot_be_opened_says_which_file_and_why() {
    let opened = factory().open(context(), &options(r#"{"path": "/no/such/cloud"}"#)).await;
    assert_eq!(
        opened.unwrap_err().to_string(),
        "open failed: unavailable: cannot lock /no/such/cloud.lock: No such file or directory (os error 2)"
    );
}

#[tokio::test]
async fn a_test_can_look_into_the_cloud_behind_a_factory() {
    let cloud = DummyCloud::in_memory(DummyConfig::default()).unwrap();
    let driver = factory_of(cloud.clone()).open(context(), &options("{}")).await.unwrap();
    driver.create(&CreateRequest::new("small")).await.unwrap();
    assert_eq!(cloud.nodes().len(), 1);
}

#[tokio::test]
async fn a_call_takes_its_latency_by_the_pause_it_was_given() {
    let waited = Arc::new(Mutex::new(Duration::ZERO));
    let pause = {
        let waited = waited.clone();
        Arc::new(move |time| {
            *waited.lock().unwrap() += time;
            Box::pin(std::future::ready(())) as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>
        })
    };
    let driver =
        factory().open(context().with_pause(pause), &options(r#"{"call_latency": "80ms"}"#)).await.unwrap();
    let _ = driver.list().await.unwrap();
    assert_eq!(*waited.lock().unwrap(), Duration::from_millis(80));
}
