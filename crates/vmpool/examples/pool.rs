//! Keeps two VMs ready on the cloud in memory, leases one and gives it back.

use std::{error::Error, sync::Arc, time::Duration};

use vmpool::drivers;
use vmpool::manager::Manager;
use vmpool::model::config::{PoolConfig, ProviderConfig};
use vmpool::model::{Acquire, ProviderName, RequestId};
use vmpool::store::MemoryStore;

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let lab = ProviderName::new("lab")?;
    let provider = ProviderConfig::new("dummy");
    let driver = drivers::open(&drivers::builtin(), &lab, &provider).await?;
    let manager = Manager::builder(Arc::new(MemoryStore::new()))
        .provider(lab.clone(), provider, driver)
        .pool("small".parse()?, PoolConfig::new(lab, "small", 2))
        .start()
        .await?;

    let pool = manager.handle();
    let wish = Acquire::new(RequestId::new("build-17")?, "small".parse()?, "ada".parse()?);
    let grant = pool.acquire(wish.with_wait(Duration::from_secs(60))).await?;
    println!("{} has {} at {:?}", grant.lease.owner, grant.lease.vm, grant.node.addresses);
    pool.release(grant.lease.id).await?;
    pool.shutdown().await;
    Ok(())
}
