//! Which call a method and a path are.

use super::calls::{
    Call, account, actions, catalog, create, devices, listing, machines, metadata, rules, snapshots, tags,
};

/// A call by the name that the server gives it, and the parts of the path that vary.
pub(super) type Route<'a> = (&'static str, Call, Vec<&'a str>);

/// Returns the call of a method and of the parts of a path below the account.
pub(super) fn route<'a>(method: &str, below: &[&'a str]) -> Option<Route<'a>> {
    let method = if method == "HEAD" { "GET" } else { method };
    match below {
        ["machines", id, rest @ ..] => of_machine(method, id, rest),
        _ => of_account(method, below),
    }
}

fn of_account<'a>(method: &str, below: &[&'a str]) -> Option<Route<'a>> {
    let (name, call): (_, Call) = match (method, below) {
        ("GET", []) => ("getaccount", account::get),
        ("GET", ["limits"]) => ("listlimits", account::limits),
        ("GET", ["config"]) => ("getconfig", account::config),
        ("GET", ["services"]) => ("listservices", account::services),
        ("GET", ["datacenters"]) => ("listdatacenters", account::datacenters),
        ("GET", ["datacenters", _]) => ("getdatacenter", account::datacenter),
        ("GET", ["keys"]) => ("listkeys", account::keys),
        ("POST", ["keys"]) => ("createkey", account::add_key),
        ("GET", ["keys", _]) => ("getkey", account::key),
        ("DELETE", ["keys", _]) => ("deletekey", account::delete_key),
        ("GET", ["packages"]) => ("listpackages", catalog::packages),
        ("GET", ["packages", _]) => ("getpackage", catalog::package),
        ("GET", ["images"]) => ("listimages", catalog::images),
        ("GET", ["images", _]) => ("getimage", catalog::image),
        ("GET", ["networks"]) => ("listnetworks", catalog::networks),
        ("GET", ["networks", _]) => ("getnetwork", catalog::network),
        ("GET", ["migrations"]) => ("listmigrations", machines::migrations),
        ("GET", ["changefeed"]) => ("changefeed", machines::changefeed),
        ("GET", ["machines"]) => ("listmachines", listing::list),
        ("POST", ["machines"]) => ("createmachine", create::create),
        ("GET", ["fwrules"]) => ("listfirewallrules", rules::list),
        ("POST", ["fwrules"]) => ("createfirewallrule", rules::create),
        ("GET", ["fwrules", _]) => ("getfirewallrule", rules::get),
        ("POST", ["fwrules", _]) => ("updatefirewallrule", rules::update),
        ("DELETE", ["fwrules", _]) => ("deletefirewallrule", rules::delete),
        ("POST", ["fwrules", _, "enable"]) => ("enablefirewallrule", rules::enable),
        ("POST", ["fwrules", _, "disable"]) => ("disablefirewallrule", rules::disable),
        ("GET", ["fwrules", _, "machines"]) => ("listfirewallrulemachines", rules::machines),
        // Anything can have role tags, so a wrong method here is no wrong method.
        ("PUT", [_] | [_, _]) => ("setroletags", account::set_role_tags),
        _ => return None,
    };
    Some((name, call, below.iter().skip(1).take(1).copied().collect()))
}

fn of_machine<'a>(method: &str, id: &'a str, below: &[&'a str]) -> Option<Route<'a>> {
    let (name, call): (_, Call) = match (method, below) {
        ("GET", []) => ("getmachine", machines::get),
        ("DELETE", []) => ("deletemachine", machines::delete),
        ("POST", []) => ("updatemachine", actions::act),
        ("PUT", []) => ("setroletags", account::set_role_tags),
        ("GET", ["audit"]) => ("machineaudit", machines::audit),
        ("GET" | "POST", ["migrate"]) => ("migrate", machines::migrate),
        ("GET", ["fwrules"]) => ("listmachinefirewallrules", rules::of_machine),
        ("GET", ["tags"]) => ("listmachinetags", tags::list),
        ("POST", ["tags"]) => ("addmachinetags", tags::add),
        ("PUT", ["tags"]) => ("replacemachinetags", tags::replace),
        ("DELETE", ["tags"]) => ("deletemachinetags", tags::delete_all),
        ("GET", ["tags", _]) => ("getmachinetag", tags::get),
        ("DELETE", ["tags", _]) => ("deletemachinetag", tags::delete),
        ("GET", ["metadata"]) => ("listmachinemetadata", metadata::list),
        ("POST", ["metadata"]) => ("updatemachinemetadata", metadata::update),
        ("DELETE", ["metadata"]) => ("deleteallmachinemetadata", metadata::delete_all),
        ("GET", ["metadata", _]) => ("getmachinemetadata", metadata::get),
        ("DELETE", ["metadata", _]) => ("deletemachinemetadata", metadata::delete),
        ("GET", ["snapshots"]) => ("listmachinesnapshots", snapshots::list),
        ("POST", ["snapshots"]) => ("createmachinesnapshot", snapshots::create),
        ("GET", ["snapshots", _]) => ("getmachinesnapshot", snapshots::get),
        ("POST", ["snapshots", _]) => ("startmachinefromsnapshot", snapshots::start),
        ("DELETE", ["snapshots", _]) => ("deletemachinesnapshot", snapshots::delete),
        ("GET", ["nics"]) => ("listnics", devices::nics),
        ("POST", ["nics"]) => ("addnic", devices::add_nic),
        ("GET", ["nics", _]) => ("getnic", devices::nic),
        ("DELETE", ["nics", _]) => ("removenic", devices::delete_nic),
        ("GET", ["disks"]) => ("listmachinedisks", devices::disks),
        ("POST", ["disks"]) => ("createmachinedisk", devices::add_disk),
        ("GET", ["disks", _]) => ("getmachinedisk", devices::disk),
        ("POST", ["disks", _]) => ("resizemachinedisk", devices::resize_disk),
        ("DELETE", ["disks", _]) => ("deletemachinedisk", devices::delete_disk),
        _ => return None,
    };
    Some((name, call, std::iter::once(id).chain(below.iter().skip(1).copied()).collect()))
}
