//! What is done with a machine as a whole; whether it can be done shows later.

use serde_json::Value;
use vmpool_model::states::cloudapi::MachineState;

use super::{Asked, plain};
use crate::cloudapi::{
    catalog::{is_uuid, number, text},
    cloud::Cloud,
    jobs::Work,
    machine::Machine,
    reply::{Answer, Refusal, SimReply, invalid, missing, refuse},
};

pub(in crate::cloudapi) fn act(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let given = asked.parameters()?;
    cloud.change(asked, ids.first().copied().unwrap_or_default(), |cloud, machine| {
        let Some(action) = given.get("action").map(plain) else {
            return refuse(409, "MissingParameter", "action is required");
        };
        let known = [
            "start",
            "stop",
            "reboot",
            "resize",
            "rename",
            "enable_firewall",
            "disable_firewall",
            "enable_deletion_protection",
            "disable_deletion_protection",
        ];
        if !known.contains(&action.as_str()) {
            return invalid(&format!("{action} is not a valid action"));
        }
        if machine.state == MachineState::Provisioning {
            let text = format!("Cannot call {action} for a VM that has not been provisioned yet");
            return refuse(409, "UnallocatedVM", &text);
        }
        let work = match action.as_str() {
            "start" => Work::Start,
            "stop" => Work::Stop,
            "reboot" => Work::Reboot,
            "resize" => resize(cloud, machine, given.get("package"))?,
            "rename" => rename(cloud, machine, given.get("name"))?,
            "enable_firewall" => Work::Firewall(true),
            "disable_firewall" => Work::Firewall(false),
            "enable_deletion_protection" => Work::Protection(true),
            _ => Work::Protection(false),
        };
        // A firewall that is so already is no work.
        if !matches!(work, Work::Firewall(is_on) if is_on == machine.has_firewall) {
            cloud.enqueue(machine, work, &asked.caller, asked.now);
        }
        Ok(SimReply::empty(202))
    })
}

fn rename(cloud: &Cloud, machine: &Machine, name: Option<&Value>) -> Result<Work, Refusal> {
    let Some(name) = name.map(plain) else {
        return refuse(409, "MissingParameter", "New name must be specified");
    };
    let message = "Invalid VM update parameters";
    cloud.check_name(&machine.owner, &name, Some(&machine.id), message)?;
    Ok(Work::Rename(name))
}

/// Finds the package to resize to: without a name the one that is the default.
fn resize(cloud: &Cloud, machine: &Machine, package: Option<&Value>) -> Result<Work, Refusal> {
    let mut packages = cloud.catalog.packages.iter();
    let found = match package.map(plain) {
        None => packages.find(|package| package["default"] == true),
        Some(name) => match cloud.catalog.package(&name) {
            None if is_uuid(&name) => return missing("Package does not exist"),
            None => return invalid(&format!("{name} is not a valid package")),
            found => found,
        },
    };
    let Some(package) = found else { return refuse(409, "MissingParameter", "package must be specified") };
    if machine.brand == "kvm" {
        return refuse(409, "BrandNotSupported", "resize is not supported for VMs of brand \"kvm\"");
    }
    let differs = number(package, "memory") != machine.memory;
    if machine.brand == "bhyve" && differs && machine.state != MachineState::Stopped {
        return refuse(409, "VmNotStopped", "VM must be stopped to change its CPU or RAM");
    }
    Ok(Work::Resize {
        package: text(package, "name").to_owned(),
        memory: number(package, "memory"),
        disk: if machine.brand == "bhyve" { machine.disk } else { number(package, "disk") },
    })
}
