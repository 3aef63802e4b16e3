//! Reading a listing into small records.

use std::str::FromStr;

use vmpool_model::states::opennebula::{LcmState, VmState};

use super::{
    Attributes, ListedVm,
    addresses::{IN_MONITORING, IN_NIC},
};
use crate::{document::Sink, rpc::Problem};

/// Makes [`ListedVm`]s of a `VM_POOL`, or of one `VM`.
#[derive(Debug, Default)]
pub struct ListingSink {
    vms: Vec<ListedVm>,
    vm: ListedVm,
    place: Place,
    /// What the guest reported, which counts after the network cards wherever it comes.
    reported: String,
    /// The user template; gathered here, so that each VM gets as much room as it needs.
    attributes: Attributes,
    /// An address for a VM that has none else.
    spare: String,
    in_pool: bool,
}

/// The element that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Outside,
    Pool,
    Vm,
    Template,
    Nic,
    Context,
    User,
    Monitoring,
    Histories,
    History,
}

impl ListingSink {
    fn end_vm(&mut self) {
        let mut vm = std::mem::take(&mut self.vm);
        vm.user_template = self.attributes.take();
        vm.addresses.add(&self.reported);
        if vm.addresses.all().is_empty() {
            vm.addresses.add(&self.spare);
        }
        self.reported.clear();
        self.spare.clear();
        self.vms.push(vm);
    }
}

impl Sink for ListingSink {
    type Output = Vec<ListedVm>;

    #[inline]
    fn enter(&mut self, name: &[u8]) -> bool {
        let place = match (self.place, name) {
            (Place::Outside, b"VM_POOL") => Place::Pool,
            (Place::Outside | Place::Pool, b"VM") => Place::Vm,
            (Place::Vm, b"TEMPLATE") => Place::Template,
            (Place::Vm, b"USER_TEMPLATE") => Place::User,
            (Place::Vm, b"MONITORING") => Place::Monitoring,
            (Place::Vm, b"HISTORY_RECORDS") => Place::Histories,
            (Place::Template, b"NIC" | b"NIC_ALIAS") => Place::Nic,
            (Place::Template, b"CONTEXT") => Place::Context,
            (Place::Histories, b"HISTORY") => Place::History,
            _ => return false,
        };
        self.in_pool |= place == Place::Pool;
        self.place = place;
        true
    }

    #[inline]
    fn leave(&mut self) {
        self.place = match self.place {
            Place::Outside | Place::Pool => Place::Outside,
            Place::Vm => {
                self.end_vm();
                if self.in_pool { Place::Pool } else { Place::Outside }
            }
            Place::Nic | Place::Context => Place::Template,
            Place::History => Place::Histories,
            Place::Template | Place::User | Place::Monitoring | Place::Histories => Place::Vm,
        };
    }

    #[inline]
    fn wants(&self, name: &[u8]) -> bool {
        match self.place {
            Place::Vm => matches!(
                name,
                b"ID" | b"UID" | b"GID" | b"NAME" | b"STATE" | b"LCM_STATE" | b"STIME" | b"ETIME"
            ),
            Place::Template => name == b"TEMPLATE_ID",
            Place::Nic => IN_NIC.iter().any(|wanted| wanted.as_bytes() == name),
            Place::Context => name == b"ETH0_IP",
            Place::Monitoring => IN_MONITORING.iter().any(|wanted| wanted.as_bytes() == name),
            Place::History => matches!(name, b"HID" | b"HOSTNAME"),
            Place::User => true,
            Place::Outside => name != b"VM_POOL",
            Place::Pool | Place::Histories => false,
        }
    }

    #[inline]
    fn leaf(&mut self, name: &[u8], text: &str) -> Result<(), Problem> {
        let vm = &mut self.vm;
        match (self.place, name) {
            (Place::Vm, b"ID") => vm.id = number(text)?,
            (Place::Vm, b"UID") => vm.uid = number(text)?,
            (Place::Vm, b"GID") => vm.gid = number(text)?,
            (Place::Vm, b"NAME") => text.clone_into(&mut vm.name),
            (Place::Vm, b"STATE") => vm.state = VmState::from_number(number(text)?),
            (Place::Vm, b"LCM_STATE") => vm.lcm_state = LcmState::from_number(number(text)?),
            (Place::Vm, b"STIME") => vm.stime = number(text)?,
            (Place::Vm, b"ETIME") => vm.etime = number(text)?,
            (Place::Template, _) => vm.template_id = text.parse().ok(),
            (Place::Nic, _) => vm.addresses.add(text),
            (Place::Monitoring, _) => {
                self.reported.push_str(text);
                self.reported.push(',');
            }
            (Place::Context, _) => text.clone_into(&mut self.spare),
            (Place::History, b"HID") => vm.host_id = text.parse().ok(),
            (Place::History, _) => text.clone_into(&mut vm.host),
            (Place::User, _) => match std::str::from_utf8(name) {
                Ok(name) => self.attributes.push(name, text),
                Err(_) => self.attributes.push(&String::from_utf8_lossy(name), text),
            },
            _ => {
                let found = String::from_utf8_lossy(name).into_owned();
                return Err(Problem::Unexpected { expected: "VM_POOL or VM", found });
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<ListedVm>, Problem> {
        match self.vms.iter().any(|vm| vm.id < 0) {
            true => {
                Err(Problem::Unexpected { expected: "an ID in every VM", found: "a VM without one".into() })
            }
            false => Ok(self.vms),
        }
    }
}

/// Reads a number that every VM has; without it nothing can be said about the VM, so it is not passed over.
#[inline]
fn number<T: FromStr>(text: &str) -> Result<T, Problem> {
    match text.parse().or_else(|_| text.trim().parse()) {
        Ok(number) => Ok(number),
        Err(_) => Err(Problem::Number { kind: "number", text: text.chars().take(60).collect() }),
    }
}
