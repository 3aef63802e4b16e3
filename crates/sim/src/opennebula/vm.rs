//! The record of a VM.

use std::collections::BTreeMap;

use vmpool_model::{NodeId, Timestamp, states::opennebula::VmState};

use super::{
    place::{DONE, Place},
    rights::Permissions,
    template::{Attributes, Parts},
};

/// The record of a VM; it stays when the VM is gone.
#[derive(Debug)]
pub(crate) struct Vm {
    pub(crate) id: i32,
    pub(crate) uid: i32,
    pub(crate) gid: i32,
    pub(crate) name: String,
    pub(crate) permissions: Permissions,
    pub(crate) place: Place,
    /// When it came there.
    pub(crate) since: Timestamp,
    /// Whether the hypervisor never answers, so that nothing but a recovery helps.
    pub(crate) is_stuck: bool,
    pub(crate) is_rescheduled: bool,
    pub(crate) made_at: Timestamp,
    pub(crate) done_at: Option<Timestamp>,
    pub(crate) deploy_id: String,
    pub(crate) lock: Option<Lock>,
    pub(crate) template: Attributes,
    pub(crate) user_template: Attributes,
    pub(crate) history: Vec<Page>,
    pub(crate) disk_snapshots: BTreeMap<i32, DiskSnapshots>,
    pub(crate) scheduled: Vec<Scheduled>,
    /// `STOPPED` or `UNDEPLOYED`, if that is where it is to be deployed from.
    pub(crate) comes_from: Option<VmState>,
    /// The host that keeps room for it.
    pub(crate) host: Option<i32>,
    /// The host that it migrates to.
    pub(crate) bound_for: Option<i32>,
    /// What runs for it in the dummy.
    pub(crate) node: Option<NodeId>,
    /// What is taken out once the change under way is done: a disk or a card, by the name of its attribute and its id.
    pub(crate) leaving: Option<(&'static str, i32)>,
    pub(crate) next_snapshot: i32,
    /// The images of its backups.
    pub(crate) backups: Vec<i32>,
    /// Who owns the backup that is under way, by user and group.
    pub(crate) backed_up_by: Option<(i32, i32)>,
}

/// What keeps a VM from being changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lock {
    /// From which kind of operation on it is locked: 1 for use, 2 for manage, 3 for administer.
    pub(crate) level: i32,
    pub(crate) uid: i32,
    pub(crate) at: Timestamp,
    pub(crate) request: i32,
}

/// One stay of a VM on a host.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) host: i32,
    pub(crate) hostname: String,
    pub(crate) began_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) prolog: Span,
    pub(crate) running: Span,
    pub(crate) epilog: Span,
    /// What ended it, and who asked for that.
    pub(crate) end: Option<Cause>,
}

/// A time with a beginning and an end, as far as it has them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
}

/// What was done to a VM, by whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause {
    /// The number of the action in the server's history.
    pub(crate) action: i32,
    pub(crate) uid: i32,
    pub(crate) gid: i32,
    pub(crate) request: i32,
}

/// The snapshots of a disk.
#[derive(Debug, Default)]
pub(crate) struct DiskSnapshots {
    pub(crate) next: i32,
    pub(crate) active: i32,
    pub(crate) list: Vec<DiskSnapshot>,
}

/// A snapshot of a disk.
#[derive(Debug)]
pub(crate) struct DiskSnapshot {
    pub(crate) id: i32,
    pub(crate) parent: i32,
    pub(crate) name: String,
    pub(crate) made_at: Timestamp,
}

/// An action that the server carries out by itself.
#[derive(Debug, Clone)]
pub(crate) struct Scheduled {
    pub(crate) id: i32,
    pub(crate) action: String,
    pub(crate) args: String,
    pub(crate) at: Timestamp,
    /// When it is tried again, after it was refused at its time.
    pub(crate) again_at: Option<Timestamp>,
    pub(crate) done_at: Option<Timestamp>,
    pub(crate) message: String,
}

impl Vm {
    /// Makes a VM that is nowhere yet.
    pub(crate) fn new(id: i32, (uid, gid): (i32, i32), name: String, place: Place, now: Timestamp) -> Self {
        Self {
            id,
            uid,
            gid,
            name,
            permissions: Permissions::default(),
            place,
            since: now,
            is_stuck: false,
            is_rescheduled: false,
            made_at: now,
            done_at: None,
            deploy_id: String::new(),
            lock: None,
            template: Attributes::default(),
            user_template: Attributes::default(),
            history: Vec::new(),
            disk_snapshots: BTreeMap::new(),
            scheduled: Vec::new(),
            comes_from: None,
            host: None,
            bound_for: None,
            node: None,
            leaving: None,
            next_snapshot: 0,
            backups: Vec::new(),
            backed_up_by: None,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.place == DONE
    }

    /// Returns the processors that it needs, in hundredths of one.
    pub(crate) fn cpu(&self) -> u64 {
        hundredths(self.template.text("CPU").unwrap_or_default())
    }

    /// Returns the memory that it needs, in megabytes.
    pub(crate) fn memory(&self) -> u64 {
        self.template.text("MEMORY").and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    pub(crate) fn disk(&self, id: i32) -> Option<&Parts> {
        self.template.parts("DISK").find(|disk| disk.number("DISK_ID") == Some(id))
    }

    pub(crate) fn nic(&self, id: i32) -> Option<&Parts> {
        self.template.parts("NIC").find(|nic| nic.number("NIC_ID") == Some(id))
    }

    /// Returns the id of the next device of a name, such as the `DISK_ID` of the next `DISK`.
    pub(crate) fn next_device(&self, name: &str) -> i32 {
        let id = format!("{name}_ID");
        let used = self.template.parts(name).filter_map(|device| device.number(&id)).max();
        let context = match name {
            "DISK" => self.template.parts("CONTEXT").filter_map(|context| context.number("DISK_ID")).max(),
            _ => None,
        };
        used.max(context).map_or(0, |last| last.saturating_add(1))
    }

    pub(crate) fn page(&mut self) -> Option<&mut Page> {
        self.history.last_mut()
    }
}

/// Returns a number with up to two digits after the point, in hundredths.
pub(crate) fn hundredths(text: &str) -> u64 {
    let number: f64 = text.trim().parse().unwrap_or(0.0);
    // Negative numbers and those that are none become 0, and so does nothing else.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    let whole = (number * 100.0).round() as u64;
    whole
}
