//! D10: waiting until nodes run.

use std::time::Duration;

use vmpool_driver::{AddressFamily, DriverExt, Interface, Listing, WaitError};
use vmpool_model::{FailureKind, Node, states::NodeState};

use crate::script::{Script, Waited, id, in_state, running};

async fn wait(driver: &Script, ids: &[&str]) -> (Result<Vec<Node>, WaitError>, u64) {
    let waited = Waited::default();
    let ids: Vec<_> = ids.iter().map(|text| id(text)).collect();
    let result = driver.wait_until(&ids, &waited.options()).await;
    (result, waited.total().as_secs())
}

fn pending(id_text: &str) -> Node {
    in_state(id_text, NodeState::Pending)
}

fn ready(id_text: &str) -> Node {
    running(id_text, &["10.0.0.1"])
}

#[tokio::test]
async fn d10_a_node_that_runs_is_not_waited_for() {
    let (result, waited) = wait(&Script::of(vec![vec![ready("1")]]), &["1"]).await;
    assert_eq!((result.unwrap(), waited), (vec![ready("1")], 0));
}

#[tokio::test]
async fn d10_a_node_that_runs_later_is_waited_for() {
    let scenes = vec![vec![pending("1")], vec![pending("1")], vec![ready("1")]];
    let (result, waited) = wait(&Script::of(scenes), &["1"]).await;
    assert_eq!((result.unwrap(), waited), (vec![ready("1")], 10));
}

#[tokio::test]
async fn d10_a_node_that_is_listed_late_is_waited_for() {
    let (result, waited) = wait(&Script::of(vec![vec![], vec![ready("1")]]), &["1"]).await;
    assert_eq!((result.unwrap(), waited), (vec![ready("1")], 5));
}

#[tokio::test]
async fn d10_no_nodes_are_ready_at_once_without_a_request() {
    let (result, waited) = wait(&Script::new(vec![Err(FailureKind::Authentication)]), &[]).await;
    assert_eq!((result.unwrap(), waited), (vec![], 0));
}

#[tokio::test]
async fn d10_several_nodes_come_in_the_order_they_were_asked_for() {
    let scenes = vec![vec![ready("1"), pending("2")], vec![ready("1"), ready("2"), ready("3")]];
    let (result, waited) = wait(&Script::of(scenes), &["2", "1"]).await;
    assert_eq!((result.unwrap(), waited), (vec![ready("2"), ready("1")], 5));
}

#[tokio::test]
async fn d10_an_id_that_is_asked_for_twice_counts_once() {
    let (result, _) = wait(&Script::of(vec![vec![ready("1")]]), &["1", "1"]).await;
    assert_eq!(result.unwrap(), [ready("1")]);
}

#[tokio::test]
async fn d10_a_node_that_never_runs_times_out() {
    let (result, waited) = wait(&Script::of(vec![vec![pending("1")]]), &["1"]).await;
    let err = result.unwrap_err().to_string();
    assert_eq!((err.as_str(), waited), ("wait failed: timed out after 1m; node 1 is pending", 60));
}

#[tokio::test]
async fn d10_a_missing_node_times_out() {
    let (result, _) = wait(&Script::of(vec![vec![ready("1")]]), &["1", "2"]).await;
    assert_eq!(result.unwrap_err().to_string(), "wait failed: timed out after 1m; node 2 is not listed");
}

#[tokio::test]
async fn d10_a_running_node_without_an_address_times_out() {
    let (result, _) = wait(&Script::of(vec![vec![running("1", &[])]]), &["1"]).await;
    let err = result.unwrap_err().to_string();
    assert_eq!(err, "wait failed: timed out after 1m; node 1 is running without an address");
}

#[tokio::test]
async fn d10_an_ipv6_address_counts_only_if_it_is_wanted() {
    let node = running("1", &["2001:db8::1"]);
    let driver = Script::of(vec![vec![node.clone()]]);
    let options = Waited::default().options();
    assert!(driver.wait_until(&[id("1")], &options).await.is_err());
    let options = options.with_family(AddressFamily::V6);
    assert_eq!(driver.wait_until(&[id("1")], &options).await.unwrap(), [node]);
}

#[tokio::test]
async fn d10_a_private_address_counts_only_if_it_is_wanted() {
    let mut node = in_state("1", NodeState::Running);
    node.private_ips = vec!["10.0.0.1".parse().unwrap()];
    let driver = Script::of(vec![vec![node.clone()]]);
    let options = Waited::default().options();
    assert!(driver.wait_until(&[id("1")], &options).await.is_err());
    for interface in [Interface::Private, Interface::Any] {
        let options = options.clone().with_interface(interface);
        assert_eq!(driver.wait_until(&[id("1")], &options).await.unwrap(), [node.clone()]);
    }
}

#[tokio::test]
async fn d10_two_nodes_with_one_id_are_an_error_at_once() {
    let (result, waited) = wait(&Script::of(vec![vec![pending("1"), pending("1")]]), &["1"]).await;
    assert!(matches!(result, Err(WaitError::Duplicate { count: 2, .. })), "{result:?}");
    assert_eq!(waited, 0);
}

#[tokio::test]
async fn d10_a_node_that_will_never_run_ends_the_wait_at_once() {
    for state in [NodeState::Error, NodeState::Terminating, NodeState::Terminated] {
        let scenes = vec![vec![pending("1"), pending("2")], vec![pending("1"), in_state("2", state)]];
        let (result, waited) = wait(&Script::of(scenes), &["1", "2"]).await;
        let Err(WaitError::Ended { node }) = result else { panic!("{result:?}") };
        assert_eq!((node.id, waited), (id("2"), 5));
    }
}

#[tokio::test]
async fn d10_a_node_that_is_gone_again_ends_the_wait_once_it_is_proven_gone() {
    let scenes = vec![vec![pending("1")], vec![], vec![]];
    let (result, waited) = wait(&Script::of(scenes), &["1"]).await;
    let Err(WaitError::Ended { node }) = result else { panic!("{result:?}") };
    assert_eq!((node.id, node.state, waited), (id("1"), NodeState::Terminated, 10));
}

#[tokio::test]
async fn f6_a_node_that_one_listing_or_partial_ones_lack_is_waited_for() {
    let lacking = || Ok(Listing::partial(Vec::new(), "page 2 is missing"));
    let listed = |nodes| Ok(Listing::complete(nodes));
    let scenes = vec![
        listed(vec![pending("1")]),
        lacking(),
        lacking(),
        listed(vec![]),
        lacking(),
        listed(vec![ready("1")]),
    ];
    let (result, waited) = wait(&Script::new(scenes), &["1"]).await;
    assert_eq!((result.unwrap(), waited), (vec![ready("1")], 25));
}

#[tokio::test]
async fn f5_a_node_that_listings_lack_and_a_look_up_finds_is_waited_for() {
    let scenes = vec![vec![pending("1")], vec![], vec![], vec![], vec![ready("1")]];
    let driver = Script::of(scenes).with_found(pending("1"));
    let (result, waited) = wait(&driver, &["1"]).await;
    assert_eq!((result.unwrap(), waited), (vec![ready("1")], 20));
}

#[test]
fn d10_an_interface_that_does_not_exist_is_refused_before_there_is_any_request() {
    assert_eq!("private_ips".parse(), Ok(Interface::Private));
    assert_eq!("any".parse(), Ok(Interface::Any));
    let err = "bad_ips".parse::<Interface>().unwrap_err().to_string();
    assert_eq!(err, "there is no interface \"bad_ips\": it is public, private or any");
}

#[tokio::test]
async fn a_listing_that_fails_for_the_moment_does_not_end_the_wait() {
    let scenes = vec![Err(FailureKind::Unavailable), Ok(Listing::complete(vec![ready("1")]))];
    let (result, waited) = wait(&Script::new(scenes), &["1"]).await;
    assert_eq!((result.unwrap(), waited), (vec![ready("1")], 5));
}

#[tokio::test]
async fn a_refused_login_ends_the_wait_at_once() {
    let (result, waited) = wait(&Script::new(vec![Err(FailureKind::Authentication)]), &["1"]).await;
    assert!(matches!(result, Err(WaitError::Driver(_))), "{result:?}");
    assert_eq!(waited, 0);
}

#[tokio::test]
async fn an_interval_of_nothing_ends_in_time_all_the_same() {
    let waited = Waited::default();
    let options = waited.options().with_interval(Duration::ZERO).with_timeout(Duration::from_millis(20));
    let driver = Script::of(vec![vec![pending("1")]]);
    assert!(driver.wait_until(&[id("1")], &options).await.is_err());
    assert_eq!(waited.total(), Duration::from_millis(20));
}
