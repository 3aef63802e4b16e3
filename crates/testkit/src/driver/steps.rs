//! The steps that rules are made of.

use std::{sync::atomic::Ordering, time::Duration};

use vmpool_driver::{CreateRequest, DriverError, Listing};
use vmpool_model::{FailureKind, Node, NodeId, Token, states::NodeState};

use super::{DriverHarness, RuleResult, RuleViolation};

/// How many times a wait looks before it gives up.
const LOOKS: u32 = 60;

impl DriverHarness {
    /// Returns a request for a node with a name that no other request of this harness has.
    pub(super) fn request(&self) -> CreateRequest {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        CreateRequest::new(self.template.as_str()).with_name(format!("{}-{number}", self.name_prefix))
    }

    /// Returns a request for a node with a token, and the token.
    pub(super) fn request_with_token(&self) -> RuleResult<(CreateRequest, Token)> {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        let token: Token = format!("testkit/suite/{}-{number}", self.name_prefix).parse()?;
        Ok((CreateRequest::new(self.template.as_str()).with_token(token.clone()), token))
    }

    /// Creates a node, which is destroyed after the rule.
    pub(super) async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        let node = self.driver.create(request).await?;
        self.remember(&node.id);
        Ok(node)
    }

    /// Creates a node of which nothing special is asked.
    pub(super) async fn any_node(&self) -> RuleResult<Node> {
        Ok(self.create(&self.request()).await?)
    }

    /// Creates a node and waits until it runs.
    pub(super) async fn running_node(&self) -> RuleResult<Node> {
        let node = self.any_node().await?;
        self.reaches(&node.id, NodeState::Running).await
    }

    /// Returns the id that the cloud does not know.
    pub(super) fn unknown(&self) -> RuleResult<NodeId> {
        Ok(NodeId::new(self.unknown_id.as_str())?)
    }

    /// Lists, and insists on a complete listing.
    pub(super) async fn list(&self) -> RuleResult<Listing> {
        let listing = self.driver.list().await?;
        match &listing.incomplete {
            None => Ok(listing),
            Some(why) => Err(RuleViolation::new(format!("a listing is incomplete: {why}"))),
        }
    }

    /// Returns the node as a listing shows it, unless it is missing or terminated there.
    pub(super) async fn in_listing(&self, id: &NodeId) -> RuleResult<Option<Node>> {
        let listing = self.list().await?;
        Ok(listing.nodes.into_iter().find(|node| node.id == *id && !node.state.is_terminal()))
    }

    /// Returns the node as the provider shows it, unless it is not found or terminated.
    pub(super) async fn look(&self, id: &NodeId) -> RuleResult<Option<Node>> {
        match self.driver.get(id).await {
            Ok(node) if node.state.is_terminal() => Ok(None),
            Ok(node) => Ok(Some(node)),
            Err(err) if err.is_not_found() => Ok(None),
            Err(err) => Err(err.into()),
        }
    }

    /// Looks again and again until there is an answer, for as long as the harness has patience.
    pub(super) async fn eventually<T>(
        &self,
        what: &str,
        mut look: impl AsyncFnMut() -> RuleResult<Option<T>>,
    ) -> RuleResult<T> {
        let step = self.patience / LOOKS;
        for _ in 0..LOOKS {
            if let Some(answer) = look().await? {
                return Ok(answer);
            }
            (self.pause)(step).await;
        }
        match look().await? {
            Some(answer) => Ok(answer),
            None => Err(RuleViolation::new(format!("{what}: not within {}", seconds(self.patience)))),
        }
    }

    /// Waits until a listing shows the node.
    pub(super) async fn appears(&self, id: &NodeId) -> RuleResult<Node> {
        self.eventually(&format!("node {id} appears in a listing"), async || self.in_listing(id).await).await
    }

    /// Waits until neither a listing nor a look-up shows the node.
    pub(super) async fn vanishes(&self, id: &NodeId) -> RuleResult {
        let gone = async || {
            let shown = self.look(id).await?.is_some() || self.in_listing(id).await?.is_some();
            Ok((!shown).then_some(()))
        };
        self.eventually(&format!("node {id} is gone after it was destroyed"), gone).await
    }

    /// Waits until the node is in a state.
    pub(super) async fn reaches(&self, id: &NodeId, state: NodeState) -> RuleResult<Node> {
        let there = async || Ok(self.look(id).await?.filter(|node| node.state == state));
        self.eventually(&format!("node {id} is {state}"), there).await
    }
}

/// Insists on a failure of one of some kinds.
pub(super) fn refused<T>(
    answer: Result<T, DriverError>,
    kinds: &[FailureKind],
    what: &str,
) -> RuleResult<DriverError> {
    let expected = || kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" or ");
    match answer {
        Err(err) if kinds.contains(&err.kind()) => Ok(err),
        Err(err) => {
            let wrong = RuleViolation::new(format!("{what}: the failure is not {}", expected()));
            Err(wrong.with_cause(err))
        }
        Ok(_) => {
            Err(RuleViolation::new(format!("{what}: it succeeds instead of failing with {}", expected())))
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}
