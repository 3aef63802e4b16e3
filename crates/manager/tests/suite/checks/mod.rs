//! The checks over the network, and the clock.

mod http;
mod ssh;

use std::net::IpAddr;

use tokio::net::TcpListener;
use vmpool_manager::{
    CheckReport, CheckTarget, Checker, Clock, NetworkChecker, SystemClock,
    model::{Node, NodeId, NodeView, config::CheckConfig, states::NodeState},
};

use crate::world::{pass, seconds, start_time};

fn target(addresses: &[&str], check: CheckConfig) -> CheckTarget {
    let mut node = Node::new(NodeId::new("0").unwrap(), "vm", NodeState::Running);
    node.public_ips = addresses.iter().map(|address| address.parse::<IpAddr>().unwrap()).collect();
    let node = NodeView::from(&node);
    CheckTarget::new("small-1".parse().unwrap(), "small".parse().unwrap(), node, check, seconds(30))
}

/// Opens a port on one loopback address; returns it with the listener that keeps it open.
async fn open_port(address: &str) -> (TcpListener, u16) {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn one_address_that_can_be_connected_to_is_enough() {
    let (_listener, port) = open_port("127.0.0.1").await;
    let target = target(&["127.0.0.2", "127.0.0.1"], CheckConfig::Tcp { port });
    assert_eq!(NetworkChecker::new().check(&target).await, Ok(CheckReport::default()));
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_a_failure_that_names_the_address() {
    let (listener, port) = open_port("127.0.0.1").await;
    drop(listener);
    let target = target(&["127.0.0.1"], CheckConfig::Tcp { port });
    let why = NetworkChecker::new().check(&target).await.unwrap_err();
    assert!(why.contains(&format!("127.0.0.1:{port}")), "{why}");
}

#[tokio::test]
async fn a_node_without_an_address_fails() {
    let why = NetworkChecker::new().check(&target(&[], CheckConfig::Tcp { port: 22 })).await.unwrap_err();
    assert_eq!(why, "the node has no address");
}

#[tokio::test]
async fn no_check_passes_any_node() {
    assert_eq!(
        NetworkChecker::new().check(&target(&[], CheckConfig::None)).await,
        Ok(CheckReport::default())
    );
}

#[tokio::test(start_paused = true)]
async fn f10_the_systems_clock_runs_with_the_monotonic_one() {
    let clock = SystemClock::anchored_at(start_time());
    pass(seconds(90)).await;
    assert_eq!(clock.now().since(start_time()), seconds(90));
}

fn exec(script: &str) -> CheckTarget {
    let command = ["sh", "-c", script].map(str::to_owned).into();
    target(&["10.0.0.7"], CheckConfig::Exec { command })
}

#[tokio::test]
async fn a_command_that_ends_well_passes_and_knows_the_vm() {
    let script = "test $VMPOOL_VM = small-1 && test $VMPOOL_POOL = small && test $VMPOOL_ADDRESS = 10.0.0.7";
    assert_eq!(NetworkChecker::new().check(&exec(script)).await, Ok(CheckReport::default()));
}

#[tokio::test]
async fn a_command_that_fails_or_hangs_tells_what_it_printed() {
    let why = NetworkChecker::new().check(&exec("echo no disk; exit 2")).await.unwrap_err();
    assert_eq!(why, "sh: exit status: 2: no disk");
    let mut target = exec("echo waiting; sleep 60");
    target.timeout = std::time::Duration::from_millis(300);
    let why = NetworkChecker::new().check(&target).await.unwrap_err();
    assert!(why.contains("did not end within 300ms") && why.ends_with(": waiting"), "{why}");
}

#[test]
fn a_command_that_is_not_there_is_found_early() {
    let command = vec!["/no/such/command".to_owned()];
    let why = NetworkChecker::new().validate(&CheckConfig::Exec { command }).unwrap_err().to_string();
    assert!(why.starts_with("command[0]: there is no command /no/such/command"), "{why}");
}
