//! What the account has beside machines, and listings over many of them.

use std::collections::BTreeSet;

use vmpool_cloudapi::{
    DataCenter, MachineFilter,
    types::{CreateFirewallRule, CreateMachine},
};
use vmpool_model::FailureKind;

use crate::world::{IMAGE, OUTSIDE, PACKAGE, World, config, soon};

#[tokio::test]
async fn the_account_its_data_centers_and_what_machines_are_made_of_are_shown() {
    let world = World::new().await;
    let datacenter = world.open().await;
    let ping = datacenter.ping().await.unwrap();
    assert_eq!((ping.datacenter.as_deref(), ping.api_version.as_deref()), (Some("coal"), Some("9.0.0")));
    assert_eq!(datacenter.datacenters().await.unwrap().len(), 2);
    assert_eq!(datacenter.datacenter_url("us-west-1").await.unwrap(), "https://us-west-1.example.com");
    assert!(datacenter.services().await.unwrap().contains_key("cloudapi"));
    assert!(datacenter.account_config().await.is_ok() && datacenter.limits().await.is_ok());
    assert_eq!(datacenter.packages(&[("memory", "1024")]).await.unwrap().len(), 3);
    let package = datacenter.package(PACKAGE).await.unwrap();
    assert_eq!(datacenter.package(&package.id).await.unwrap().name, PACKAGE);
    assert_eq!(datacenter.images(&[("os", "linux")]).await.unwrap().len(), 2);
    assert_eq!(datacenter.image(IMAGE).await.unwrap().name, "base");
    assert_eq!(datacenter.networks().await.unwrap().len(), 3);
    assert!(datacenter.network(OUTSIDE).await.unwrap().public);
    assert!(datacenter.migrations().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_version_that_the_server_does_not_have_is_unsupported() {
    let world = World::new().await;
    let old = config(&world.server.endpoint(), "ed25519").with_accept_version("~6");
    let err = DataCenter::open(old).await.unwrap().get_account().await.unwrap_err();
    assert_eq!((err.kind, err.code.as_str()), (FailureKind::Unsupported, "InvalidVersion"));
    for version in ["~7", "~8", "7.0.0", "*"] {
        let one = config(&world.server.endpoint(), "ed25519").with_accept_version(version);
        let datacenter = DataCenter::open(one).await.unwrap();
        datacenter.create_machine(&CreateMachine::new(PACKAGE, IMAGE)).await.unwrap();
        assert!(!datacenter.machines(&MachineFilter::default()).await.unwrap().is_empty(), "{version}");
    }
}

#[tokio::test]
async fn many_machines_are_listed_once_each_over_small_pages_and_counted() {
    let world = World::new().await;
    let datacenter = world.open().await;
    let mut made = BTreeSet::new();
    for number in 0..25 {
        let request = CreateMachine::new(PACKAGE, IMAGE).with_tag("n", i64::from(number));
        made.insert(datacenter.create_machine(&request).await.unwrap().id.clone());
    }
    for size in [2, 3, 24, 25, 1000] {
        let listed = datacenter.machines_by_pages(&MachineFilter::default(), size).await.unwrap();
        assert_eq!(listed.len(), 25, "{size}");
        assert_eq!(listed.into_iter().map(|machine| machine.id).collect::<BTreeSet<_>>(), made);
    }
    assert_eq!(datacenter.count_machines(&MachineFilter::default()).await.unwrap(), 25);
    let seven = MachineFilter::default().with_tag("n", "7");
    assert_eq!(datacenter.count_machines(&seven).await.unwrap(), 1);
}

#[tokio::test]
async fn firewall_rules_are_made_changed_and_deleted_and_know_their_machines() {
    let world = World::new().await;
    let datacenter = world.open().await;
    let request = CreateMachine::new(PACKAGE, IMAGE).with_name("web-1").with_tag("role", "web");
    let mut machine = datacenter.create_machine(&request).await.unwrap();
    machine.wait_until(&vmpool_model::states::cloudapi::MachineState::Running, &soon()).await.unwrap();
    let text = r#"FROM any TO tag "role" = "web" ALLOW tcp PORT 443"#;
    let rule = CreateFirewallRule::new(text).with_description("the web");
    let made = datacenter.create_firewall_rule(&rule).await.unwrap();
    assert_eq!(
        (made.rule.as_str(), made.enabled, made.description.as_deref()),
        (text, false, Some("the web"))
    );
    assert!(datacenter.enable_firewall_rule(&made.id).await.unwrap().enabled);
    assert_eq!(machine.firewall_rules().await.unwrap()[0].id, made.id);
    let concerned = datacenter.firewall_rule_machines(&made.id).await.unwrap();
    assert_eq!(concerned.iter().map(|machine| machine.name.as_deref()).collect::<Vec<_>>(), [Some("web-1")]);
    let other = r#"FROM any TO tag "role" = "db" ALLOW tcp PORT 5432"#;
    assert_eq!(datacenter.update_firewall_rule(&made.id, other).await.unwrap().rule, other);
    assert!(machine.firewall_rules().await.unwrap().is_empty());
    assert!(!datacenter.disable_firewall_rule(&made.id).await.unwrap().enabled);
    assert_eq!(datacenter.firewall_rule(&made.id).await.unwrap().rule, other);
    let err = datacenter.create_firewall_rule(&CreateFirewallRule::new("let them in")).await.unwrap_err();
    assert_eq!(err.kind, FailureKind::InvalidRequest);
    datacenter.delete_firewall_rule(&made.id).await.unwrap();
    assert!(datacenter.firewall_rules().await.unwrap().is_empty());
    assert!(datacenter.firewall_rule(&made.id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn roles_are_tagged_on_machines_and_on_what_is_listed() {
    let world = World::new().await;
    let datacenter = world.open().await;
    let request = CreateMachine::new(PACKAGE, IMAGE).with_role_tag("ops").with_role_tag("dev");
    let machine = datacenter.create_machine(&request).await.unwrap();
    let roles = ["read".to_owned()];
    assert_eq!(machine.set_role_tags(&roles).await.unwrap(), roles);
    assert_eq!(datacenter.set_role_tags("machines", &roles).await.unwrap(), roles);
}
