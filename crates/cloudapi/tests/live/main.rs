//! The suite for drivers and the life of a machine on a real data center, if `VMPOOL_LIVE_CLOUDAPI` has its address.
//!
//! Account and key are those of the variables that the tools of Triton use. `VMPOOL_LIVE_PACKAGE` and `VMPOOL_LIVE_IMAGE` choose
//! what machines are made of: without them, the first image of a zone and the smallest package that fits. Everything that is made is destroyed, also when a test fails.
//! Without the address each test passes at once, and shows nothing.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod life;
mod suite;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use vmpool_cloudapi::{
    CloudApiConfig, CloudApiError, DataCenter,
    types::{Image, Package},
};
use vmpool_model::{FailureKind, Timestamp};

/// Returns a name that no other test has, in whatever process: an account has each name but once.
fn unique(now: Timestamp) -> String {
    static TESTS: AtomicU32 = AtomicU32::new(0);
    let number = TESTS.fetch_add(1, Ordering::Relaxed);
    format!("vmpool-live-{}-{}-{number}", now.as_millis(), std::process::id())
}

/// Asks again, once a second for a minute at most, as long as the account calls too often.
async fn patiently<T>(mut ask: impl AsyncFnMut() -> Result<T, CloudApiError>) -> T {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    for _ in 0..60 {
        seconds.tick().await;
        match ask().await {
            Err(err) if err.kind == FailureKind::RateLimited => {}
            answer => return answer.unwrap(),
        }
    }
    ask().await.unwrap()
}

/// Opens the data center, if there is one, and says what machines are made of: a package and an image.
async fn live() -> Option<(DataCenter, String, String)> {
    let url = std::env::var("VMPOOL_LIVE_CLOUDAPI").ok().filter(|url| !url.is_empty())?;
    let variables = |name: &str| match name {
        "TRITON_URL" => Some(url.clone()),
        "TRITON_PROFILE" => None,
        name => std::env::var(name).ok(),
    };
    let datacenter = DataCenter::open(CloudApiConfig::from_variables(&variables).unwrap()).await.unwrap();
    let chosen = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let images = patiently(async || datacenter.images(&[("state", "active")]).await).await;
    let image = match chosen("VMPOOL_LIVE_IMAGE") {
        Some(id) => images.into_iter().find(|image| image.id == id).unwrap(),
        None => {
            let is_zone =
                |image: &Image| matches!(image.kind.as_deref(), Some("zone-dataset" | "smartmachine"));
            images.into_iter().find(is_zone).unwrap()
        }
    };
    let package = match chosen("VMPOOL_LIVE_PACKAGE") {
        Some(package) => package,
        None => {
            let least = image.requirements.min_ram.or(image.requirements.min_memory).unwrap_or(0);
            let fits = |package: &Package| package.brand.is_none() && least <= package.memory;
            let packages = patiently(async || datacenter.packages(&[]).await).await;
            packages.into_iter().filter(fits).min_by_key(|package| package.memory).unwrap().name
        }
    };
    Some((datacenter, package, image.id))
}
