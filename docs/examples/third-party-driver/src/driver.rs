//! The driver: each method is one attempt of one request to the shelf.

use std::{collections::BTreeMap, sync::Arc};

use vmpool_driver::{
    Capabilities, CreateRequest, Driver, DriverError, DriverInfo, Listing, Operation, PowerAction,
    async_trait,
    model::{FailureKind, Node, NodeId},
};

use crate::{
    cloud::Shelf,
    error::failed,
    node::{TOKEN, node, number},
};

/// Speaks to a [`Shelf`].
#[derive(Debug)]
pub struct ShelfDriver {
    info: DriverInfo,
    shelf: Arc<Shelf>,
}

impl ShelfDriver {
    /// Makes a driver of a shelf; `endpoint` says where the shelf is, for people.
    #[must_use]
    pub fn new(shelf: Arc<Shelf>, endpoint: &str) -> Self {
        Self { info: DriverInfo::new("shelf", "Shelf of machines").with_endpoint(endpoint), shelf }
    }
}

#[async_trait]
impl Driver for ShelfDriver {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::none();
        capabilities.start = true;
        capabilities.stop = true;
        capabilities.create_with_token = true;
        capabilities.create_with_labels = true;
        capabilities
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        let operation = Operation::List;
        let machines = self.shelf.look().map_err(|err| failed(operation, "the shelf", err))?;
        let nodes: Result<_, _> = machines.into_iter().map(|machine| node(operation, machine)).collect();
        Ok(Listing::complete(nodes?))
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        let operation = Operation::Get;
        let number = known(operation, id)?;
        let machine = self.shelf.find(number).map_err(|err| failed(operation, &format!("node {id}"), err))?;
        node(operation, machine)
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        let operation = Operation::Create;
        if request.auth.is_some() {
            return Err(unsupported("the shelf takes neither keys nor passwords"));
        }
        if request.size.is_some() || request.image.is_some() || request.location.is_some() {
            return Err(unsupported("the shelf has models only, no sizes, images or locations"));
        }
        let label = request.name.as_deref().unwrap_or("unnamed");
        let card = card(request)?;
        // The token is on the card that is put up together with the machine: there is no moment without it.
        let machine = self.shelf.put(&request.template, label, card);
        node(operation, machine.map_err(|err| failed(operation, &format!("node {label}"), err))?)
    }

    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError> {
        let operation = Operation::Destroy;
        let number = known(operation, id)?;
        self.shelf.take(number).map_err(|err| failed(operation, &format!("node {id}"), err))
    }

    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        let operation = action.operation();
        let condition = match action {
            PowerAction::Start => "plugged in",
            PowerAction::Stop => "unplugged",
            PowerAction::Reboot => return Err(DriverError::unsupported(operation)),
        };
        let number = known(operation, id)?;
        self.shelf.turn(number, condition).map_err(|err| failed(operation, &format!("node {id}"), err))
    }
}

/// Returns the number that an id stands for; an id that the shelf would never write belongs to no node.
fn known(operation: Operation, id: &NodeId) -> Result<u64, DriverError> {
    let unknown =
        || DriverError::new(operation, FailureKind::NotFound).with_context(format!("node {id}: no number"));
    number(id).ok_or_else(unknown)
}

/// Returns what is to be written on the card: the labels, and the token.
fn card(request: &CreateRequest) -> Result<BTreeMap<String, String>, DriverError> {
    let mut card = request.labels.clone();
    if card.contains_key(TOKEN) {
        let err = DriverError::new(Operation::Create, FailureKind::InvalidRequest);
        return Err(err.with_context(format!("label {TOKEN}: this label is vmpool's own")));
    }
    if let Some(token) = &request.token {
        card.insert(TOKEN.to_owned(), token.to_string());
    }
    Ok(card)
}

fn unsupported(why: &'static str) -> DriverError {
    DriverError::unsupported(Operation::Create).with_context(why)
}
