//! Acquiring and releasing.

use vmpool_client::compat::copr::{Job, VmError, states};

use crate::world::{TWO_GROUPS, World, manager, none_available};

#[tokio::test]
async fn c11_the_task_the_build_and_the_chroot_are_on_the_record() {
    let world = World::with(TWO_GROUPS, states::READY, [2, 1]).await;
    let job = Job::new("17-f30").with_build_id("17").with_chroot("fedora-30-x86_64");
    let given = world.manager.acquire_vm(&[0], "bob", "s", 4711, &job).await.unwrap();
    let vm = world.manager.get_vm_by_name(&given.vm_name).await.unwrap();
    assert_eq!(vm, given);
    let told = (vm.task_id.as_deref(), vm.build_id.as_deref(), vm.chroot.as_deref());
    assert_eq!(told, (Some("17-f30"), Some("17"), Some("fedora-30-x86_64")));
    assert_eq!((vm.bound_to_user.as_deref(), vm.sandbox.as_deref()), (Some("bob"), Some("s")));
    assert_eq!((vm.used_by_worker, vm.state.as_str(), vm.group), (Some(4711), states::IN_USE, 0));
    assert!(vm.in_use_since.is_some());
}

#[tokio::test]
async fn c14_groups_come_in_order_and_a_vm_that_the_user_used_comes_first() {
    let world = World::with(TWO_GROUPS, states::READY, [2, 1]).await;
    let dirty = world.acquire(&[0], "bob", "s").await.unwrap().vm_name;
    assert!(world.manager.release_vm(&dirty).await.unwrap());

    let first = world.acquire(&[0, 1], "bob", "s").await.unwrap();
    assert_eq!((first.vm_name, first.group), (dirty, 0));
    let second = world.acquire(&[0, 1], "bob", "s").await.unwrap();
    assert_eq!((second.group, second.builds_count), (0, 0));
    none_available(world.acquire(&[0], "bob", "s").await);
    assert_eq!(world.acquire(&[0, 1], "bob", "s").await.unwrap().group, 1);
}

#[tokio::test]
async fn c17_who_comes_again_gets_the_same_vm_again() {
    let world = World::with(TWO_GROUPS, states::READY, [2, 1]).await;
    let first = world.acquire(&[0], "bob", "s").await.unwrap().vm_name;
    assert!(world.manager.release_vm(&first).await.unwrap());
    assert_eq!(world.acquire(&[0], "bob", "s").await.unwrap().vm_name, first);
    let clean = world.acquire(&[0], "bob", "s").await.unwrap();
    assert_ne!(clean.vm_name, first);
    assert!(world.manager.release_vm(&first).await.unwrap());
    none_available(world.acquire(&[0], "bob", "other sandbox").await);
    none_available(world.acquire(&[0], "eve", "s").await);
}

#[tokio::test]
async fn c18_what_is_not_in_use_is_not_released() {
    let ready = World::with(TWO_GROUPS, states::READY, [2, 1]).await;
    let never_checked = r#"check = { kind = "exec", command = ["sleep", "1000"] }"#;
    let checked = TWO_GROUPS.replacen("size = 2", &format!("size = 2\n{never_checked}"), 1);
    let checked = World::with(&checked, states::CHECK_HEALTH, [2, 0]).await;
    let failing = r#"check = { kind = "exec", command = ["false"] }
max_check_fails = 1000
retry_min = "1h"
retry_max = "1h""#;
    let failing = TWO_GROUPS.replacen("size = 2", &format!("size = 2\n{failing}"), 1);
    let failed = World::with(&failing, states::CHECK_HEALTH_FAILED, [2, 0]).await;
    let slow = TWO_GROUPS.replace("list_interval", "options = { destroy_latency = \"1h\" }\nlist_interval");
    let slow = World::with(&slow, states::READY, [2, 1]).await;
    let leaving = slow.until(0, states::READY, 2).await.remove(0).vm_name;
    slow.manager.start_vm_termination(&leaving, None).await.unwrap();
    for (world, state) in [
        (&ready, states::READY),
        (&checked, states::CHECK_HEALTH),
        (&failed, states::CHECK_HEALTH_FAILED),
        (&slow, states::TERMINATING),
    ] {
        let found = world.manager.get_vm_by_group_and_state_list(Some(0), &[state]).await.unwrap();
        let vm = &found.first().unwrap().vm_name;
        assert!(!world.manager.release_vm(vm).await.unwrap(), "{state}");
        assert_eq!(world.manager.get_vm_by_name(vm).await.unwrap().state, state);
    }
    let unknown = ready.manager.release_vm("x86-0").await;
    assert!(matches!(unknown, Err(VmError::VmDescriptorNotFound { .. })), "{unknown:?}");
}

#[tokio::test]
async fn a_vm_is_released_once_and_never_from_whoever_got_it_next() {
    let world = World::with(TWO_GROUPS, states::READY, [2, 1]).await;
    let other = manager(world.manager.client().base_url());
    let vm = world.acquire(&[1], "bob", "s").await.unwrap().vm_name;
    assert!(
        other.release_vm(&vm).await.unwrap(),
        "another client, or this one after a restart, finds the lease"
    );
    let next = other.acquire_vm(&[1], "bob", "s", 4712, &Job::default()).await.unwrap();
    assert_eq!(next.vm_name, vm);
    assert!(!world.manager.renew_vm(&vm).await.unwrap());
    assert_eq!(world.manager.get_vm_by_name(&vm).await.unwrap().used_by_worker, Some(4712));
    assert!(other.renew_vm(&vm).await.unwrap());
}

#[tokio::test]
async fn a_user_may_acquire_as_many_as_the_group_allows() {
    let text = TWO_GROUPS.replacen("size = 2", "size = 2\nmax_per_owner = 1", 1);
    let world = World::with(&text, states::READY, [2, 1]).await;
    let may = async || world.manager.can_user_acquire_more_vm("bob", 0).await.unwrap();
    assert!(may().await);
    let vm = world.acquire(&[0], "bob", "s").await.unwrap().vm_name;
    assert!(!may().await);
    none_available(world.acquire(&[0], "bob", "s").await);
    assert!(world.manager.can_user_acquire_more_vm("bob", 1).await.unwrap());
    world.manager.release_vm(&vm).await.unwrap();
    assert!(may().await, "what is kept for a user does not count, unlike with Copr");
}

#[tokio::test]
async fn the_first_generation_acquires_for_a_user_without_a_sandbox() {
    let world = World::with(TWO_GROUPS, states::READY, [2, 1]).await;
    let generation_a = world.manager.generation_a();
    let given = generation_a.acquire_vm(0, "bob", 77, &Job::new("t")).await.unwrap();
    assert_eq!((given.used_by_worker, given.sandbox, given.task_id.as_deref()), (Some(77), None, Some("t")));
    world.manager.release_vm(&given.vm_name).await.unwrap();
    let again = generation_a.acquire_vm(0, "bob", 77, &Job::default()).await.unwrap();
    assert_eq!((again.vm_name, again.builds_count), (given.vm_name, 1));
}
