//! Whether what a driver declares is true: declared works, undeclared is refused and changes nothing.

use std::collections::BTreeSet;

use vmpool_driver::{Auth, CreateRequest, PowerAction};
use vmpool_model::{FailureKind, Timestamp, states::NodeState};

use crate::driver::{DriverHarness, RuleResult, steps::refused, violation::ensure};

const UNSUPPORTED: &[FailureKind] = &[FailureKind::Unsupported];

/// A point in time that no cloud has reached: 2100-01-01T00:00:00Z.
const FAR_FUTURE: Timestamp = Timestamp::from_millis(4_102_444_800_000);

/// A declared catalog holds something to make nodes of, and nothing in it lacks an id or has another's.
///
/// # Errors
///
/// If it has neither sizes nor images, or an id is empty or there twice.
pub async fn a_declared_catalog_is_not_empty(harness: &DriverHarness) -> RuleResult {
    if !harness.driver.capabilities().catalog {
        return Ok(());
    }
    let catalog = harness.driver.catalog().await?;
    ensure(!catalog.sizes.is_empty() || !catalog.images.is_empty(), || {
        "the catalog has neither sizes nor images".to_owned()
    })?;
    let check = |what: &str, ids: Vec<&str>| {
        let distinct: BTreeSet<_> = ids.iter().filter(|id| !id.is_empty()).collect();
        ensure(distinct.len() == ids.len(), || format!("the {what} have the ids {ids:?}"))
    };
    check("sizes", catalog.sizes.iter().map(|size| size.id.as_str()).collect())?;
    check("images", catalog.images.iter().map(|image| image.id.as_str()).collect())?;
    check("locations", catalog.locations.iter().map(|location| location.id.as_str()).collect())
}

/// What is in a declared catalog can be chosen for a node.
///
/// # Errors
///
/// If the node is refused, or shows another size or image.
pub async fn what_is_in_the_catalog_can_be_chosen(harness: &DriverHarness) -> RuleResult {
    if !harness.driver.capabilities().catalog {
        return Ok(());
    }
    let catalog = harness.driver.catalog().await?;
    if let Some(size) = catalog.sizes.last() {
        let node = harness.create(&harness.request().with_size(size.id.as_str())).await?;
        let shown = node.size.map_or_else(|| size.id.clone(), |size| size.id);
        ensure(shown == size.id, || format!("a node of size {:?} has size {shown:?}", size.id))?;
    }
    if let Some(image) = catalog.images.last() {
        let node = harness.create(&harness.request().with_image(image.id.as_str())).await?;
        let shown = node.image.map_or_else(|| image.id.clone(), |image| image.id);
        ensure(shown == image.id, || format!("a node of image {:?} has image {shown:?}", image.id))?;
    }
    Ok(())
}

/// A declared expiry is accepted, and a node whose time has not come runs on.
///
/// # Errors
///
/// If it is refused, or if the node ends.
pub async fn a_declared_expiry_is_accepted(harness: &DriverHarness) -> RuleResult {
    if !harness.driver.capabilities().set_expiry {
        return Ok(());
    }
    let node = harness.running_node().await?;
    harness.driver.set_expiry(&node.id, FAR_FUTURE).await?;
    let state = harness.look(&node.id).await?.map(|node| node.state);
    ensure(state == Some(NodeState::Running), || {
        format!("node {} is {state:?} long before its time", node.id)
    })
}

/// Declared labels are found on the node in listings, in `extra` under their keys.
///
/// # Errors
///
/// If one is missing there.
pub async fn declared_labels_are_listed(harness: &DriverHarness) -> RuleResult {
    if !harness.driver.capabilities().create_with_labels {
        return Ok(());
    }
    let node = harness.create(&labeled(harness.request())).await?;
    let listed = harness.appears(&node.id).await?;
    ensure(listed.extra.get(LABEL.0).is_some_and(|value| value == LABEL.1), || {
        format!("node {} was created with the label {LABEL:?} and shows {:?}", node.id, listed.extra)
    })
}

/// Declared ways to log in are accepted, and a password is made up where that is declared.
///
/// # Errors
///
/// If one is refused, or no password is returned in `extra["password"]`.
pub async fn declared_logins_are_accepted(harness: &DriverHarness) -> RuleResult {
    let capabilities = harness.driver.capabilities();
    if capabilities.create_with_ssh_key {
        harness.create(&harness.request().with_auth(ssh_key())).await?;
    }
    if capabilities.create_with_password {
        harness.create(&harness.request().with_auth(password())).await?;
    }
    if capabilities.create_generates_password {
        let node = harness.any_node().await?;
        let made_up = node.extra.get("password").is_some_and(|password| !password.is_empty());
        ensure(made_up, || format!("node {} was created without a password and got none", node.id))?;
    }
    Ok(())
}

/// An operation that is not declared fails with `Unsupported` and changes nothing.
///
/// # Errors
///
/// If one fails otherwise or succeeds, or if the node does not run on.
pub async fn undeclared_operations_are_refused(harness: &DriverHarness) -> RuleResult {
    let (driver, capabilities) = (&harness.driver, harness.driver.capabilities());
    let node = harness.running_node().await?;
    let actions = [
        (PowerAction::Start, capabilities.start),
        (PowerAction::Stop, capabilities.stop),
        (PowerAction::Reboot, capabilities.reboot),
    ];
    for (action, declared) in actions {
        if !declared {
            let what = format!("{}, which is not declared", action.operation());
            refused(driver.power(&node.id, action).await, UNSUPPORTED, &what)?;
        }
    }
    if !capabilities.catalog {
        refused(driver.catalog().await, UNSUPPORTED, "catalog, which is not declared")?;
    }
    if !capabilities.set_expiry {
        let answer = driver.set_expiry(&node.id, FAR_FUTURE).await;
        refused(answer, UNSUPPORTED, "set_expiry, which is not declared")?;
    }
    if !capabilities.hints {
        refused(driver.hints().await, UNSUPPORTED, "hints, which are not declared")?;
    }
    let state = harness.look(&node.id).await?.map(|node| node.state);
    ensure(state == Some(NodeState::Running), || {
        format!("after calls that were refused, node {} is {state:?}", node.id)
    })
}

/// A request that needs what is not declared fails with `Unsupported`, and no node is made.
///
/// # Errors
///
/// If one fails otherwise or succeeds, or if its node is listed.
pub async fn undeclared_parts_of_a_request_are_refused(harness: &DriverHarness) -> RuleResult {
    let capabilities = harness.driver.capabilities();
    let requests = [
        ("a token", capabilities.create_with_token, harness.request_with_token()?.0),
        ("a label", capabilities.create_with_labels, labeled(harness.request())),
        ("an SSH key", capabilities.create_with_ssh_key, harness.request().with_auth(ssh_key())),
        ("a password", capabilities.create_with_password, harness.request().with_auth(password())),
    ];
    for (part, _, request) in requests.iter().filter(|(_, declared, _)| !declared) {
        let what = format!("create with {part}, which is not declared");
        refused(harness.create(request).await, UNSUPPORTED, &what)?;
        let listing = harness.list().await?;
        let made = listing.nodes.iter().any(|node| request.name.as_ref() == Some(&node.name));
        ensure(!made, || format!("{what}: it was refused, and the node is there"))?;
    }
    Ok(())
}

const LABEL: (&str, &str) = ("suite-label", "a value");

fn labeled(request: CreateRequest) -> CreateRequest {
    request.with_label(LABEL.0, LABEL.1)
}

fn ssh_key() -> Auth {
    Auth::SshKey(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZMqMzZqVY0n8Nq1tBsmTt6Kp0mC2LkY8r4nY0oQx1t suite".to_owned(),
    )
}

fn password() -> Auth {
    Auth::Password("a-Password-for-1-suite".to_owned())
}
