//! Who may do what with what.

use vmpool_model::Timestamp;

use super::{
    clock::seconds,
    vm::Vm,
    wire::{ACTION, AUTHORIZATION, Failure, refuse},
    xml::plain,
};

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) uid: i32,
    pub(crate) gid: i32,
    pub(crate) groups: Vec<i32>,
    /// The number of the call.
    pub(crate) request: i32,
}

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Use,
    Manage,
    Admin,
}

/// The nine bits: use, manage and administer, for the owner, the group and all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Permissions(pub(crate) [bool; 9]);

impl Default for Permissions {
    fn default() -> Self {
        Self([true, true, false, false, false, false, false, false, false])
    }
}

impl Permissions {
    /// The permissions of what everybody may use.
    pub(crate) const PUBLIC: Self = Self([true, true, false, true, false, false, true, false, false]);

    pub(crate) fn write(self, out: &mut String) {
        const NAMES: [&str; 9] = [
            "OWNER_U", "OWNER_M", "OWNER_A", "GROUP_U", "GROUP_M", "GROUP_A", "OTHER_U", "OTHER_M", "OTHER_A",
        ];
        out.push_str("<PERMISSIONS>");
        for (name, is_set) in NAMES.into_iter().zip(self.0) {
            plain(out, name, u8::from(is_set));
        }
        out.push_str("</PERMISSIONS>");
    }
}

impl Caller {
    /// Returns whether the caller may do everything.
    pub(crate) fn is_admin(&self) -> bool {
        self.groups.contains(&0)
    }

    /// Returns whether the caller has a right to an object.
    pub(crate) fn has(&self, right: Right, (uid, gid): (i32, i32), permissions: Permissions) -> bool {
        let bit = right as usize;
        let bits = permissions.0;
        self.is_admin()
            || (uid == self.uid && bits[bit])
            || (self.groups.contains(&gid) && bits[3 + bit])
            || bits[6 + bit]
    }

    /// Insists that the caller has a right to a VM, and that no lock is in the way.
    pub(crate) fn check(&self, right: Right, vm: &Vm) -> Result<(), Failure> {
        self.check_right(right, vm)?;
        let level = 1 + right as i32;
        match vm.lock {
            Some(lock) if right != Right::Use && lock.level <= level => {
                refuse(AUTHORIZATION, format!("User [{}] : VM is locked. [{}].", self.uid, vm.id))
            }
            _ => Ok(()),
        }
    }

    /// Insists that the caller has a right to a VM, locked or not.
    pub(crate) fn check_right(&self, right: Right, vm: &Vm) -> Result<(), Failure> {
        match self.has(right, (vm.uid, vm.gid), vm.permissions) {
            true => Ok(()),
            false => self.not_authorized(right, "VM", vm.id),
        }
    }

    pub(crate) fn not_authorized<T>(&self, right: Right, kind: &str, id: i32) -> Result<T, Failure> {
        let right = match right {
            Right::Use => "USE",
            Right::Manage => "MANAGE",
            Right::Admin => "ADMIN",
        };
        refuse(
            AUTHORIZATION,
            format!("User [{}] : Not authorized to perform {right} {kind} [{id}].", self.uid),
        )
    }
}

/// Refuses to lock what is locked: all that the server says is when it was.
pub(crate) fn locked_already<T>(at: Timestamp) -> Result<T, Failure> {
    refuse(ACTION, seconds(at).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_group_and_others_have_what_their_bits_say() {
        let caller = |uid, gid| Caller { uid, gid, groups: vec![gid], request: 0 };
        let mut permissions = Permissions::default();
        assert!(caller(2, 1).has(Right::Manage, (2, 1), permissions));
        assert!(!caller(2, 1).has(Right::Admin, (2, 1), permissions));
        assert!(!caller(3, 1).has(Right::Use, (2, 1), permissions));
        permissions.0[3] = true;
        assert!(caller(3, 1).has(Right::Use, (2, 1), permissions));
        assert!(!caller(3, 9).has(Right::Use, (2, 1), permissions));
        assert!(caller(0, 0).has(Right::Admin, (2, 1), permissions));
    }
}
