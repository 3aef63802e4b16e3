//! The uniform states, CloudAPI's states and the raw states against what the older systems do.

use vmpool_model::states::cloudapi::MachineState;
use vmpool_model::states::opennebula::{LcmState, VmState};
use vmpool_model::states::{NodeState, RawState};

#[test]
fn a_state_is_written_and_read_as_snake_case_text() {
    let texts = [
        "pending",
        "starting",
        "running",
        "rebooting",
        "stopping",
        "stopped",
        "suspending",
        "suspended",
        "paused",
        "migrating",
        "reconfiguring",
        "terminating",
        "terminated",
        "error",
        "unknown",
    ];
    assert_eq!(NodeState::ALL.map(NodeState::as_str), texts);
    for (state, text) in NodeState::ALL.into_iter().zip(texts) {
        assert_eq!((state.to_string().as_str(), text.parse()), (text, Ok(state)));
        assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<NodeState>(&format!("\"{text}\"")).unwrap(), state);
    }
}

#[test]
fn a_state_of_a_newer_version_is_read_as_unknown() {
    assert_eq!(serde_json::from_str::<NodeState>("\"updating\"").unwrap(), NodeState::Unknown);
    assert_eq!(NodeState::from_text("RUNNING"), NodeState::Unknown);
}

#[test]
fn a_state_that_a_person_typed_wrong_is_refused_with_the_list_of_states() {
    let message = "runing".parse::<NodeState>().unwrap_err().to_string();
    assert!(
        message.starts_with("`runing` is not a node state; the states are: pending, starting, "),
        "{message}"
    );
}

#[test]
fn predicates_hold_for_exactly_these_states() {
    use NodeState::{
        Migrating, Paused, Pending, Rebooting, Reconfiguring, Running, Starting, Stopped, Stopping,
        Suspended, Suspending, Terminated, Terminating,
    };
    let all = |predicate: fn(NodeState) -> bool| -> Vec<NodeState> {
        NodeState::ALL.into_iter().filter(|state| predicate(*state)).collect()
    };
    assert_eq!(
        all(NodeState::is_transient),
        [Pending, Starting, Rebooting, Stopping, Suspending, Migrating, Reconfiguring, Terminating]
    );
    assert_eq!(all(NodeState::is_terminal), [Terminated]);
    assert_eq!(all(NodeState::can_start), [Stopped, Suspended, Paused]);
    assert_eq!(all(NodeState::can_reboot), [Running]);
    assert_eq!(all(|state| !state.counts_against_quota()), [Terminated]);
}

#[test]
fn an_unknown_state_is_neither_gone_nor_startable() {
    let unknown = NodeState::Unknown;
    assert!(!unknown.is_terminal() && !unknown.can_start() && !unknown.can_reboot());
    assert!(unknown.counts_against_quota());
}

#[test]
fn states_have_the_numbers_of_libcloud_2012() {
    let numbers = NodeState::ALL.map(|state| (state.as_str(), state.to_libcloud_2012()));
    let expected = [
        ("pending", 3),
        ("starting", 3),
        ("running", 0),
        ("rebooting", 1),
        ("stopping", 3),
        ("stopped", 2),
        ("suspending", 3),
        ("suspended", 3),
        ("paused", 3),
        ("migrating", 3),
        ("reconfiguring", 3),
        ("terminating", 2),
        ("terminated", 2),
        ("error", 2),
        ("unknown", 4),
    ];
    assert_eq!(numbers, expected);
}

#[test]
fn states_have_texts_that_libcloud_knows() {
    let libcloud = [
        "running",
        "starting",
        "rebooting",
        "terminated",
        "pending",
        "unknown",
        "stopping",
        "stopped",
        "suspended",
        "error",
        "paused",
        "reconfiguring",
        "migrating",
        "normal",
        "updating",
    ];
    for state in NodeState::ALL {
        assert!(libcloud.contains(&state.to_libcloud()), "{state}");
        if libcloud.contains(&state.as_str()) {
            assert_eq!(state.to_libcloud(), state.as_str());
        }
    }
}

#[test]
fn cloudapi_states_have_their_uniform_state_and_libclouds_number_and_text() {
    let expected = [
        ("provisioning", NodeState::Pending, Some(3), Some("pending")),
        ("running", NodeState::Running, Some(0), Some("running")),
        ("ready", NodeState::Rebooting, Some(1), None),
        ("stopping", NodeState::Stopping, Some(2), Some("terminated")),
        ("stopped", NodeState::Stopped, Some(2), Some("terminated")),
        ("deleted", NodeState::Terminated, Some(2), Some("terminated")),
        ("failed", NodeState::Error, None, None),
        ("offline", NodeState::Unknown, None, None),
        ("unknown", NodeState::Unknown, None, None),
    ];
    assert_eq!(MachineState::ALL.len(), expected.len());
    for (text, node, number, libcloud) in expected {
        let state = MachineState::from_text(text);
        assert!(MachineState::ALL.contains(&state), "{text}");
        assert_eq!((state.as_str(), state.node_state()), (text, node));
        assert_eq!((state.to_libcloud_2012(), state.to_libcloud()), (number, libcloud), "{text}");
    }
}

#[test]
fn a_machine_state_that_cloudapi_may_add_is_kept_and_means_unknown() {
    let state = MachineState::from_text("incinerating");
    assert_eq!((state.as_str(), state.node_state()), ("incinerating", NodeState::Unknown));
    let json = serde_json::to_string(&state).unwrap();
    assert_eq!(json, "\"incinerating\"");
    assert_eq!(serde_json::from_str::<MachineState>(&json).unwrap(), state);
}

#[test]
fn vmapi_states_are_translated_as_cloudapi_does() {
    let expected: [(&str, &[&str]); 8] = [
        ("provisioning", &["configured", "incomplete", "unavailable", "provisioning"]),
        ("ready", &["ready"]),
        ("running", &["running"]),
        ("stopping", &["halting", "stopping", "shutting_down"]),
        ("stopped", &["off", "down", "installed", "stopped"]),
        ("offline", &["unreachable"]),
        ("deleted", &["destroyed"]),
        ("failed", &["failed"]),
    ];
    for (text, vmapi) in expected {
        for raw in vmapi {
            assert_eq!(MachineState::from_vmapi(raw).as_str(), text, "{raw}");
        }
    }
    assert_eq!(MachineState::from_vmapi("incinerating"), MachineState::Unknown);
}

#[test]
fn a_raw_state_survives_json_with_what_it_does_not_know() {
    let raws = [
        RawState::OpenNebula { vm: VmState::Active, lcm: LcmState::from_number(72) },
        RawState::CloudApi(MachineState::from_text("incinerating")),
        RawState::Text("levitating".to_owned()),
    ];
    let json = [
        r#"{"kind":"opennebula","state":{"vm":3,"lcm":72}}"#,
        r#"{"kind":"cloudapi","state":"incinerating"}"#,
        r#"{"kind":"text","state":"levitating"}"#,
    ];
    for (raw, json) in raws.into_iter().zip(json) {
        assert_eq!(serde_json::to_string(&raw).unwrap(), json);
        assert_eq!(serde_json::from_str::<RawState>(json).unwrap(), raw);
        assert_eq!(raw.node_state(), NodeState::Unknown);
    }
}

#[test]
fn a_raw_state_reads_as_its_provider_writes_it() {
    let boot = RawState::OpenNebula { vm: VmState::Active, lcm: LcmState::Boot };
    let off = RawState::OpenNebula { vm: VmState::Poweroff, lcm: LcmState::LcmInit };
    let ready = RawState::from(MachineState::Ready);
    let texts = [boot, off, ready, RawState::Text("ACTIVE".to_owned())].map(|raw| raw.to_string());
    assert_eq!(texts, ["ACTIVE/BOOT", "POWEROFF", "ready", "ACTIVE"]);
}
