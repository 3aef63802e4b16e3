//! One VM with everything that is known about it.

use vmpool_model::states::opennebula::{LcmState, VmState, short_status};

use super::{
    Addresses, Disk, HistoryRecord, Nic,
    addresses::{IN_MONITORING, IN_NIC},
};
use crate::document::Element;

/// One VM with everything that is known about it.
///
/// ```
/// use vmpool_opennebula::{document::Element, vm::Vm};
/// let document = Element::parse("<VM><ID>0</ID><NAME>web</NAME><STATE>3</STATE><LCM_STATE>2</LCM_STATE></VM>")?;
/// let vm = Vm::read(document).unwrap();
/// assert_eq!((vm.id, vm.str_state(), vm.short_lcm_state(), vm.status()), (0, "ACTIVE", "boot", "boot"));
/// # Ok::<(), vmpool_opennebula::rpc::CodecError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vm {
    /// The id.
    pub id: i32,
    /// The user that owns it.
    pub uid: i32,
    /// The group that owns it.
    pub gid: i32,
    /// The name of that user.
    pub uname: String,
    /// The name of that group.
    pub gname: String,
    /// The name; it need not be unique.
    pub name: String,
    /// The state.
    pub state: VmState,
    /// The state of its life cycle, which tells more if it is active.
    pub lcm_state: LcmState,
    /// When it was made, in seconds since the epoch.
    pub stime: i64,
    /// When it ended, in seconds since the epoch; 0 if it has not.
    pub etime: i64,
    /// The name that its hypervisor gives it; empty before it was deployed.
    pub deploy_id: String,
    /// The disks.
    pub disks: Vec<Disk>,
    /// The network cards, then their aliases.
    pub nics: Vec<Nic>,
    /// Its stays on hosts, in their order.
    pub history: Vec<HistoryRecord>,
    /// What the server will do with it by itself.
    pub scheduled: Vec<ScheduledAction>,
    /// Who may do what with it, if the call tells.
    pub permissions: Option<Permissions>,
    /// Everything that is known about it.
    pub document: Element,
}

/// What the server will do with a VM by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScheduledAction {
    /// The id, which is unique on the whole server.
    pub id: i32,
    /// The action, such as `terminate-hard`.
    pub action: String,
    /// When, as it was given: seconds since the epoch, or `+` and seconds after the VM was made.
    pub time: String,
    /// Why the last try failed, if one did.
    pub message: String,
    /// When it was done, in seconds since the epoch; negative or 0 if it was not.
    pub done: i64,
}

/// Who may use, manage and administer a VM: the digits of a mode such as `600`, one per owner, group and others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions {
    /// The bits of the owner: 4 use, 2 manage, 1 administer.
    pub owner: u8,
    /// The bits of the group.
    pub group: u8,
    /// The bits of everybody else.
    pub other: u8,
}

impl Vm {
    /// Reads a `VM` document; nothing if it has no id or no state, and then it is none.
    #[must_use]
    pub fn read(document: Element) -> Option<Self> {
        let text = |path: &str| document.text_of(path).to_owned();
        let number = |path: &str| document.number(path).unwrap_or(-1);
        let template = document.child("TEMPLATE");
        let all = |name: &'static str| template.into_iter().flat_map(move |template| template.all(name));
        let history = document.child("HISTORY_RECORDS");
        Some(Self {
            id: document.number("ID")?,
            uid: number("UID"),
            gid: number("GID"),
            uname: text("UNAME"),
            gname: text("GNAME"),
            name: text("NAME"),
            state: VmState::from_number(document.number("STATE")?),
            lcm_state: LcmState::from_number(document.number("LCM_STATE")?),
            stime: document.number("STIME").unwrap_or(0),
            etime: document.number("ETIME").unwrap_or(0),
            deploy_id: text("DEPLOY_ID"),
            disks: all("DISK").filter_map(Disk::read).collect(),
            nics: all("NIC").chain(all("NIC_ALIAS")).filter_map(Nic::read).collect(),
            history: history
                .iter()
                .flat_map(|records| records.all("HISTORY"))
                .map(HistoryRecord::read)
                .collect(),
            scheduled: all("SCHED_ACTION").filter_map(ScheduledAction::read).collect(),
            permissions: document.child("PERMISSIONS").map(Permissions::read),
            document,
        })
    }

    /// Returns the name of the state, such as `ACTIVE`.
    #[must_use]
    pub fn str_state(&self) -> &'static str {
        self.state.str_state()
    }

    /// Returns the four letters of the state, such as `actv`.
    #[must_use]
    pub fn short_state(&self) -> &'static str {
        self.state.short_state()
    }

    /// Returns the name of the state of its life cycle, such as `BOOT`.
    #[must_use]
    pub fn str_lcm_state(&self) -> &'static str {
        self.lcm_state.str_lcm_state()
    }

    /// Returns the four letters of the state of its life cycle, such as `boot`.
    #[must_use]
    pub fn short_lcm_state(&self) -> &'static str {
        self.lcm_state.short_lcm_state()
    }

    /// Returns the four letters that OpenNebula shows to its users.
    #[must_use]
    pub fn status(&self) -> &'static str {
        short_status(self.state, self.lcm_state)
    }

    /// Returns the first attribute at a path of the user template, if it is there.
    #[must_use]
    pub fn user_attribute(&self, path: &str) -> Option<&str> {
        self.document.child("USER_TEMPLATE")?.find(path).map(|element| element.text.as_str())
    }

    /// Returns the template that it was made from; nothing if it was made of a text.
    #[must_use]
    pub fn template_id(&self) -> Option<i32> {
        self.document.number("TEMPLATE/TEMPLATE_ID")
    }

    /// Returns its addresses, from every place that may have one.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        let mut addresses = Addresses::default();
        for nic in &self.nics {
            IN_NIC.iter().for_each(|place| addresses.add(nic.element.text_of(place)));
        }
        if let Some(monitoring) = self.document.child("MONITORING") {
            IN_MONITORING.iter().for_each(|place| addresses.add(monitoring.text_of(place)));
        }
        if addresses.all().is_empty() {
            addresses.add(self.document.text_of("TEMPLATE/CONTEXT/ETH0_IP"));
        }
        addresses
    }
}

impl ScheduledAction {
    fn read(element: &Element) -> Option<Self> {
        Some(Self {
            id: element.number("ID")?,
            action: element.text_of("ACTION").to_owned(),
            time: element.text_of("TIME").to_owned(),
            message: element.text_of("MESSAGE").to_owned(),
            done: element.number("DONE").unwrap_or(-1),
        })
    }
}

impl Permissions {
    fn read(element: &Element) -> Self {
        let digit = |who: &str| {
            let bit = |right: &str| u8::from(element.text_of(&format!("{who}_{right}")) == "1");
            bit("U") * 4 + bit("M") * 2 + bit("A")
        };
        Self { owner: digit("OWNER"), group: digit("GROUP"), other: digit("OTHER") }
    }

    /// Returns the nine bits in the order in which the server takes them: use, manage, administer for each.
    #[must_use]
    pub fn bits(self) -> [bool; 9] {
        let bit = |digit: u8, mask: u8| digit & mask != 0;
        let all = [self.owner, self.group, self.other];
        std::array::from_fn(|number| bit(all[number / 3], 4 >> (number % 3)))
    }
}
