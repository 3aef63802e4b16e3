//! The methods.

mod actions;
mod allocate;
mod changes;
mod listing;
mod newer;
mod notes;
mod objects;
mod people;
mod snapshots;
mod stock;
mod timetable;

use vmpool_model::Timestamp;

use super::{
    cloud::Cloud,
    rights::Caller,
    wire::{Answer, Params, Value},
};

/// A method: what it does with its parameters for a caller at a time.
pub(crate) type Method = fn(&mut Cloud, &Caller, Params<'_>, Timestamp) -> Answer;

/// The version of the server.
const VERSION: &str = "6.10.0";

/// Returns the method of a name.
pub(crate) fn method(name: &str) -> Option<Method> {
    Some(match name {
        "one.system.version" => version,
        "one.vm.allocate" => allocate::allocate,
        "one.vm.info" => listing::info,
        "one.vm.monitoring" => listing::monitoring,
        "one.vm.action" => actions::action,
        "one.vm.deploy" => actions::deploy,
        "one.vm.migrate" => actions::migrate,
        "one.vm.recover" => actions::recover,
        "one.vm.attach" => changes::attach,
        "one.vm.detach" => changes::detach,
        "one.vm.attachnic" => changes::attach_nic,
        "one.vm.detachnic" => changes::detach_nic,
        "one.vm.updatenic" => changes::update_nic,
        "one.vm.resize" => changes::resize,
        "one.vm.diskresize" => changes::resize_disk,
        "one.vm.disksaveas" => changes::save_disk,
        "one.vm.snapshotcreate" => snapshots::create,
        "one.vm.snapshotrevert" => snapshots::revert,
        "one.vm.snapshotdelete" => snapshots::delete,
        "one.vm.disksnapshotcreate" => snapshots::create_of_disk,
        "one.vm.disksnapshotrevert" => snapshots::revert_disk,
        "one.vm.disksnapshotdelete" => snapshots::delete_of_disk,
        "one.vm.disksnapshotrename" => snapshots::rename_of_disk,
        "one.vm.backup" => newer::backup,
        "one.vm.backupcancel" => newer::cancel_backup,
        "one.vm.restore" => newer::restore,
        "one.vm.attachpci" => newer::attach_pci,
        "one.vm.detachpci" => newer::detach_pci,
        "one.vm.attachsg" => newer::attach_group,
        "one.vm.detachsg" => newer::detach_group,
        "one.vm.update" => notes::update,
        "one.vm.updateconf" => notes::update_conf,
        "one.vm.rename" => notes::rename,
        "one.vm.chmod" => notes::chmod,
        "one.vm.chown" => notes::chown,
        "one.vm.lock" => notes::lock,
        "one.vm.unlock" => notes::unlock,
        "one.vm.schedadd" => timetable::add,
        "one.vm.schedupdate" => timetable::update,
        "one.vm.scheddelete" => timetable::delete,
        "one.vmpool.info" => listing::pool_info,
        "one.vmpool.infoextended" => listing::pool_info_extended,
        "one.vmpool.infoset" => listing::pool_info_set,
        "one.vmpool.monitoring" => listing::pool_monitoring,
        "one.vmpool.accounting" => listing::pool_accounting,
        "one.vmpool.showback" => listing::pool_showback,
        "one.template.allocate" => allocate::allocate_template,
        "one.template.delete" => stock::delete_template,
        "one.template.instantiate" => allocate::instantiate,
        "one.template.info" => objects::template,
        "one.templatepool.info" => objects::templates,
        "one.image.allocate" => stock::allocate_image,
        "one.image.delete" => stock::delete_image,
        "one.image.info" => objects::image,
        "one.imagepool.info" => objects::images,
        "one.host.info" => objects::host,
        "one.host.status" => objects::set_host_status,
        "one.hostpool.info" => objects::hosts,
        "one.datastore.allocate" => newer::allocate_store,
        "one.datastore.info" => objects::datastore,
        "one.datastorepool.info" => objects::datastores,
        "one.vn.info" => objects::network,
        "one.vnpool.info" => objects::networks,
        "one.secgroup.allocate" => newer::allocate_group,
        "one.user.info" => people::user,
        "one.userpool.info" => people::users,
        "one.user.allocate" => people::allocate_user,
        "one.user.login" => people::login,
        "one.user.quota" => people::set_quota,
        "one.group.allocate" => people::allocate_group,
        _ => return None,
    })
}

/// Returns whether a method changes nothing.
pub(crate) fn is_read(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    matches!(last, "info" | "infoextended" | "infoset" | "monitoring" | "accounting" | "showback" | "version")
}

fn version(_: &mut Cloud, _: &Caller, _: Params<'_>, _: Timestamp) -> Answer {
    Ok(Value::Text(VERSION.to_owned()))
}
