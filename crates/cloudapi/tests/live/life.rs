//! The life of one machine, from its creation to its end.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use vmpool_cloudapi::{CloudApiError, Machine, MachineFilter, WaitError, WaitOptions, types::CreateMachine};
use vmpool_model::{FailureKind, states::cloudapi::MachineState};

use crate::live;

type Failure = Box<dyn std::error::Error>;

#[tokio::test]
async fn a_machine_lives_and_ends_and_shows_what_was_done_with_it() {
    let Some((datacenter, package, image)) = live().await else { return };
    let name = crate::unique(datacenter.now());
    let request = CreateMachine::new(package, image).with_name(&name).with_tag("vmpool-live", name.as_str());
    let mut machine = datacenter.create_machine(&request).await.unwrap();
    // Nothing in it panics, so that the machine is ended whatever it finds.
    let lived = live_through(&mut machine, &name).await;
    let ended = end(&mut machine).await;
    lived.unwrap();
    ended.unwrap();
}

async fn live_through(machine: &mut Machine, name: &str) -> Result<(), Failure> {
    let own = MachineFilter::default().with_tag("vmpool-live", name);
    let found = machine.datacenter().machines(&own).await?;
    let ids: Vec<_> = found.iter().map(|found| found.id.as_str()).collect();
    ensure(ids == [machine.id.as_str()], || format!("{ids:?} have the tag of {}", machine.id))?;
    ensure(machine.datacenter().count_machines(&own).await? == 1, || "another number is counted".to_owned())?;
    reaches(machine, MachineState::Running).await?;
    ensure(!machine.ips.is_empty(), || "a machine that runs has no address".to_owned())?;

    notes(machine).await?;
    protection(machine).await?;

    let snapshot = machine.create_snapshot(Some("live")).await?;
    until(async || Ok(snapshot.clone().status().await? == "created")).await?;
    snapshot.delete().await?;

    machine.stop().await?;
    reaches(machine, MachineState::Stopped).await?;
    machine.start().await?;
    reaches(machine, MachineState::Running).await?;
    machine.reboot().await?;
    until(async || Ok(has_done(machine, "reboot").await?)).await?;
    reaches(machine, MachineState::Running).await?;

    let renamed = format!("{name}-renamed");
    machine.rename(&renamed).await?;
    let shows = machine.clone();
    until(async || Ok(shows.clone().refresh().await?.name.as_deref() == Some(renamed.as_str()))).await?;
    ensure(has_done(machine, "stop").await?, || "the audit does not show the stop".to_owned())
}

/// Changes tags, metadata and the boot script, each of which shows after a while.
async fn notes(machine: &mut Machine) -> Result<(), Failure> {
    machine.add_tags(&BTreeMap::from([("n".to_owned(), 7.into())])).await?;
    until(async || Ok(machine.tags().await?.contains_key("n"))).await?;
    machine.delete_tag("n").await?;
    until(async || Ok(!machine.tags().await?.contains_key("n"))).await?;

    machine.update_metadata(&BTreeMap::from([("color".to_owned(), json!("blue"))])).await?;
    machine.set_boot_script("#!/bin/sh\n").await?;
    let shows = machine.clone();
    until(async || {
        let mut machine = shows.clone();
        let metadata = machine.metadata().await?;
        Ok(metadata.text("color") == Some("blue") && metadata.text("user-script") == Some("#!/bin/sh\n"))
    })
    .await?;
    machine.delete_metadata("color").await?;
    machine.delete_boot_script().await?;
    until(async || {
        let mut machine = shows.clone();
        let metadata = machine.metadata().await?;
        Ok(metadata.text("color").is_none() && metadata.text("user-script").is_none())
    })
    .await
}

/// Protects the machine, which is then not deleted, and takes that back.
async fn protection(machine: &Machine) -> Result<(), Failure> {
    machine.enable_deletion_protection().await?;
    until(async || Ok(machine.clone().refresh().await?.deletion_protection)).await?;
    match machine.delete().await {
        Err(err) if err.kind == FailureKind::InvalidState => {}
        other => return Err(format!("a protected machine is not refused to be deleted: {other:?}").into()),
    }
    machine.disable_deletion_protection().await?;
    until(async || Ok(!machine.clone().refresh().await?.deletion_protection)).await
}

/// Returns whether the audit shows that something was done.
async fn has_done(machine: &Machine, action: &str) -> Result<bool, CloudApiError> {
    Ok(machine.audit().await?.iter().any(|entry| entry.action == action && entry.succeeded()))
}

async fn end(machine: &mut Machine) -> Result<(), Failure> {
    // Refused if it is still being made, and of no effect if it was never protected.
    let _ = machine.disable_deletion_protection().await;
    until(async || match machine.delete().await {
        Err(err) if err.kind == FailureKind::InvalidState => Ok(false),
        Err(err) if !err.is_gone() => Err(err),
        _ => Ok(true),
    })
    .await?;
    reaches(machine, MachineState::Deleted).await?;
    let again = machine.datacenter().delete_machine(&machine.id).await;
    ensure(again.is_err_and(|err| err.is_gone()), || "what is deleted can be deleted once more".to_owned())
}

fn ensure(is_so: bool, why_not: impl FnOnce() -> String) -> Result<(), Failure> {
    if is_so { Ok(()) } else { Err(why_not().into()) }
}

async fn reaches(machine: &mut Machine, state: MachineState) -> Result<(), WaitError> {
    machine.wait_until(&state, &WaitOptions::default().with_timeout(Duration::from_secs(300))).await
}

/// Looks once a second until something is so, for two minutes at most.
async fn until(mut look: impl AsyncFnMut() -> Result<bool, CloudApiError>) -> Result<(), Failure> {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    for _ in 0..120 {
        seconds.tick().await;
        match look().await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            // Other tests call, too.
            Err(err) if err.kind == FailureKind::RateLimited => {}
            Err(err) => return Err(err.into()),
        }
    }
    Err("it did not become so within two minutes".into())
}
