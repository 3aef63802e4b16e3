//! What each fault does to a call.

use std::sync::Arc;

use vmpool_driver::{CreateRequest, Driver, DriverError, LayerExt, Operation};
use vmpool_model::{Certainty, FailureKind};
use vmpool_testkit::fault::{Fault, FaultLayer, FaultRates, ListingFault};

use crate::clouds;

fn faulty(faults: &FaultLayer) -> Arc<dyn Driver> {
    clouds::instant().layer(faults)
}

async fn create(driver: &Arc<dyn Driver>) -> Result<(), DriverError> {
    driver.create(&CreateRequest::new("small")).await.map(drop)
}

async fn count(driver: &Arc<dyn Driver>) -> usize {
    driver.list().await.unwrap().nodes.len()
}

/// Creates with a fault, and returns the error and how many nodes there are then.
async fn create_with(fault: Fault) -> (FailureKind, Certainty, usize) {
    let faults = FaultLayer::new();
    let driver = faulty(&faults);
    faults.fail_next(Operation::Create, fault);
    let err = create(&driver).await.unwrap_err();
    (err.kind(), err.certainty(), count(&driver).await)
}

#[tokio::test]
async fn a_refused_create_makes_no_node_and_is_certain() {
    for kind in [FailureKind::Quota, FailureKind::Unavailable] {
        assert_eq!(create_with(Fault::Refuse(kind)).await, (kind, Certainty::NotApplied, 0));
    }
}

#[tokio::test]
async fn a_lost_request_makes_no_node_and_leaves_that_open() {
    assert_eq!(create_with(Fault::LoseRequest).await, (FailureKind::Timeout, Certainty::Unknown, 0));
}

#[tokio::test]
async fn a_lost_answer_makes_a_node_and_leaves_that_open() {
    assert_eq!(create_with(Fault::LoseAnswer).await, (FailureKind::Timeout, Certainty::Unknown, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_is_never_answered_whether_it_has_its_effect_or_not() {
    for (fault, made) in [(Fault::Hang, 0), (Fault::HangAfterwards, 1)] {
        let faults = FaultLayer::new();
        let driver = faulty(&faults);
        faults.fail_next(Operation::Create, fault);
        let day = std::time::Duration::from_secs(86_400);
        assert!(tokio::time::timeout(day, create(&driver)).await.is_err(), "{fault:?}");
        assert_eq!(count(&driver).await, made, "{fault:?}");
    }
}

#[tokio::test]
async fn faults_come_in_the_order_of_their_orders_and_then_no_more() {
    let faults = FaultLayer::new();
    let driver = faulty(&faults);
    faults.fail_next(Operation::Create, Fault::Refuse(FailureKind::Quota));
    faults.fail_next(Operation::Create, Fault::Refuse(FailureKind::Capacity));
    assert_eq!(create(&driver).await.unwrap_err().kind(), FailureKind::Quota);
    assert_eq!(create(&driver).await.unwrap_err().kind(), FailureKind::Capacity);
    create(&driver).await.unwrap();
    assert_eq!(faults.calls(), [Operation::Create; 3]);
}

#[tokio::test]
async fn a_partial_listing_says_that_it_is_one() {
    let faults = FaultLayer::new();
    let driver = faulty(&faults);
    create(&driver).await.unwrap();
    create(&driver).await.unwrap();
    faults.spoil_next_listing(ListingFault::Partial { keep: 1 });
    let listing = driver.list().await.unwrap();
    assert_eq!((listing.nodes.len(), listing.is_complete()), (1, false));
    assert_eq!(count(&driver).await, 2);
}

#[tokio::test]
async fn a_stale_listing_is_the_one_before_and_claims_to_be_complete() {
    let faults = FaultLayer::new();
    let driver = faulty(&faults);
    let before = driver.list().await.unwrap();
    create(&driver).await.unwrap();
    faults.spoil_next_listing(ListingFault::Stale);
    let stale = driver.list().await.unwrap();
    assert!(stale.is_complete());
    assert_eq!(stale, before);
    assert_eq!(count(&driver).await, 1);
}

#[tokio::test]
async fn the_same_seed_brings_the_same_faults() {
    let outcomes = async |seed| {
        let rates = FaultRates { refuse: 0.5, ..FaultRates::default() };
        let driver = faulty(&FaultLayer::by_chance(rates, seed));
        let mut outcomes = Vec::new();
        for _ in 0..64 {
            outcomes.push(create(&driver).await.is_ok());
        }
        outcomes
    };
    let first = outcomes(1).await;
    assert_eq!(first, outcomes(1).await);
    assert_ne!(first, outcomes(2).await);
}

#[tokio::test]
async fn what_was_never_answered_and_what_was_are_as_many_nodes_as_there_are() {
    let rates = FaultRates { lose_answer: 0.3, lose_request: 0.3, ..FaultRates::default() };
    let faults = FaultLayer::by_chance(rates, 7);
    let driver = faulty(&faults);
    let mut answered = 0;
    for _ in 0..100 {
        answered += usize::from(create(&driver).await.is_ok());
    }
    faults.heal();
    let made = count(&driver).await;
    // 100 creates: about 30 lose their request, and about 21 of the other 70 their answer.
    assert!(answered < made && made < 100, "{answered} answered, {made} made");
}
