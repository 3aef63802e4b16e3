//! Listing everything, finding by token, and handles.

use std::sync::Arc;

use vmpool_driver::{CreateRequest, Driver, DriverExt, HandleExt, Listing, Lookup, NodeHandle};
use vmpool_model::{FailureKind, Node, Token, states::NodeState};

use crate::script::{Script, id, in_state, running};

fn marked(token: &Token) -> Node {
    let mut node = running("1", &[]);
    node.token = Some(token.clone());
    node
}

fn token() -> Token {
    "lab/small/small-1".parse().unwrap()
}

#[tokio::test]
async fn a_partial_listing_is_not_all_nodes() {
    let driver = Script::new(vec![Ok(Listing::partial(vec![running("1", &[])], "page 2 is missing"))]);
    let err = driver.list_all().await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::Unavailable);
    assert!(err.to_string().contains("page 2 is missing"), "{err}");
}

#[tokio::test]
async fn a_node_is_found_by_its_token() {
    let driver = Script::of(vec![vec![running("2", &[]), marked(&token())]]);
    assert_eq!(driver.find_by_token(&token()).await.unwrap(), Lookup::Found(vec![marked(&token())]));
}

#[tokio::test]
async fn a_token_is_absent_if_a_complete_listing_lacks_it() {
    let driver = Script::of(vec![vec![running("2", &[])]]);
    assert_eq!(driver.find_by_token(&token()).await.unwrap(), Lookup::Absent);
}

#[tokio::test]
async fn f6_the_absence_of_a_token_is_not_proven_by_a_partial_listing() {
    let driver = Script::new(vec![Ok(Listing::partial(Vec::new(), "page 2 is missing"))]);
    let found = driver.find_by_token(&token()).await.unwrap();
    assert_eq!(found, Lookup::NotProven("page 2 is missing".to_owned()));
}

#[tokio::test]
async fn a_node_in_a_partial_listing_is_found_all_the_same() {
    let driver = Script::new(vec![Ok(Listing::partial(vec![marked(&token())], "page 2 is missing"))]);
    assert!(matches!(driver.find_by_token(&token()).await.unwrap(), Lookup::Found(_)));
}

#[tokio::test]
async fn a_failed_listing_says_nothing_about_a_token() {
    let driver = Script::new(vec![Err(FailureKind::Authentication)]);
    assert_eq!(driver.find_by_token(&token()).await.unwrap_err().kind(), FailureKind::Authentication);
}

#[tokio::test]
async fn an_object_has_all_of_it_too() {
    let driver: Arc<dyn Driver> = Arc::new(Script::of(vec![vec![running("1", &[])]]));
    assert_eq!(driver.list_all().await.unwrap().len(), 1);
    assert_eq!(driver.list_nodes().await.unwrap()[0].name, "n1");
    assert_eq!(driver.create_node(CreateRequest::new("small")).await.unwrap().name, "new");
}

#[test]
fn a_handle_shows_its_node_as_libcloud_does() {
    let driver = Arc::new(Script::of(vec![Vec::new()]));
    // SHA-1 of `0:script`, by sha1sum.
    let uuid = "704440f02d7d97527afc5ad6e920c14a5fdab8f4";
    let handle = driver.handle(in_state("0", NodeState::Running));
    let text = handle.to_string();
    assert_eq!(
        text,
        format!(
            "<Node: uuid={uuid}, name=n0, state=RUNNING, public_ips=[], private_ips=[], provider=Script ...>"
        )
    );
}

#[test]
fn l25_addresses_and_extra_that_were_never_set_are_empty() {
    let handle = NodeHandle::new(in_state("1", NodeState::Pending), Arc::new(Script::of(vec![Vec::new()])));
    assert!(handle.public_ips.is_empty() && handle.private_ips.is_empty() && handle.extra.is_empty());
    assert_eq!(handle.id, id("1"));
}
