//! The whole document of a VM, its history and its monitoring.

use super::{head, lock, time};
use crate::opennebula::{
    clock::seconds,
    place::RUNNING,
    vm::{Page, Scheduled, Vm},
    xml::{cdata, plain},
};
use vmpool_model::Timestamp;

/// Writes all of a VM, as `one.vm.info` does; without a time, as listings do, nothing that is measured.
pub(crate) fn full(vm: &Vm, names: (&str, &str), now: Option<Timestamp>, out: &mut String) {
    out.push_str("<VM>");
    head(vm, names, out);
    vm.permissions.write(out);
    let polled = now.filter(|_| vm.place == RUNNING);
    plain(out, "LAST_POLL", time(polled));
    let (state, lcm) = (vm.place.state.number(), vm.place.lcm.number());
    plain(out, "STATE", state);
    plain(out, "LCM_STATE", lcm);
    plain(out, "PREV_STATE", state);
    plain(out, "PREV_LCM_STATE", lcm);
    plain(out, "RESCHED", u8::from(vm.is_rescheduled));
    plain(out, "STIME", seconds(vm.made_at));
    plain(out, "ETIME", time(vm.done_at));
    plain(out, "DEPLOY_ID", &vm.deploy_id);
    lock(vm, out);
    out.push_str("<MONITORING>");
    if let Some(now) = polled {
        measured(vm, now, out);
    }
    out.push_str("</MONITORING><SCHED_ACTIONS>");
    vm.scheduled.iter().for_each(|action| plain(out, "ID", action.id));
    out.push_str("</SCHED_ACTIONS><TEMPLATE>");
    vm.template.write(out);
    vm.scheduled.iter().for_each(|action| scheduled(vm, action, out));
    out.push_str("</TEMPLATE><USER_TEMPLATE>");
    vm.user_template.write(out);
    out.push_str("</USER_TEMPLATE>");
    if vm.history.is_empty() {
        out.push_str("<HISTORY_RECORDS/>");
    } else {
        out.push_str("<HISTORY_RECORDS>");
        vm.history.iter().enumerate().for_each(|(index, page)| history(vm.id, index, page, "", out));
        out.push_str("</HISTORY_RECORDS>");
    }
    snapshots(vm, out);
    out.push_str("<BACKUPS><BACKUP_CONFIG/><BACKUP_IDS>");
    vm.backups.iter().for_each(|image| plain(out, "ID", image));
    out.push_str("</BACKUP_IDS></BACKUPS></VM>");
}

/// Writes the stays of a VM on hosts that touch a time, each with the VM in it, as `one.vmpool.accounting` does.
pub(crate) fn accounting(vm: &Vm, names: (&str, &str), (from, to): (i64, i64), out: &mut String) {
    let mut document = String::new();
    for (index, page) in vm.history.iter().enumerate() {
        let ended_before = page.ended_at.is_some_and(|at| seconds(at) < from);
        if ended_before || (0 <= to && to < seconds(page.began_at)) {
            continue;
        }
        if document.is_empty() {
            full(vm, names, None, &mut document);
        }
        history(vm.id, index, page, &document, out);
    }
}

/// Writes what a hypervisor measures: numbers that look like some.
pub(crate) fn measured(vm: &Vm, now: Timestamp, out: &mut String) {
    cdata(out, "CPU", 0);
    cdata(out, "DISKRDBYTES", 791);
    cdata(out, "DISKRDIOPS", 45);
    cdata(out, "DISKWRBYTES", 95);
    cdata(out, "DISKWRIOPS", 803);
    cdata(out, "ID", vm.id);
    cdata(out, "MEMORY", vm.memory().saturating_mul(1024));
    cdata(out, "NETRX", 9872);
    cdata(out, "NETTX", 9872);
    cdata(out, "TIMESTAMP", seconds(now));
}

fn scheduled(vm: &Vm, action: &Scheduled, out: &mut String) {
    out.push_str("<SCHED_ACTION>");
    plain(out, "ID", action.id);
    plain(out, "PARENT_ID", vm.id);
    plain(out, "TYPE", "VM");
    plain(out, "ACTION", &action.action);
    plain(out, "ARGS", &action.args);
    plain(out, "TIME", seconds(action.at));
    plain(out, "REPEAT", -1);
    plain(out, "DAYS", "");
    plain(out, "END_TYPE", -1);
    plain(out, "END_VALUE", -1);
    plain(out, "DONE", action.done_at.map_or(-1, seconds));
    plain(out, "MESSAGE", &action.message);
    plain(out, "WARNING", 0);
    out.push_str("</SCHED_ACTION>");
}

fn history(id: i32, index: usize, page: &Page, inner: &str, out: &mut String) {
    out.push_str("<HISTORY>");
    plain(out, "OID", id);
    plain(out, "SEQ", index);
    plain(out, "HOSTNAME", &page.hostname);
    plain(out, "HID", page.host);
    plain(out, "CID", 0);
    plain(out, "STIME", seconds(page.began_at));
    plain(out, "ETIME", time(page.ended_at));
    cdata(out, "VM_MAD", "dummy");
    cdata(out, "TM_MAD", "dummy");
    plain(out, "DS_ID", 0);
    for (name, span) in [("P", page.prolog), ("R", page.running), ("E", page.epilog)] {
        plain(out, &format!("{name}STIME"), time(span.from));
        plain(out, &format!("{name}ETIME"), time(span.to));
    }
    plain(out, "ACTION", page.end.map_or(0, |end| end.action));
    plain(out, "UID", page.end.map_or(-1, |end| end.uid));
    plain(out, "GID", page.end.map_or(-1, |end| end.gid));
    plain(out, "REQUEST_ID", page.end.map_or(-1, |end| end.request));
    out.push_str(inner);
    out.push_str("</HISTORY>");
}

fn snapshots(vm: &Vm, out: &mut String) {
    for (disk, snapshots) in &vm.disk_snapshots {
        out.push_str("<SNAPSHOTS>");
        cdata(out, "ALLOW_ORPHANS", "NO");
        cdata(out, "CURRENT_BASE", -1);
        cdata(out, "DISK_ID", disk);
        cdata(out, "NEXT_SNAPSHOT", snapshots.next);
        for snapshot in &snapshots.list {
            out.push_str("<SNAPSHOT>");
            if snapshot.id == snapshots.active {
                cdata(out, "ACTIVE", "YES");
            }
            let children = snapshots.list.iter().filter(|other| other.parent == snapshot.id);
            let children: Vec<String> = children.map(|child| child.id.to_string()).collect();
            if !children.is_empty() {
                cdata(out, "CHILDREN", children.join(","));
            }
            cdata(out, "DATE", seconds(snapshot.made_at));
            cdata(out, "ID", snapshot.id);
            cdata(out, "NAME", &snapshot.name);
            cdata(out, "PARENT", snapshot.parent);
            cdata(out, "SIZE", vm.disk(*disk).and_then(|disk| disk.get("SIZE")).unwrap_or("0"));
            out.push_str("</SNAPSHOT>");
        }
        out.push_str("</SNAPSHOTS>");
    }
}
