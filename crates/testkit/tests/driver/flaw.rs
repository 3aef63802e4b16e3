//! A driver with a flaw: the dummy's, but for one thing that it does wrong.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use vmpool_driver::{
    Capabilities, Catalog, CreateRequest, Driver, DriverError, DriverInfo, Hint, HintStream, Listing,
    Operation, PowerAction,
};
use vmpool_model::{
    Certainty, FailureKind, Node, NodeId, Timestamp,
    states::{NodeState, RawState},
};

use crate::clouds;

/// What a driver does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    CachesListings,
    CallsListingsPartial,
    ChangesCapabilities,
    DeclaresPasswords,
    DestroysAll,
    DestroysAnotherTheSecondTime,
    DropsHints,
    DropsLabels,
    EmptyCatalog,
    EmptyRawState,
    ExpiryEndsAtOnce,
    FindsByPath,
    GetsTheFirst,
    HidesReboot,
    HidesTokens,
    IgnoresDestroy,
    IgnoresSizes,
    KeepsHints,
    ListsTwice,
    LosesTokens,
    LosesTokensOnceItRuns,
    MarksAll,
    NamelessNodes,
    NeverLetsGo,
    NeverRuns,
    NumbersByCount,
    PasswordInEndpoint,
    PowerNeverFails,
    PowersOtherwise,
    RenamesAlone,
    RenamesNodes,
    RepeatsTokensInSecret,
    ReturnsTheFirst,
    StopIsFinal,
    UnclearRefusals,
    UnknownIsOther,
    UnknownIsDestroyed,
    WrongOperation,
}

#[derive(Debug)]
pub(crate) struct Flawed {
    flaw: Flaw,
    inner: Arc<dyn Driver>,
    info: DriverInfo,
    used: AtomicBool,
    busy: AtomicBool,
    cache: Mutex<Option<Listing>>,
}

impl Flawed {
    /// Makes the driver, in front of a cloud that has a node already.
    pub(crate) async fn new(flaw: Flaw) -> Arc<Self> {
        let inner = clouds::instant();
        let info = match flaw {
            Flaw::PasswordInEndpoint => inner.info().clone().with_endpoint("http://ann:secret@cloud/"),
            _ => inner.info().clone(),
        };
        let decoy = CreateRequest::new("small").with_name("decoy");
        inner.create(&decoy).await.unwrap();
        let (used, busy) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { flaw, inner, info, used, busy, cache: Mutex::default() })
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// Shows a node, with the flaw in it.
    fn show(&self, mut node: Node) -> Node {
        match self.flaw {
            Flaw::DropsLabels => node.extra.clear(),
            Flaw::EmptyRawState => node.raw_state = RawState::Text(String::new()),
            Flaw::LosesTokens => node.token = None,
            Flaw::LosesTokensOnceItRuns if node.state == NodeState::Running => node.token = None,
            Flaw::MarksAll if node.token.is_none() => node.token = "lab/small/small-1".parse().ok(),
            Flaw::NeverRuns if node.state == NodeState::Running => node.state = NodeState::Starting,
            Flaw::RenamesNodes => node.name = node.name.to_uppercase(),
            _ => {}
        }
        node
    }

    fn blur(&self, err: DriverError) -> DriverError {
        match self.flaw {
            Flaw::UnclearRefusals => err.with_certainty(Certainty::Unknown),
            Flaw::UnknownIsOther if err.is_not_found() => {
                DriverError::new(err.operation(), FailureKind::Other)
            }
            Flaw::WrongOperation => {
                DriverError::new(Operation::List, err.kind()).with_context(err.context().to_owned())
            }
            _ => err,
        }
    }

    /// Returns the id that is looked for when this one is given.
    fn path(&self, id: &NodeId) -> NodeId {
        let last = id.as_str().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let end = last.find(['?', '#', '%']).unwrap_or(last.len());
        match self.flaw {
            Flaw::FindsByPath => NodeId::new(&last[..end]).unwrap(),
            _ => id.clone(),
        }
    }

    async fn nodes(&self) -> Result<Vec<Node>, DriverError> {
        Ok(self.inner.list().await?.nodes)
    }

    async fn get_raw(&self, id: &NodeId) -> Result<Node, DriverError> {
        match self.flaw {
            Flaw::GetsTheFirst => Ok(self.nodes().await?.remove(0)),
            _ => self.inner.get(&self.path(id)).await,
        }
    }

    async fn create_raw(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        let before = self.nodes().await?;
        match self.flaw {
            Flaw::ReturnsTheFirst => return Ok(before.into_iter().next().unwrap()),
            Flaw::DeclaresPasswords if request.auth.is_some() => {
                return Err(DriverError::unsupported(Operation::Create));
            }
            Flaw::RepeatsTokensInSecret if request.token.is_some() => {
                let made = self.inner.create(request).await?;
                let first = before.into_iter().find(|node| node.token == request.token);
                return Ok(first.unwrap_or(made));
            }
            _ => {}
        }
        let request = match self.flaw {
            Flaw::IgnoresSizes => request.clone().with_size("1"),
            _ => request.clone(),
        };
        let mut node = self.inner.create(&request).await?;
        match self.flaw {
            Flaw::NumbersByCount => node.id = NodeId::new((before.len() + 1).to_string()).unwrap(),
            Flaw::NamelessNodes => node.name.clear(),
            _ => {}
        }
        Ok(node)
    }

    async fn destroy_raw(&self, id: &NodeId) -> Result<(), DriverError> {
        match (self.flaw, self.inner.destroy(&self.path(id)).await) {
            (Flaw::DestroysAll, Ok(())) => {
                for node in self.nodes().await? {
                    self.inner.destroy(&node.id).await?;
                }
                Ok(())
            }
            (Flaw::DestroysAnotherTheSecondTime, Err(err)) => match self.nodes().await?.pop() {
                Some(last) => self.inner.destroy(&last.id).await,
                None => Err(err),
            },
            (Flaw::UnknownIsDestroyed, _) => Ok(()),
            (_, answer) => answer,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Driver for Flawed {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        match self.flaw {
            Flaw::ChangesCapabilities => capabilities.reboot = !self.used.load(Ordering::Relaxed),
            Flaw::DeclaresPasswords => capabilities.create_with_password = true,
            Flaw::HidesReboot => capabilities.reboot = false,
            Flaw::HidesTokens => capabilities.create_with_token = false,
            _ => {}
        }
        capabilities
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        if self.has(Flaw::NeverLetsGo) {
            if self.busy.swap(true, Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            tokio::task::yield_now().await;
            self.busy.store(false, Ordering::Relaxed);
        }
        let mut nodes: Vec<_> = self.nodes().await?.into_iter().map(|node| self.show(node)).collect();
        if self.has(Flaw::ListsTwice) {
            nodes.extend(nodes.clone());
        }
        let listing = match self.flaw {
            Flaw::CallsListingsPartial => Listing::partial(nodes, "who knows"),
            _ => Listing::complete(nodes),
        };
        match self.flaw {
            Flaw::CachesListings => Ok(self.cache.lock().unwrap().get_or_insert(listing).clone()),
            _ => Ok(listing),
        }
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        let mut node = self.get_raw(id).await.map_err(|err| self.blur(err))?;
        if self.has(Flaw::RenamesAlone) {
            node.name.push_str(".example");
        }
        Ok(self.show(node))
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        self.used.store(true, Ordering::Relaxed);
        self.create_raw(request).await.map(|node| self.show(node))
    }

    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError> {
        match self.flaw {
            Flaw::IgnoresDestroy => self.inner.get(id).await.map(drop),
            Flaw::StopIsFinal if self.inner.get(id).await?.state == NodeState::Stopped => {
                Err(DriverError::new(Operation::Destroy, FailureKind::InvalidState))
            }
            _ => self.destroy_raw(id).await.map_err(|err| self.blur(err)),
        }
    }

    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        let action = match (self.flaw, action) {
            (Flaw::PowersOtherwise, PowerAction::Start | PowerAction::Reboot) => PowerAction::Stop,
            (_, action) => action,
        };
        let answer = self.inner.power(id, action).await;
        match self.flaw {
            Flaw::PowerNeverFails => Ok(()),
            _ => answer,
        }
    }

    async fn catalog(&self) -> Result<Catalog, DriverError> {
        match self.flaw {
            Flaw::EmptyCatalog => Ok(Catalog::default()),
            _ => self.inner.catalog().await,
        }
    }

    async fn set_expiry(&self, id: &NodeId, at: Timestamp) -> Result<(), DriverError> {
        match self.flaw {
            Flaw::ExpiryEndsAtOnce => self.inner.destroy(id).await,
            _ => self.inner.set_expiry(id, at).await,
        }
    }

    async fn hints(&self) -> Result<Box<dyn HintStream>, DriverError> {
        let inner = self.inner.hints().await?;
        Ok(Box::new(FlawedHints { flaw: self.flaw, inner, busy: false }))
    }
}

#[derive(Debug)]
struct FlawedHints {
    flaw: Flaw,
    inner: Box<dyn HintStream>,
    busy: bool,
}

#[async_trait]
impl HintStream for FlawedHints {
    async fn next(&mut self) -> Result<Hint, DriverError> {
        match self.flaw {
            Flaw::KeepsHints => std::future::pending().await,
            Flaw::DropsHints if std::mem::replace(&mut self.busy, true) => std::future::pending().await,
            Flaw::DropsHints => {
                let hint = self.inner.next().await;
                std::future::pending::<()>().await;
                hint
            }
            _ => self.inner.next().await,
        }
    }
}
