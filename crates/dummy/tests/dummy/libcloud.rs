//! What libcloud documents of its dummy driver: cases L01 to L26.

use std::sync::Arc;

use vmpool_driver::{
    Auth, Catalog, CreateRequest, DeployError, DeployOptions, DeployTarget, Deployment, Driver, DriverExt,
    HandleExt, MultiStep, NodeHandle, PowerAction, StepError, WaitOptions,
};
use vmpool_dummy::{Creds, DummyCloud, DummyConfig, DummyDriver, Feature, libcloud_v1_uuid};
use vmpool_model::{FailureKind, states::NodeState};

fn driver(creds: impl Into<Creds>) -> Arc<DummyDriver> {
    Arc::new(DummyDriver::libcloud(creds).unwrap())
}

async fn create(driver: &Arc<DummyDriver>) -> NodeHandle {
    driver.create_node(CreateRequest::default()).await.unwrap()
}

async fn names(driver: &Arc<DummyDriver>) -> Vec<String> {
    let mut names: Vec<_> = driver.list_all().await.unwrap().into_iter().map(|node| node.name).collect();
    names.sort();
    names
}

async fn catalog() -> Catalog {
    driver(0).catalog().await.unwrap()
}

#[tokio::test]
async fn l01_the_first_created_node_is_the_third() {
    let node = create(&driver(0)).await;
    assert_eq!((node.public_ips[0].to_string().as_str(), node.name.as_str()), ("127.0.0.3", "dummy-3"));
}

#[tokio::test]
async fn l02_the_first_listed_node_is_the_first_default_one() {
    let driver = driver(0);
    create(&driver).await;
    assert_eq!(driver.list_nodes().await.unwrap()[0].name, "dummy-1");
}

#[tokio::test]
async fn l03_each_driver_knows_its_credentials() {
    let (first, second) = (driver(0), driver(72));
    assert_eq!(first.creds(), Some(&Creds::Integer(0)));
    assert_eq!(second.creds(), Some(&Creds::Integer(72)));
}

#[tokio::test]
async fn l03_a_node_keeps_the_driver_that_it_came_from() {
    let (first, second) = (driver(0), driver(72));
    let (node, node2) = (create(&first).await, create(&second).await);
    assert!(Arc::ptr_eq(node.driver(), &first.shared()) && Arc::ptr_eq(node2.driver(), &second.shared()));
    assert!(!Arc::ptr_eq(node.driver(), node2.driver()));
}

#[tokio::test]
async fn l04_the_extra_of_every_node_is_foo_bar() {
    let driver = driver(0);
    create(&driver).await;
    for node in driver.list_nodes().await.unwrap() {
        let extra: Vec<_> = node.extra.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(extra, [("foo", "bar")]);
    }
}

#[tokio::test]
async fn l05_the_unique_id_is_the_documented_one_each_time() {
    for _ in 0..2 {
        let node = create(&driver(0)).await;
        assert_eq!(libcloud_v1_uuid(&node), "d3748461511d8b9b0e0bfa0d4d3383a619a2bb9f");
        assert_eq!(node.uuid(), "aef321fde331680846014b121ff377dcb8477731");
        assert_eq!(node.uuid(), node.uuid());
    }
}

#[tokio::test]
async fn l06_a_handle_shows_that_its_node_reboots() {
    let mut node = create(&driver(0)).await;
    assert_eq!(node.state, NodeState::Running);
    node.reboot().await.unwrap();
    assert_eq!(node.state, NodeState::Rebooting);
}

#[tokio::test]
async fn l07_a_handle_shows_that_its_node_is_destroyed() {
    let mut node = create(&driver(0)).await;
    node.destroy().await.unwrap();
    assert_eq!(node.state, NodeState::Terminated);
}

#[tokio::test]
async fn l08_a_driver_of_22_nodes_creates_the_23rd() {
    assert_eq!(create(&driver(22)).await.name, "dummy-23");
}

#[tokio::test]
async fn l09_there_are_two_default_nodes() {
    assert_eq!(names(&driver(0)).await, ["dummy-1", "dummy-2"]);
}

#[tokio::test]
async fn l10_a_listed_node_can_be_rebooted() {
    let mut nodes = driver(0).list_nodes().await.unwrap();
    nodes[0].reboot().await.unwrap();
    assert_eq!(nodes[0].state, NodeState::Rebooting);
}

#[tokio::test]
async fn l11_a_created_node_has_the_documented_size_and_image() {
    let node = create(&driver(0)).await;
    let (size, image) = (node.size.as_ref().unwrap(), node.image.as_ref().unwrap());
    assert_eq!((size.id.as_str(), size.name.as_str(), size.ram, size.disk), ("s1", "foo", 2048, 160));
    assert_eq!((size.bandwidth, size.price), (None, Some(0.0)));
    assert_eq!((image.id.as_str(), image.name.as_str()), ("i2", "image"));
}

#[tokio::test]
async fn l12_a_created_node_is_listed() {
    let driver = driver(0);
    create(&driver).await;
    assert_eq!(names(&driver).await, ["dummy-1", "dummy-2", "dummy-3"]);
}

#[tokio::test]
async fn l13_a_node_can_be_rebooted_through_its_driver() {
    let driver = driver(0);
    let mut node = create(&driver).await;
    driver.power(&node.id.clone(), PowerAction::Reboot).await.unwrap();
    assert_eq!(node.refresh().await.unwrap().state, NodeState::Rebooting);
}

#[tokio::test]
async fn l14_nothing_ends_a_reboot() {
    let time = crate::world::Time::default();
    let mut config = DummyConfig::default();
    config.libcloud = Some(Creds::Integer(0));
    let cloud = DummyCloud::in_memory(config).unwrap().with_clock(time.clock());
    let mut node = create(&Arc::new(DummyDriver::new(cloud))).await;
    node.reboot().await.unwrap();
    time.pass(1_000_000);
    assert_eq!(node.refresh().await.unwrap().state, NodeState::Rebooting);
    node.reboot().await.unwrap();
}

#[tokio::test]
async fn l15_a_listed_node_can_be_destroyed() {
    let driver = driver(0);
    let mut node = driver.list_nodes().await.unwrap().remove(0);
    assert_eq!((node.name.as_str(), node.state), ("dummy-1", NodeState::Running));
    node.destroy().await.unwrap();
    assert_ne!(node.state, NodeState::Running);
    assert_eq!(names(&driver).await, ["dummy-2"]);
}

#[tokio::test]
async fn l16_the_images_are_the_documented_ones() {
    let images: Vec<_> = catalog().await.images.into_iter().map(|image| (image.id, image.name)).collect();
    let expected = [("1", "Ubuntu 9.10"), ("2", "Ubuntu 9.04"), ("3", "Slackware 4")];
    assert_eq!(images, expected.map(|(id, name)| (id.to_owned(), name.to_owned())));
}

#[tokio::test]
async fn l17_the_sizes_are_the_documented_ones() {
    let catalog = catalog().await;
    let sizes: Vec<_> = catalog
        .sizes
        .iter()
        .map(|size| (size.id.as_str(), size.name.as_str(), size.ram, size.disk, size.bandwidth, size.price))
        .collect();
    assert_eq!(
        sizes,
        [
            ("1", "Small", 128, 4, Some(500), Some(4.0)),
            ("2", "Medium", 512, 16, Some(1500), Some(8.0)),
            ("3", "Big", 4096, 32, Some(2500), Some(32.0)),
            ("4", "XXL Big", 8192, 128, Some(7500), Some(64.0)),
        ]
    );
}

#[tokio::test]
async fn l18_the_locations_are_the_documented_ones() {
    let catalog = catalog().await;
    let locations: Vec<_> = catalog
        .locations
        .iter()
        .map(|location| (location.id.as_str(), location.name.as_str(), location.country.as_str()))
        .collect();
    let expected = [("1", "Paul's Room", "US"), ("2", "London Loft", "GB"), ("3", "Island Datacenter", "FJ")];
    assert_eq!(locations, expected);
}

#[tokio::test]
async fn l19_destroying_a_node_leaves_the_others() {
    let driver = driver(0);
    let mut third = create(&driver).await;
    assert_eq!(create(&driver).await.name, "dummy-4");
    third.destroy().await.unwrap();
    assert_eq!(names(&driver).await, ["dummy-1", "dummy-2", "dummy-4"]);
}

#[tokio::test]
async fn l20_a_node_can_be_created_from_the_first_image() {
    let driver = driver(0);
    let image = catalog().await.images.remove(0);
    driver.create(&CreateRequest::default().with_image(image.id)).await.unwrap();
}

#[tokio::test]
async fn l22_a_deployment_on_the_dummy_driver_is_refused_and_creates_no_node() {
    let driver = driver(0);
    let request = CreateRequest::default().with_auth(Auth::SshKey("ssh-rsa AAAA".to_owned()));
    let result = driver.deploy(request, &MultiStep::new().with(Never).with(Never), &no_wait()).await;
    let Err(DeployError::Refused(err)) = result else { panic!("{result:?}") };
    assert_eq!(err.kind(), FailureKind::Unsupported);
    assert_eq!(driver.cloud().nodes().len(), 2);
}

#[tokio::test]
async fn l23_a_dummy_cloud_with_the_password_feature_can_be_deployed_to() {
    let config = DummyConfig::default().with_feature(Feature::Password);
    let driver = DummyDriver::new(DummyCloud::in_memory(config).unwrap());
    let node = driver.deploy(CreateRequest::new("small"), &MultiStep::new(), &no_wait()).await.unwrap();
    assert_eq!(node.extra["password"].len(), 32);
    assert!(!driver.get(&node.id).await.unwrap().extra.contains_key("password"));
}

#[tokio::test]
async fn l23_a_dummy_cloud_with_the_ssh_key_feature_takes_keys_only() {
    let config = DummyConfig::default().with_feature(Feature::SshKey);
    let driver = DummyDriver::new(DummyCloud::in_memory(config).unwrap());
    let with = |auth| CreateRequest::new("small").with_auth(auth);
    let node = driver.create(&with(Auth::SshKey("ssh-rsa AAAA".to_owned()))).await.unwrap();
    assert_eq!(node.extra["ssh_key"], "ssh-rsa AAAA");
    let err = driver.create(&with(Auth::Password("x".to_owned()))).await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::Unsupported);
}

#[tokio::test]
async fn l23_a_dummy_cloud_can_make_up_passwords() {
    let config = DummyConfig::default().with_feature(Feature::GeneratesPassword);
    let config = config.with_feature(Feature::SshKey);
    let driver = DummyDriver::new(DummyCloud::in_memory(config).unwrap());
    let request = CreateRequest::new("small");
    assert_eq!(driver.create(&request).await.unwrap().extra["password"].len(), 16);
    let request = request.with_auth(Auth::SshKey("ssh-rsa AAAA".to_owned()));
    assert!(!driver.create(&request).await.unwrap().extra.contains_key("password"));
}

#[tokio::test]
async fn l24_the_addresses_of_a_node_can_be_read_and_written() {
    let mut node = create(&driver(0)).await.into_node();
    node.public_ips = vec!["10.0.0.1".parse().unwrap()];
    assert_eq!(node.public_ips[0].to_string(), "10.0.0.1");
}

#[tokio::test]
async fn l25_a_created_node_has_no_private_address() {
    assert!(create(&driver(0)).await.private_ips.is_empty());
}

#[tokio::test]
async fn l26_nodes_of_different_drivers_are_handled_alike() {
    let mut nodes = vec![create(&driver(0)).await, create(&driver(72)).await];
    for node in &mut nodes {
        node.reboot().await.unwrap();
        node.destroy().await.unwrap();
    }
    let seen: Vec<_> = nodes.iter().map(|node| (node.name.as_str(), node.state)).collect();
    assert_eq!(seen, [("dummy-3", NodeState::Terminated), ("dummy-73", NodeState::Terminated)]);
}

#[tokio::test]
async fn a_created_node_is_shown_as_libcloud_shows_it() {
    assert_eq!(
        create(&driver(0)).await.to_string(),
        "<Node: uuid=aef321fde331680846014b121ff377dcb8477731, name=dummy-3, state=RUNNING, \
         public_ips=['127.0.0.3'], private_ips=[], provider=Dummy Node Provider ...>"
    );
}

/// A step that must not be reached.
struct Never;

#[async_trait::async_trait]
impl Deployment for Never {
    async fn run(&self, _: &DeployTarget) -> Result<(), StepError> {
        Err("it was run".into())
    }
}

fn no_wait() -> DeployOptions {
    DeployOptions::new(WaitOptions::new(Arc::new(|_| Box::pin(std::future::ready(())))))
}
