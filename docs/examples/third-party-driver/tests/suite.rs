//! The driver passes the suite that every driver must pass.

use std::sync::Arc;

use vmpool_shelf::{ShelfDriver, cloud::Shelf};
use vmpool_testkit::driver::DriverHarness;

fn harness() -> DriverHarness {
    let driver = ShelfDriver::new(Arc::new(Shelf::new(8)), "shelf://lab");
    DriverHarness::new(Arc::new(driver), "paperback")
}

vmpool_testkit::driver_suite!(harness());
