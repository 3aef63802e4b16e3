//! Waiting for states.

use std::{sync::Mutex, time::Duration};

use vmpool_cloudapi::{Machine, WaitError, WaitOptions};
use vmpool_model::states::cloudapi::MachineState;

use crate::{
    loopback::{Server, say},
    open,
};

/// Returns a machine that goes through states, one for each look; the last one stays.
async fn machine(states: &'static [&'static str]) -> (Machine, Server) {
    let looks = Mutex::new(0);
    let server = Server::start(move |_| {
        let mut looks = looks.lock().unwrap();
        let state = states[usize::min(*looks, states.len() - 1)];
        *looks += 1;
        match state {
            "503" => say(503, ""),
            "404" => say(404, ""),
            "deleted" => say(410, r#"{"id": "a", "state": "deleted"}"#),
            state => say(200, format!(r#"{{"id": "a", "state": "{state}"}}"#)),
        }
    })
    .await;
    let datacenter = open(&server.url).await;
    let data = serde_json::from_str(r#"{"id": "a", "state": "provisioning"}"#).unwrap();
    (Machine::new(datacenter, data), server)
}

fn soon() -> WaitOptions {
    WaitOptions::default().with_interval(Duration::from_millis(1))
}

#[tokio::test]
async fn a_wait_ends_with_the_awaited_state() {
    let (mut machine, server) = machine(&["provisioning", "503", "provisioning", "running"]).await;
    machine.wait_until(&MachineState::Running, &soon()).await.unwrap();
    assert_eq!((machine.state.clone(), server.asked().len()), (MachineState::Running, 4));
}

#[tokio::test]
async fn a_state_that_can_no_longer_come_ends_the_wait_at_once() {
    for (states, awaited) in [
        (&["provisioning", "failed"][..], MachineState::Running),
        (&["provisioning", "stopping", "deleted"][..], MachineState::Running),
        (&["running"][..], MachineState::Provisioning),
    ] {
        let (mut machine, server) = machine(states).await;
        let err = machine
            .wait_until(&awaited, &WaitOptions::default().with_interval(Duration::from_millis(1)))
            .await;
        assert!(matches!(err, Err(WaitError::Never { .. })), "{states:?}: {err:?}");
        assert_eq!(server.asked().len(), states.len());
    }
}

#[tokio::test]
async fn a_state_that_never_comes_ends_the_wait_in_time() {
    let (mut machine, _) = machine(&["stopped"]).await;
    let options = soon().with_timeout(Duration::from_millis(200));
    let err = machine.wait_until(&MachineState::Running, &options).await.unwrap_err();
    assert!(matches!(err, WaitError::TimedOut { state: MachineState::Stopped, .. }), "{err}");
    assert_eq!(
        err.to_string(),
        "machine a is still stopped after 200ms; its audit tells whether an action failed"
    );
}

#[tokio::test]
async fn a_failed_machine_can_still_be_deleted_and_an_unknown_state_may_become_any() {
    let (mut failed, _) = machine(&["failed", "deleted"]).await;
    failed.wait_until(&MachineState::Deleted, &soon()).await.unwrap();
    let (mut lost, _) = machine(&["unknown", "hibernating", "offline", "running"]).await;
    lost.wait_until(&MachineState::Running, &soon()).await.unwrap();
}

#[tokio::test]
async fn a_wait_while_a_state_lasts_ends_with_the_next_one() {
    let (mut machine, _) = machine(&["provisioning", "provisioning", "failed"]).await;
    machine.wait_while(&MachineState::Provisioning, &soon()).await.unwrap();
    assert_eq!(machine.state, MachineState::Failed);
}

#[tokio::test]
async fn a_wait_while_deleted_is_an_error_because_that_lasts_for_ever() {
    let (mut machine, _) = machine(&["deleted"]).await;
    let err = machine.wait_while(&MachineState::Deleted, &soon()).await.unwrap_err();
    assert!(matches!(err, WaitError::Never { .. }), "{err}");
}

#[tokio::test]
async fn a_machine_that_never_was_ends_the_wait() {
    let (mut machine, _) = machine(&["404"]).await;
    let err = machine.wait_until(&MachineState::Running, &soon()).await.unwrap_err();
    assert!(matches!(&err, WaitError::Call(err) if err.is_not_found()), "{err}");
}
