//! The driver where it differs from a plain client.

use vmpool_cloudapi::CloudApiDriver;
use vmpool_driver::{CreateRequest, Driver, PowerAction};
use vmpool_model::{
    Certainty, FailureKind,
    states::{NodeState, RawState, cloudapi::MachineState},
};

use crate::{
    cloud::Cloud,
    exchange::one,
    loopback::{Server, say},
    open,
    suite::templates,
};

async fn driver(server: &Server) -> CloudApiDriver {
    CloudApiDriver::new(open(&server.url).await, templates())
}

fn request(vm: &str) -> CreateRequest {
    CreateRequest::new("base").with_token(format!("lab/base/{vm}").parse().unwrap())
}

#[tokio::test]
async fn the_token_is_a_tag_of_the_very_request_that_makes_the_machine() {
    let server = Cloud::default().serve().await;
    let driver = driver(&server).await;
    let node = driver.create(&request("base-1").with_label("role", "web")).await.unwrap();
    let asked = server.asked();
    let body = asked[0].json().unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!((&body["tag.vmpool-token"], &body["name"]), (&"lab/base/base-1".into(), &"base-1".into()));
    assert_eq!((&body["tag.role"], &body["tag.owner"]), (&"web".into(), &"tests".into()));
    assert_eq!((&body["package"], &body["image"]), (&"small".into(), &"i1".into()));
    assert_eq!(node.token.unwrap().to_string(), "lab/base/base-1");
    assert_eq!(node.extra.get("role").map(String::as_str), Some("web"));
    assert!(!node.extra.contains_key("vmpool-token") && !node.extra.contains_key("vmpool-day"));
}

#[tokio::test]
async fn a_machine_that_failed_is_listed_though_the_server_hides_it() {
    let cloud = Cloud::default();
    let server = cloud.serve().await;
    let driver = driver(&server).await;
    let node = driver.create(&request("base-1")).await.unwrap();
    cloud.turn(node.id.as_str(), "failed");
    let listing = driver.list().await.unwrap();
    let states: Vec<_> = listing.nodes.iter().map(|node| (node.state, node.raw_state.clone())).collect();
    assert_eq!(states, [(NodeState::Error, RawState::CloudApi(MachineState::Failed))]);
    assert!(listing.is_complete() && listing.nodes[0].token.is_some());
    driver.destroy(&node.id).await.unwrap();
}

#[tokio::test]
async fn a_listing_without_the_failed_machines_calls_itself_incomplete() {
    let server = Server::start(|asked| match asked.path.contains("tombstone") {
        true => say(500, ""),
        false => say(200, r#"[{"id": "a", "state": "running"}]"#),
    })
    .await;
    let listing = driver(&server).await.list().await.unwrap();
    assert_eq!((listing.nodes.len(), listing.is_complete()), (1, false));
}

#[tokio::test]
async fn a_listing_that_cannot_be_read_is_an_error_and_not_empty() {
    for (status, body) in [(401, ""), (200, "<html>"), (200, r#"{"code": "odd"}"#), (404, ""), (429, "")] {
        let server = Server::start(move |_| say(status, body)).await;
        assert!(driver(&server).await.list().await.is_err(), "{status} {body}");
    }
}

#[tokio::test]
async fn a_state_that_nobody_knows_is_unknown_and_kept() {
    let server = Server::start(|_| say(200, r#"[{"id": "a", "state": "hibernating"}]"#)).await;
    let node = driver(&server).await.list().await.unwrap().nodes.remove(0);
    assert_eq!(node.state, NodeState::Unknown);
    assert_eq!(node.raw_state, RawState::CloudApi(MachineState::Unrecognized("hibernating".to_owned())));
}

#[tokio::test]
async fn what_was_destroyed_is_shown_as_such_and_what_never_was_is_not_found() {
    let cloud = Cloud::default();
    let server = cloud.serve().await;
    let driver = driver(&server).await;
    let node = driver.create(&request("base-1")).await.unwrap();
    cloud.turn(node.id.as_str(), "deleted");
    assert_eq!(driver.get(&node.id).await.unwrap().state, NodeState::Terminated);
    assert!(driver.destroy(&node.id).await.unwrap_err().is_not_found());
    let never = vmpool_model::NodeId::new("00000000-0000-4000-8000-000000000000").unwrap();
    assert!(driver.get(&never).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn no_action_is_sent_to_a_machine_that_is_gone_or_busy() {
    let cloud = Cloud::default();
    let server = cloud.serve().await;
    let driver = driver(&server).await;
    let node = driver.create(&request("base-1")).await.unwrap();
    for (state, kind) in [
        ("deleted", FailureKind::NotFound),
        ("failed", FailureKind::InvalidState),
        ("stopping", FailureKind::InvalidState),
        ("unknown", FailureKind::InvalidState),
        ("offline", FailureKind::InvalidState),
    ] {
        cloud.turn(node.id.as_str(), state);
        for action in [PowerAction::Start, PowerAction::Stop, PowerAction::Reboot] {
            let err = driver.power(&node.id, action).await.unwrap_err();
            assert_eq!((err.kind(), err.certainty()), (kind, Certainty::NotApplied), "{state} {action:?}");
        }
    }
    assert!(server.asked()[1..].iter().all(|asked| asked.method == "GET"));
}

#[tokio::test]
async fn names_that_collide_are_told_and_nothing_was_made() {
    let server = Cloud::default().serve().await;
    let driver = driver(&server).await;
    driver.create(&request("base-1")).await.unwrap();
    let err = driver.create(&request("base-1")).await.unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::AlreadyExists, Certainty::NotApplied));
}

#[tokio::test]
async fn a_protected_machine_is_not_destroyed_and_the_reason_is_told() {
    let said = one("147-delete-protected").response;
    let server = Server::start(move |_| Some(said.clone())).await;
    let id = vmpool_model::NodeId::new("5c0d6d05-fe4e-4408-8add-29e935707321").unwrap();
    let err = driver(&server).await.destroy(&id).await.unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::InvalidState, Certainty::NotApplied));
    assert!(err.to_string().contains("deletion_protection"), "{err}");
}

#[tokio::test]
async fn what_the_cloud_cannot_keep_is_refused_before_anything_is_asked() {
    let server = Server::start(|_| say(500, "")).await;
    let driver = driver(&server).await;
    for bad in [
        CreateRequest::new("no-such"),
        CreateRequest::new(""),
        CreateRequest::new("base").with_label("image", "x"),
        CreateRequest::new("base").with_label("vmpool-token", "lab/base/base-2"),
        CreateRequest::new("base").with_label("", "x"),
        CreateRequest::new("base").with_label("role", ""),
    ] {
        let err = driver.create(&bad).await.unwrap_err();
        assert_eq!(
            (err.kind(), err.certainty()),
            (FailureKind::InvalidRequest, Certainty::NotApplied),
            "{bad:?}"
        );
    }
    assert!(server.asked().is_empty());
    let err = driver.create(&CreateRequest::new("no-such")).await.unwrap_err().to_string();
    assert!(err.contains("the templates are base"), "{err}");
}

#[tokio::test]
async fn the_catalog_is_of_packages_and_active_images() {
    let server = Cloud::default().serve().await;
    let catalog = driver(&server).await.catalog().await.unwrap();
    let size = &catalog.sizes[0];
    assert_eq!((size.id.as_str(), size.ram, size.disk), ("small", 1024, 25));
    let images: Vec<_> =
        catalog.images.iter().map(|image| (image.id.as_str(), image.name.as_str())).collect();
    assert_eq!(images, [("i1", "base@1.0")]);
}
