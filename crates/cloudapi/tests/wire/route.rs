//! Which call of the client a request is.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vmpool_cloudapi::{
    CloudApiError, DataCenter, Machine, MachineFilter,
    types::{CreateMachine, MachineData, TagValue},
};

use crate::exchange::Asked;

/// What a call returned, reduced to what the tests compare.
type Outcome = Result<String, CloudApiError>;

fn shown<T: std::fmt::Debug>(result: Result<T, CloudApiError>) -> Outcome {
    result.map(|value| format!("{value:?}"))
}

/// Makes the call that sends a request; `None` if the client has no such call.
pub(crate) async fn call(datacenter: &DataCenter, asked: &Asked) -> Option<Outcome> {
    let (account, segments) = asked.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let query = asked.query();
    let filter: Vec<(&str, &str)> = query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let body = asked.json().unwrap_or_default();
    Some(match (asked.method.as_str(), segments.as_slice()) {
        ("GET", []) if account == "--ping" => shown(datacenter.ping().await),
        ("GET", []) => shown(datacenter.get_account().await),
        ("GET", ["limits"]) => shown(datacenter.limits().await),
        ("GET", ["config"]) => shown(datacenter.account_config().await),
        ("GET", ["services"]) => shown(datacenter.services().await),
        ("GET", ["datacenters"]) => shown(datacenter.datacenters().await),
        ("GET", ["datacenters", name]) => datacenter.datacenter_url(name).await,
        ("GET", ["packages"]) => shown(datacenter.packages(&filter).await),
        ("GET", ["packages", id]) => shown(datacenter.package(id).await),
        ("GET", ["images"]) => shown(datacenter.images(&filter).await),
        ("GET", ["images", id]) => shown(datacenter.image(id).await),
        ("GET", ["networks"]) => shown(datacenter.networks().await),
        ("GET", ["networks", id]) => shown(datacenter.network(id).await),
        ("GET", ["keys"]) => shown(datacenter.keys().await),
        ("GET", ["keys", key]) => shown(datacenter.key(key).await),
        ("POST", ["keys"]) => {
            let text = |key: &str| body[key].as_str().unwrap();
            shown(datacenter.add_key(text("name"), text("key")).await)
        }
        ("DELETE", ["keys", key]) => shown(datacenter.delete_key(key).await),
        ("GET", ["migrations"]) => shown(datacenter.migrations().await),
        ("GET", ["machines"]) => {
            let (filter, limit, offset) = machines(&query)?;
            shown(datacenter.machines_page(&filter, limit, offset).await)
        }
        ("HEAD", ["machines"]) => {
            let (filter, ..) = machines(&query)?;
            shown(datacenter.count_machines(&filter).await)
        }
        ("POST", ["machines"]) => shown(datacenter.create_machine(&create(body.as_object()?)).await),
        ("GET", ["machines", id]) => shown(datacenter.machine_data(id, !query.is_empty()).await),
        ("DELETE", ["machines", id]) => shown(datacenter.delete_machine(id).await),
        (method, ["machines", id, below @ ..]) => {
            let json = format!(r#"{{"id": "{id}", "state": "running"}}"#);
            let data: MachineData = serde_json::from_str(&json).unwrap();
            return of_machine(&mut Machine::new(datacenter.clone(), data), method, below, &query, body)
                .await;
        }
        _ => return None,
    })
}

async fn of_machine(
    machine: &mut Machine,
    method: &str,
    below: &[&str],
    query: &[(String, String)],
    body: Value,
) -> Option<Outcome> {
    let text = |key: &str| body[key].as_str();
    let tags = || body.as_object().unwrap().iter().map(|(key, value)| (key.clone(), tag(value))).collect();
    Some(match (method, below) {
        ("POST", []) => shown(match text("action")? {
            "start" => machine.start().await,
            "stop" => machine.stop().await,
            "reboot" => machine.reboot().await,
            "resize" => machine.resize(text("package")?).await,
            "rename" => machine.rename(text("name")?).await,
            "enable_firewall" => machine.enable_firewall().await,
            "disable_firewall" => machine.disable_firewall().await,
            "enable_deletion_protection" => machine.enable_deletion_protection().await,
            "disable_deletion_protection" => machine.disable_deletion_protection().await,
            _ => return None,
        }),
        ("GET", ["audit"]) => shown(machine.audit().await),
        ("GET", ["migrate"]) => shown(machine.estimate_migration().await),
        ("GET", ["fwrules"]) => shown(machine.firewall_rules().await),
        ("GET", ["metadata"]) if query.is_empty() => shown(machine.metadata().await),
        ("GET", ["metadata"]) => shown(machine.metadata_with_credentials().await),
        ("GET", ["metadata", key]) => shown(machine.metadatum(key).await),
        ("POST", ["metadata"]) => {
            let entries: BTreeMap<_, _> = body.as_object()?.clone().into_iter().collect();
            shown(machine.update_metadata(&entries).await)
        }
        ("DELETE", ["metadata", "user-script"]) => shown(machine.delete_boot_script().await),
        ("DELETE", ["metadata", key]) => shown(machine.delete_metadata(key).await),
        ("DELETE", ["metadata"]) => shown(machine.delete_all_metadata().await),
        ("GET", ["tags"]) => shown(machine.tags().await),
        ("GET", ["tags", key]) => shown(machine.tag(key).await),
        ("POST", ["tags"]) if body.is_object() => shown(machine.add_tags(&tags()).await),
        ("PUT", ["tags"]) => shown(machine.replace_tags(&tags()).await),
        ("DELETE", ["tags", key]) => shown(machine.delete_tag(key).await),
        ("DELETE", ["tags"]) => shown(machine.delete_all_tags().await),
        ("GET", ["snapshots"]) => shown(machine.snapshots().await),
        ("GET", ["snapshots", name]) => shown(machine.snapshot(name).await),
        ("POST", ["snapshots"]) => shown(machine.create_snapshot(text("name")).await),
        ("POST", ["snapshots", name]) => shown(machine.start_from_snapshot(name).await),
        ("DELETE", ["snapshots", name]) => shown(machine.delete_snapshot(name).await),
        ("GET", ["nics"]) => shown(machine.nics().await),
        ("GET", ["nics", mac]) => shown(machine.nic(mac).await),
        ("POST", ["nics"]) => shown(machine.add_nic(text("network")?).await),
        ("DELETE", ["nics", mac]) => shown(machine.delete_nic(mac).await),
        ("GET", ["disks"]) => shown(machine.disks().await),
        ("POST", ["disks"]) => shown(machine.create_disk(body["size"].as_u64()?).await),
        _ => return None,
    })
}

/// Reads the query of a listing; `None` if the client does not ask so.
fn machines(query: &[(String, String)]) -> Option<(MachineFilter, Option<usize>, Option<usize>)> {
    let mut filter = MachineFilter::default();
    let (mut limit, mut offset) = (None, None);
    for (key, value) in query {
        match (key.as_str(), value.as_str()) {
            ("limit", value) => limit = Some(value.parse().ok()?),
            ("offset", value) => offset = Some(value.parse().ok()?),
            ("tombstone", "true") => filter = filter.with_tombstones(),
            ("name", value) => filter = filter.with_name_prefix(value),
            ("state", value) => filter = filter.with_state(value),
            ("image", value) => filter.image = Some(value.to_owned()),
            ("memory", value) => filter.memory = Some(value.parse().ok()?),
            ("brand", value) => filter.brand = Some(value.to_owned()),
            ("type", value) => filter.kind = Some(value.to_owned()),
            ("docker", value) => filter.docker = Some(value.parse().ok()?),
            (key, value) => filter = filter.with_tag(key.strip_prefix("tag.")?, value),
        }
    }
    Some((filter, limit, offset))
}

/// Makes what a body asks for.
fn create(body: &Map<String, Value>) -> CreateMachine {
    let mut request = CreateMachine::default();
    for (key, value) in body {
        let text = || value.as_str().map(str::to_owned);
        match key.as_str() {
            "name" => request.name = text(),
            "package" => request.package = text(),
            "image" => request.image = text(),
            "affinity" => {
                let rules = value.as_array().unwrap().iter();
                request.affinity = rules.map(|rule| rule.as_str().unwrap().to_owned()).collect();
            }
            "networks" if value[0].is_string() => {
                request = request.with_network(value[0].as_str().unwrap());
            }
            "firewall_enabled" => request.firewall_enabled = value.as_bool(),
            "deletion_protection" => request.deletion_protection = true,
            "delegate_dataset" => request.delegate_dataset = true,
            "disks" => {
                request.disks = value.as_array().unwrap().iter().map(|disk| disk["size"].as_u64()).collect()
            }
            key => match (key.strip_prefix("tag."), key.strip_prefix("metadata.")) {
                (Some(key), _) => request = request.with_tag(key, tag(value)),
                (_, Some(key)) => request = request.with_metadata(key, value.clone()),
                _ => request = request.with_parameter(key, value.clone()),
            },
        }
    }
    request
}

fn tag(value: &Value) -> TagValue {
    serde_json::from_value(value.clone()).unwrap()
}
