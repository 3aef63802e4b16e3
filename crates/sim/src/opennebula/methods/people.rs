//! Users, their passwords and their quotas.

use std::time::Duration;

use vmpool_model::Timestamp;

use crate::opennebula::{
    cloud::{Cloud, next_id},
    rights::{Caller, Right},
    template::Attributes,
    users::{Quota, Token, User, shown},
    wire::{AUTHORIZATION, Answer, INTERNAL, Params, no_such, refuse},
    xml::{cdata, plain},
};

/// How long a login token is, in digits of base 16.
const TOKEN: usize = 64;

/// What a user has no quota for, as it is shown.
const NO_QUOTAS: &str = "<DATASTORE_QUOTA></DATASTORE_QUOTA><NETWORK_QUOTA></NETWORK_QUOTA><VM_QUOTA></VM_QUOTA><IMAGE_QUOTA></IMAGE_QUOTA>";

pub(super) fn user(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let id = match params.int(0)? {
        -1 => caller.uid,
        id => id,
    };
    let Some(user) = cloud.users.get(&id) else { return no_such("user", id) };
    if id != caller.uid && !caller.is_admin() {
        return caller.not_authorized(Right::Use, "USER", id);
    }
    let mut out = String::from("<USER>");
    write(cloud, user, &mut out);
    quotas(cloud, user, &mut out);
    out.push_str(&format!("<DEFAULT_USER_QUOTAS>{NO_QUOTAS}</DEFAULT_USER_QUOTAS></USER>"));
    Ok(out.into())
}

pub(super) fn users(cloud: &mut Cloud, caller: &Caller, _: Params<'_>, _: Timestamp) -> Answer {
    let mut out = String::from("<USER_POOL>");
    let is_seen = |user: &&User| user.id == caller.uid || caller.is_admin();
    for user in cloud.users.values().rev().filter(is_seen) {
        out.push_str("<USER>");
        write(cloud, user, &mut out);
        out.push_str("</USER><QUOTAS>");
        plain(&mut out, "ID", user.id);
        quotas(cloud, user, &mut out);
        out.push_str("</QUOTAS>");
    }
    out.push_str(&format!("<DEFAULT_USER_QUOTAS>{NO_QUOTAS}</DEFAULT_USER_QUOTAS></USER_POOL>"));
    Ok(out.into())
}

pub(super) fn allocate_user(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let (name, password) = (params.text(0)?, params.text(1)?);
    params.text_or_empty(2)?;
    let groups = if 3 < params.0.len() { params.ints(3)? } else { vec![1] };
    if !caller.is_admin() {
        return refuse(
            AUTHORIZATION,
            format!("User [{}] : Not authorized to perform CREATE USER.", caller.uid),
        );
    }
    if name.is_empty() || name.contains(':') {
        return refuse(INTERNAL, "Invalid NAME, it cannot be empty");
    }
    if let Some(group) = groups.iter().find(|group| !cloud.groups.contains_key(group)) {
        return no_such("group", *group);
    }
    if let Some(other) = cloud.users.values().find(|user| user.name == name) {
        return refuse(INTERNAL, format!("NAME is already taken by USER {}.", other.id));
    }
    Ok(cloud.add_user(name, password, &groups).into())
}

pub(super) fn allocate_group(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let name = params.text(0)?;
    if !caller.is_admin() {
        return refuse(
            AUTHORIZATION,
            format!("User [{}] : Not authorized to perform CREATE GROUP.", caller.uid),
        );
    }
    // The ids below 100 are the server's own.
    let id = next_id(&cloud.groups).max(100);
    cloud.groups.insert(id, name.to_owned());
    Ok(id.into())
}

pub(super) fn login(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (name, wanted, seconds) = (params.text(0)?, params.text(1)?, params.int(2)?);
    params.int_or(3, -1)?;
    let new: String = (0..TOKEN).map(|_| cloud.rng.digit(16)).collect();
    let Some(user) = cloud.users.values_mut().find(|user| user.name == name) else {
        return no_such("user", -1);
    };
    if user.id != caller.uid && !caller.is_admin() {
        return caller.not_authorized(Right::Manage, "USER", user.id);
    }
    if seconds == 0 {
        user.tokens.retain(|token| !wanted.is_empty() && token.text != wanted);
        return Ok(String::new().into());
    }
    let after = u64::try_from(seconds).ok();
    let text = if wanted.is_empty() { new } else { wanted.to_owned() };
    let ends_at = after.map(|seconds| now + Duration::from_secs(seconds));
    user.tokens.push(Token { text: text.clone(), ends_at });
    Ok(text.into())
}

pub(super) fn set_quota(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let (id, template) = (params.int(0)?, params.text(1)?);
    let Some(user) = cloud.users.get_mut(&id) else { return no_such("user", id) };
    if !caller.is_admin() {
        return caller.not_authorized(Right::Admin, "USER", id);
    }
    match Attributes::parse(template) {
        Err(err) => refuse(INTERNAL, err.to_string()),
        Ok(template) => {
            user.quota = Quota::parse(&template);
            Ok(id.into())
        }
    }
}

fn write(cloud: &Cloud, user: &User, out: &mut String) {
    plain(out, "ID", user.id);
    plain(out, "GID", user.gid);
    out.push_str("<GROUPS>");
    user.groups.iter().for_each(|group| plain(out, "ID", group));
    out.push_str("</GROUPS>");
    plain(out, "GNAME", cloud.names(user.id, user.gid).1);
    plain(out, "NAME", &user.name);
    // The real server shows a hash of it; here nobody needs one.
    cdata(out, "PASSWORD", "-");
    cdata(out, "AUTH_DRIVER", "core");
    plain(out, "ENABLED", 1);
    out.push_str("<TEMPLATE></TEMPLATE>");
}

fn quotas(cloud: &Cloud, user: &User, out: &mut String) {
    let Some(quota) = user.quota else {
        out.push_str(NO_QUOTAS);
        return;
    };
    let usage = cloud.usage(user.id);
    out.push_str("<DATASTORE_QUOTA></DATASTORE_QUOTA><NETWORK_QUOTA></NETWORK_QUOTA><VM_QUOTA><VM>");
    let cpu = if quota.cpu < 0 { quota.cpu.to_string() } else { shown(quota.cpu) };
    for (name, text) in [
        ("CPU", cpu),
        ("CPU_USED", shown(usage.cpu)),
        ("MEMORY", quota.memory.to_string()),
        ("MEMORY_USED", usage.memory.to_string()),
        ("SYSTEM_DISK_SIZE", "-2".to_owned()),
        ("SYSTEM_DISK_SIZE_USED", "0".to_owned()),
        ("VMS", quota.vms.to_string()),
        ("VMS_USED", usage.vms.to_string()),
    ] {
        cdata(out, name, text);
    }
    out.push_str("</VM></VM_QUOTA><IMAGE_QUOTA></IMAGE_QUOTA>");
}
