//! What is noted about a VM: its name, attributes, owner, rights, lock, and what the server will do with it.

use vmpool_model::states::opennebula::VmState;
use vmpool_opennebula::{
    api::{Action, LockLevel, UpdateMode},
    client::{RefusalKind, Version},
    template::Template,
    vm::Vm,
};

use crate::{
    Failure,
    account::live,
    wait::{reaches, runs, shows},
};

#[tokio::test]
async fn names_and_attributes_of_every_kind_come_back_as_they_were() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let vm = live.held("notes", "").await?;
    let name = live.name("žluťoučký kůň");
    vm.rename(&name).await?;
    assert_eq!(vm.info().await?.name, name);

    let texts =
        [("PLAIN", "a <b> & \"c\" 'd'"), ("LINES", "one\ntwo"), ("CZECH", "žluťoučký"), ("SLASH", "a\\b\\")];
    let template =
        texts.into_iter().try_fold(Template::new(), |template, (name, text)| template.with(name, text))?;
    vm.update(template.to_xml(), UpdateMode::Merge).await?;
    let found = vm.info().await?;
    for (name, text) in texts {
        assert_eq!(found.user_attribute(name), Some(text), "{name}");
    }
    vm.update(Template::new().with("ONLY", "this \"one\"")?.to_text()?, UpdateMode::Replace).await?;
    let found = vm.info().await?;
    assert_eq!((found.user_attribute("ONLY"), found.user_attribute("PLAIN")), (Some("this \"one\""), None));

    vm.update_conf("CONTEXT=[NETWORK=\"YES\",FOO=\"bar\"]", UpdateMode::Merge).await?;
    assert_eq!(vm.info().await?.document.text_of("TEMPLATE/CONTEXT/FOO"), "bar");
    Ok(())
}

#[tokio::test]
async fn rights_owner_and_lock_are_set_and_heeded() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let vm = live.held("rights", "").await?;
    let mut bits = [None; 9];
    bits[3] = Some(true);
    vm.chmod(bits).await?;
    let permissions = vm.info().await?.permissions.ok_or("there are no permissions")?;
    assert_eq!((permissions.owner & 6, permissions.group & 4), (6, 4));
    if live.is_admin() {
        vm.chown(Some(live.uid), Some(live.gid)).await?;
        assert_eq!((vm.info().await?.uid, vm.info().await?.gid), (live.uid, live.gid));
    }
    if live.client.version().await? < Version::new(5, 6) {
        return Ok(());
    }
    vm.lock(LockLevel::All, false).await?;
    let err = vm.act(Action::Release).await.unwrap_err();
    assert_eq!(err.refusal(), Some(RefusalKind::Locked), "{err}");
    let err = vm.lock(LockLevel::All, true).await.unwrap_err();
    assert_eq!(err.refusal(), Some(RefusalKind::Locked), "{err}");
    assert!(vm.info().await?.document.child("LOCK").is_some());
    vm.unlock().await?;
    vm.unlock().await?;
    vm.release().await?;
    runs(&vm).await.map(drop)
}

#[tokio::test]
async fn what_the_server_is_to_do_is_added_moved_and_taken_back() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    if live.client.version().await? < Version::new(6, 2) {
        eprintln!("passed over: the server is too old to be told with a call");
        return Ok(());
    }
    let vm = live.held("scheduled", "").await?;
    let id = vm.schedule("SCHED_ACTION=[ACTION=\"poweroff\",TIME=\"+3600\"]").await?;
    let time = |vm: &Vm| {
        let found = vm.scheduled.iter().find(|action| action.id == id);
        found.and_then(|action| action.time.parse::<i64>().ok())
    };
    let found = vm.info().await?;
    assert_eq!(time(&found), Some(found.stime + 3600));
    vm.reschedule(id, format!("SCHED_ACTION=[TIME=\"{}\"]", found.stime + 7200)).await?;
    assert_eq!(time(&vm.info().await?), Some(found.stime + 7200));
    vm.unschedule(id).await?;
    assert_eq!(time(&vm.info().await?), None);
    let err = vm.unschedule(id).await.unwrap_err();
    assert_eq!(err.refusal(), Some(RefusalKind::NoSuchObject), "{err}");

    // A time that is over: the server ends it by itself within some seconds.
    vm.schedule("SCHED_ACTION=[ACTION=\"terminate-hard\",TIME=\"+1\"]").await?;
    reaches(&vm, VmState::Done).await.map(drop)
}

#[tokio::test]
async fn a_vm_that_is_done_is_known_with_all_that_was_noted() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let vm = live.held("known", "KEY=\"value\"").await?;
    vm.terminate_hard().await?;
    let done = shows(&vm, "it is done", |vm| vm.state == VmState::Done).await?;
    assert_eq!((done.user_attribute("KEY"), &done.name), (Some("value"), &live.name("known")));
    Ok(())
}
