//! Logins for new nodes.

use std::hash::{BuildHasher, RandomState};

use vmpool_model::{Certainty, FailureKind};

use super::{ConnectError, DeployOptions, Deployment};
use crate::{Auth, Capabilities, DriverError, Operation};

/// Checks that one can log in to a new node, before there is one.
pub(super) fn check_login(capabilities: Capabilities, auth: Option<&Auth>) -> Result<(), DriverError> {
    let Capabilities { create_with_ssh_key, create_with_password, create_generates_password, .. } =
        capabilities;
    let (fits, missing) = match auth {
        Some(Auth::SshKey(_)) => (create_with_ssh_key, "an SSH key was given, and it takes none"),
        Some(Auth::Password(_)) => (create_with_password, "a password was given, and it takes none"),
        None => (
            create_with_password || create_generates_password,
            "no login was given, and it makes up no password",
        ),
    };
    let context = match create_with_ssh_key || create_with_password || create_generates_password {
        true if fits => return Ok(()),
        true => missing,
        false => "this driver takes no login for new nodes",
    };
    Err(refusal(FailureKind::Unsupported).with_context(context))
}

/// Checks that there will be a shell if the deployment needs one, before there is a node.
pub(super) async fn check_shell(
    deployment: &dyn Deployment,
    options: &DeployOptions,
) -> Result<(), DriverError> {
    match &options.connection {
        None if deployment.needs_shell() => Err(refusal(FailureKind::InvalidRequest)
            .with_context("the deployment needs a shell on the node, and the options have no connection")),
        None => Ok(()),
        Some(connection) if connection.users.is_empty() => {
            Err(refusal(FailureKind::InvalidRequest).with_context("the connection has no user name"))
        }
        Some(connection) => connection.connector.check().await.map_err(unconnectable),
    }
}

fn unconnectable(err: ConnectError) -> DriverError {
    refusal(FailureKind::InvalidRequest).with_context(err.to_string())
}

fn refusal(kind: FailureKind) -> DriverError {
    DriverError::new(Operation::Deploy, kind).with_certainty(Certainty::NotApplied)
}

/// Makes up a password of 128 bits from the operating system's randomness, by way of the keys of the standard hasher.
pub(super) fn random_password() -> String {
    let word = || RandomState::new().hash_one(0_u8);
    format!("{:016x}{:016x}", word(), word())
}
