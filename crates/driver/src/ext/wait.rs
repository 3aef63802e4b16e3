//! Waiting until nodes run.

use std::{net::IpAddr, str::FromStr, time::Duration};

use vmpool_model::{Node, NodeId, format_duration, states::NodeState};

use crate::{Driver, DriverError, Pause};

/// How often and how long to look, and what counts as reachable.
///
/// The time that the provider takes to answer is not counted: this crate has no clock.
#[derive(Clone)]
#[non_exhaustive]
pub struct WaitOptions {
    /// How to wait.
    pub pause: Pause,
    /// How long to wait between two looks; at least a millisecond. Default: 5 s.
    pub interval: Duration,
    /// How long to wait altogether. Default: 10 min.
    pub timeout: Duration,
    /// On which interface a node must have an address. Default: the public one.
    pub interface: Interface,
    /// Of which family the address must be. Default: IPv4.
    pub family: AddressFamily,
}

/// The interfaces on which a node can have an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interface {
    /// Reachable from outside.
    #[default]
    Public,
    /// Reachable from inside the cloud only.
    Private,
    /// Either.
    Any,
}

impl FromStr for Interface {
    type Err = UnknownInterface;

    /// Reads `public`, `private` or `any`; libcloud's `public_ips` and `private_ips` are understood, too.
    fn from_str(text: &str) -> Result<Self, UnknownInterface> {
        match text {
            "public" | "public_ips" => Ok(Self::Public),
            "private" | "private_ips" => Ok(Self::Private),
            "any" => Ok(Self::Any),
            _ => Err(UnknownInterface(text.to_owned())),
        }
    }
}

/// Says that a text names no interface.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no interface {0:?}: it is public, private or any")]
pub struct UnknownInterface(String);

/// The families of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressFamily {
    /// IPv4.
    #[default]
    V4,
    /// IPv6.
    V6,
    /// Either.
    Any,
}

/// Says why a wait for nodes ended without them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The provider could not be asked.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// A node will never run.
    #[error("wait failed: node {} is {} and will not run", .node.id, .node.state)]
    Ended {
        /// The node as it was seen.
        node: Box<Node>,
    },
    /// The provider lists several nodes with one id.
    #[error("wait failed: the provider lists {count} nodes with the id {id}")]
    Duplicate {
        /// The id.
        id: NodeId,
        /// How many nodes have it.
        count: usize,
    },
    /// Some nodes did not run, or had no address, in time.
    #[error("wait failed: timed out after {}; {}", format_duration(*.after), describe(.waiting))]
    TimedOut {
        /// How long the wait was.
        after: Duration,
        /// The nodes that were not ready, as last seen; `None` for those never listed.
        waiting: Vec<(NodeId, Option<NodeState>)>,
        /// Why the last look failed, if it did.
        source: Option<DriverError>,
    },
}

impl WaitOptions {
    /// Waits by `pause`, with the defaults.
    #[must_use]
    pub fn new(pause: Pause) -> Self {
        Self {
            pause,
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(600),
            interface: Interface::default(),
            family: AddressFamily::default(),
        }
    }

    /// Chooses how long to wait between two looks.
    #[must_use]
    pub fn with_interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Chooses how long to wait altogether.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Chooses on which interface a node must have an address.
    #[must_use]
    pub fn with_interface(self, interface: Interface) -> Self {
        Self { interface, ..self }
    }

    /// Chooses of which family the address must be.
    #[must_use]
    pub fn with_family(self, family: AddressFamily) -> Self {
        Self { family, ..self }
    }

    /// Returns the first address of a node that counts.
    #[must_use]
    pub fn address(&self, node: &Node) -> Option<IpAddr> {
        let (public, private): (&[IpAddr], &[IpAddr]) = match self.interface {
            Interface::Public => (&node.public_ips, &[]),
            Interface::Private => (&[], &node.private_ips),
            Interface::Any => (&node.public_ips, &node.private_ips),
        };
        public.iter().chain(private).copied().find(|ip| match self.family {
            AddressFamily::V4 => ip.is_ipv4(),
            AddressFamily::V6 => ip.is_ipv6(),
            AddressFamily::Any => true,
        })
    }

    fn is_ready(&self, node: &Node) -> bool {
        node.state == NodeState::Running && self.address(node).is_some()
    }
}

impl std::fmt::Debug for WaitOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaitOptions")
            .field("interval", &self.interval)
            .field("timeout", &self.timeout)
            .field("interface", &self.interface)
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}

/// Waits; see [`DriverExt::wait_until`](crate::DriverExt::wait_until).
pub(super) async fn wait_until<D: Driver + ?Sized>(
    driver: &D,
    ids: &[NodeId],
    options: &WaitOptions,
) -> Result<Vec<Node>, WaitError> {
    let mut wanted: Vec<&NodeId> = Vec::with_capacity(ids.len());
    for id in ids {
        if !wanted.contains(&id) {
            wanted.push(id);
        }
    }
    let mut waited = Duration::ZERO;
    let mut known = vec![Known::default(); wanted.len()];
    loop {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let (seen, source) = match driver.list().await {
            Ok(listing) => {
                let seen = pick(&listing.nodes, &wanted)?;
                for (known, seen) in known.iter_mut().zip(&seen) {
                    known.note(driver, seen.as_ref(), listing.is_complete()).await?;
                }
                (seen, None)
            }
            Err(err) if err.kind().is_temporary() => (vec![None; wanted.len()], Some(err)),
            Err(err) => return Err(err.into()),
        };
        let ready = |node: &Option<Node>| node.as_ref().is_some_and(|node| options.is_ready(node));
        if seen.iter().all(ready) {
            return Ok(seen.into_iter().flatten().collect());
        }
        if options.timeout <= waited {
            let late = wanted.into_iter().zip(seen).filter(|(_, node)| !ready(node));
            let waiting = late.map(|(id, node)| (id.clone(), node.map(|node| node.state))).collect();
            return Err(WaitError::TimedOut { after: waited, waiting, source });
        }
        // An interval of nothing would never reach the time-out.
        let pause = options.interval.max(Duration::from_millis(1)).min(options.timeout - waited);
        (options.pause)(pause).await;
        waited += pause;
    }
}

/// What is known of a node that is waited for.
#[derive(Clone, Default)]
struct Known {
    last: Option<Node>,
    /// In how many complete listings in a row it was absent since.
    absent: u32,
}

impl Known {
    /// Notes what a listing says, and fails if the node was there and is proven gone.
    async fn note<D: Driver + ?Sized>(
        &mut self,
        driver: &D,
        seen: Option<&Node>,
        complete: bool,
    ) -> Result<(), WaitError> {
        let last = match (seen, &mut self.last) {
            (Some(node), _) => {
                *self = Self { last: Some(node.clone()), absent: 0 };
                return Ok(());
            }
            // Some clouds list new nodes late.
            (None, None) => return Ok(()),
            (None, Some(last)) => last,
        };
        self.absent += u32::from(complete);
        if self.absent < 2 {
            return Ok(());
        }
        match driver.get(&last.id).await {
            Err(err) if err.is_not_found() => {
                last.state = NodeState::Terminated;
                Err(WaitError::Ended { node: Box::new(last.clone()) })
            }
            _ => Ok(()),
        }
    }
}

/// Picks the wanted nodes out of a listing, in the wanted order.
fn pick(listed: &[Node], wanted: &[&NodeId]) -> Result<Vec<Option<Node>>, WaitError> {
    let pick_one = |id: &&NodeId| {
        let mut matching = listed.iter().filter(|node| node.id == **id);
        let first = matching.next();
        match matching.count() {
            0 => {}
            more => return Err(WaitError::Duplicate { id: (*id).clone(), count: more + 1 }),
        }
        match first {
            Some(node)
                if matches!(
                    node.state,
                    NodeState::Error | NodeState::Terminating | NodeState::Terminated
                ) =>
            {
                Err(WaitError::Ended { node: Box::new(node.clone()) })
            }
            found => Ok(found.cloned()),
        }
    };
    wanted.iter().map(pick_one).collect()
}

fn describe(waiting: &[(NodeId, Option<NodeState>)]) -> String {
    let one = |(id, state): &(NodeId, Option<NodeState>)| match state {
        None => format!("node {id} is not listed"),
        Some(NodeState::Running) => format!("node {id} is running without an address"),
        Some(state) => format!("node {id} is {state}"),
    };
    waiting.iter().map(one).collect::<Vec<_>>().join(", ")
}
