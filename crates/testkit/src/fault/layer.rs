//! The layer, which is also the handle by which a test says what goes wrong.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use vmpool_driver::{Driver, Layer, Listing, Operation};

use super::{Fault, FaultRates, ListingFault, dice::Dice, driver::FaultDriver};

/// Makes calls to a driver fail, by script or by chance.
///
/// A clone is another handle of the same script: keep one, and wrap the driver with the other.
/// What a test orders happens first, in the order in which it was ordered; otherwise the dice decide, if there are any.
/// The same seed and the same calls, one after the other, meet the same faults.
///
/// # Examples
///
/// A create whose answer is lost has made its node all the same:
///
/// ```
/// use std::sync::Arc;
/// use vmpool_driver::{CreateRequest, Driver, LayerExt, Operation, model::Certainty};
/// use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver};
/// use vmpool_testkit::fault::{Fault, FaultLayer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cloud = DummyCloud::in_memory(DummyConfig::default())?;
/// let cloud: Arc<dyn Driver> = Arc::new(DummyDriver::new(cloud));
/// let faults = FaultLayer::new();
/// let driver = cloud.layer(&faults);
///
/// faults.fail_next(Operation::Create, Fault::LoseAnswer);
/// let lost = driver.create(&CreateRequest::new("small")).await;
/// assert_eq!(lost.err().map(|err| err.certainty()), Some(Certainty::Unknown));
/// assert_eq!(driver.list().await?.nodes.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct FaultLayer {
    script: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Script {
    faults: BTreeMap<&'static str, VecDeque<Fault>>,
    listings: VecDeque<ListingFault>,
    dice: Option<Dice>,
    calls: Vec<Operation>,
    last_listing: Option<Listing>,
}

impl FaultLayer {
    /// Makes a layer in which nothing goes wrong until it is ordered.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a layer in which things go wrong by chance.
    #[must_use]
    pub fn by_chance(rates: FaultRates, seed: u64) -> Self {
        let layer = Self::default();
        layer.script().dice = Some(Dice { rates, random: fastrand::Rng::with_seed(seed) });
        layer
    }

    /// Orders a fault for the next call of an operation; orders of the same operation queue up.
    pub fn fail_next(&self, operation: Operation, fault: Fault) {
        self.script().faults.entry(operation.as_str()).or_default().push_back(fault);
    }

    /// Orders a fault for the next listing that is answered; orders queue up.
    pub fn spoil_next_listing(&self, fault: ListingFault) {
        self.script().listings.push_back(fault);
    }

    /// Lets everything work from now on: forgets the orders, and puts the dice away.
    pub fn heal(&self) {
        let mut script = self.script();
        script.faults.clear();
        script.listings.clear();
        script.dice = None;
    }

    /// Returns the operations that were called, those with a fault included.
    #[must_use]
    pub fn calls(&self) -> Vec<Operation> {
        self.script().calls.clone()
    }

    /// Notes a call, and returns what is to go wrong with it.
    pub(super) fn fault_of(&self, operation: Operation) -> Option<Fault> {
        let mut script = self.script();
        script.calls.push(operation);
        let ordered = script.faults.get_mut(operation.as_str()).and_then(VecDeque::pop_front);
        ordered.or_else(|| script.dice.as_mut()?.fault(operation))
    }

    /// Returns the listing as the caller is to see it.
    pub(super) fn spoil(&self, listing: Listing) -> Listing {
        let mut script = self.script();
        let ordered = script.listings.pop_front();
        let fault = ordered.or_else(|| script.dice.as_mut()?.listing_fault(listing.nodes.len()));
        let shown = match (fault, &script.last_listing) {
            (Some(ListingFault::Partial { keep }), _) => {
                let nodes = listing.nodes.into_iter().take(keep).collect();
                Listing::partial(nodes, "the rest of the listing was lost")
            }
            (Some(ListingFault::Stale), Some(last)) => last.clone(),
            (Some(ListingFault::Stale), None) | (None, _) => listing,
        };
        script.last_listing = Some(shown.clone());
        shown
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Layer for FaultLayer {
    fn wrap(&self, inner: Arc<dyn Driver>) -> Arc<dyn Driver> {
        Arc::new(FaultDriver { inner, faults: self.clone() })
    }
}
