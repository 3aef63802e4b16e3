//! Making and deleting what VMs are made from.

use vmpool_model::Timestamp;

use super::allocate::{check_name, read};
use crate::opennebula::{
    cloud::{Cloud, Image, next_id},
    rights::{Caller, Permissions, Right},
    template::Attributes,
    wire::{ACTION, Answer, Failure, INTERNAL, Params, no_such, refuse},
};

/// The types of images, in the order of their numbers.
const KINDS: [&str; 7] = ["OS", "CDROM", "DATABLOCK", "KERNEL", "RAMDISK", "CONTEXT", "BACKUP"];

pub(super) fn allocate_image(
    cloud: &mut Cloud,
    caller: &Caller,
    params: Params<'_>,
    now: Timestamp,
) -> Answer {
    let (mut template, store) = (read(params.text(0)?)?, params.int(1)?);
    match store {
        1 => {}
        0 | 2 => return refuse(INTERNAL, "New images cannot be allocated in a system datastore."),
        store => return no_such("datastore", store),
    }
    let Some(name) = template.text("NAME").map(str::to_owned) else {
        return refuse(INTERNAL, "NAME cannot be empty.");
    };
    check_name(&name, INTERNAL)?;
    let kind = template.text("TYPE").unwrap_or("OS").to_ascii_uppercase();
    let Some(kind) = KINDS.iter().zip(0..).find(|(known, _)| **known == kind).map(|(_, number)| number)
    else {
        return refuse(INTERNAL, format!("Unknown type {kind} for image"));
    };
    let size = template.text("SIZE").and_then(|size| size.trim().parse().ok());
    let Some(size) = size.or_else(|| template.text("PATH").map(|_| 1024)) else {
        return refuse(INTERNAL, "No PATH nor SIZE in template.");
    };
    let mut kept = Attributes::default();
    kept.set("DEV_PREFIX", "sd");
    for own in ["NAME", "TYPE", "SIZE", "PATH", "PERSISTENT", "FORMAT", "DEV_PREFIX"] {
        template.remove(own);
    }
    kept.merge(template);
    let taken = |id| format!("Error allocating a new image. NAME is already taken by IMAGE {id}.");
    cloud.add_image(caller, (name, kind, size), kept, now, |id| refuse(INTERNAL, taken(id)))
}

impl Cloud {
    /// Adds an image with a name of its own among those of its owner, and returns its id.
    pub(super) fn add_image(
        &mut self,
        caller: &Caller,
        (name, kind, size): (String, i32, u64),
        template: Attributes,
        made_at: Timestamp,
        taken: impl FnOnce(i32) -> Answer,
    ) -> Answer {
        let is_taken = |other: &&Image| other.uid == caller.uid && other.name == name;
        if let Some(other) = self.images.values().find(is_taken) {
            return taken(other.id);
        }
        let id = next_id(&self.images);
        let (uid, gid, permissions) = (caller.uid, caller.gid, Permissions::default());
        self.images.insert(id, Image { id, uid, gid, name, permissions, made_at, kind, size, template });
        Ok(id.into())
    }
}

pub(super) fn delete_image(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let id = params.int(0)?;
    let Some(image) = cloud.images.get(&id) else { return no_such("image", id) };
    may_manage(caller, (image.uid, image.gid), image.permissions, "IMAGE", id)?;
    let users = cloud.users_of_image(id).len();
    if 0 < users {
        return refuse(ACTION, format!("Cannot delete image, it is used by {users} VMs"));
    }
    cloud.images.remove(&id);
    Ok(id.into())
}

pub(super) fn delete_template(
    cloud: &mut Cloud,
    caller: &Caller,
    params: Params<'_>,
    _: Timestamp,
) -> Answer {
    let id = params.int(0)?;
    let Some(template) = cloud.templates.get(&id) else { return no_such("virtual machine template", id) };
    may_manage(caller, (template.uid, template.gid), template.permissions, "TEMPLATE", id)?;
    cloud.templates.remove(&id);
    Ok(id.into())
}

fn may_manage(
    caller: &Caller,
    owner: (i32, i32),
    permissions: Permissions,
    kind: &str,
    id: i32,
) -> Result<(), Failure> {
    match caller.has(Right::Manage, owner, permissions) {
        true => Ok(()),
        false => caller.not_authorized(Right::Manage, kind, id),
    }
}
