//! Every kind of key, in front of a server that checks signatures.

use vmpool_cloudapi::{DataCenter, sign::RsaHash};

use crate::world::{World, config};

#[tokio::test]
async fn each_kind_of_key_lets_its_account_in() {
    let world = World::new().await;
    for kind in ["ed25519", "rsa", "ecdsa", "ecdsa384", "ecdsa521"] {
        let datacenter = DataCenter::open(config(&world.server.endpoint(), kind)).await.unwrap();
        assert_eq!(datacenter.get_account().await.unwrap().login, "ops", "{kind}");
    }
    let mut sha512 = config(&world.server.endpoint(), "rsa");
    sha512.rsa_hash = RsaHash::Sha512;
    assert_eq!(DataCenter::open(sha512).await.unwrap().get_account().await.unwrap().login, "ops");
}

#[tokio::test]
async fn a_key_may_go_by_its_name_and_a_user_below_the_account_has_keys_of_its_own() {
    let world = World::new().await;
    let mut named = config(&world.server.endpoint(), "ed25519");
    named.key_name = Some("ed25519".to_owned());
    assert!(DataCenter::open(named).await.unwrap().get_account().await.is_ok());
    let mut user = config(&world.server.endpoint(), "ecdsa");
    user.user = Some("ci".to_owned());
    user.roles = vec!["ops".to_owned()];
    assert!(DataCenter::open(user.clone()).await.unwrap().get_account().await.is_ok());
    user.user = Some("nobody".to_owned());
    assert!(DataCenter::open(user).await.unwrap().get_account().await.is_err());
}

#[tokio::test]
async fn keys_are_added_listed_and_removed() {
    let world = World::with(|config| {
        let mut config = config;
        config.accounts.clear();
        config.with_account(
            vmpool_sim::cloudapi::SimAccount::new("ops").with_key("a", crate::world::public("ed25519")),
        )
    })
    .await;
    let datacenter = world.open().await;
    let rsa = crate::world::public("rsa");
    let added = datacenter.add_key("b", &rsa).await.unwrap();
    assert_eq!(datacenter.keys().await.unwrap().len(), 2);
    assert_eq!(datacenter.key(&added.fingerprint).await.unwrap().name, "b");
    let again = datacenter.add_key("b", &rsa).await.unwrap_err();
    assert_eq!(again.kind, vmpool_model::FailureKind::AlreadyExists);
    let with_rsa = DataCenter::open(config(&world.server.endpoint(), "rsa")).await.unwrap();
    assert!(with_rsa.get_account().await.is_ok());
    datacenter.delete_key("b").await.unwrap();
    assert!(with_rsa.get_account().await.is_err());
}
