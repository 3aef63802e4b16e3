//! What is done with machines after the answer: an accepted call is a job, and the job can fail.

use std::time::Duration;

use serde_json::{Map, Value};
use vmpool_model::{
    Timestamp,
    states::{NodeState, cloudapi::MachineState},
};

use super::{
    access::Caller,
    cloud::Cloud,
    machine::{Disk, Entry, Machine, Nic, Snapshot},
};
use crate::hypervisor::Outcome;

/// A job for a machine.
#[derive(Debug)]
pub(super) struct Job {
    number: u64,
    work: Work,
    caller: Caller,
    queued_at: Timestamp,
    /// When it began, and whether the state of the machine allowed it.
    began: Option<(Timestamp, bool)>,
    /// Whether it never ends.
    is_stuck: bool,
}

/// What a job does.
#[derive(Debug, Clone)]
pub(super) enum Work {
    Provision,
    Start,
    Stop,
    Reboot,
    Destroy,
    Resize { package: String, memory: u64, disk: u64 },
    Rename(String),
    Firewall(bool),
    Protection(bool),
    SetTags(Map<String, Value>),
    ReplaceTags(Map<String, Value>),
    RemoveTag(String),
    RemoveTags,
    SetMetadata(Map<String, Value>),
    RemoveMetadata(String),
    RemoveAllMetadata,
    Snapshot(String),
    Rollback(String),
    DeleteSnapshot(String),
    AddNic(Nic),
    RemoveNic(String),
    AddDisk(Disk),
    ResizeDisk(String, u64),
    RemoveDisk(String),
}

impl Work {
    /// Returns what the history of the machine calls it.
    fn name(&self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Reboot => "reboot",
            Self::Destroy => "destroy",
            Self::Resize { .. } => "resize",
            Self::Rename(_) => "rename",
            // So the real server has it.
            Self::Firewall(_) => "unknown",
            Self::Protection(true) => "enable_deletion_protection",
            Self::Protection(false) => "disable_deletion_protection",
            Self::SetTags(_) => "set_tags",
            Self::ReplaceTags(_) => "replace_tags",
            Self::RemoveTag(_) | Self::RemoveTags => "remove_tags",
            Self::SetMetadata(_) => "set_metadata",
            Self::RemoveMetadata(_) => "remove_metadata",
            Self::RemoveAllMetadata => "replace_metadata",
            Self::Snapshot(_) => "create_snapshot",
            Self::Rollback(_) => "rollback_snapshot",
            Self::DeleteSnapshot(_) => "delete_snapshot",
            Self::AddNic(_) => "add_nics",
            Self::RemoveNic(_) => "remove_nics",
            Self::AddDisk(_) => "create_disk",
            Self::ResizeDisk(..) => "resize_disk",
            Self::RemoveDisk(_) => "delete_disk",
        }
    }

    /// Returns whether only one such job runs at a time for a machine.
    fn is_alone(&self) -> bool {
        matches!(
            self,
            Self::Provision
                | Self::Start
                | Self::Stop
                | Self::Reboot
                | Self::Rollback(_)
                | Self::AddNic(_)
                | Self::RemoveNic(_)
        )
    }
}

impl Cloud {
    /// Begins a job, and returns its id.
    pub(super) fn enqueue(
        &mut self,
        machine: &mut Machine,
        work: Work,
        caller: &Caller,
        now: Timestamp,
    ) -> String {
        if matches!(work, Work::Destroy) {
            // Whatever else was to be done with its state need not be waited for.
            machine.jobs.retain(|job| !job.work.is_alone());
        }
        self.jobs += 1;
        machine.jobs.push(Job {
            number: self.jobs,
            work,
            caller: caller.clone(),
            queued_at: now,
            began: None,
            is_stuck: false,
        });
        begin_what_can(machine, now);
        self.uuid()
    }

    /// Brings all machines to where they are by now.
    pub(super) fn advance_all(&mut self, now: Timestamp) {
        let busy = |machine: &&Machine| !machine.jobs.is_empty() || self.fate(machine).is_some();
        let ids: Vec<String> =
            self.machines.values().filter(busy).map(|machine| machine.id.clone()).collect();
        ids.iter().for_each(|id| self.advance(id, now));
    }

    /// Brings a machine to where it is by now.
    pub(super) fn advance(&mut self, id: &str, now: Timestamp) {
        let Some(mut machine) = self.machines.remove(id) else { return };
        while let Some((index, due)) = self.next_job(&machine).filter(|(_, due)| *due <= now) {
            self.finish(&mut machine, index, due);
            begin_what_can(&mut machine, due);
        }
        let reboots = machine.jobs.iter().any(|job| match (&job.work, job.began) {
            (Work::Reboot, Some((at, true))) => at + self.config.boot / 2 <= now,
            _ => false,
        });
        if reboots && machine.state == MachineState::Stopping {
            machine.state = MachineState::Ready;
        }
        match self.fate(&machine) {
            Some(MachineState::Unknown) => machine.is_lost = true,
            Some(state) => machine.state = state,
            None => {}
        }
        self.machines.insert(id.to_owned(), machine);
    }

    /// Returns how long a job takes; one that the state forbids fails soon.
    fn takes(&self, work: &Work, is_allowed: bool) -> Duration {
        match work {
            Work::Provision | Work::Start | Work::Reboot if is_allowed => self.config.boot,
            _ => self.config.step,
        }
    }

    fn next_job(&self, machine: &Machine) -> Option<(usize, Timestamp)> {
        let due = |(index, job): (usize, &Job)| {
            let (at, is_allowed) = job.began.filter(|_| !job.is_stuck)?;
            Some((index, at + self.takes(&job.work, is_allowed)))
        };
        machine.jobs.iter().enumerate().filter_map(due).min_by_key(|(_, due)| *due)
    }

    fn finish(&mut self, machine: &mut Machine, index: usize, at: Timestamp) {
        let mut job = machine.jobs.remove(index);
        let is_allowed = job.began.is_some_and(|(_, is_allowed)| is_allowed);
        let is_done = match is_allowed {
            false => false,
            true => match self.work(machine, &job.work, at) {
                Outcome::Done => true,
                Outcome::Failed(_) => false,
                Outcome::Never => {
                    job.is_stuck = true;
                    machine.jobs.insert(index, job);
                    return;
                }
            },
        };
        if is_done {
            machine.changed_at = at;
        }
        let (number, caller) = (job.number, job.caller);
        machine.audit.push(Entry { number, action: job.work.name(), is_done, at, caller });
    }

    /// Does the work of a job.
    fn work(&mut self, machine: &mut Machine, work: &Work, at: Timestamp) -> Outcome {
        match work {
            Work::Provision => return self.provision(machine),
            Work::Start | Work::Reboot => {
                let outcome = match work {
                    Work::Reboot => self.hypervisor.reboot(machine.node.as_ref()),
                    _ => self.hypervisor.boot(&mut machine.node, &machine.name),
                };
                match outcome {
                    Outcome::Done => machine.state = MachineState::Running,
                    Outcome::Failed(_) => machine.state = MachineState::Stopped,
                    Outcome::Never => {}
                }
                return outcome;
            }
            Work::Stop => {
                let outcome = self.hypervisor.stop(machine.node.as_ref());
                match outcome {
                    Outcome::Done => machine.state = MachineState::Stopped,
                    Outcome::Failed(_) => machine.state = MachineState::Running,
                    Outcome::Never => {}
                }
                return outcome;
            }
            Work::Destroy => {
                if machine.is_deleted() {
                    return Outcome::Done;
                }
                let outcome = self.hypervisor.destroy(&mut machine.node);
                match outcome {
                    Outcome::Done => {
                        machine.state = MachineState::Deleted;
                        machine.nics.iter().for_each(|nic| self.release(nic));
                    }
                    // What it was on the way to was given up for this job.
                    Outcome::Failed(_) | Outcome::Never => self.settle(machine),
                }
                return outcome;
            }
            Work::Rollback(_) => {
                let outcome = self.hypervisor.boot(&mut machine.node, &machine.name);
                if outcome == Outcome::Done {
                    machine.state = MachineState::Running;
                }
                return outcome;
            }
            Work::Resize { package, memory, disk } => {
                package.clone_into(&mut machine.package);
                (machine.memory, machine.disk) = (*memory, *disk);
            }
            Work::Rename(name) => name.clone_into(&mut machine.name),
            Work::Firewall(is_on) => machine.has_firewall = *is_on,
            Work::Protection(is_on) => machine.is_protected = *is_on,
            Work::SetTags(tags) => machine.tags.extend(tags.clone()),
            Work::ReplaceTags(tags) => tags.clone_into(&mut machine.tags),
            Work::RemoveTag(key) => drop(machine.tags.remove(key)),
            Work::RemoveTags => machine.tags.clear(),
            Work::SetMetadata(entries) => machine.metadata.extend(entries.clone()),
            Work::RemoveMetadata(key) => drop(machine.metadata.remove(key)),
            Work::RemoveAllMetadata => {
                machine.metadata.retain(|key, _| key == "root_authorized_keys" || key == "administrator_pw");
                // The real server mixes the parameters of the job with what is to be kept.
                machine.metadata.insert("uuid".to_owned(), machine.id.clone().into());
                let owner = self.accounts.get(&machine.owner).map(|account| account.id.clone());
                machine.metadata.insert("owner_uuid".to_owned(), owner.into());
            }
            Work::Snapshot(name) => {
                let made = machine.snapshots.iter_mut().rev().find(|snapshot| snapshot.name == *name);
                if let Some(snapshot) = made {
                    snapshot.made_at = Some(at);
                }
            }
            Work::DeleteSnapshot(name) => {
                let named = machine.snapshots.iter_mut().filter(|snapshot| snapshot.name == *name);
                named.for_each(|snapshot| snapshot.is_deleted = true);
            }
            Work::AddNic(nic) => {
                if nic.is_primary {
                    machine.nics.iter_mut().for_each(|other| other.is_primary = false);
                }
                machine.nics.push(nic.clone());
                back(machine);
            }
            Work::RemoveNic(mac) => {
                let removed: Vec<Nic> = machine.nics.extract_if(.., |nic| nic.bare() == *mac).collect();
                removed.iter().for_each(|nic| self.release(nic));
                back(machine);
            }
            Work::AddDisk(disk) => machine.disks.push(disk.clone()),
            Work::ResizeDisk(id, size) => {
                let disk = machine.disks.iter_mut().find(|disk| disk.id == *id);
                if let Some(disk) = disk {
                    disk.size = Some(*size);
                }
            }
            Work::RemoveDisk(id) => machine.disks.retain(|disk| disk.id != *id),
        }
        Outcome::Done
    }

    /// Brings a machine to rest that was on its way to another state.
    fn settle(&self, machine: &mut Machine) {
        machine.state = match machine.state {
            MachineState::Provisioning => MachineState::Failed,
            MachineState::Stopping | MachineState::Ready => {
                match self.hypervisor.state(machine.node.as_ref()) {
                    Some(NodeState::Running) => MachineState::Running,
                    _ => MachineState::Stopped,
                }
            }
            _ => return,
        };
    }

    fn provision(&mut self, machine: &mut Machine) -> Outcome {
        let outcome = self.hypervisor.boot(&mut machine.node, &machine.name);
        if outcome == Outcome::Never {
            return outcome;
        }
        for (index, network) in machine.wanted.clone().iter().enumerate() {
            let nic = self.nic(network, index == 0);
            machine.nics.push(nic);
        }
        machine.state = match outcome {
            Outcome::Done => MachineState::Running,
            _ => MachineState::Failed,
        };
        outcome
    }

    /// Returns where a machine is found that was running, if what runs for it came to an end by itself.
    fn fate(&self, machine: &Machine) -> Option<MachineState> {
        if machine.state != MachineState::Running || machine.is_lost || machine.node.is_none() {
            return None;
        }
        match self.hypervisor.state(machine.node.as_ref()) {
            // It shut itself down.
            Some(NodeState::Terminated | NodeState::Stopped) => Some(MachineState::Stopped),
            None | Some(NodeState::Error) => Some(MachineState::Unknown),
            Some(_) => None,
        }
    }
}

/// Brings a machine back that was rebooted for a change.
fn back(machine: &mut Machine) {
    if machine.state == MachineState::Stopping {
        machine.state = MachineState::Running;
    }
}

/// Begins the jobs that need not wait for another.
fn begin_what_can(machine: &mut Machine, at: Timestamp) {
    let mut is_one_alone = false;
    for index in 0..machine.jobs.len() {
        let Some(job) = machine.jobs.get(index) else { return };
        let is_alone = job.work.is_alone();
        if job.began.is_none() && !(is_alone && is_one_alone) {
            let (work, begins_at) = (job.work.clone(), job.queued_at.max(at));
            let is_allowed = begin(machine, &work);
            if let Some(job) = machine.jobs.get_mut(index) {
                job.began = Some((begins_at, is_allowed));
            }
        }
        is_one_alone |= is_alone;
    }
}

/// Begins some work, if the state of the machine allows it.
fn begin(machine: &mut Machine, work: &Work) -> bool {
    let runs = machine.state == MachineState::Running;
    let is_allowed = match work {
        Work::Start => machine.state == MachineState::Stopped,
        Work::Stop | Work::Reboot => runs,
        Work::Rollback(name) => {
            let is_there = |snapshot: &Snapshot| snapshot.made_at.is_some() && !snapshot.is_deleted;
            machine.snapshot(name).is_some_and(is_there)
        }
        Work::Provision | Work::Destroy => return true,
        _ => true,
    };
    if machine.is_lost || !is_allowed {
        return false;
    }
    let goes_down =
        matches!(work, Work::Stop | Work::Reboot | Work::Rollback(_) | Work::AddNic(_) | Work::RemoveNic(_));
    if runs && goes_down {
        machine.state = MachineState::Stopping;
    }
    true
}
