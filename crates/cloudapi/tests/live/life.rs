//! The life of one machine, from its creation to its end.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use vmpool_cloudapi::{CloudApiError, Machine, MachineFilter, WaitError, WaitOptions, types::CreateMachine};
use vmpool_model::states::cloudapi::MachineState;

use crate::live;

type Failure = Box<dyn std::error::Error>;

#[tokio::test]
async fn a_machine_lives_and_ends_and_shows_what_was_done_with_it() {
    let Some((datacenter, package, image)) = live().await else { return };
    let name = crate::unique(datacenter.now());
    let request = CreateMachine::new(package, image).with_name(&name).with_tag("vmpool-live", name.as_str());
    let mut machine = datacenter.create_machine(&request).await.unwrap();
    let lived = live_through(&mut machine, &name).await;
    let ended = end(&mut machine).await;
    lived.unwrap();
    ended.unwrap();
}

async fn live_through(machine: &mut Machine, name: &str) -> Result<(), Failure> {
    let found =
        machine.datacenter().machines(&MachineFilter::default().with_tag("vmpool-live", name)).await?;
    assert_eq!(found.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(), [machine.id.as_str()]);
    reaches(machine, MachineState::Running).await?;
    assert!(!machine.ips.is_empty());

    machine.add_tags(&BTreeMap::from([("n".to_owned(), 7.into())])).await?;
    until(async || Ok(machine.tags().await?.contains_key("n"))).await?;
    machine.delete_tag("n").await?;
    until(async || Ok(!machine.tags().await?.contains_key("n"))).await?;

    machine.update_metadata(&BTreeMap::from([("color".to_owned(), json!("blue"))])).await?;
    let shows = machine.clone();
    until(async || Ok(shows.clone().metadata().await?.text("color") == Some("blue"))).await?;

    let snapshot = machine.create_snapshot(Some("live")).await?;
    until(async || Ok(snapshot.clone().status().await? == "created")).await?;
    snapshot.delete().await?;

    machine.stop().await?;
    reaches(machine, MachineState::Stopped).await?;
    machine.start().await?;
    reaches(machine, MachineState::Running).await?;
    machine.reboot().await?;
    reaches(machine, MachineState::Running).await?;

    let renamed = format!("{name}-renamed");
    machine.rename(&renamed).await?;
    let shows = machine.clone();
    until(async || Ok(shows.clone().refresh().await?.name.as_deref() == Some(renamed.as_str()))).await?;
    assert!(machine.audit().await?.iter().any(|entry| entry.action == "stop" && entry.succeeded()));
    Ok(())
}

async fn end(machine: &mut Machine) -> Result<(), Failure> {
    machine.delete().await?;
    reaches(machine, MachineState::Deleted).await?;
    let again = machine.datacenter().delete_machine(&machine.id).await;
    assert!(again.is_err_and(|err| err.is_gone()));
    Ok(())
}

async fn reaches(machine: &mut Machine, state: MachineState) -> Result<(), WaitError> {
    machine.wait_until(&state, &WaitOptions::default().with_timeout(Duration::from_secs(300))).await
}

/// Looks once a second until something is so, for two minutes at most.
async fn until(mut look: impl AsyncFnMut() -> Result<bool, CloudApiError>) -> Result<(), Failure> {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    for _ in 0..120 {
        seconds.tick().await;
        if look().await? {
            return Ok(());
        }
    }
    Err("it did not become so within two minutes".into())
}
