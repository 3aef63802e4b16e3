//! Looking VMs up.

use std::sync::Arc;

use vmpool::store::MemoryStore;
use vmpool_client::compat::copr::{Job, VmDescriptor, VmError, states};

use crate::world::{TWO_GROUPS, World};

fn names(vms: &[VmDescriptor]) -> Vec<&str> {
    vms.iter().map(|vm| vm.vm_name.as_str()).collect()
}

#[tokio::test]
async fn c1_the_groups_are_exactly_those_that_were_given() {
    let world = World::start(TWO_GROUPS).await;
    assert_eq!(world.manager.vm_groups(), [0, 1]);
    let unknown = world.manager.get_ready_vms(2).await;
    assert!(matches!(unknown, Err(VmError::UnknownGroup { group: 2, .. })), "{unknown:?}");
    assert!(matches!(world.acquire(&[0, 2], "bob", "s").await, Err(VmError::UnknownGroup { .. })));
}

#[tokio::test]
async fn c2_a_vm_appears_by_itself_with_its_name_address_and_group() {
    let never_checked = "size = 1\ncheck = { kind = \"exec\", command = [\"sleep\", \"1000\"] }";
    let world =
        World::with(&TWO_GROUPS.replacen("size = 1", never_checked, 1), states::CHECK_HEALTH, [0, 1]).await;
    let all = world.manager.get_all_vm_in_group(1).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].group, all[0].vm_ip.is_some(), all[0].check_fails), (1, true, 0));
    assert_eq!(world.manager.get_vm_by_name(&all[0].vm_name).await.unwrap(), all[0]);
    assert_eq!(world.events("vm_got_ip", &all[0].vm_name).await, 1);
}

#[tokio::test]
async fn c25_the_vms_of_a_group_and_of_all_groups() {
    let world = World::with(TWO_GROUPS, states::READY, [2, 1]).await;
    let (zero, one) = (
        world.manager.get_all_vm_in_group(0).await.unwrap(),
        world.manager.get_all_vm_in_group(1).await.unwrap(),
    );
    assert_eq!((zero.len(), one.len()), (2, 1));
    assert!(zero.iter().all(|vm| vm.group == 0) && one[0].group == 1);
    let mut both = [names(&zero), names(&one)].concat();
    both.sort_unstable();
    assert_eq!(names(&world.manager.get_all_vm().await.unwrap()), both);
}

#[tokio::test]
async fn c26_vms_by_their_group_and_states_and_all_of_them_as_text() {
    let world = World::with(TWO_GROUPS, states::READY, [2, 1]).await;
    let used = world.acquire(&[0], "bob", "s").await.unwrap().vm_name;
    let by = async |group, states: &[&str]| {
        world.manager.get_vm_by_group_and_state_list(group, states).await.unwrap()
    };
    assert_eq!(names(&by(None, &[states::GOT_IP, states::IN_USE]).await), [used.as_str()]);
    assert_eq!(by(Some(1), &[states::READY]).await, world.manager.get_ready_vms(1).await.unwrap());
    assert_eq!(by(None, &[states::READY, states::IN_USE]).await.len(), 3);
    assert_eq!(by(Some(0), &[]).await, []);
    let text = world.manager.info().await.unwrap();
    for part in ["VM group 0 (x86)", "VM group 1 (ppc)", used.as_str(), "bound_to_user: bob", "state: in_use"]
    {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
}

#[tokio::test]
async fn c27_vms_by_their_address() {
    let world = World::with(TWO_GROUPS, states::READY, [2, 1]).await;
    let all = world.manager.get_all_vm().await.unwrap();
    for vm in &all {
        let address = vm.vm_ip.as_ref().unwrap();
        let wanted: Vec<_> =
            all.iter().filter(|other| other.vm_ip.as_ref() == Some(address)).cloned().collect();
        assert_eq!(world.manager.lookup_vms_by_ip(address).await.unwrap(), wanted);
    }
    assert_eq!(world.manager.lookup_vms_by_ip("192.0.2.1").await.unwrap(), []);
}

#[tokio::test]
async fn c28_the_daemon_tells_when_it_started_and_the_latest_start_counts() {
    let store = Arc::new(MemoryStore::new());
    let world = World::on(TWO_GROUPS, store.clone()).await;
    let first = world.manager.client().health().await.unwrap().started_at;
    assert_eq!(world.manager.server_start_timestamp().await.unwrap(), first.as_second());
    world.stop().await;
    let world = World::on(TWO_GROUPS, store).await;
    assert!(first < world.manager.client().health().await.unwrap().started_at);
}

#[tokio::test]
async fn a_vm_is_found_by_its_task_as_long_as_it_is_used_for_it() {
    let world = World::with(TWO_GROUPS, states::READY, [2, 1]).await;
    let job = Job::new("17-f30").with_build_id("17");
    let vm = world.manager.acquire_vm(&[1], "bob", "s", 1, &job).await.unwrap();
    assert_eq!(world.manager.get_vm_by_task_id("17-f30").await.unwrap().unwrap(), vm);
    assert_eq!(world.manager.get_vm_by_task_id("17").await.unwrap(), None);
    world.manager.release_vm(&vm.vm_name).await.unwrap();
    assert_eq!(world.manager.get_vm_by_task_id("17-f30").await.unwrap(), None);
    let vm = world.manager.get_vm_by_name(&vm.vm_name).await.unwrap();
    assert_eq!((vm.get_field("task_id"), vm.get_field("bound_to_user").as_deref()), (None, Some("bob")));
    assert_eq!((vm.builds_count, vm.last_release.is_some()), (1, true));
}

#[tokio::test]
async fn a_vm_of_a_pool_without_a_number_is_not_seen() {
    let more = "\n[pools.other]\nprovider = \"lab\"\ntemplate = \"x\"\nsize = 1\n";
    let world = World::with(&format!("{TWO_GROUPS}{more}"), states::READY, [2, 1]).await;
    let mut events = world.manager.client().follow(Some(0));
    while world.manager.client().pool("other").await.unwrap().count("ready") == 0 {
        events.next().await.unwrap();
    }
    assert_eq!(world.manager.get_all_vm().await.unwrap().len(), 3);
    let other = vmpool_client::api::VmFilter::default().with_pool("other");
    let other = world.manager.client().vms(&other).await.unwrap().remove(0).name;
    let unseen = world.manager.get_vm_by_name(&other).await;
    assert!(matches!(unseen, Err(VmError::VmDescriptorNotFound { .. })), "{unseen:?}");
}
