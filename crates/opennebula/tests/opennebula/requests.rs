//! Every typed method sends what a recorded client sent for the same call, and takes the recorded answer.

use vmpool_model::states::opennebula::VmState;
use vmpool_opennebula::{
    api::{
        Action, DeployOptions, Filter, LockLevel, MigrateKind, MigrateOptions, Range, RecoverOperation,
        SaveDiskOptions, StateFilter, UpdateMode, VirtualMachine, VirtualMachinePool,
        cloud::{self, Instantiate},
    },
    client::{CallError, Client, ClientConfig, Session},
    rpc::Call,
};

use crate::{
    recordings::recording,
    server::{Act, Server, done, http},
};

/// Makes a call against a server that answers as recorded, and compares the requests byte for byte.
async fn check<T>(name: &str, call: impl AsyncFnOnce(&Client) -> Result<T, CallError>) -> T {
    let recording = recording(name);
    let expected = Call::parse(&recording.request(), 1 << 20).unwrap();
    let answer = http(&recording.response());
    let server = Server::start(move |_| vec![Act::Send(answer.clone())]).await;
    let session = Session::new(expected.params[0].as_text().unwrap());
    let client = Client::new(ClientConfig::new(server.endpoint.clone(), session)).unwrap();
    let output = call(&client).await.unwrap_or_else(|err| panic!("{name}: {err}"));
    let sent = server.ended(1).await.remove(0).call.unwrap();
    assert_eq!(sent.to_xml().into_bytes(), recording.request(), "{name}");
    output
}

fn vm(client: &Client, id: i32) -> VirtualMachine {
    VirtualMachine::new(client, id)
}

#[tokio::test]
async fn the_life_of_a_vm() {
    let made = check("one.vm.allocate.hold", async |client| {
        VirtualMachine::allocate(client, "NAME=\"a-hold\"\nCPU=0.1\nMEMORY=64\n", true).await
    })
    .await;
    assert_eq!(made.id(), 2);
    let info = check("one.vm.info.running", async |client| vm(client, 3).info().await).await;
    assert_eq!((info.id, info.str_lcm_state()), (3, "RUNNING"));
    check("one.vm.deploy", async |client| vm(client, 3).deploy(0, &DeployOptions::default()).await).await;
    check("one.vm.migrate.live", async |client| vm(client, 3).live_migrate(1).await).await;
    check("one.vm.migrate.poweroff", async |client| {
        let options = MigrateOptions { kind: MigrateKind::Poweroff, ..MigrateOptions::default() };
        vm(client, 3).migrate(1, &options).await
    })
    .await;
    check("terminate.on-done", async |client| vm(client, 503).terminate().await).await;
    check("terminate-hard.on-done", async |client| vm(client, 503).terminate_hard().await).await;
    check("recover3.on-done", async |client| vm(client, 503).delete().await).await;
    check("one.vm.recover.4.delete-recreate.ok.in_PENDING", async |client| vm(client, 26).resubmit().await)
        .await;
}

#[tokio::test]
async fn every_action_is_called_by_its_name_with_the_vm_second() {
    let server = Server::start(|_| done(7)).await;
    let vm = vm(&server.client(), 7);
    for action in Action::ALL {
        vm.act(action).await.unwrap();
    }
    server.ended(Action::ALL.len()).await;
    for (call, action) in server.calls().iter().zip(Action::ALL) {
        let expected = Call::new("one.vm.action").with("ci:hunter2").with(action.as_str()).with(7);
        assert_eq!(call, &expected, "{action}");
    }
    let named = [
        vm.terminate().await,
        vm.terminate_hard().await,
        vm.undeploy().await,
        vm.undeploy_hard().await,
        vm.poweroff().await,
        vm.poweroff_hard().await,
        vm.reboot().await,
        vm.reboot_hard().await,
        vm.hold().await,
        vm.release().await,
        vm.stop().await,
        vm.suspend().await,
        vm.resume().await,
        vm.resched().await,
        vm.unresched().await,
    ];
    assert!(named.iter().all(Result::is_ok));
    server.ended(2 * named.len()).await;
    let names: Vec<_> =
        server.calls().iter().map(|call| call.params[1].as_text().unwrap().to_owned()).collect();
    assert_eq!(names[..15], names[15..]);
}

#[tokio::test]
async fn every_operation_of_recovery_has_its_number() {
    use RecoverOperation as Operation;
    let server = Server::start(|_| done(7)).await;
    let vm = vm(&server.client(), 7);
    let all = [
        Operation::Failure,
        Operation::Success,
        Operation::Retry,
        Operation::Delete,
        Operation::Recreate,
        Operation::DeleteRecord,
    ];
    for operation in all {
        vm.recover(operation).await.unwrap();
    }
    server.ended(all.len()).await;
    let numbers: Vec<_> = server.calls().iter().map(|call| call.params[2].as_integer().unwrap()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn disks_cards_and_snapshots() {
    check("one.vm.attach", async |client| vm(client, 3).attach_disk("DISK=[IMAGE_ID=0]").await).await;
    check("one.vm.detach", async |client| vm(client, 3).detach_disk(2).await).await;
    check("one.vm.attachnic", async |client| vm(client, 3).attach_nic("NIC=[NETWORK_ID=0]").await).await;
    let image = check("one.vm.disksaveas", async |client| {
        let options = SaveDiskOptions { image_type: "OS".into(), ..SaveDiskOptions::default() };
        vm(client, 3).save_disk(0, "saved-disk", &options).await
    })
    .await;
    assert_eq!(image, 1);
    check("one.vm.snapshotcreate", async |client| vm(client, 3).snapshot_create("snap-a").await).await;
    check("one.vm.snapshotrevert", async |client| vm(client, 3).snapshot_revert(0).await).await;
    check("one.vm.snapshotdelete", async |client| vm(client, 3).snapshot_delete(0).await).await;
    let second = check("one.vm.disksnapshotcreate.2", async |client| {
        vm(client, 3).disk_snapshot_create(0, "ds1").await
    })
    .await;
    assert_eq!(second, 1);
    check("one.vm.resize.running", async |client| vm(client, 3).resize("CPU=0.2\nMEMORY=128", false).await)
        .await;
}

#[tokio::test]
async fn what_is_noted_about_a_vm() {
    check("one.vm.update.merge", async |client| {
        vm(client, 3).update("POOLKEY=\"k-3\"", UpdateMode::Merge).await
    })
    .await;
    check("one.vm.updateconf", async |client| {
        vm(client, 3).update_conf("CONTEXT=[NETWORK=YES,FOO=bar]", UpdateMode::Merge).await
    })
    .await;
    check("one.vm.chmod", async |client| {
        let bits = [true, true, false, true, false, false, false, false, false];
        vm(client, 3).chmod(bits.map(Some)).await
    })
    .await;
    check("one.vm.chown", async |client| vm(client, 3).chown(None, None).await).await;
    check("one.vm.lock", async |client| vm(client, 3).lock(LockLevel::All, false).await).await;
    check("one.vm.unlock", async |client| vm(client, 3).unlock().await).await;
    check("one.vm.schedupdate", async |client| {
        vm(client, 2912).reschedule(4, "SCHED_ACTION=[TIME=\"+7200\"]").await
    })
    .await;
    check("one.vm.scheddelete", async |client| vm(client, 2912).unschedule(4).await).await;
    let data = check("one.vm.monitoring", async |client| vm(client, 0).monitoring().await).await;
    assert_eq!(data.name, "MONITORING_DATA");
}

#[tokio::test]
async fn methods_that_were_not_recorded_send_what_the_documentation_of_the_server_says() {
    let server = Server::start(|_| done(7)).await;
    let vm = vm(&server.client(), 7);
    vm.disk_resize(1, 2048).await.unwrap();
    vm.update_nic(0, "T", UpdateMode::Merge).await.unwrap();
    vm.disk_snapshot_rename(1, 2, "n").await.unwrap();
    vm.disk_snapshot_revert(1, 2).await.unwrap();
    vm.disk_snapshot_delete(1, 2).await.unwrap();
    vm.detach_nic(3).await.unwrap();
    vm.backup(100, true).await.unwrap();
    vm.backup_cancel().await.unwrap();
    vm.restore(5, None, Some(1)).await.unwrap();
    vm.attach_pci("P").await.unwrap();
    vm.detach_pci(4).await.unwrap();
    vm.attach_security_group(0, 100).await.unwrap();
    vm.detach_security_group(0, 100).await.unwrap();
    vm.rename("web").await.unwrap();
    assert_eq!(vm.schedule("S").await.unwrap(), 7);
    vm.exec("uname -a", "in").await.unwrap();
    vm.exec_retry().await.unwrap();
    vm.exec_cancel().await.unwrap();
    let client = vm.client();
    let pool = VirtualMachinePool::new(client);
    pool.showback(Filter::Mine, Some((1, 2026)), None).await.unwrap_err();
    assert_eq!(cloud::allocate_image(client, "I", 1).await.unwrap(), 7);
    cloud::delete_image(client, 7).await.unwrap();
    cloud::delete_template(client, 7).await.unwrap();
    // The answer is none of these.
    for told in
        [cloud::image(client, 1).await, cloud::network(client, 2).await, cloud::datastore(client, 3).await]
    {
        assert!(told.is_err());
    }
    let expected = [
        Call::new("one.vm.diskresize").with("s").with(7).with(1).with("2048"),
        Call::new("one.vm.updatenic").with("s").with(7).with(0).with("T").with(1),
        Call::new("one.vm.disksnapshotrename").with("s").with(7).with(1).with(2).with("n"),
        Call::new("one.vm.disksnapshotrevert").with("s").with(7).with(1).with(2),
        Call::new("one.vm.disksnapshotdelete").with("s").with(7).with(1).with(2),
        Call::new("one.vm.detachnic").with("s").with(7).with(3),
        Call::new("one.vm.backup").with("s").with(7).with(100).with(true),
        Call::new("one.vm.backupcancel").with("s").with(7),
        Call::new("one.vm.restore").with("s").with(7).with(5).with(-1).with(1),
        Call::new("one.vm.attachpci").with("s").with(7).with("P"),
        Call::new("one.vm.detachpci").with("s").with(7).with(4),
        Call::new("one.vm.attachsg").with("s").with(7).with(0).with(100),
        Call::new("one.vm.detachsg").with("s").with(7).with(0).with(100),
        Call::new("one.vm.rename").with("s").with(7).with("web"),
        Call::new("one.vm.schedadd").with("s").with(7).with("S"),
        Call::new("one.vm.exec").with("s").with(7).with("uname -a").with("in"),
        Call::new("one.vm.retryexec").with("s").with(7),
        Call::new("one.vm.cancelexec").with("s").with(7),
        Call::new("one.vmpool.showback").with("s").with(-3).with(1).with(2026).with(-1).with(-1),
        Call::new("one.image.allocate").with("s").with("I").with(1),
        Call::new("one.image.delete").with("s").with(7),
        Call::new("one.template.delete").with("s").with(7),
        Call::new("one.image.info").with("s").with(1).with(false),
        Call::new("one.vn.info").with("s").with(2).with(false),
        Call::new("one.datastore.info").with("s").with(3).with(false),
    ];
    server.ended(expected.len()).await;
    for (sent, expected) in server.calls().iter().zip(expected) {
        assert_eq!(sent.method, expected.method);
        assert_eq!(sent.params[1..], expected.params[1..], "{}", expected.method);
    }
}

#[tokio::test]
async fn listings_with_every_filter_range_and_state() {
    use Filter::{All, Mine, MineAndGroups, PrimaryGroup, User};
    let cases = [
        ("one.vmpool.info", All, Range::All, StateFilter::NotDone, 11),
        ("one.vmpool.info.filter_-1", MineAndGroups, Range::All, StateFilter::NotDone, 9),
        ("one.vmpool.info.filter_-3", Mine, Range::All, StateFilter::NotDone, 9),
        ("one.vmpool.info.filter_-4", PrimaryGroup, Range::All, StateFilter::NotDone, 9),
        ("one.vmpool.info.filter_2", User(2), Range::All, StateFilter::NotDone, 1),
        ("one.vmpool.info.state_-2", All, Range::All, StateFilter::Any, 12),
        ("one.vmpool.info.state_2", All, Range::All, StateFilter::Is(VmState::Hold), 8),
        ("one.vmpool.info.range_2_5", All, Range::Ids(2, 5), StateFilter::Any, 4),
        ("one.vmpool.info.range_2_-1", All, Range::From(2), StateFilter::Any, 10),
        ("one.vmpool.info.range_3_-3", All, Range::Page { offset: 3, size: 3 }, StateFilter::Any, 3),
    ];
    for (name, filter, range, state, count) in cases {
        let vms =
            check(name, async |client| VirtualMachinePool::new(client).info(filter, range, state).await)
                .await;
        assert_eq!(vms.len(), count, "{name}");
    }
    let full = check("one.vmpool.infoextended", async |client| {
        VirtualMachinePool::new(client).info_extended(All, Range::All, StateFilter::NotDone).await
    })
    .await;
    assert!(full.iter().any(|vm| vm.user_attribute("POOLKEY") == Some("al")));
}

#[tokio::test]
async fn sets_searches_monitoring_and_accounting() {
    let set = check("one.vmpool.infoset.extended", async |client| {
        VirtualMachinePool::new(client).info_set(&[3, 2], true).await
    })
    .await;
    assert_eq!(set.len(), 2);
    check("one.vmpool.info.keyval-empty", async |client| {
        let call = Call::new("one.vmpool.info").with(-2).with(-1).with(-1).with(-1).with("");
        client.call(call).await
    })
    .await;
    let seconds = check("one.vmpool.monitoring.60s", async |client| {
        VirtualMachinePool::new(client).monitoring(Filter::All, Some(60)).await
    })
    .await;
    assert_eq!(seconds.name, "MONITORING_DATA");
    let history = check("one.vmpool.accounting", async |client| {
        VirtualMachinePool::new(client).accounting(Filter::All, None, None).await
    })
    .await;
    assert_eq!(history.name, "HISTORY_RECORDS");
}

#[tokio::test]
async fn templates_images_networks_hosts_and_logins() {
    let made = check("one.template.instantiate", async |client| {
        let options = Instantiate {
            name: "inst-1".into(),
            hold: true,
            extra: "POOLKEY=\"k-1\"\nCPU=0.2".into(),
            persistent: false,
        };
        cloud::instantiate(client, 0, &options).await
    })
    .await;
    assert_eq!(made.id(), 0);
    let template = check("one.template.info", async |client| cloud::template(client, 0, false).await).await;
    assert_eq!(template.name, "tmpl1");
    assert_eq!(
        check("one.imagepool.info", async |client| cloud::images(client, Filter::All).await).await.len(),
        2
    );
    assert_eq!(
        check("one.vnpool.info", async |client| cloud::networks(client, Filter::All).await).await.len(),
        1
    );
    assert_eq!(check("one.hostpool.info", async |client| cloud::hosts(client).await).await.len(), 2);
    assert_eq!(
        check("one.datastorepool.info", async |client| cloud::datastores(client).await).await.len(),
        3
    );
    assert_eq!(check("one.host.info", async |client| cloud::host(client, 0).await).await.name, "dummy1");
    assert_eq!(check("one.user.info", async |client| cloud::user(client, None).await).await.name, "oneadmin");
    let token = check("auth.login-token", async |client| cloud::login(client, "alice", 3600).await).await;
    assert_eq!(token.len(), 64);
}

#[tokio::test]
async fn an_answer_of_another_kind_is_named_as_what_it_is() {
    let server = Server::start(|_| done("<HOST><ID>1</ID></HOST>")).await;
    let err = vm(&server.client(), 7).info().await.unwrap_err();
    assert!(err.to_string().contains("a VM is expected, not HOST"), "{err}");
    let err = VirtualMachine::allocate(&server.client(), "T", true).await.unwrap_err();
    assert!(err.to_string().contains("an id is expected, not string"), "{err}");
}
