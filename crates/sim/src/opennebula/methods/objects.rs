//! What is asked about all that is no VM: templates, images, hosts, datastores, networks.

mod host;
mod network;
mod store;

use vmpool_model::Timestamp;

use crate::opennebula::{
    clock::seconds,
    cloud::{Cloud, Image, VmTemplate},
    rights::{Caller, Permissions, Right},
    wire::{Answer, Params, Value, no_such},
    xml::{cdata, plain},
};

pub(super) use self::{
    host::{host, hosts, set_host_status},
    network::{network, networks},
    store::{datastore, datastores},
};

pub(super) fn template(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let id = params.int(0)?;
    let Some(template) = cloud.templates.get(&id) else { return no_such("virtual machine template", id) };
    if !caller.has(Right::Use, (template.uid, template.gid), template.permissions) {
        return caller.not_authorized(Right::Use, "TEMPLATE", id);
    }
    let mut out = String::new();
    write_template(cloud, template, &mut out);
    Ok(out.into())
}

pub(super) fn templates(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let filter = params.int(0)?;
    let mut out = String::from("<VMTEMPLATE_POOL>");
    for template in cloud.templates.values().rev() {
        if is_in(filter, caller, (template.uid, template.gid), template.permissions) {
            write_template(cloud, template, &mut out);
        }
    }
    out.push_str("</VMTEMPLATE_POOL>");
    Ok(out.into())
}

pub(super) fn image(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let id = params.int(0)?;
    let Some(image) = cloud.images.get(&id) else { return no_such("image", id) };
    if !caller.has(Right::Use, (image.uid, image.gid), image.permissions) {
        return caller.not_authorized(Right::Use, "IMAGE", id);
    }
    let mut out = String::new();
    write_image(cloud, image, &mut out);
    Ok(out.into())
}

pub(super) fn images(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let filter = params.int(0)?;
    let mut out = String::from("<IMAGE_POOL>");
    for image in cloud.images.values().rev() {
        if is_in(filter, caller, (image.uid, image.gid), image.permissions) {
            write_image(cloud, image, &mut out);
        }
    }
    out.push_str("</IMAGE_POOL>");
    Ok(out.into())
}

/// Returns whether a filter of a pool lets an object through.
fn is_in(filter: i32, caller: &Caller, owner: (i32, i32), permissions: Permissions) -> bool {
    let is_asked_for = match filter {
        -4 => owner.1 == caller.gid,
        -3 => owner.0 == caller.uid,
        -1 => owner.0 == caller.uid || caller.groups.contains(&owner.1),
        0.. => owner.0 == filter,
        _ => true,
    };
    is_asked_for && caller.has(Right::Use, owner, permissions)
}

/// Writes whose an object is, what it is called and who may do what with it.
fn head(
    cloud: &Cloud,
    id: i32,
    (uid, gid): (i32, i32),
    name: &str,
    permissions: Permissions,
    out: &mut String,
) {
    let (user, group) = cloud.names(uid, gid);
    plain(out, "ID", id);
    plain(out, "UID", uid);
    plain(out, "GID", gid);
    plain(out, "UNAME", user);
    plain(out, "GNAME", group);
    plain(out, "NAME", name);
    permissions.write(out);
}

fn write_template(cloud: &Cloud, template: &VmTemplate, out: &mut String) {
    out.push_str("<VMTEMPLATE>");
    head(cloud, template.id, (template.uid, template.gid), &template.name, template.permissions, out);
    plain(out, "REGTIME", seconds(template.made_at));
    out.push_str("<TEMPLATE>");
    template.template.write(out);
    out.push_str("</TEMPLATE></VMTEMPLATE>");
}

fn write_image(cloud: &Cloud, image: &Image, out: &mut String) {
    out.push_str("<IMAGE>");
    head(cloud, image.id, (image.uid, image.gid), &image.name, image.permissions, out);
    let vms = cloud.users_of_image(image.id);
    // 1 is ready, 2 is used.
    let state = if vms.is_empty() { 1 } else { 2 };
    for (name, number) in [("TYPE", image.kind), ("DISK_TYPE", 0), ("PERSISTENT", 0)] {
        plain(out, name, number);
    }
    plain(out, "REGTIME", seconds(image.made_at));
    for (name, text) in [("SOURCE", "dummy_path"), ("PATH", ""), ("FORMAT", "dummy_format"), ("FS", "")] {
        cdata(out, name, text);
    }
    plain(out, "SIZE", image.size);
    plain(out, "STATE", state);
    plain(out, "PREV_STATE", state);
    plain(out, "RUNNING_VMS", vms.len());
    plain(out, "CLONING_OPS", 0);
    plain(out, "CLONING_ID", -1);
    plain(out, "TARGET_SNAPSHOT", -1);
    plain(out, "DATASTORE_ID", 1);
    plain(out, "DATASTORE", "default");
    out.push_str("<VMS>");
    vms.into_iter().for_each(|id| plain(out, "ID", id));
    out.push_str("</VMS><CLONES></CLONES><APP_CLONES></APP_CLONES><TEMPLATE>");
    image.template.write(out);
    out.push_str("</TEMPLATE><SNAPSHOTS>");
    cdata(out, "ALLOW_ORPHANS", "NO");
    cdata(out, "CURRENT_BASE", -1);
    cdata(out, "NEXT_SNAPSHOT", 0);
    out.push_str(
        "</SNAPSHOTS><BACKUP_INCREMENTS></BACKUP_INCREMENTS><BACKUP_DISK_IDS></BACKUP_DISK_IDS></IMAGE>",
    );
}

/// Answers with one of some documents, which are in the order of their ids.
fn one_of(kind: &str, documents: Vec<String>, id: i32) -> Answer {
    match usize::try_from(id).ok().and_then(|id| documents.into_iter().nth(id)) {
        Some(document) => Ok(Value::Text(document)),
        None => no_such(kind, id),
    }
}
