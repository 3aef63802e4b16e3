//! What the suite cannot know: the driver's own errors, states and options.

use std::sync::Arc;

use vmpool_driver::{
    CreateRequest, Driver, DriverError, FactoryContext, OpenError, Registry,
    model::{Certainty, FailureKind, ProviderName, config::DriverOptions, states::NodeState},
};
use vmpool_shelf::{ShelfDriver, cloud::Shelf, factory};

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn shelf(places: usize) -> (Arc<Shelf>, ShelfDriver) {
    let shelf = Arc::new(Shelf::new(places));
    (Arc::clone(&shelf), ShelfDriver::new(shelf, "shelf://lab"))
}

async fn refusal(driver: &ShelfDriver, request: CreateRequest) -> Option<DriverError> {
    driver.create(&request).await.err()
}

#[tokio::test]
async fn a_full_shelf_has_no_capacity() -> TestResult {
    let (_, driver) = shelf(0);
    let err =
        refusal(&driver, CreateRequest::new("paperback").with_name("a")).await.ok_or("it was created")?;
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Capacity, Certainty::NotApplied));
    assert_eq!(err.to_string(), "create failed: capacity: node a: all places of the shelf are taken");
    Ok(())
}

#[tokio::test]
async fn an_unknown_model_is_an_invalid_request_that_names_the_models() -> TestResult {
    let (_, driver) = shelf(8);
    let err = refusal(&driver, CreateRequest::new("scroll")).await.ok_or("it was created")?;
    assert_eq!(err.kind(), FailureKind::InvalidRequest);
    assert!(err.to_string().contains("paperback, hardback"), "{err}");
    Ok(())
}

#[tokio::test]
async fn a_closed_room_says_nothing_about_any_node() -> TestResult {
    let (cloud, driver) = shelf(8);
    let node = driver.create(&CreateRequest::new("paperback")).await?;
    cloud.close(true);
    let err = driver.get(&node.id).await.err().ok_or("it was found")?;
    assert_eq!(err.kind(), FailureKind::Unavailable);
    assert!(err.is_retryable());
    Ok(())
}

#[tokio::test]
async fn a_condition_that_is_new_to_the_driver_is_kept_and_unknown() -> TestResult {
    let (cloud, driver) = shelf(8);
    let node = driver.create(&CreateRequest::new("paperback")).await?;
    cloud.turn(1, "lent to the neighbors")?;
    let node = driver.get(&node.id).await?;
    assert_eq!(
        (node.state, node.raw_state.to_string()),
        (NodeState::Unknown, "lent to the neighbors".to_owned())
    );
    Ok(())
}

#[tokio::test]
async fn a_label_cannot_forge_a_token() -> TestResult {
    let (_, driver) = shelf(8);
    let request = CreateRequest::new("paperback").with_label("vmpool-token", "lab/books/books-1");
    let err = refusal(&driver, request).await.ok_or("it was created")?;
    assert_eq!(err.kind(), FailureKind::InvalidRequest);
    Ok(())
}

#[tokio::test]
async fn a_registry_opens_the_driver_and_names_an_option_that_does_not_fit() -> TestResult {
    let registry = Registry::new().with(factory());
    let factory = registry.get("shelf")?;
    let context = || ProviderName::new("lab").map(FactoryContext::new);

    let options: DriverOptions = serde_json::from_str(r#"{"places": 2}"#)?;
    let driver = factory.open(context()?, &options).await?;
    assert_eq!(driver.info().endpoint, "shelf://lab");

    let options: DriverOptions = serde_json::from_str(r#"{"places": "many"}"#)?;
    match factory.open(context()?, &options).await {
        Err(OpenError::Options { place, .. }) => assert_eq!(place, "places"),
        other => return Err(format!("it was not refused: {other:?}").into()),
    }
    Ok(())
}
