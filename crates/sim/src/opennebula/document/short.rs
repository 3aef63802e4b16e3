//! The short document of a VM, as in a pool.

use super::{head, lock, time};
use crate::opennebula::{
    clock::seconds,
    template::{Content, Parts},
    vm::Vm,
    xml::{cdata, plain},
};

/// What the short document tells of a disk.
const OF_DISK: [&str; 11] = [
    "DISK_ID",
    "DATASTORE",
    "DATASTORE_ID",
    "IMAGE",
    "IMAGE_ID",
    "SIZE",
    "TYPE",
    "CLONE",
    "CLONE_TARGET",
    "LN_TARGET",
    "DISK_SNAPSHOT_TOTAL_SIZE",
];

/// What the short document tells of a network card.
const OF_NIC: [&str; 12] = [
    "IP",
    "EXTERNAL_IP",
    "IP6",
    "IP6_ULA",
    "IP6_LINK",
    "IP6_GLOBAL",
    "MAC",
    "NETWORK",
    "NETWORK_ID",
    "NIC_ID",
    "SECURITY_GROUPS",
    "NETWORK_MODE",
];

/// Writes a VM as `one.vmpool.info` does: without most of what its users noted about it.
pub(crate) fn short(vm: &Vm, names: (&str, &str), out: &mut String) {
    out.push_str("<VM>");
    head(vm, names, out);
    plain(out, "LAST_POLL", 0);
    plain(out, "STATE", vm.place.state.number());
    plain(out, "LCM_STATE", vm.place.lcm.number());
    plain(out, "RESCHED", u8::from(vm.is_rescheduled));
    plain(out, "STIME", seconds(vm.made_at));
    plain(out, "ETIME", time(vm.done_at));
    plain(out, "DEPLOY_ID", &vm.deploy_id);
    lock(vm, out);
    out.push_str("<TEMPLATE>");
    for name in ["CPU", "MEMORY", "VCPU"] {
        plain(out, name, vm.template.text(name).unwrap_or_default());
    }
    vm.template.parts("DISK").for_each(|disk| some(disk, "DISK", &OF_DISK, out));
    vm.template.parts("NIC").for_each(|nic| some(nic, "NIC", &OF_NIC, out));
    vm.template
        .parts("GRAPHICS")
        .for_each(|graphics| Content::Parts(graphics.clone()).write("GRAPHICS", out));
    out.push_str("</TEMPLATE><MONITORING/><USER_TEMPLATE>");
    for (name, content) in vm.user_template.iter().filter(|(name, _)| is_told(name)) {
        content.write(name, out);
    }
    out.push_str("</USER_TEMPLATE>");
    let Some(page) = vm.history.last() else {
        out.push_str("<HISTORY_RECORDS/></VM>");
        return;
    };
    out.push_str("<HISTORY_RECORDS><HISTORY>");
    plain(out, "OID", vm.id);
    plain(out, "SEQ", vm.history.len().saturating_sub(1));
    cdata(out, "HOSTNAME", &page.hostname);
    plain(out, "HID", page.host);
    plain(out, "CID", 0);
    plain(out, "DS_ID", 0);
    cdata(out, "VM_MAD", "dummy");
    cdata(out, "TM_MAD", "dummy");
    cdata(out, "ACTION", page.end.map_or(0, |end| end.action));
    out.push_str("</HISTORY></HISTORY_RECORDS></VM>");
}

fn is_told(name: &str) -> bool {
    name.starts_with("SCHED_") || matches!(name, "LABELS" | "ERROR" | "USER_PRIORITY" | "PUBLIC_CLOUD")
}

fn some(parts: &Parts, name: &str, told: &[&str], out: &mut String) {
    out.push_str(&format!("<{name}>"));
    for part in told {
        if let Some(text) = parts.get(part) {
            cdata(out, part, text);
        }
    }
    out.push_str(&format!("</{name}>"));
}
