//! Hosts.

use vmpool_model::Timestamp;

use crate::opennebula::{
    clock::seconds,
    cloud::{Cloud, Host},
    rights::{Caller, Right},
    wire::{ACTION, Answer, Params, no_such, refuse},
    xml::{cdata, plain},
};

pub(crate) fn host(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let id = params.int(0)?;
    let Some(host) = cloud.hosts.get(&id) else { return no_such("host", id) };
    if !caller.is_admin() {
        return caller.not_authorized(Right::Use, "HOST", id);
    }
    let mut out = String::new();
    write(host, now, &mut out);
    Ok(out.into())
}

/// Lists the hosts; a plain user sees none, which is no error.
pub(crate) fn hosts(cloud: &mut Cloud, caller: &Caller, _: Params<'_>, now: Timestamp) -> Answer {
    let mut out = String::from("<HOST_POOL>");
    cloud.hosts.values().rev().filter(|_| caller.is_admin()).for_each(|host| write(host, now, &mut out));
    out.push_str("</HOST_POOL>");
    Ok(out.into())
}

pub(crate) fn set_host_status(
    cloud: &mut Cloud,
    caller: &Caller,
    params: Params<'_>,
    _: Timestamp,
) -> Answer {
    let (id, status) = (params.int(0)?, params.int(1)?);
    let Some(host) = cloud.hosts.get_mut(&id) else { return no_such("host", id) };
    if !caller.is_admin() {
        return caller.not_authorized(Right::Admin, "HOST", id);
    }
    host.state = match status {
        0 => 2,
        1 => 4,
        2 => 8,
        _ => return refuse(ACTION, format!("Wrong status code [{status}]")),
    };
    Ok(id.into())
}

fn write(host: &Host, now: Timestamp, out: &mut String) {
    out.push_str("<HOST>");
    plain(out, "ID", host.id);
    plain(out, "NAME", &host.name);
    plain(out, "STATE", host.state);
    plain(out, "PREV_STATE", host.state);
    cdata(out, "IM_MAD", "dummy");
    cdata(out, "VM_MAD", "dummy");
    plain(out, "CLUSTER_ID", 0);
    plain(out, "CLUSTER", "default");
    out.push_str("<HOST_SHARE>");
    plain(out, "MEM_USAGE", kilobytes(host.used_memory));
    plain(out, "CPU_USAGE", host.used_cpu);
    plain(out, "TOTAL_MEM", kilobytes(host.memory));
    plain(out, "TOTAL_CPU", host.cpu);
    plain(out, "MAX_MEM", kilobytes(host.memory));
    plain(out, "MAX_CPU", host.cpu);
    plain(out, "RUNNING_VMS", host.vms.len());
    plain(out, "VMS_THREAD", 1);
    out.push_str("<DATASTORES>");
    for (name, size) in [("DISK_USAGE", 0), ("FREE_DISK", 20_480), ("MAX_DISK", 20_480), ("USED_DISK", 9720)]
    {
        cdata(out, name, size);
    }
    out.push_str("</DATASTORES><PCI_DEVICES></PCI_DEVICES><NUMA_NODES></NUMA_NODES></HOST_SHARE><VMS>");
    host.vms.iter().for_each(|id| plain(out, "ID", id));
    out.push_str("</VMS><TEMPLATE>");
    for (name, text) in [("ARCH", "x86_64"), ("HOSTNAME", host.name.as_str()), ("HYPERVISOR", "dummy")] {
        cdata(out, name, text);
    }
    out.push_str("</TEMPLATE><MONITORING>");
    plain(out, "TIMESTAMP", seconds(now));
    plain(out, "ID", host.id);
    out.push_str("<CAPACITY>");
    cdata(out, "FREE_CPU", host.cpu.saturating_sub(host.used_cpu));
    cdata(out, "FREE_MEMORY", kilobytes(host.memory.saturating_sub(host.used_memory)));
    cdata(out, "USED_CPU", host.used_cpu);
    cdata(out, "USED_MEMORY", kilobytes(host.used_memory));
    out.push_str("</CAPACITY><SYSTEM>");
    cdata(out, "NETRX", 0);
    cdata(out, "NETTX", 0);
    out.push_str("</SYSTEM></MONITORING></HOST>");
}

fn kilobytes(megabytes: u64) -> u64 {
    megabytes.saturating_mul(1024)
}
