//! The account and its keys.

use serde_json::{Value, json};

use super::Asked;
use crate::cloudapi::{
    cloud::{Account, Cloud},
    keys::SimKey,
    reply::{Answer, Refusal, SimReply, invalid, missing},
    request::escape,
    times::written,
};

impl Cloud {
    fn own(&mut self, asked: &Asked<'_>) -> Result<&mut Account, Refusal> {
        match self.accounts.get_mut(asked.login()) {
            Some(account) => Ok(account),
            None => missing("account not found"),
        }
    }
}

pub(in crate::cloudapi) fn get(cloud: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    let account = cloud.own(asked)?;
    Ok(SimReply::ok(json!({
        "id": account.id,
        "login": account.login,
        "email": format!("{}@example.com", account.login),
        "companyName": "Example",
        "firstName": "Test",
        "lastName": "User",
        "triton_cns_enabled": false,
        "updated": written(account.made_at),
        "created": written(account.made_at),
    })))
}

pub(in crate::cloudapi) fn limits(_: &mut Cloud, _: &Asked<'_>, _: &[&str]) -> Answer {
    Ok(SimReply::ok(json!([])))
}

pub(in crate::cloudapi) fn config(cloud: &mut Cloud, _: &Asked<'_>, _: &[&str]) -> Answer {
    let fabric = cloud.catalog.networks.iter().find(|network| network["fabric"] == true);
    Ok(SimReply::ok(json!({"default_network": fabric.map(|network| &network["id"])})))
}

pub(in crate::cloudapi) fn services(_: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    Ok(SimReply::ok(json!({"cloudapi": here(asked)})))
}

pub(in crate::cloudapi) fn datacenters(cloud: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    let name = cloud.config.datacenter.clone();
    let mut all = json!({"us-west-1": "https://us-west-1.example.com"});
    all[&name] = json!(here(asked));
    Ok(SimReply::ok(all).with_header("triton-datacenter-name", name))
}

pub(in crate::cloudapi) fn datacenter(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let name = names.first().copied().unwrap_or_default();
    let address = match name {
        "us-west-1" => "https://us-west-1.example.com".to_owned(),
        name if name == cloud.config.datacenter => here(asked),
        _ => return missing(&format!("datacenter {name} not found")),
    };
    let body = json!({"code": "ResourceMoved", "message": format!(" {name} {address}")});
    Err(Refusal::shown(302, body).with_header("location", address))
}

/// Returns the address that the caller used.
fn here(asked: &Asked<'_>) -> String {
    format!("http://{}", asked.request.header("host").unwrap_or_default())
}

pub(in crate::cloudapi) fn keys(cloud: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    Ok(SimReply::ok(cloud.own(asked)?.keys.iter().map(shown).collect()))
}

pub(in crate::cloudapi) fn key(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let name = names.first().copied().unwrap_or_default();
    match cloud.own(asked)?.keys.iter().find(|key| key.is_called(name)) {
        Some(key) => Ok(SimReply::ok(shown(key))),
        None => missing(&format!("{name} does not exist")),
    }
}

pub(in crate::cloudapi) fn add_key(cloud: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    let parameters = asked.parameters()?;
    let given = |key: &str| parameters.get(key).and_then(Value::as_str);
    let Some(line) = given("key") else {
        return Err(Refusal::new(409, "MissingParameter", "key is required"));
    };
    let refused = || invalid("key already exists or is invalid");
    let Ok(mut key) = SimKey::parse("", line) else { return refused() };
    key.name = given("name").unwrap_or(&key.fingerprint).to_owned();
    let account = cloud.own(asked)?;
    if account.keys.iter().any(|known| known.fingerprint == key.fingerprint || known.name == key.name) {
        return refused();
    }
    let location = asked.path(&format!("keys/{}", escape(&key.fingerprint)));
    let answer = SimReply::created(shown(&key), location);
    account.keys.push(key);
    Ok(answer)
}

pub(in crate::cloudapi) fn delete_key(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let name = names.first().copied().unwrap_or_default();
    let account = cloud.own(asked)?;
    let before = account.keys.len();
    account.keys.retain(|key| !key.is_called(name));
    match account.keys.len() < before {
        true => Ok(SimReply::empty(204)),
        false => missing(&format!("{name} does not exist")),
    }
}

fn shown(key: &SimKey) -> Value {
    json!({"name": key.name, "fingerprint": key.fingerprint, "key": key.line})
}

/// Sets the role tags of anything; whoever takes it for a change of the thing itself is wrong, and is not told.
pub(in crate::cloudapi) fn set_role_tags(cloud: &mut Cloud, asked: &Asked<'_>, _: &[&str]) -> Answer {
    let tags = match asked.parameters()?.remove("role-tag") {
        Some(Value::Array(tags)) => tags,
        _ => Vec::new(),
    };
    let path = asked.request.path().to_owned();
    let account = cloud.own(asked)?;
    account.role_tags.insert(path.clone(), tags.clone());
    Ok(SimReply::ok(json!({"name": path, "role-tag": tags})))
}
