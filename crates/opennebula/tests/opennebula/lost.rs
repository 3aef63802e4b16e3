//! Creates whose answers or requests are lost on the way.

use vmpool_driver::{CreateRequest, Driver, DriverExt, Lookup};
use vmpool_model::{Certainty, states::NodeState};
use vmpool_opennebula::driver::OpenNebulaDriver;
use vmpool_sim::opennebula::{OpenNebulaSim, SimConfig, SimServer};

use crate::cloud::{client, plain_user};

async fn driver() -> (OpenNebulaSim, SimServer, OpenNebulaDriver) {
    let sim = OpenNebulaSim::new(SimConfig::default().with_user(plain_user())).unwrap();
    let server = sim.clone().start().await.unwrap();
    let driver = OpenNebulaDriver::connect(client(&server.endpoint(), false)).await.unwrap();
    (sim, server, driver)
}

fn request() -> CreateRequest {
    CreateRequest::new("small").with_token("lab/small/small-7f3k".parse().unwrap())
}

#[tokio::test]
async fn a_vm_whose_number_was_lost_does_not_boot_and_is_found_by_its_token() {
    let (sim, _server, driver) = driver().await;
    sim.reconfigure(|config| config.faults.lost_answers = 1.0);
    let err = driver.create(&request()).await.unwrap_err();
    assert_eq!(err.certainty(), Certainty::Unknown, "{err}");
    sim.reconfigure(|config| config.faults.lost_answers = 0.0);
    let found = driver.find_by_token(&request().token.unwrap()).await.unwrap();
    let Lookup::Found(nodes) = found else { panic!("{found:?}") };
    assert_eq!((nodes.len(), nodes[0].state), (1, NodeState::Paused));
    assert!(sim.nodes().nodes().is_empty());
    driver.destroy(&nodes[0].id).await.unwrap();
    assert!(driver.list().await.unwrap().nodes.is_empty());
}

#[tokio::test]
async fn a_vm_that_nobody_let_go_is_let_go_by_a_listing_after_a_while() {
    let (sim, _server, patient) = driver().await;
    sim.reconfigure(|config| config.faults.lost_answers = 1.0);
    patient.create(&request()).await.unwrap_err();
    // One without a token waits for somebody else.
    patient.create(&CreateRequest::new("small")).await.unwrap_err();
    sim.reconfigure(|config| config.faults.lost_answers = 0.0);
    drop(patient.list().await.unwrap());
    drop(patient.list().await.unwrap());
    let states = || [0, 1].map(|id| sim.state(id).unwrap().0.str_state());
    assert_eq!(states(), ["HOLD", "HOLD"]);

    let options = serde_json::from_str(r#"{"release_after": "0s"}"#).unwrap();
    let hasty = OpenNebulaDriver::connect_with(patient.client().clone(), options).await.unwrap();
    // Whose VMs are its own it knows from one that it is to make, and until then it lets none go.
    drop(hasty.list().await.unwrap());
    assert_eq!(states(), ["HOLD", "HOLD"]);
    sim.reconfigure(|config| config.faults.lost_requests = 1.0);
    hasty.create(&request()).await.unwrap_err();
    sim.reconfigure(|config| config.faults.lost_requests = 0.0);
    drop(hasty.list().await.unwrap());
    // A listing does not wait for that.
    while states()[0] == "HOLD" {
        drop(patient.list().await.unwrap());
    }
    drop(hasty.list().await.unwrap());
    assert_eq!(states(), ["ACTIVE", "HOLD"]);
}

#[tokio::test]
async fn a_request_that_was_lost_is_as_unclear_and_nothing_is_found() {
    let (sim, _server, driver) = driver().await;
    sim.reconfigure(|config| config.faults.lost_requests = 1.0);
    let err = driver.create(&request()).await.unwrap_err();
    assert_eq!(err.certainty(), Certainty::Unknown, "{err}");
    let found = driver.find_by_token(&request().token.unwrap()).await.unwrap();
    assert!(matches!(found, Lookup::Absent), "{found:?}");
}
