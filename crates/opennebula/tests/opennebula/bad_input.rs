//! Names and VMs that are odd, and accounts and addresses that are wrong, through the whole driver.
//!
//! What comes of web pages, proxies and servers that close too early is in [`calls`](crate::calls), of certificates in
//! [`tls`](crate::tls), of listings that fail in [`driver`](crate::driver).

use vmpool_driver::{CreateRequest, Driver as _};
use vmpool_model::{Certainty, FailureKind, states::NodeState};
use vmpool_opennebula::{
    client::{Client, ClientConfig, Session},
    driver::{OpenNebulaDriver, OpenNebulaOptions},
};

use vmpool_sim::opennebula::{OpenNebulaSim, SimConfig};

use crate::{
    cloud::{client, cloud, plain_user},
    server::{Act, Server, http},
};

/// Makes a driver whose template `bare` has neither disk nor card.
async fn bare(driver: &OpenNebulaDriver) -> OpenNebulaDriver {
    let mut options = OpenNebulaOptions::default();
    options.templates.insert("bare".to_owned(), "CPU=0.1 MEMORY=64".to_owned());
    OpenNebulaDriver::connect_with(driver.client().clone(), options).await.unwrap()
}

#[tokio::test]
async fn a_name_with_the_end_of_a_cdata_section_is_refused_and_makes_nothing() {
    let (_server, _cloud, driver) = cloud(true).await;
    let driver = bare(&driver).await;
    for template in ["small", "bare"] {
        let err = driver.create(&CreateRequest::new(template).with_name("a ]]> b")).await.unwrap_err();
        let expected = (FailureKind::InvalidRequest, Certainty::NotApplied);
        assert_eq!((err.kind(), err.certainty()), expected, "{template}: {err}");
    }
    assert!(driver.list().await.unwrap().nodes.is_empty());
}

#[tokio::test]
async fn a_name_beyond_ascii_is_kept_and_one_that_the_server_cannot_send_back_is_refused() {
    let (_server, _cloud, driver) = cloud(true).await;
    let driver = bare(&driver).await;
    for template in ["small", "bare"] {
        let name = format!("žluťoučký kůň-日本 {template}");
        let node = driver.create(&CreateRequest::new(template).with_name(&name)).await.unwrap();
        assert_eq!(node.name, name);
        assert_eq!(driver.get(&node.id).await.unwrap().name, name);
        assert!(driver.list().await.unwrap().nodes.iter().any(|node| node.name == name));
        let err = driver.create(&CreateRequest::new(template).with_name("rocket 🚀")).await.unwrap_err();
        assert_eq!(err.kind(), FailureKind::InvalidRequest, "{err}");
    }
    assert_eq!(driver.list().await.unwrap().nodes.len(), 2);
}

#[tokio::test]
async fn a_vm_without_a_nic_is_a_node_without_an_address() {
    let (_server, cloud, driver) = cloud(true).await;
    let driver = bare(&driver).await;
    let node = driver.create(&CreateRequest::new("bare")).await.unwrap();
    cloud.set_state(0, 3, 3);
    let listing = driver.list().await.unwrap();
    assert!(listing.is_complete());
    for node in [driver.get(&node.id).await.unwrap(), listing.nodes[0].clone()] {
        assert_eq!((node.state, node.addresses().count()), (NodeState::Running, 0));
    }
}

#[tokio::test]
async fn unknown_state_numbers_are_busy_vms_in_a_complete_listing() {
    let (_server, cloud, driver) = cloud(true).await;
    let node = driver.create(&CreateRequest::new("small")).await.unwrap();
    for (state, lcm, raw) in [(42, 0, "42"), (3, 99, "99")] {
        cloud.set_state(0, state, lcm);
        let listing = driver.list().await.unwrap();
        assert!(listing.is_complete());
        for node in [driver.get(&node.id).await.unwrap(), listing.nodes[0].clone()] {
            assert_eq!(node.state, NodeState::Unknown);
            assert!(node.raw_state.to_string().contains(raw), "{}", node.raw_state);
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_an_error_of_authentication_that_does_not_show_it() {
    let (server, _cloud, _driver) = cloud(true).await;
    let session = Session::of("oneadmin", "not-the-password");
    let client = Client::new(ClientConfig::new(server.endpoint.clone(), session)).unwrap();
    let err = OpenNebulaDriver::connect(client).await.unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Authentication, Certainty::NotApplied), "{err}");
    assert!(!format!("{err} {err:?}").contains("not-the-password"));
    assert!(err.to_string().contains("auth_file"), "{err}");
}

#[tokio::test]
async fn an_account_that_may_use_no_template_is_told_what_it_needs() {
    let sim = OpenNebulaSim::new(SimConfig::default().private().with_user(plain_user())).unwrap();
    let server = sim.start().await.unwrap();
    let driver = OpenNebulaDriver::connect(client(&server.endpoint(), false)).await.unwrap();
    for (template, what) in [("small", "must grant it USE"), ("0", "the account needs USE")] {
        let err = driver.create(&CreateRequest::new(template)).await.unwrap_err();
        assert_eq!(err.certainty(), Certainty::NotApplied);
        assert!(err.to_string().contains(what), "{err}");
    }
}

#[tokio::test]
async fn an_address_of_a_web_site_is_named_when_the_driver_is_opened() {
    let page = http(b"<!DOCTYPE html>\n<html><body>Welcome</body></html>");
    let server = Server::start(move |_| vec![Act::Send(page.clone())]).await;
    let err = OpenNebulaDriver::connect(server.client()).await.unwrap_err();
    let text = format!("{err}: {}", std::error::Error::source(&err).unwrap());
    assert_eq!(err.kind(), FailureKind::Protocol, "{text}");
    assert!(text.contains("check the endpoint"), "{text}");
}
