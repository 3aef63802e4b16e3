//! What a refusal means.

use crate::document::Refusal;

/// What a refusal means.
///
/// OpenNebula gives the same thing different numbers in different methods, and one number to different things; so the method,
/// the number and, where nothing else tells, the text decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The user is unknown, or the password is wrong.
    Authentication,
    /// The user may not do this.
    Permission,
    /// The object is locked.
    Locked,
    /// A quota of the user or the group is used up.
    Quota,
    /// The template has an attribute that only administrators may set.
    Restricted,
    /// There is no such VM.
    NoSuchVm,
    /// Something else that the call names is not there, such as a host or an image.
    NoSuchObject,
    /// The VM is in a state that forbids it.
    WrongState,
    /// There is no room for it: on a host, in a datastore, or in the addresses of a network.
    Capacity,
    /// The template, a name or a parameter cannot be used.
    Invalid,
    /// The name is taken.
    NameTaken,
    /// The server, or its database, cannot do this.
    Unsupported,
    /// The server is a member of a cluster that has no leader at present.
    NoLeader,
    /// Anything else.
    Other,
}

impl RefusalKind {
    /// Says what a refusal of a method means.
    #[must_use]
    pub fn of(method: &str, refusal: &Refusal) -> Self {
        let text = refusal.text.as_str();
        let has = |part: &str| text.contains(part);
        let any = |parts: &[&str]| parts.iter().any(|part| has(part));
        match refusal.code {
            0x100 => Self::Authentication,
            0x200 if has("is locked") => Self::Locked,
            0x200 if has("quota") => Self::Quota,
            0x200 if has("restricted attribute") => Self::Restricted,
            0x200 => Self::Permission,
            0x400 if is_vm(method, refusal) => Self::NoSuchVm,
            0x400 => Self::NoSuchObject,
            0x1000 => Self::Invalid,
            0x4000 if has("already taken") => Self::NameTaken,
            0x8000 => Self::Locked,
            0x1_0000 => Self::NoLeader,
            0x2000 if any(&["no leader found", "election", "replicating log"]) => Self::NoLeader,
            0x800 | 0x2000 if has("not supported") => Self::Unsupported,
            0x800 | 0x2000 if is_state(text) => Self::WrongState,
            0x800 | 0x2000 if any(&CAPACITY) => Self::Capacity,
            0x2000 if has("already taken") => Self::NameTaken,
            0x800 | 0x2000 if any(&INVALID) => Self::Invalid,
            // The holder of the lock is told by a number alone.
            0x800 if method == "one.vm.lock" && ends_in_number(text) => Self::Locked,
            0x2000 if matches!(method, "one.vm.allocate" | "one.template.instantiate") => Self::Invalid,
            // Servers of long ago send no number.
            0 if has("authenticated") => Self::Authentication,
            0 if has("Not authorized") => Self::Permission,
            _ => Self::Other,
        }
    }
}

/// What texts say when there is no room: on the host, in the datastore, in the address range, or for another console.
const CAPACITY: [&str; 6] = [
    "not fit",
    "enough capacity",
    "enough space",
    "Not enough",
    "Cannot get IP/MAC lease",
    "No free VNC ports",
];

/// What texts say about a template, a name or a parameter that cannot be used.
const INVALID: [&str; 9] = [
    "Parse error",
    "Invalid ",
    "Wrong ",
    "does not exist",
    "must be a",
    "Error transforming",
    "max length",
    "cannot be empty",
    "does not have context",
];

/// Returns whether the object that is missing is the VM, and not a host or a template that the call names, too.
fn is_vm(method: &str, refusal: &Refusal) -> bool {
    if refusal.text.contains("virtual machine [") {
        return true;
    }
    let names_only_a_vm = matches!(
        method,
        "one.vm.info"
            | "one.vm.action"
            | "one.vm.recover"
            | "one.vm.update"
            | "one.vm.rename"
            | "one.vm.monitoring"
    );
    names_only_a_vm && refusal.object.is_some()
}

fn is_state(text: &str) -> bool {
    const STATES: [&str; 7] = [
        "not available for state",
        "wrong state",
        " in state ",
        " in DONE state",
        "VM has to be ",
        "already running on host",
        "not running in any host",
    ];
    STATES.iter().any(|part| text.contains(part))
}

fn ends_in_number(text: &str) -> bool {
    text.rsplit(' ')
        .next()
        .is_some_and(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
}
