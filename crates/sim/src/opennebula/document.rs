//! A VM as the server writes it: whole, and short as in a pool.

mod full;
mod short;

use vmpool_model::Timestamp;

use super::{clock::seconds, vm::Vm, xml::plain};

pub(crate) use self::{
    full::{accounting, full, measured},
    short::short,
};

/// Writes who owns a VM and what it is called.
fn head(vm: &Vm, names: (&str, &str), out: &mut String) {
    plain(out, "ID", vm.id);
    plain(out, "UID", vm.uid);
    plain(out, "GID", vm.gid);
    plain(out, "UNAME", names.0);
    plain(out, "GNAME", names.1);
    // Neither is escaped by the real server, which is why it refuses the signs of XML in names.
    plain(out, "NAME", &vm.name);
}

/// Writes a lock, if there is one.
fn lock(vm: &Vm, out: &mut String) {
    let Some(lock) = vm.lock else { return };
    out.push_str("<LOCK>");
    plain(out, "LOCKED", lock.level);
    plain(out, "OWNER", lock.uid);
    plain(out, "TIME", seconds(lock.at));
    plain(out, "REQ_ID", lock.request);
    out.push_str("</LOCK>");
}

/// Returns seconds since the epoch, and 0 for what has not happened.
fn time(at: Option<Timestamp>) -> i64 {
    at.map_or(0, seconds)
}
