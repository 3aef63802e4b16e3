//! What a driver needs besides VMs: templates, hosts, images, datastores, networks and logins.

use super::{Filter, VirtualMachine, machine::number};
use crate::{
    client::{CallError, Client},
    document::{Element, ElementSink},
    resource::Resource,
    rpc::{Call, CodecError},
};

/// How to make a VM of a template of the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Instantiate {
    /// The name of the VM; the server makes one up if it is empty.
    pub name: String,
    /// Whether it waits for a release.
    pub hold: bool,
    /// A template that is merged into the one of the server.
    pub extra: String,
    /// Whether it gets copies of the images that outlive it.
    pub persistent: bool,
}

/// Makes a VM of a template of the server.
///
/// # Errors
///
/// If the call fails; if it may have been carried out nevertheless, only a listing tells.
pub async fn instantiate(
    client: &Client,
    template: i32,
    options: &Instantiate,
) -> Result<VirtualMachine, CallError> {
    let call = Call::new("one.template.instantiate").with(template).with(options.name.as_str());
    let call = call.with(options.hold).with(options.extra.as_str()).with(options.persistent);
    Ok(VirtualMachine::new(client, number(client, call).await?))
}

/// Tells of a template of the server; with `extended` as it is with the attributes of its images.
///
/// # Errors
///
/// If the call fails.
pub async fn template(client: &Client, id: i32, extended: bool) -> Result<Resource, CallError> {
    let call = Call::new("one.template.info").with(id).with(extended).with(false);
    resource(client, call).await
}

/// Stores a template on the server, and returns its id.
///
/// # Errors
///
/// If the call fails.
pub async fn allocate_template(client: &Client, template: impl Into<String>) -> Result<i32, CallError> {
    number(client, Call::new("one.template.allocate").with(template.into())).await
}

/// Deletes a template of the server; VMs that were made of it stay.
///
/// # Errors
///
/// If the call fails.
pub async fn delete_template(client: &Client, id: i32) -> Result<(), CallError> {
    number(client, Call::new("one.template.delete").with(id)).await.map(drop)
}

/// Lists the templates of the server.
///
/// # Errors
///
/// If the call fails.
pub async fn templates(client: &Client, filter: Filter) -> Result<Vec<Resource>, CallError> {
    pool(client, "one.templatepool.info", Some(filter)).await
}

/// Lists images.
///
/// # Errors
///
/// If the call fails.
pub async fn images(client: &Client, filter: Filter) -> Result<Vec<Resource>, CallError> {
    pool(client, "one.imagepool.info", Some(filter)).await
}

/// Tells of one image.
///
/// # Errors
///
/// If the call fails.
pub async fn image(client: &Client, id: i32) -> Result<Resource, CallError> {
    resource(client, Call::new("one.image.info").with(id).with(false)).await
}

/// Makes an image in a datastore, such as of `NAME=data TYPE=DATABLOCK SIZE=64`, and returns its id; it can be used once its
/// `STATE` is 1.
///
/// # Errors
///
/// If the call fails.
pub async fn allocate_image(
    client: &Client,
    template: impl Into<String>,
    datastore: i32,
) -> Result<i32, CallError> {
    number(client, Call::new("one.image.allocate").with(template.into()).with(datastore)).await
}

/// Deletes an image, which no VM may use any more.
///
/// # Errors
///
/// If the call fails.
pub async fn delete_image(client: &Client, id: i32) -> Result<(), CallError> {
    number(client, Call::new("one.image.delete").with(id)).await.map(drop)
}

/// Lists virtual networks.
///
/// # Errors
///
/// If the call fails.
pub async fn networks(client: &Client, filter: Filter) -> Result<Vec<Resource>, CallError> {
    pool(client, "one.vnpool.info", Some(filter)).await
}

/// Tells of one virtual network.
///
/// # Errors
///
/// If the call fails.
pub async fn network(client: &Client, id: i32) -> Result<Resource, CallError> {
    resource(client, Call::new("one.vn.info").with(id).with(false)).await
}

/// Tells of one datastore.
///
/// # Errors
///
/// If the call fails.
pub async fn datastore(client: &Client, id: i32) -> Result<Resource, CallError> {
    resource(client, Call::new("one.datastore.info").with(id).with(false)).await
}

/// Lists datastores.
///
/// # Errors
///
/// If the call fails.
pub async fn datastores(client: &Client) -> Result<Vec<Resource>, CallError> {
    pool(client, "one.datastorepool.info", None).await
}

/// Lists hosts; a user without the right to see any gets an empty list, and no error.
///
/// # Errors
///
/// If the call fails.
pub async fn hosts(client: &Client) -> Result<Vec<Resource>, CallError> {
    pool(client, "one.hostpool.info", None).await
}

/// Tells of one host.
///
/// # Errors
///
/// If the call fails.
pub async fn host(client: &Client, id: i32) -> Result<Resource, CallError> {
    resource(client, Call::new("one.host.info").with(id)).await
}

/// Makes a login token for a user, which is valid for so many seconds, and returns it.
///
/// # Errors
///
/// If the call fails.
pub async fn login(client: &Client, user: &str, seconds: u32) -> Result<String, CallError> {
    let method = "one.user.login";
    let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
    let value = client.call(Call::new(method).with(user).with("").with(seconds).with(-1)).await?;
    match value.as_text() {
        Some(token) => Ok(token.to_owned()),
        None => Err(client.unreadable(method, CodecError::unexpected(0, "a token", value.kind()))),
    }
}

/// Tells of a user, or of the one who asks.
///
/// # Errors
///
/// If the call fails.
pub async fn user(client: &Client, id: Option<i32>) -> Result<Resource, CallError> {
    resource(client, Call::new("one.user.info").with(id.unwrap_or(-1))).await
}

async fn resource(client: &Client, call: Call) -> Result<Resource, CallError> {
    let method = call.method.clone();
    let element = client.document(call, ElementSink::default()).await?;
    let found = element.name.clone();
    let missing = || client.unreadable(&method, CodecError::unexpected(0, "something with an ID", &found));
    Resource::read(element).ok_or_else(missing)
}

async fn pool(client: &Client, method: &str, filter: Option<Filter>) -> Result<Vec<Resource>, CallError> {
    let call = match filter {
        Some(filter) => Call::new(method).with(filter.number()).with(-1).with(-1),
        None => Call::new(method),
    };
    let element: Element = client.document(call, ElementSink::default()).await?;
    Ok(Resource::pool(element))
}
