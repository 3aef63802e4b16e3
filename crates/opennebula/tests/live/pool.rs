//! Listings, monitoring and accounting.

use vmpool_model::states::opennebula::VmState;
use vmpool_opennebula::{
    api::{Filter, Range, StateFilter, VirtualMachine, VirtualMachinePool},
    client::{RefusalKind, Version},
    vm::ListedVm,
};

use crate::{
    Failure,
    account::{Live, live},
    wait::{runs, until},
};

/// Makes three VMs on hold, and returns their numbers, the highest first.
async fn three(live: &Live) -> Result<Vec<i32>, Failure> {
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(live.held(&format!("listed-{number}"), "ROLE=\"listed\"").await?.id());
    }
    ids.reverse();
    Ok(ids)
}

/// Returns the numbers of those VMs of a listing that this test made, in its order.
fn own(live: &Live, vms: &[ListedVm]) -> Vec<i32> {
    vms.iter().filter(|vm| vm.name.starts_with(&live.prefix)).map(|vm| vm.id).collect()
}

#[tokio::test]
async fn every_filter_range_and_state_tells_of_the_vms_that_it_should() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let ids = three(&live).await?;
    let pool = VirtualMachinePool::new(&live.client);
    let number = |id: i32| id.unsigned_abs();
    let (first, last) = (number(ids[2]), number(ids[0]));
    let hold = StateFilter::Is(VmState::Hold);
    for filter in [
        Filter::Mine,
        Filter::All,
        Filter::MineAndGroups,
        Filter::PrimaryGroup,
        Filter::User(number(live.uid)),
    ] {
        let found = pool.info(filter, Range::All, StateFilter::NotDone).await?;
        assert_eq!(own(&live, &found), ids, "{filter:?}");
    }
    let cases = [
        (Range::From(first), hold, ids.clone()),
        (Range::Ids(first, last), StateFilter::Any, ids.clone()),
        (Range::Ids(first, first), hold, vec![ids[2]]),
        (Range::All, StateFilter::Is(VmState::Suspended), vec![]),
        (Range::Ids(last, first), hold, vec![]),
    ];
    for (range, state, expected) in cases {
        let found = pool.info_extended(Filter::Mine, range, state).await?;
        assert_eq!(own(&live, &found), expected, "{range:?} {state:?}");
        assert!(found.iter().all(|vm| !ids.contains(&vm.id) || vm.user_attribute("ROLE") == Some("listed")));
    }
    let page = pool.info(Filter::All, Range::Page { offset: 0, size: 2 }, StateFilter::Any).await?;
    assert!(page.len() <= 2 && page.is_sorted_by(|one, next| next.id < one.id));
    let document = pool.documents(Filter::Mine, Range::Ids(first, last), hold).await?;
    assert!(ids.len() <= document.all("VM").count());

    let mut asked = ids.clone();
    asked.push(i32::MAX);
    let set = pool.info_set(&asked, true).await?;
    assert_eq!(own(&live, &set), ids);
    VirtualMachine::new(&live.client, ids[0]).terminate().await?;
    let rest = pool.info(Filter::Mine, Range::All, StateFilter::NotDone).await?;
    assert_eq!(own(&live, &rest), ids[1..]);
    let done = pool.info(Filter::Mine, Range::From(first), StateFilter::Is(VmState::Done)).await?;
    assert_eq!(own(&live, &done), ids[..1]);
    Ok(())
}

#[tokio::test]
async fn a_search_finds_a_vm_or_says_that_the_database_cannot() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let ids = three(&live).await?;
    let pool = VirtualMachinePool::new(&live.client);
    let is_new = Version::new(6, 10) <= live.client.version().await?;
    let query = format!("{}={}", if is_new { "VM.NAME" } else { "NAME" }, live.name("listed-1"));
    match pool.search(Filter::Mine, Range::All, StateFilter::NotDone, &query).await {
        Ok(found) => assert_eq!(own(&live, &found), ids[1..2]),
        Err(err) => {
            eprintln!("the database does not search: {err}");
            assert_eq!(err.refusal(), Some(RefusalKind::Unsupported), "{err}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_a_vm_used_is_told() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let vm = live.held("used", "").await?;
    vm.release().await?;
    runs(&vm).await?;
    let pool = VirtualMachinePool::new(&live.client);
    assert_eq!(vm.monitoring().await?.name, "MONITORING_DATA");
    assert_eq!(pool.monitoring(Filter::Mine, Some(0)).await?.name, "MONITORING_DATA");
    let look = async || {
        let history = pool.accounting(Filter::Mine, None, None).await?;
        let found = history.all("HISTORY").any(|stay| stay.number("OID") == Some(vm.id()));
        Ok(found)
    };
    until("its stay on a host is accounted for", look).await?;
    let costs = pool.showback(Filter::Mine, None, None).await?;
    assert_eq!(costs.name, "SHOWBACK_RECORDS");
    Ok(())
}
