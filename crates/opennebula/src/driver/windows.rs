//! Listing in windows of ids, where one answer cannot hold all VMs.

use vmpool_driver::{DriverError, Operation};

use super::{OpenNebulaDriver, list::window};
use crate::{api::Range, client::CallError, vm::ListedVm};

/// The highest id that a VM can have.
pub(super) const HIGHEST: u32 = i32::MAX.unsigned_abs();

/// How many ids the first window has if one answer is too large for all VMs.
pub(super) const WIDTH: u32 = 1 << 10;

/// How many VMs a window may have at most for the next one to be twice as wide; ids grow for ever, so most of them are gone.
const FEW: usize = 256;

/// How often in a row an answer may not come in time before the listing is given up: each time has taken a while.
const PATIENCE: u32 = 3;

/// What was found in windows.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) vms: Vec<ListedVm>,
    /// The ids of the VMs that the server cannot send.
    pub(super) unread: Vec<u32>,
}

/// Windows of ids, the highest first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows {
    pub(super) lowest: u32,
    pub(super) highest: u32,
    /// How many ids the first one has.
    pub(super) width: u32,
    /// How many ids one may have.
    pub(super) widest: u32,
}

impl Windows {
    /// Lists the VMs whose ids are in the windows; those with higher ids are not looked for.
    ///
    /// Windows of ids stay the same while VMs come and go, so each VM that is there from the first answer to the last one is in
    /// one of them. A window whose answer is too large, takes too long, or cannot be sent, is asked for in smaller ones.
    pub(super) async fn list(self, driver: &OpenNebulaDriver, found: &mut Found) -> Result<(), DriverError> {
        let Self { lowest, highest, mut width, widest } = self;
        let mut end = Some(highest);
        let mut late = 0;
        while let Some(last) = end.filter(|last| lowest <= *last) {
            let first = last.saturating_sub(width - 1).max(lowest);
            match window(driver, Range::Ids(first, last)).await {
                Ok(vms) => {
                    if vms.len() < FEW {
                        width = width.saturating_mul(2).min(widest);
                    }
                    found.vms.extend(vms);
                    (end, late) = (first.checked_sub(1), 0);
                }
                Err(err) if err.is_breakdown() && first == last => {
                    found.unread.push(first);
                    end = first.checked_sub(1);
                }
                Err(err) if first < last && is_too_much(&err) && late < PATIENCE => {
                    late += u32::from(err.is_timeout());
                    width = (last - first).div_ceil(2);
                }
                Err(err) => {
                    return Err(err.into_driver_error(Operation::List, format!("the VMs {first} to {last}")));
                }
            }
        }
        Ok(())
    }
}

/// Returns whether a smaller window may help.
pub(super) fn is_too_much(err: &CallError) -> bool {
    err.is_breakdown() || err.is_too_large() || err.is_timeout()
}

/// Lists the VMs that are newer than those of the windows.
pub(super) async fn newer(
    driver: &OpenNebulaDriver,
    than: u32,
    found: &mut Found,
) -> Result<(), DriverError> {
    if HIGHEST <= than {
        return Ok(());
    }
    match window(driver, Range::From(than + 1)).await {
        Ok(vms) => {
            found.vms.extend(vms);
            Ok(())
        }
        Err(err) if is_too_much(&err) => {
            let rest = Windows { lowest: than + 1, highest: HIGHEST, width: HIGHEST, widest: HIGHEST };
            rest.list(driver, found).await
        }
        Err(err) => Err(err.into_driver_error(Operation::List, format!("the VMs from {} on", than + 1))),
    }
}
