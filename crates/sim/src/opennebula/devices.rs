//! Disks, network cards and what else a VM is made of.

use std::net::Ipv4Addr;

use super::{
    cloud::Cloud,
    rights::{Caller, Right},
    template::{Attributes, Content, Parts},
    vm::Vm,
    wire::{AUTHORIZATION, Failure, INTERNAL, refuse},
};

/// The first address of the network.
const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// The attributes that are about the VM itself; all others are notes of its users.
const OF_VM: [&str; 24] = [
    "BACKUP_CONFIG",
    "CONTEXT",
    "CPU",
    "CPU_COST",
    "CPU_MODEL",
    "DISK",
    "DISK_COST",
    "EMULATOR",
    "FEATURES",
    "GRAPHICS",
    "INPUT",
    "MEMORY",
    "MEMORY_COST",
    "NIC",
    "NIC_ALIAS",
    "NIC_DEFAULT",
    "NUMA_NODE",
    "OS",
    "PCI",
    "RAW",
    "TEMPLATE_ID",
    "TOPOLOGY",
    "VCPU",
    "VMGROUP",
];

impl Cloud {
    /// Gives a new VM what its template says.
    pub(crate) fn furnish(
        &mut self,
        vm: &mut Vm,
        mut template: Attributes,
        caller: &Caller,
    ) -> Result<(), Failure> {
        check_restricted(&template, caller)?;
        let memory: i64 = template.text("MEMORY").and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        if memory <= 0 {
            return refuse(INTERNAL, "MEMORY attribute must be a positive integer value.");
        }
        let cpu: f64 = template.text("CPU").and_then(|text| text.trim().parse().ok()).unwrap_or(0.0);
        if cpu <= 0.0 || !cpu.is_finite() {
            return refuse(INTERNAL, "CPU attribute must be a positive float or integer value.");
        }
        let scheduled = template.split(|name| name == "SCHED_ACTION");
        let mut own = template.split(|name| OF_VM.contains(&name));
        vm.user_template = template;
        let (disks, nics) = (own.remove("DISK"), own.remove("NIC"));
        vm.template = own;
        vm.template.set("VMID", vm.id);
        self.give_uuid(vm);
        for disk in disks.iter().filter_map(Content::as_parts) {
            self.add_disk(vm, disk.clone(), caller)?;
        }
        // Quota comes before addresses, so that what is refused takes none.
        self.check_quota(caller, vm)?;
        self.check_networks(nics.iter().filter_map(Content::as_parts), caller)?;
        for nic in nics.iter().filter_map(Content::as_parts) {
            self.add_nic(vm, nic.clone())?;
        }
        context(vm);
        require(vm);
        if scheduled.iter().next().is_some() {
            self.schedule(vm, &scheduled)?;
        }
        Ok(())
    }

    fn give_uuid(&mut self, vm: &mut Vm) {
        let mut os = vm.template.parts("OS").next().cloned().unwrap_or_default();
        let bits = self.rng.u128(..);
        let hex = format!("{bits:032x}");
        let uuid =
            format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..]);
        os.set_default("UUID", uuid);
        vm.template.remove("OS");
        vm.template.add("OS", Content::Parts(os));
    }

    /// Adds a disk to a VM, of an image or without one; returns its id.
    pub(crate) fn add_disk(&mut self, vm: &mut Vm, mut disk: Parts, caller: &Caller) -> Result<i32, Failure> {
        let id = vm.next_device("DISK");
        let wanted = match (disk.number("IMAGE_ID"), disk.get("IMAGE")) {
            (Some(image), _) => match self.images.contains_key(&image) {
                true => Some(image),
                false => {
                    return refuse(INTERNAL, format!("DISK {id}: Image with ID: {image} does not exist"));
                }
            },
            (None, Some(name)) => match self.images.values().find(|image| image.name == name) {
                Some(image) => Some(image.id),
                None => {
                    return refuse(
                        INTERNAL,
                        format!(
                            "DISK {id}: User {} does not own an image with name: {name} . Set IMAGE_UNAME or IMAGE_UID of owner in DISK.",
                            caller.uid
                        ),
                    );
                }
            },
            (None, None) => None,
        };
        if let Some(image) = wanted.and_then(|id| self.images.get(&id)) {
            if !caller.has(Right::Use, (image.uid, image.gid), image.permissions) {
                return caller.not_authorized(Right::Use, "IMAGE", image.id);
            }
            disk.set("IMAGE", &image.name);
            disk.set("IMAGE_ID", image.id);
            disk.set_default("SIZE", image.size);
            disk.set("ORIGINAL_SIZE", image.size);
            for (name, text) in [
                ("ALLOW_ORPHANS", "NO"),
                ("CLONE", "YES"),
                ("CLONE_TARGET", "SYSTEM"),
                ("DATASTORE", "default"),
                ("DATASTORE_ID", "1"),
                ("DISK_TYPE", "FILE"),
                ("IMAGE_STATE", "2"),
                ("LN_TARGET", "NONE"),
                ("READONLY", "NO"),
                ("SAVE", "NO"),
                ("SOURCE", "dummy_path"),
            ] {
                disk.set(name, text);
            }
        }
        let letter = u8::try_from(id).unwrap_or(25).min(25);
        disk.set_default("TARGET", format!("sd{}", char::from(b'a' + letter)));
        for (name, text) in [
            ("CLUSTER_ID", "0"),
            ("DEV_PREFIX", "sd"),
            ("DISK_SNAPSHOT_TOTAL_SIZE", "0"),
            ("DRIVER", "dummy_format"),
            ("FORMAT", "dummy_format"),
            ("SIZE", "0"),
            ("TM_MAD", "dummy"),
            ("TYPE", "FILE"),
        ] {
            disk.set_default(name, text);
        }
        disk.set("DISK_ID", id);
        vm.template.add("DISK", Content::Parts(disk));
        Ok(id)
    }

    /// Insists that there is the network of every card, and that the caller may use it.
    pub(crate) fn check_networks<'a>(
        &self,
        nics: impl Iterator<Item = &'a Parts>,
        caller: &Caller,
    ) -> Result<(), Failure> {
        for nic in nics {
            match (nic.number("NETWORK_ID"), nic.get("NETWORK")) {
                (Some(0), _) | (None, Some("net") | None) => {}
                (Some(id), _) => {
                    return refuse(INTERNAL, format!("Virtual network with ID: {id} does not exist"));
                }
                (None, Some(name)) => {
                    return refuse(
                        INTERNAL,
                        format!(
                            "User {} does not own a network with name: {name} . Set NETWORK_UNAME or NETWORK_UID of owner in NIC.",
                            caller.uid
                        ),
                    );
                }
            }
            if self.config.is_private && !caller.is_admin() {
                return caller.not_authorized(Right::Use, "NET", 0);
            }
        }
        Ok(())
    }

    /// Adds a network card to a VM, with an address of the network; returns its id.
    pub(crate) fn add_nic(&mut self, vm: &mut Vm, mut nic: Parts) -> Result<i32, Failure> {
        let id = vm.next_device("NIC");
        let Some(offset) = self.lease() else {
            return refuse(INTERNAL, "Cannot get IP/MAC lease from virtual network 0.");
        };
        let address = address(offset);
        let octets = address.octets();
        nic.set("IP", address);
        nic.set_default(
            "MAC",
            format!("02:00:{:02x}:{:02x}:{:02x}:{:02x}", octets[0], octets[1], octets[2], octets[3]),
        );
        for (name, text) in [
            ("AR_ID", "0"),
            ("BRIDGE", "br0"),
            ("BRIDGE_TYPE", "linux"),
            ("CLUSTER_ID", "0"),
            ("DNS", "10.0.0.1"),
            ("GATEWAY", "10.0.0.1"),
            ("NETWORK", "net"),
            ("NETWORK_ID", "0"),
            ("SECURITY_GROUPS", "0"),
            ("VN_MAD", "dummy"),
        ] {
            nic.set(name, text);
        }
        nic.set_default("NAME", format!("NIC{id}"));
        nic.set("NIC_ID", id);
        nic.set("TARGET", format!("one-{}-{id}", vm.id));
        vm.template.add("NIC", Content::Parts(nic));
        Ok(id)
    }

    /// Gives the address of a card back.
    pub(crate) fn free_address(&mut self, vm: &Vm, nic: i32) {
        let ip = vm.nic(nic).and_then(|nic| nic.get("IP")).and_then(|ip| ip.parse::<Ipv4Addr>().ok());
        if let Some(offset) = ip.and_then(|ip| ip.to_bits().checked_sub(FIRST_ADDRESS.to_bits())) {
            self.leases.remove(&offset);
        }
    }

    /// Takes out the device that is being detached.
    pub(crate) fn take_out(&mut self, vm: &mut Vm) {
        let Some((name, id)) = vm.leaving.take() else { return };
        if name == "NIC" {
            self.free_address(vm, id);
        }
        let key = format!("{name}_ID");
        vm.template.retain(|other, content| {
            other != name || content.as_parts().and_then(|parts| parts.number(&key)) != Some(id)
        });
    }
}

/// Returns the address that is so far from the first one.
fn address(offset: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST_ADDRESS.to_bits().saturating_add(offset))
}

/// Insists that a plain user sets nothing that only administrators may.
fn check_restricted(template: &Attributes, caller: &Caller) -> Result<(), Failure> {
    let is_restricted = template.parts("NIC").any(|nic| nic.get("MAC").is_some());
    match is_restricted && !caller.is_admin() {
        false => Ok(()),
        true => {
            let text = format!("User [{}] : VM Template includes a restricted attribute MAC.", caller.uid);
            refuse(AUTHORIZATION, text)
        }
    }
}

/// Notes what the scheduler must heed, and which traffic goes through.
fn require(vm: &mut Vm) {
    const ANY_HOST: &str = "!(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)";
    const STORES: &str = "(\"CLUSTERS/ID\" @> 0)";
    let has_nic = vm.template.parts("NIC").next().is_some();
    if !has_nic && vm.template.parts("DISK").next().is_none() {
        vm.template.set("AUTOMATIC_REQUIREMENTS", ANY_HOST);
        return;
    }
    vm.template.set("AUTOMATIC_REQUIREMENTS", format!("(CLUSTER_ID = 0) & {ANY_HOST}"));
    vm.template.set("AUTOMATIC_DS_REQUIREMENTS", STORES);
    vm.template.set("AUTOMATIC_NIC_REQUIREMENTS", STORES);
    for direction in ["OUTBOUND", "INBOUND"].into_iter().filter(|_| has_nic) {
        let parts = [
            ("PROTOCOL", "ALL"),
            ("RULE_TYPE", direction),
            ("SECURITY_GROUP_ID", "0"),
            ("SECURITY_GROUP_NAME", "default"),
        ];
        let rule = parts.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        vm.template.add("SECURITY_GROUP_RULE", Content::Parts(rule));
    }
}

/// Completes what the VM tells its guest.
pub(crate) fn context(vm: &mut Vm) {
    let Some(mut context) = vm.template.parts("CONTEXT").next().cloned() else { return };
    if context.get("DISK_ID").is_none() {
        context.set("DISK_ID", vm.next_device("DISK"));
        context.set("TARGET", "hda");
    }
    if context.get("NETWORK").is_some_and(|answer| answer.eq_ignore_ascii_case("yes")) {
        for nic in vm.template.parts("NIC") {
            let id = nic.get("NIC_ID").unwrap_or("0");
            for name in ["IP", "MAC", "GATEWAY", "DNS"] {
                context.set(&format!("ETH{id}_{name}"), nic.get(name).unwrap_or_default());
            }
        }
    }
    vm.template.remove("CONTEXT");
    vm.template.add("CONTEXT", Content::Parts(context));
}
