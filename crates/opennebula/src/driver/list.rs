//! Listing all VMs of the account, also if the server chokes on one of them, and if they are more than one answer can hold.

use std::sync::atomic::{AtomicUsize, Ordering};

use vmpool_driver::{DriverError, Listing, Operation};
use vmpool_model::{
    Node,
    states::opennebula::{LcmState, VmState},
};

use super::{
    OpenNebulaDriver, node,
    windows::{self, Found, HIGHEST, WIDTH, Windows},
};
use crate::{
    api::{Filter, Range, StateFilter},
    client::CallError,
    vm::ListedVm,
};

const OPERATION: Operation = Operation::List;

/// How wide a window may become when all VMs are too many for one answer.
const WIDEST: u32 = WIDTH << 6;

/// Lists all VMs of the account that are not done.
///
/// One call does it, unless there is something about the answer:
///
/// * The server cannot send a VM that has certain characters in it, and then no listing that holds the VM either; so it is
///   looked for by halving windows of ids.
/// * The answer is larger than may be, or does not come in time: then it is asked for in windows, and from then on at once, until
///   there are fewer VMs.
pub(super) async fn list(driver: &OpenNebulaDriver) -> Result<Listing, DriverError> {
    let listing = match driver.too_many.load(Ordering::Relaxed) {
        1.. => in_windows(driver).await?,
        0 => {
            let trying = Trying { too_many: &driver.too_many, is_over: false };
            let answer = window(driver, Range::All).await;
            trying.over();
            match answer {
                Ok(vms) => Listing::complete(nodes(&vms)?),
                Err(err) if err.is_breakdown() => around(driver).await?,
                Err(err) if windows::is_too_much(&err) => match in_windows(driver).await {
                    Ok(listing) => listing,
                    // The server may be gone for good: what was wrong at first says more.
                    Err(_) => return Err(err.into_driver_error(OPERATION, "the VMs of the account")),
                },
                Err(err) => return Err(err.into_driver_error(OPERATION, "the VMs of the account")),
            }
        }
    };
    driver.held.let_go(driver, &listing.nodes);
    Ok(listing)
}

/// Remembers that an answer did not come, if whoever asked for it had no more patience.
struct Trying<'a> {
    too_many: &'a AtomicUsize,
    is_over: bool,
}

impl Trying<'_> {
    fn over(mut self) {
        self.is_over = true;
    }
}

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.too_many.store(usize::MAX, Ordering::Relaxed);
        }
    }
}

/// Lists all VMs in windows.
async fn in_windows(driver: &OpenNebulaDriver) -> Result<Listing, DriverError> {
    // The newest come first, unless somebody told the server otherwise; those that are newer than these are looked for, too.
    let newest = Range::Page { offset: 0, size: 2 };
    let newest = driver.pool().info(Filter::Mine, newest, StateFilter::NotDone).await;
    let newest = newest.map_err(|err| err.into_driver_error(OPERATION, "the newest VM of the account"))?;
    let highest = newest.iter().map(|vm| vm.id.unsigned_abs()).max().unwrap_or(0);
    let mut found = Found::default();
    let windows = Windows { lowest: 0, highest, width: WIDTH, widest: WIDEST };
    windows.list(driver, &mut found).await?;
    windows::newer(driver, highest, &mut found).await?;
    let count = found.vms.len();
    let too_many = match driver.too_many.load(Ordering::Relaxed) {
        0 | usize::MAX => count,
        // So many fewer than they were may fit into one answer.
        before if count < before - before / 4 => 0,
        before => before.min(count),
    };
    driver.too_many.store(too_many, Ordering::Relaxed);
    match found.unread.is_empty() {
        true => Ok(Listing::complete(nodes(&found.vms)?)),
        false => without(&found, &[]),
    }
}

pub(super) async fn window(driver: &OpenNebulaDriver, range: Range) -> Result<Vec<ListedVm>, CallError> {
    let pool = driver.pool();
    match driver.version.has_extended_listings() {
        true => pool.info_extended(Filter::Mine, range, StateFilter::NotDone).await,
        // The one listing there was told everything.
        false => pool.info(Filter::Mine, range, StateFilter::NotDone).await,
    }
}

fn nodes(vms: &[ListedVm]) -> Result<Vec<Node>, DriverError> {
    vms.iter().map(|vm| node::of_listed(OPERATION, vm)).collect()
}

/// Lists all VMs but those that the server cannot send, and says which these are.
///
/// The listing is partial: what a VM that cannot be read says about itself, such as its token, is not known.
async fn around(driver: &OpenNebulaDriver) -> Result<Listing, DriverError> {
    // The short listing lacks most of what the server can choke on.
    let short = driver.pool().info(Filter::Mine, Range::All, StateFilter::NotDone).await.unwrap_or_default();
    let highest = short.iter().map(|vm| vm.id.unsigned_abs()).max().unwrap_or(HIGHEST);
    let mut found = Found::default();
    Windows { lowest: 0, highest, width: highest.saturating_add(1), widest: HIGHEST }
        .list(driver, &mut found)
        .await?;
    // The listing is partial in any case.
    let _ = windows::newer(driver, highest, &mut found).await;
    if found.unread.is_empty() {
        // Whatever it was has gone in the meantime; the windows together may have missed what came and went.
        return Ok(Listing::partial(
            nodes(&found.vms)?,
            "the server broke down over a listing, and then did not",
        ));
    }
    without(&found, &short)
}

/// Makes a listing of what was found, and says which VMs the server cannot send; some are known from a short listing.
fn without(found: &Found, short: &[ListedVm]) -> Result<Listing, DriverError> {
    let mut listed = nodes(&found.vms)?;
    for id in &found.unread {
        let known = short.iter().find(|vm| vm.id.unsigned_abs() == *id);
        listed.push(match known {
            Some(vm) => node::of_listed(OPERATION, vm)?,
            // Its state is not known, so it is busy.
            None => node::node(
                OPERATION,
                i32::try_from(*id).unwrap_or(i32::MAX),
                "",
                VmState::Unrecognized(-1),
                LcmState::LcmInit,
            )?,
        });
    }
    let ids: Vec<String> = found.unread.iter().map(u32::to_string).collect();
    let why = format!(
        "OpenNebula cannot send VM {}: there is a character in its attributes that it cannot write; \
         take the attribute out, such as with: onevm update",
        ids.join(", ")
    );
    Ok(Listing::partial(listed, why))
}
