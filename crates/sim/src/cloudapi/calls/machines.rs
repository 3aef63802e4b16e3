//! A machine: get, delete, history, moves.

use serde_json::json;

use super::Asked;
use crate::cloudapi::{
    cloud::Cloud,
    jobs::Work,
    reply::{Answer, Refusal, SimReply, refuse},
};

pub(in crate::cloudapi) fn get(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let machine = cloud.named(asked, ids.first().copied().unwrap_or_default())?;
    let with_credentials = asked.request.asked("credentials").is_some_and(|value| value == "true");
    let shown = match with_credentials {
        true => machine.shown_with_credentials(asked.version),
        false => machine.shown(asked.version),
    };
    match machine.is_deleted() {
        true => Err(Refusal::shown(410, shown)),
        false => Ok(SimReply::ok(shown)),
    }
}

pub(in crate::cloudapi) fn delete(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    cloud.change(asked, ids.first().copied().unwrap_or_default(), |cloud, machine| {
        if machine.is_protected {
            let text = "Instance has \"deletion_protection\" enabled, preventing deletion";
            return refuse(409, "CannotDestroyMachineError", text);
        }
        cloud.enqueue(machine, Work::Destroy, &asked.caller, asked.now);
        Ok(SimReply::empty(204))
    })
}

pub(in crate::cloudapi) fn audit(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let machine = cloud.named(asked, ids.first().copied().unwrap_or_default())?;
    Ok(SimReply::ok(machine.history()))
}

pub(in crate::cloudapi) fn migrations(_: &mut Cloud, _: &Asked<'_>, _: &[&str]) -> Answer {
    Ok(SimReply::ok(json!([])))
}

pub(in crate::cloudapi) fn migrate(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    cloud.change(asked, ids.first().copied().unwrap_or_default(), |_, _| {
        refuse(412, "PreconditionFailed", "User migration on this VM not allowed")
    })
}

pub(in crate::cloudapi) fn changefeed(_: &mut Cloud, _: &Asked<'_>, _: &[&str]) -> Answer {
    Err(Refusal::grief("Connection Must Upgrade For WebSockets"))
}
