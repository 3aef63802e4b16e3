//! Snapshots of machines.

use serde_json::{Value, json};

use super::Asked;
use crate::cloudapi::{
    cloud::Cloud,
    jobs::Work,
    machine::{Machine, Snapshot},
    reply::{Answer, Refusal, SimReply, missing, refuse},
    times::compact,
};

fn check_brand(machine: &Machine) -> Result<(), Refusal> {
    match machine.brand.as_str() {
        brand @ ("kvm" | "bhyve") => {
            let text = format!("Snapshots are not supported for VMs of brand \"{brand}\"");
            refuse(409, "BrandNotSupported", &text)
        }
        _ => Ok(()),
    }
}

pub(in crate::cloudapi) fn list(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let machine = cloud.named(asked, ids.first().copied().unwrap_or_default())?;
    let there =
        machine.snapshots.iter().filter(|snapshot| snapshot.made_at.is_some() && !snapshot.is_deleted);
    Ok(SimReply::ok(there.map(Snapshot::shown).collect()))
}

pub(in crate::cloudapi) fn get(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let [id, name] = names else { return missing("Snapshot does not exist") };
    match cloud.named(asked, id)?.snapshot(name) {
        Some(snapshot) => Ok(SimReply::ok(snapshot.shown())),
        None => missing("Snapshot does not exist"),
    }
}

pub(in crate::cloudapi) fn create(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let given = asked.parameters()?;
    let name = match given.get("name") {
        Some(Value::String(name)) if !name.is_empty() => name.clone(),
        _ => compact(asked.now),
    };
    let id = ids.first().copied().unwrap_or_default();
    cloud.change(asked, id, |cloud, machine| {
        check_brand(machine)?;
        if machine.snapshot(&name).is_some_and(|snapshot| !snapshot.is_deleted) {
            return refuse(409, "InvalidArgument", &format!("Snapshot {name} already exists"));
        }
        machine.snapshots.push(Snapshot { name: name.clone(), made_at: None, is_deleted: false });
        cloud.enqueue(machine, Work::Snapshot(name.clone()), &asked.caller, asked.now);
        Ok(SimReply { status: 201, ..SimReply::ok(json!({"name": name, "state": "queued"})) })
    })
}

pub(in crate::cloudapi) fn start(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let [id, name] = names else { return missing("Snapshot does not exist") };
    cloud.change(asked, id, |cloud, machine| {
        check_brand(machine)?;
        // Even for a snapshot that is not there: the job fails.
        cloud.enqueue(machine, Work::Rollback((*name).to_owned()), &asked.caller, asked.now);
        Ok(SimReply::empty(202))
    })
}

pub(in crate::cloudapi) fn delete(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let [id, name] = names else { return missing("Snapshot does not exist") };
    cloud.change(asked, id, |cloud, machine| {
        check_brand(machine)?;
        let is_there = |snapshot: &Snapshot| snapshot.made_at.is_some() && !snapshot.is_deleted;
        if !machine.snapshot(name).is_some_and(is_there) {
            return missing(&format!("{name} not found"));
        }
        cloud.enqueue(machine, Work::DeleteSnapshot((*name).to_owned()), &asked.caller, asked.now);
        Ok(SimReply::empty(204))
    })
}
