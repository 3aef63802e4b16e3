//! What the server refuses, and as what its refusals are understood.

use vmpool_model::FailureKind;
use vmpool_opennebula::{
    api::{VirtualMachine, cloud},
    client::{Client, ClientConfig, RefusalKind, Session},
    rpc::Call,
};

use crate::{Failure, account::live};

#[tokio::test]
async fn refusals_are_what_they_are() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let client = &live.client;
    let none = VirtualMachine::new(client, 2_000_000_000);
    let vm = live.held("refused", "").await?;
    let call = async |call: Call| client.call(call).await.map(drop);
    let made = async |template: &str| VirtualMachine::allocate(client, template, true).await.map(drop);
    let bare = |name: &str| format!("{name} CPU=0.1 MEMORY=64");
    let cases = [
        ("an unknown VM", none.info().await.map(drop), RefusalKind::NoSuchVm),
        ("ending an unknown VM", none.terminate().await, RefusalKind::NoSuchVm),
        (
            "an unknown template",
            cloud::template(client, 2_000_000_000, false).await.map(drop),
            RefusalKind::NoSuchObject,
        ),
        ("suspending a held VM", vm.suspend().await, RefusalKind::WrongState),
        (
            "an action that is gone",
            call(Call::new("one.vm.action").with("finalize").with(vm.id())).await,
            RefusalKind::Unsupported,
        ),
        ("a template without memory", made("CPU=1").await, RefusalKind::Invalid),
        ("a template that is none", made("CPU=").await, RefusalKind::Invalid),
        (
            "a name with what it must not have",
            made(&bare("NAME=\"vmpool-live-<\"")).await,
            RefusalKind::Invalid,
        ),
        ("an image that is not there", made(&bare("DISK=[IMAGE_ID=2000000000]")).await, RefusalKind::Invalid),
        ("an empty name", vm.rename("").await, RefusalKind::Invalid),
    ];
    for (what, answer, kind) in cases {
        match answer {
            Ok(()) => panic!("{what} is accepted"),
            Err(err) => assert_eq!(err.refusal(), Some(kind), "{what}: {err}"),
        }
    }
    let err = call(Call::new("one.vm.nonsense").with(1)).await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::Unsupported, "{err}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_path_are_named() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let session = Session::of(live.client.user(), "this-is-no-password-of-anybody");
    let stranger = Client::new(ClientConfig::new(live.client.endpoint(), session.clone()))?;
    let err = stranger.version().await.unwrap_err();
    assert_eq!(
        (err.refusal(), err.kind()),
        (Some(RefusalKind::Authentication), FailureKind::Authentication),
        "{err}"
    );
    assert!(!err.to_string().contains("this-is-no-password"));

    let server: String = live.client.endpoint().split_inclusive('/').take(3).collect();
    let lost = format!("{server}no-xml-rpc-here");
    let err = Client::new(ClientConfig::new(lost, session))?.version().await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::Protocol, "{err}");
    assert!(err.to_string().contains("/RPC2"), "{err}");
    Ok(())
}
