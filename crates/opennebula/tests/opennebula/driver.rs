//! What the driver asks of the server, and what it makes of the answers.

use vmpool_driver::{Auth, CreateRequest, Driver, DriverExt, FactoryContext, Lookup, OpenError};
use vmpool_model::{Certainty, FailureKind, NodeId, Timestamp, config::DriverOptions, states::NodeState};
use vmpool_opennebula::{
    document::Element,
    driver::{OpenNebulaDriver, OpenNebulaOptions, factory},
};

use crate::{
    cloud::cloud,
    recordings::recording,
    server::{Act, Server, done, http, refused},
};

fn id(number: i32) -> NodeId {
    NodeId::new(number.to_string()).unwrap()
}

/// Waits for so many calls of a method, and returns the templates that came with them.
async fn asked(server: &Server, method: &str, count: usize) -> Vec<String> {
    loop {
        let calls = server.calls();
        let of_method = calls.iter().filter(|call| call.method == method);
        let templates: Vec<String> =
            of_method.filter_map(|call| call.params.last()?.as_text().map(str::to_owned)).collect();
        if count <= templates.len() {
            return templates;
        }
        server.ended(calls.len() + 1).await;
    }
}

fn request() -> CreateRequest {
    CreateRequest::new("small").with_token("lab/small/small-7f3k".parse().unwrap())
}

#[tokio::test]
async fn the_very_request_that_makes_a_vm_has_the_token_the_name_and_the_hold() {
    let (server, _, driver) = cloud(false).await;
    let node = driver.create(&request().with_label("suite-label", "a <b> & c")).await.unwrap();
    let calls = server.calls();
    let made = calls.iter().find(|call| call.method == "one.template.instantiate").unwrap();
    assert_eq!(made.params[1..4], [0.into(), "small-7f3k".into(), true.into()]);
    let extra = Element::parse(made.params[4].as_text().unwrap()).unwrap();
    assert_eq!(extra.text_of("VMPOOL_TOKEN"), "lab/small/small-7f3k");
    assert_eq!(extra.text_of("VMPOOL_LABEL"), "suite-label=a <b> & c");
    assert_eq!(node.token, Some("lab/small/small-7f3k".parse().unwrap()));
    assert_eq!(node.extra["suite-label"], "a <b> & c");
    assert_eq!(node.image.unwrap().id, "0");
    assert_eq!(node.private_ips[0].to_string(), "10.0.0.2");
    assert_eq!(node.created_at, Some(Timestamp::from_millis(1_795_251_939_000)));
    let found = driver.find_by_token(&node.token.unwrap()).await.unwrap();
    assert!(matches!(found, Lookup::Found(nodes) if nodes.len() == 1));
}

#[tokio::test]
async fn a_template_is_given_by_number_by_name_or_in_the_options() {
    let (server, _cloud, driver) = cloud(false).await;
    let node = driver.create(&CreateRequest::new("1")).await.unwrap();
    assert_eq!(node.image.unwrap().id, "1");
    assert!(!server.calls().iter().any(|call| call.method == "one.templatepool.info"));
    let node = driver.create(&CreateRequest::new("1").with_image("small")).await.unwrap();
    assert_eq!(node.image.unwrap().id, "0");
    let err = driver.create(&CreateRequest::new("medium")).await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::InvalidRequest);
    assert!(err.to_string().contains("there are large, small"), "{err}");

    let mut options = OpenNebulaOptions::default();
    options.templates.insert("own".into(), "CPU=1 MEMORY=64".into());
    let driver = OpenNebulaDriver::connect_with(server.client(), options).await.unwrap();
    driver.create(&CreateRequest::new("own").with_token("lab/own/own-1".parse().unwrap())).await.unwrap();
    let calls = server.calls();
    let made = calls.iter().find(|call| call.method == "one.vm.allocate").unwrap();
    let expected = "CPU=1 MEMORY=64\nNAME=\"own-1\"\nVMPOOL_TOKEN=\"lab/own/own-1\"\n";
    assert_eq!(made.params[1].as_text(), Some(expected));
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_before_anything_is_asked() {
    let (server, _, driver) = cloud(false).await;
    let before = server.calls().len();
    let kind = async |request| driver.create(&request).await.unwrap_err().kind();
    assert_eq!(kind(request().with_size("big")).await, FailureKind::InvalidRequest);
    assert_eq!(kind(request().with_auth(Auth::Password("x".into()))).await, FailureKind::Unsupported);
    assert_eq!(kind(request().with_label("a=b", "c")).await, FailureKind::InvalidRequest);
    assert_eq!(kind(request().with_label("a", "]]>")).await, FailureKind::InvalidRequest);
    assert_eq!(kind(request().with_label("a", "🚀")).await, FailureKind::InvalidRequest);
    assert_eq!(server.calls().len(), before);
}

#[tokio::test]
async fn quota_and_rights_are_typed_and_certain() {
    let cases = [
        ("one.vm.allocate.quota0", FailureKind::Quota),
        ("one.vm.allocate.noperm-image", FailureKind::Permission),
        ("one.vm.allocate.restricted", FailureKind::Permission),
        ("auth.bad-password", FailureKind::Authentication),
        ("one.template.instantiate.badid", FailureKind::InvalidRequest),
    ];
    for (name, kind) in cases {
        let body = http(&recording(name).response());
        let server = Server::start(move |call| match call.method.as_str() {
            "one.system.version" => done("6.10.0"),
            _ => vec![Act::Send(body.clone())],
        })
        .await;
        let driver = OpenNebulaDriver::connect(server.client()).await.unwrap();
        let err = driver.create(&CreateRequest::new("1")).await.unwrap_err();
        assert_eq!((err.kind(), err.certainty()), (kind, Certainty::NotApplied), "{name}: {err}");
    }
}

#[tokio::test]
async fn no_room_is_said_so_whatever_there_is_no_room_in() {
    let texts = [
        "Error allocating a new virtual machine. Cannot get IP/MAC lease from virtual network 0.",
        "Not enough space in datastore",
        "virtual machine [7] does not fit in host [0]. Not enough capacity.",
        "No free VNC ports available in the cluster",
    ];
    for text in texts {
        let server = Server::start(move |call| match call.method.as_str() {
            "one.system.version" => done("6.10.0"),
            _ => refused(0x2000, &format!("[one.template.instantiate] {text}")),
        })
        .await;
        let driver = OpenNebulaDriver::connect(server.client()).await.unwrap();
        let err = driver.create(&CreateRequest::new("1")).await.unwrap_err();
        assert_eq!((err.kind(), err.certainty()), (FailureKind::Capacity, Certainty::NotApplied), "{err}");
    }
}

#[tokio::test]
async fn a_vm_that_cannot_be_let_go_is_ended_and_then_nothing_happened() {
    for (ending, certainty) in [(done(7), Certainty::NotApplied), (refused(8192, "no"), Certainty::Unknown)] {
        let server = Server::start(move |call| match (call.method.as_str(), &call.params[1..]) {
            ("one.system.version", _) => done("6.10.0"),
            ("one.template.instantiate", _) => done(7),
            (_, [action, _]) if action.as_text() == Some("release") => refused(512, "Not authorized"),
            (_, [action, _]) if action.as_text() == Some("terminate-hard") => ending.clone(),
            other => panic!("{other:?}"),
        })
        .await;
        let driver = OpenNebulaDriver::connect(server.client()).await.unwrap();
        let err = driver.create(&CreateRequest::new("1")).await.unwrap_err();
        assert_eq!((err.kind(), err.certainty()), (FailureKind::Permission, certainty), "{err}");
    }
}

#[tokio::test]
async fn an_administrator_ends_a_vm_in_any_state() {
    let (_, cloud, driver) = cloud(true).await;
    driver.create(&request()).await.unwrap();
    // PROLOG, BOOT, MIGRATE, HOTPLUG, SAVE_STOP and numbers that are not known here.
    for (state, lcm) in [(3, 1), (3, 2), (3, 4), (3, 17), (3, 5), (3, 99), (42, 0)] {
        cloud.set_state(0, state, lcm);
        driver.destroy(&id(0)).await.unwrap();
        assert_eq!(cloud.state_after_a_second(0).str_state(), "DONE", "{state}/{lcm}");
    }
    driver.destroy(&id(0)).await.unwrap();
}

#[tokio::test]
async fn a_plain_user_has_the_server_end_a_vm_as_soon_as_its_state_allows() {
    let (server, cloud, driver) = cloud(false).await;
    driver.create(&request()).await.unwrap();
    cloud.set_state(0, 3, 2);
    driver.destroy(&id(0)).await.unwrap();
    let expected = "SCHED_ACTION=[ACTION=\"terminate-hard\",TIME=\"+1\"]";
    assert_eq!(asked(&server, "one.vm.schedadd", 1).await, [expected]);
    // What the server is to do already is not added once more.
    cloud.set_state(0, 3, 2);
    driver.destroy(&id(0)).await.unwrap();
    assert_eq!(asked(&server, "one.vm.schedupdate", 1).await, ["SCHED_ACTION=[TIME=\"+1\"]"]);
    assert_eq!(asked(&server, "one.vm.schedadd", 1).await.len(), 1);
}

#[tokio::test]
async fn a_vm_that_is_going_already_is_left_to_go() {
    let (server, cloud, driver) = cloud(true).await;
    driver.create(&request()).await.unwrap();
    cloud.set_state(0, 3, 11);
    driver.destroy(&id(0)).await.unwrap();
    assert!(!server.calls().iter().any(|call| call.method == "one.vm.recover"));
}

#[tokio::test]
async fn a_vm_that_does_not_get_on_with_its_end_is_deleted() {
    let impatient = || serde_json::from_str(r#"{"stuck_after": "0s"}"#).unwrap();
    let (_server, cloud, driver) = cloud(true).await;
    let node = driver.create(&request()).await.unwrap();
    let driver = OpenNebulaDriver::connect_with(driver.client().clone(), impatient()).await.unwrap();
    cloud.set_state(0, 3, 11);
    driver.destroy(&node.id).await.unwrap();
    assert_eq!(cloud.lcm_state(0), "CLEANUP_DELETE");
    assert_eq!(cloud.state_after_a_second(0).str_state(), "DONE");

    // Who may not delete it says who can.
    let (_server, cloud, driver) = crate::cloud::cloud(false).await;
    let node = driver.create(&request()).await.unwrap();
    let driver = OpenNebulaDriver::connect_with(driver.client().clone(), impatient()).await.unwrap();
    cloud.set_state(0, 3, 11);
    let err = driver.destroy(&node.id).await.unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::InvalidState, Certainty::NotApplied));
    assert!(err.to_string().contains("EPILOG") && err.to_string().contains("onevm recover"), "{err}");
}

#[tokio::test]
async fn a_time_to_end_is_set_once_and_then_moved() {
    let (server, cloud, driver) = cloud(false).await;
    driver.create(&request()).await.unwrap();
    driver.set_expiry(&id(0), Timestamp::from_millis(1_900_000_000_001)).await.unwrap();
    let expected = "SCHED_ACTION=[ACTION=\"terminate-hard\",TIME=\"1900000001\"]";
    assert_eq!(asked(&server, "one.vm.schedadd", 1).await, [expected]);
    driver.set_expiry(&id(0), Timestamp::from_millis(1_950_000_000_000)).await.unwrap();
    driver.set_expiry(&id(0), Timestamp::from_millis(i64::MAX)).await.unwrap();
    let moved = ["SCHED_ACTION=[TIME=\"1950000000\"]", "SCHED_ACTION=[TIME=\"2147483647\"]"];
    assert_eq!(asked(&server, "one.vm.schedupdate", 2).await, moved);
    cloud.set_state(0, 6, 0);
    let err = driver.set_expiry(&id(0), Timestamp::from_millis(1)).await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::InvalidState);
}

#[tokio::test]
async fn a_new_vm_can_come_with_a_time_to_end() {
    let (server, _, _) = cloud(false).await;
    let options = serde_json::from_str(r#"{"first_expiry": "1h"}"#).unwrap();
    let driver = OpenNebulaDriver::connect_with(server.client(), options).await.unwrap();
    driver.create(&request()).await.unwrap();
    let calls = server.calls();
    let made = calls.iter().find(|call| call.method == "one.template.instantiate").unwrap();
    let extra = Element::parse(made.params[4].as_text().unwrap()).unwrap();
    assert_eq!(extra.text_of("SCHED_ACTION/ACTION"), "terminate-hard");
    assert_eq!(extra.text_of("SCHED_ACTION/TIME"), "+3600");
}

#[tokio::test]
async fn a_server_before_6_2_cannot_end_vms_by_itself() {
    let server = Server::start(|_| done("6.0.0.2")).await;
    let driver = OpenNebulaDriver::connect(server.client()).await.unwrap();
    assert!(!driver.capabilities().set_expiry);
    let err = driver.set_expiry(&id(0), Timestamp::from_millis(1)).await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::Unsupported);
}

#[tokio::test]
async fn a_server_before_5_8_is_asked_for_the_one_listing_that_it_has() {
    let server = Server::start(|call| match call.method.as_str() {
        "one.system.version" => done("5.6.2"),
        "one.vmpool.info" => done("<VM_POOL></VM_POOL>"),
        other => panic!("{other}"),
    })
    .await;
    let driver = OpenNebulaDriver::connect(server.client()).await.unwrap();
    assert!(driver.list().await.unwrap().is_complete());
    let before = server.ended(2).await.len();
    drop(driver.list().await.unwrap());
    assert_eq!(server.ended(before + 1).await.len(), 3);
}

#[tokio::test]
async fn a_vm_that_the_server_cannot_send_is_found_and_the_others_are_listed() {
    let (server, cloud, driver) = cloud(false).await;
    for _ in 0..20 {
        driver.create(&CreateRequest::new("0")).await.unwrap();
    }
    cloud.poison(13);
    let before = server.calls().len();
    let listing = driver.list().await.unwrap();
    assert!(listing.incomplete.unwrap().contains("VM 13"));
    let unknown: Vec<_> = listing.nodes.iter().filter(|node| node.state == NodeState::Unknown).collect();
    assert_eq!((listing.nodes.len(), unknown.len(), unknown[0].id.as_str()), (20, 1, "13"));
    let calls = server.calls().len() - before;
    assert!(calls < 80, "{calls} calls were made");
}

#[tokio::test]
async fn a_listing_that_fails_says_nothing_about_any_vm() {
    for (answer, kind) in [
        (vec![Act::Send(http(&recording("auth.bad-password").response()))], FailureKind::Authentication),
        (vec![Act::Send(http(b"<html></html>"))], FailureKind::Protocol),
        (vec![Act::Send(http(b""))], FailureKind::Protocol),
        (vec![], FailureKind::Unavailable),
        (done("<VM_POOL><VM><NAME>x</NAME></VM></VM_POOL>"), FailureKind::Protocol),
        (done("<HOST_POOL></HOST_POOL>"), FailureKind::Protocol),
    ] {
        let server = Server::start(move |call| match call.method.as_str() {
            "one.system.version" => done("6.10.0"),
            _ => answer.clone(),
        })
        .await;
        let driver = OpenNebulaDriver::connect(server.client()).await.unwrap();
        let err = driver.list().await.unwrap_err();
        assert_eq!(err.kind(), kind, "{err}");
    }
}

#[tokio::test]
async fn the_recorded_listing_is_the_nodes_that_it_shows() {
    let body = http(&recording("one.vmpool.infoextended").response());
    let server = Server::start(move |call| match call.method.as_str() {
        "one.system.version" => done("6.10.0"),
        _ => vec![Act::Send(body.clone())],
    })
    .await;
    let driver = OpenNebulaDriver::connect(server.client()).await.unwrap();
    let listing = driver.list().await.unwrap();
    assert!(listing.is_complete());
    let node = listing.nodes.iter().find(|node| node.id.as_str() == "3").unwrap();
    assert_eq!((node.state, node.raw_state.to_string().as_str()), (NodeState::Running, "ACTIVE/RUNNING"));
    assert_eq!(node.private_ips[0].to_string(), "10.0.0.4");
    let held = listing.nodes.iter().find(|node| node.id.as_str() == "11").unwrap();
    assert_eq!((held.state, held.addresses().count()), (NodeState::Paused, 0));
}

#[tokio::test]
async fn the_factory_takes_options_and_names_what_is_wrong_with_them() {
    let options = |json: &str| serde_json::from_str::<DriverOptions>(json).unwrap();
    let wrong = |json: &str| factory().check(&options(json)).unwrap_err().to_string();
    assert!(wrong(r#"{"endpoint": "one.example"}"#).starts_with("option endpoint: "));
    assert!(wrong(r#"{"user": "x"}"#).contains("unknown field"));
    assert!(wrong(r#"{"timeout": 5}"#).starts_with("option timeout: "));
    factory().check(&options(r#"{"endpoint": "http://one/RPC2", "auth": "ci:x", "timeout": "5s"}"#)).unwrap();

    let server = Server::start(|_| done("6.10.0")).await;
    let given = format!(r#"{{"endpoint": "{}", "auth": "ci:hunter2"}}"#, server.endpoint);
    let context = || FactoryContext::new("lab".parse().unwrap());
    let driver = factory().open(context(), &options(&given)).await.unwrap();
    assert_eq!(
        (driver.info().name, driver.info().endpoint.as_str()),
        ("opennebula", server.endpoint.as_str())
    );
    assert!(!format!("{driver:?}").contains("hunter2"));

    let refuses = Server::start(|_| vec![Act::Send(http(&recording("auth.version-bad").response()))]).await;
    let given = format!(r#"{{"endpoint": "{}", "auth": "ci:hunter2"}}"#, refuses.endpoint);
    let Err(OpenError::Driver(err)) = factory().open(context(), &options(&given)).await else { panic!() };
    assert_eq!(err.kind(), FailureKind::Authentication);
}
