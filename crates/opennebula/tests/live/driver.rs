//! What only the driver for OpenNebula promises, beside the rules for all drivers.

use std::time::Duration;

use vmpool_driver::{CreateRequest, Driver as _, DriverExt as _, Lookup};
use vmpool_model::{FailureKind, NodeId, Timestamp, Token, states::NodeState};
use vmpool_opennebula::{driver::OpenNebulaDriver, template::Template};

use crate::{
    Failure,
    account::{Live, live},
    wait::until,
};

async fn driver() -> Result<Option<(Live, OpenNebulaDriver)>, Failure> {
    let Some(live) = live().await? else { return Ok(None) };
    let driver = OpenNebulaDriver::connect(live.client.clone()).await?;
    Ok(Some((live, driver)))
}

fn token(live: &Live, what: &str) -> Result<Token, Failure> {
    Ok(format!("lab/live/{}", live.name(what)).parse()?)
}

#[tokio::test]
async fn a_vm_on_hold_whose_number_got_lost_is_found_by_its_token_and_ended() -> Result<(), Failure> {
    let Some((live, driver)) = driver().await? else { return Ok(()) };
    let token = token(&live, "lost")?;
    // What the driver asks for first; then its process ended.
    let extra = Template::new().with("VMPOOL_TOKEN", token.to_string())?.to_xml();
    let vm = live.held("lost", &extra).await?;
    let Lookup::Found(nodes) = driver.find_by_token(&token).await? else { panic!("it is not found") };
    assert_eq!((nodes.len(), nodes[0].id.as_str()), (1, vm.id().to_string().as_str()));
    assert_eq!((nodes[0].state, nodes[0].token.as_ref()), (NodeState::Paused, Some(&token)));
    driver.destroy(&nodes[0].id).await?;
    let look = async || Ok(vm.info().await?.str_state() == "DONE");
    until("it is done", look).await?;
    assert!(matches!(driver.find_by_token(&token).await?, Lookup::Absent));
    Ok(())
}

#[tokio::test]
async fn the_server_ends_a_vm_at_the_time_that_was_set_last() -> Result<(), Failure> {
    let Some((live, driver)) = driver().await? else { return Ok(()) };
    if !driver.capabilities().set_expiry {
        eprintln!("passed over: the server is too old to end VMs by itself");
        return Ok(());
    }
    let request = CreateRequest::new(live.template.to_string()).with_token(token(&live, "expires")?);
    let node = driver.create(&request).await?;
    let made = node.created_at.ok_or("it does not say when it was made")?;
    driver.set_expiry(&node.id, made + Duration::from_secs(7200)).await?;
    driver.set_expiry(&node.id, made + Duration::from_secs(1)).await?;
    let id: i32 = node.id.as_str().parse()?;
    let vm = vmpool_opennebula::api::VirtualMachine::new(&live.client, id);
    until("the server has ended it", async || Ok(vm.info().await?.str_state() == "DONE")).await?;
    let err = driver.set_expiry(&node.id, Timestamp::from_millis(1)).await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::InvalidState);
    Ok(())
}

#[tokio::test]
async fn a_template_is_found_by_its_name_and_is_in_the_catalog() -> Result<(), Failure> {
    let Some((live, driver)) = driver().await? else { return Ok(()) };
    let catalog = driver.catalog().await?;
    assert!(catalog.images.iter().any(|image| image.name == live.name("template")));
    let request = CreateRequest::new(live.name("template")).with_name(live.name("by-name"));
    let node = driver.create(&request).await?;
    assert_eq!(node.image.map(|image| image.id), Some(live.template.to_string()));
    driver.destroy(&node.id).await?;
    let err = driver.create(&CreateRequest::new(live.name("nothing"))).await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::InvalidRequest, "{err}");
    let err = driver.get(&NodeId::new("2000000000")?).await.unwrap_err();
    assert!(err.is_not_found(), "{err}");
    Ok(())
}
