//! What OpenNebula tells about VMs.
//!
//! [`ListedVm`] is one of thousands in a listing and keeps what pools need; [`Vm`] is one VM with everything that is known
//! about it.

mod addresses;
mod attributes;
mod device;
mod full;
mod history;
mod listed;
mod listing;

pub use self::{
    addresses::Addresses,
    attributes::Attributes,
    device::{Disk, Nic},
    full::{Permissions, ScheduledAction, Vm},
    history::HistoryRecord,
    listed::ListedVm,
    listing::ListingSink,
};
