//! Who may call, and how much each may have.

use vmpool_model::Timestamp;

use super::{
    cloud::Cloud,
    rights::Caller,
    template::Attributes,
    vm::{Vm, hundredths},
    wire::{AUTHORIZATION, Failure, refuse},
};

/// A user.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: i32,
    pub(crate) gid: i32,
    pub(crate) groups: Vec<i32>,
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) tokens: Vec<Token>,
    pub(crate) quota: Option<Quota>,
}

/// What can stand for a password for a while.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// Nothing is never.
    pub(crate) ends_at: Option<Timestamp>,
}

/// How much a user may have; numbers below 0 are no limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    pub(crate) vms: i64,
    /// In hundredths of a processor.
    pub(crate) cpu: i64,
    /// In megabytes.
    pub(crate) memory: i64,
}

/// How much a user has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) vms: i64,
    pub(crate) cpu: i64,
    pub(crate) memory: i64,
}

impl Quota {
    /// Reads the limits of `VM=[VMS="…",CPU="…",MEMORY="…"]`; what is not there is no limit.
    pub(crate) fn parse(template: &Attributes) -> Option<Self> {
        let vm = template.parts("VM").next()?;
        let number = |name: &str| vm.number(name).map_or(-2, i64::from);
        let cpu = match vm.get("CPU") {
            Some(text) if !text.trim_start().starts_with('-') => {
                i64::try_from(hundredths(text)).unwrap_or(-2)
            }
            _ => -2,
        };
        Some(Self { vms: number("VMS"), cpu, memory: number("MEMORY") })
    }
}

impl Usage {
    pub(crate) fn of(vm: &Vm) -> Self {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Self { vms: 1, cpu: number(vm.cpu()), memory: number(vm.memory()) }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            vms: self.vms.saturating_add(other.vms),
            cpu: self.cpu.saturating_add(other.cpu),
            memory: self.memory.saturating_add(other.memory),
        }
    }
}

impl Cloud {
    /// Finds out who calls.
    pub(crate) fn authenticate(&self, session: &str, now: Timestamp) -> Option<Caller> {
        let (name, secret) = session.split_once(':')?;
        let user = self.users.values().find(|user| user.name == name)?;
        let is_token =
            |token: &Token| token.text == secret && token.ends_at.is_none_or(|ends_at| now < ends_at);
        let is_known = user.password == secret || user.tokens.iter().any(is_token);
        is_known.then(|| Caller {
            uid: user.id,
            gid: user.gid,
            groups: user.groups.clone(),
            request: self.requests,
        })
    }

    /// Returns the names of a user and of a group.
    pub(crate) fn names(&self, uid: i32, gid: i32) -> (&str, &str) {
        let user = self.users.get(&uid).map_or("", |user| user.name.as_str());
        (user, self.groups.get(&gid).map_or("", String::as_str))
    }

    /// Returns what the VMs of a user take that are not gone, those on hold included.
    pub(crate) fn usage(&self, uid: i32) -> Usage {
        let vms = self.vms.values().filter(|vm| vm.uid == uid && !vm.is_done());
        vms.map(Usage::of).fold(Usage::default(), Usage::plus)
    }

    /// Insists that a new VM stays within the quota of its owner.
    pub(crate) fn check_quota(&self, caller: &Caller, vm: &Vm) -> Result<(), Failure> {
        let Some(quota) = self.users.get(&caller.uid).and_then(|user| user.quota) else { return Ok(()) };
        let after = self.usage(caller.uid).plus(Usage::of(vm));
        let limits = [
            ("VMS", quota.vms, after.vms),
            ("CPU", quota.cpu, after.cpu),
            ("MEMORY", quota.memory, after.memory),
        ];
        match limits.into_iter().find(|(_, limit, after)| 0 <= *limit && limit < after) {
            None => Ok(()),
            Some((name, limit, _)) => {
                let uid = caller.uid;
                let limit = if name == "CPU" { shown(limit) } else { limit.to_string() };
                let text =
                    format!("User [{uid}] : user [{uid}] limit of {limit} reached for {name} quota in VM.");
                refuse(AUTHORIZATION, text)
            }
        }
    }
}

/// Shows a number of hundredths as the server shows numbers: without zeros at the end.
pub(crate) fn shown(hundredths: i64) -> String {
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => whole.to_string(),
        (whole, part) => format!("{whole}.{part:02}").trim_end_matches('0').to_owned(),
    }
}
