//! All that there is in the simulated cloud.

use std::collections::{BTreeMap, BTreeSet};

use vmpool_dummy::Clock;
use vmpool_model::Timestamp;

use super::{
    SimConfig,
    rights::Permissions,
    template::Attributes,
    users::User,
    vm::Vm,
    wire::{Failure, no_such},
};
use crate::hypervisor::Hypervisor;

/// How many addresses the network has.
const ADDRESSES: u32 = 60_000;

/// All that there is in the simulated cloud.
pub(crate) struct Cloud {
    pub(crate) config: SimConfig,
    pub(crate) clock: Clock,
    pub(crate) hypervisor: Hypervisor,
    pub(crate) rng: fastrand::Rng,
    pub(crate) users: BTreeMap<i32, User>,
    pub(crate) groups: BTreeMap<i32, String>,
    pub(crate) hosts: BTreeMap<i32, Host>,
    pub(crate) images: BTreeMap<i32, Image>,
    pub(crate) templates: BTreeMap<i32, VmTemplate>,
    pub(crate) vms: BTreeMap<i32, Vm>,
    /// The addresses of the network that are taken, by how far they are from its first one.
    pub(crate) leases: BTreeSet<u32>,
    pub(crate) next_scheduled: i32,
    /// The names of the datastores for backups, which come after those that a new server has.
    pub(crate) stores: Vec<String>,
    /// How many security groups there are beside the one that a new server has.
    pub(crate) security_groups: i32,
    pub(crate) requests: i32,
}

/// A host.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) id: i32,
    pub(crate) name: String,
    /// 2 for a host that is monitored, 4 for one that is disabled, 8 for one that is offline.
    pub(crate) state: i32,
    /// In hundredths of a processor.
    pub(crate) cpu: u64,
    pub(crate) used_cpu: u64,
    /// In megabytes.
    pub(crate) memory: u64,
    pub(crate) used_memory: u64,
    pub(crate) vms: BTreeSet<i32>,
}

/// An image.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) id: i32,
    pub(crate) uid: i32,
    pub(crate) gid: i32,
    pub(crate) name: String,
    pub(crate) permissions: Permissions,
    pub(crate) made_at: Timestamp,
    /// The number of its type: 0 for one to boot from.
    pub(crate) kind: i32,
    /// In megabytes.
    pub(crate) size: u64,
    pub(crate) template: Attributes,
}

/// A template of VMs.
#[derive(Debug)]
pub(crate) struct VmTemplate {
    pub(crate) id: i32,
    pub(crate) uid: i32,
    pub(crate) gid: i32,
    pub(crate) name: String,
    pub(crate) permissions: Permissions,
    pub(crate) made_at: Timestamp,
    pub(crate) template: Attributes,
}

impl Cloud {
    pub(crate) fn new(config: SimConfig, clock: Clock, hypervisor: Hypervisor) -> Self {
        let now = clock();
        let mut cloud = Self {
            rng: fastrand::Rng::with_seed(config.seed),
            hypervisor,
            users: BTreeMap::new(),
            groups: [(0, "oneadmin".to_owned()), (1, "users".to_owned())].into(),
            hosts: BTreeMap::new(),
            images: BTreeMap::new(),
            templates: BTreeMap::new(),
            vms: BTreeMap::new(),
            leases: BTreeSet::new(),
            next_scheduled: 0,
            stores: Vec::new(),
            security_groups: 0,
            requests: 0,
            clock,
            config,
        };
        cloud.begin(now);
        cloud
    }

    fn begin(&mut self, now: Timestamp) {
        let permissions = if self.config.is_private { Permissions::default() } else { Permissions::PUBLIC };
        self.add_user("oneadmin", "opennebula", &[0]);
        // A new server has this user, too; nobody knows its password.
        let unknown: String = (0..32).map(|_| self.rng.alphanumeric()).collect();
        self.add_user("serveradmin", &unknown, &[0]);
        for user in self.config.users.clone() {
            self.add_user(&user.name, &user.password, &[1]);
        }
        for id in 0..self.config.hosts {
            let host = Host {
                id,
                name: format!("dummy{}", id + 1),
                state: 2,
                cpu: u64::from(self.config.host_cpus) * 100,
                used_cpu: 0,
                memory: self.config.host_memory,
                used_memory: 0,
                vms: BTreeSet::new(),
            };
            self.hosts.insert(id, host);
        }
        let mut template = Attributes::default();
        template.set("DEV_PREFIX", "sd");
        let image = Image {
            id: 0,
            uid: 0,
            gid: 0,
            name: "disk0".to_owned(),
            permissions,
            made_at: now,
            kind: 0,
            size: 1024,
            template,
        };
        self.images.insert(0, image);
        for (id, name, cpu, memory) in [(0, "small", "0.1", 64), (1, "large", "1", 1024)] {
            let text = format!(
                "CPU={cpu}\nMEMORY={memory}\nDISK=[IMAGE_ID=0]\nNIC=[NETWORK_ID=0]\nCONTEXT=[NETWORK=YES]"
            );
            let template = Attributes::parse(&text).unwrap_or_default();
            let name = name.to_owned();
            let template = VmTemplate { id, uid: 0, gid: 0, name, permissions, made_at: now, template };
            self.templates.insert(id, template);
        }
    }

    /// Adds a user, and returns its id.
    pub(crate) fn add_user(&mut self, name: &str, password: &str, groups: &[i32]) -> i32 {
        let id = next_id(&self.users);
        let user = User {
            id,
            gid: groups.first().copied().unwrap_or(1),
            groups: groups.to_vec(),
            name: name.to_owned(),
            password: password.to_owned(),
            tokens: Vec::new(),
            quota: None,
        };
        self.users.insert(id, user);
        id
    }

    pub(crate) fn vm(&self, id: i32) -> Result<&Vm, Failure> {
        match self.vms.get(&id) {
            Some(vm) => Ok(vm),
            None => no_such("virtual machine", id),
        }
    }

    /// Changes a VM together with what is around it.
    pub(crate) fn with_vm<T>(
        &mut self,
        id: i32,
        change: impl FnOnce(&mut Self, &mut Vm) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(mut vm) = self.vms.remove(&id) else { return no_such("virtual machine", id) };
        let result = change(self, &mut vm);
        self.vms.insert(id, vm);
        result
    }

    /// Returns the VMs that use an image.
    pub(crate) fn users_of_image(&self, id: i32) -> Vec<i32> {
        let uses = |vm: &&Vm| {
            !vm.is_done() && vm.template.parts("DISK").any(|disk| disk.number("IMAGE_ID") == Some(id))
        };
        self.vms.values().filter(uses).map(|vm| vm.id).collect()
    }

    /// Takes an address of the network, and returns how far it is from the first one.
    pub(crate) fn lease(&mut self) -> Option<u32> {
        let free = (0..ADDRESSES).find(|offset| !self.leases.contains(offset))?;
        self.leases.insert(free);
        Some(free)
    }

    /// Lets a host keep room for a VM, in place of the host that did.
    pub(crate) fn place_on(&mut self, vm: &mut Vm, host: Option<i32>) {
        let (cpu, memory) = (vm.cpu(), vm.memory());
        if let Some(host) = vm.host.and_then(|id| self.hosts.get_mut(&id)) {
            host.vms.remove(&vm.id);
            host.used_cpu = host.used_cpu.saturating_sub(cpu);
            host.used_memory = host.used_memory.saturating_sub(memory);
        }
        vm.host = host;
        if let Some(host) = host.and_then(|id| self.hosts.get_mut(&id)) {
            host.vms.insert(vm.id);
            host.used_cpu = host.used_cpu.saturating_add(cpu);
            host.used_memory = host.used_memory.saturating_add(memory);
        }
    }
}

impl Host {
    /// Returns whether the host has room for a VM.
    pub(crate) fn has_room(&self, vm: &Vm) -> bool {
        self.used_cpu.saturating_add(vm.cpu()) <= self.cpu
            && self.used_memory.saturating_add(vm.memory()) <= self.memory
    }
}

/// Returns the id after the last one.
pub(crate) fn next_id<T>(things: &BTreeMap<i32, T>) -> i32 {
    things.last_key_value().map_or(0, |(id, _)| id + 1)
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud")
            .field("config", &self.config)
            .field("vms", &self.vms.len())
            .finish_non_exhaustive()
    }
}
