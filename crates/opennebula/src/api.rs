//! The methods of the server, typed.
//!
//! [`VirtualMachine`] does what can be done with one VM, [`VirtualMachinePool`] tells of many; the little that concerns other
//! things is in [`cloud`]. What a newer server has besides can be called with [`Client::call`](crate::client::Client::call):
//! `one.vm.vmgroupadd` and `one.vm.vmgroupdel` of 7.4 are not among the methods here, because what arguments they take is
//! documented for the command line alone.

mod action;
pub mod cloud;
mod machine;
mod pool;

pub use self::{
    action::{Action, LockLevel, RecoverOperation, UpdateMode},
    machine::{DeployOptions, MigrateKind, MigrateOptions, SaveDiskOptions, VirtualMachine},
    pool::{Filter, Range, StateFilter, VirtualMachinePool},
};
