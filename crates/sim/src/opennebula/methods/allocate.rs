//! Making VMs, and the templates that they are made from.

use vmpool_model::Timestamp;

use crate::opennebula::{
    cloud::{Cloud, VmTemplate, next_id},
    place::{CLONING, HOLD, PENDING},
    rights::{Caller, Permissions, Right},
    template::Attributes,
    vm::Vm,
    wire::{Answer, Failure, INTERNAL, Params, no_such, refuse},
};

/// The longest name, in bytes.
const LONGEST_NAME: usize = 128;

/// How a VM is to begin.
struct Beginning {
    is_on_hold: bool,
    is_persistent: bool,
}

pub(super) fn allocate(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let template = read(params.text(0)?)?;
    let beginning = Beginning { is_on_hold: params.is(1)?, is_persistent: false };
    make(cloud, caller, template, &beginning, now)
}

pub(super) fn instantiate(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let id = params.int(0)?;
    let name = params.text(1)?;
    let (is_on_hold, extra) = (params.is(2)?, params.text_or_empty(3)?);
    let beginning = Beginning { is_on_hold, is_persistent: params.is(4)? };
    let Some(found) = cloud.templates.get(&id) else { return no_such("virtual machine template", id) };
    if !caller.has(Right::Use, (found.uid, found.gid), found.permissions) {
        return caller.not_authorized(Right::Use, "TEMPLATE", id);
    }
    let mut template = found.template.clone();
    template.merge(read(extra)?);
    template.remove("NAME");
    template.set("TEMPLATE_ID", id);
    if !name.is_empty() {
        template.set("NAME", name);
    }
    make(cloud, caller, template, &beginning, now)
}

fn make(
    cloud: &mut Cloud,
    caller: &Caller,
    mut template: Attributes,
    beginning: &Beginning,
    now: Timestamp,
) -> Answer {
    let id = next_id(&cloud.vms);
    let name = template.text("NAME").map(str::to_owned);
    template.remove("NAME");
    let name = match name {
        Some(name) => {
            check_name(&name, INTERNAL)?;
            name
        }
        None => format!("one-{id}"),
    };
    let place = match beginning {
        Beginning { is_persistent: true, .. } => CLONING,
        Beginning { is_on_hold: true, .. } => HOLD,
        _ => PENDING,
    };
    let mut vm = Vm::new(id, (caller.uid, caller.gid), name, place, now);
    cloud.furnish(&mut vm, template, caller)?;
    if beginning.is_on_hold {
        vm.template.set("SUBMIT_ON_HOLD", "YES");
    }
    cloud.vms.insert(id, vm);
    Ok(id.into())
}

pub(super) fn allocate_template(
    cloud: &mut Cloud,
    caller: &Caller,
    params: Params<'_>,
    now: Timestamp,
) -> Answer {
    let mut template = read(params.text(0)?)?;
    let Some(name) = template.text("NAME").map(str::to_owned) else {
        return refuse(INTERNAL, "Template name cannot be empty");
    };
    check_name(&name, INTERNAL)?;
    let is_taken = |other: &&VmTemplate| other.uid == caller.uid && other.name == name;
    if let Some(other) = cloud.templates.values().find(is_taken) {
        return refuse(INTERNAL, format!("NAME is already taken by TEMPLATE {}.", other.id));
    }
    template.remove("NAME");
    let id = next_id(&cloud.templates);
    let (uid, gid, permissions) = (caller.uid, caller.gid, Permissions::default());
    cloud.templates.insert(id, VmTemplate { id, uid, gid, name, permissions, made_at: now, template });
    Ok(id.into())
}

/// Reads the template of a new object.
pub(super) fn read(text: &str) -> Result<Attributes, Failure> {
    match Attributes::parse(text) {
        Err(err) => refuse(INTERNAL, err.to_string()),
        Ok(template) if template.breaks_cdata() => refuse(INTERNAL, "Error transforming the VM to XML."),
        Ok(template) => Ok(template),
    }
}

/// Insists that a name can be one.
pub(super) fn check_name(name: &str, code: i32) -> Result<(), Failure> {
    if name.is_empty() {
        return refuse(code, "Invalid NAME, it cannot be empty");
    }
    if LONGEST_NAME < name.len() {
        return refuse(code, format!("Invalid NAME, max length is {LONGEST_NAME} chars"));
    }
    match name.chars().find(|character| "#$&'/:;<>{|}\\\"".contains(*character)) {
        None => Ok(()),
        Some(character) => refuse(code, format!("Invalid NAME, char '{character}' is not allowed")),
    }
}
