//! One method for each route.

use std::time::Duration;

use reqwest::Method;
use vmpool_api::{
    EventPage, Health, Lease, Leases, Pool, Pools, Provider, Providers, RenewRequest, Request, Requests,
    TerminateRequest, Vm, Vms, routes,
};

use crate::{Client, ClientError};

/// Every method fails with a [`ClientError`] that says what happened and what to do.
impl Client {
    /// Asks how the daemon is.
    ///
    /// # Errors
    ///
    /// If the daemon cannot be reached or speaks another version.
    pub async fn health(&self) -> Result<Health, ClientError> {
        self.get(routes::HEALTH, &[]).await
    }

    /// Asks for all providers.
    ///
    /// # Errors
    ///
    /// If the daemon cannot be reached or speaks another version.
    pub async fn providers(&self) -> Result<Vec<Provider>, ClientError> {
        Ok(self.get::<Providers>(routes::PROVIDERS, &[]).await?.providers)
    }

    /// Asks for all pools.
    ///
    /// # Errors
    ///
    /// If the daemon cannot be reached or speaks another version.
    pub async fn pools(&self) -> Result<Vec<Pool>, ClientError> {
        Ok(self.get::<Pools>(routes::POOLS, &[]).await?.pools)
    }

    /// Asks for one pool.
    ///
    /// # Errors
    ///
    /// `unknown_pool` if there is none of that name.
    pub async fn pool(&self, name: &str) -> Result<Pool, ClientError> {
        self.get(&routes::pool(name), &[]).await
    }

    /// Asks for VMs: of all pools or one, in any state or one.
    ///
    /// # Errors
    ///
    /// `unknown_pool` if there is no pool of that name, `invalid_request` if there is no such state.
    pub async fn vms(&self, pool: Option<&str>, state: Option<&str>) -> Result<Vec<Vm>, ClientError> {
        let filters = [("pool", pool), ("state", state)];
        let query: Vec<_> =
            filters.iter().filter_map(|(key, value)| Some((*key, (*value)?.to_owned()))).collect();
        Ok(self.get::<Vms>(routes::VMS, &query).await?.vms)
    }

    /// Asks for one VM.
    ///
    /// # Errors
    ///
    /// `unknown_vm` if there is none of that name.
    pub async fn vm(&self, name: &str) -> Result<Vm, ClientError> {
        self.get(&routes::vm(name), &[]).await
    }

    /// Has a VM destroyed, leased or not; this returns as soon as the daemon has recorded the wish.
    ///
    /// # Errors
    ///
    /// `unknown_vm` if there is none of that name, `invalid_state` if it is being destroyed already.
    pub async fn terminate(&self, vm: &str, reason: Option<&str>) -> Result<(), ClientError> {
        let body = TerminateRequest::new(reason.map(str::to_owned));
        self.act_with(&routes::vm_terminate(vm), &body).await
    }

    /// Asks for all leases.
    ///
    /// # Errors
    ///
    /// If the daemon cannot be reached or speaks another version.
    pub async fn leases(&self) -> Result<Vec<Lease>, ClientError> {
        Ok(self.get::<Leases>(routes::LEASES, &[]).await?.leases)
    }

    /// Asks for one lease.
    ///
    /// # Errors
    ///
    /// `unknown_lease` if it has ended or never was.
    pub async fn lease(&self, id: &str) -> Result<Lease, ClientError> {
        self.get(&routes::lease(id), &[]).await
    }

    /// Renews a lease, with a new time to live or its own.
    ///
    /// # Errors
    ///
    /// `unknown_lease` if it has ended or never was, `ttl_out_of_range` if the pool does not allow that time.
    pub async fn renew(&self, lease: &str, ttl: Option<Duration>) -> Result<Lease, ClientError> {
        self.post(&routes::lease_renew(lease), &RenewRequest::new(ttl), self.timeout()).await
    }

    /// Gives a VM back.
    ///
    /// # Errors
    ///
    /// `unknown_lease` if it has ended or never was, so also if a release whose answer was lost is repeated.
    pub async fn release(&self, lease: &str) -> Result<(), ClientError> {
        self.act(Method::DELETE, &routes::lease(lease)).await
    }

    /// Asks for all requests that the daemon remembers.
    ///
    /// # Errors
    ///
    /// If the daemon cannot be reached or speaks another version.
    pub async fn requests(&self) -> Result<Vec<Request>, ClientError> {
        Ok(self.get::<Requests>(routes::REQUESTS, &[]).await?.requests)
    }

    /// Asks how a request stands.
    ///
    /// # Errors
    ///
    /// `unknown_request` if the daemon does not remember it.
    pub async fn request(&self, id: &str) -> Result<Request, ClientError> {
        self.get(&routes::request(id), &[]).await
    }

    /// Withdraws a request; a lease that it was given meanwhile is released.
    ///
    /// # Errors
    ///
    /// `unknown_request` if the daemon does not remember it.
    pub async fn cancel(&self, request: &str) -> Result<(), ClientError> {
        self.act(Method::DELETE, &routes::request(request)).await
    }

    /// Asks for at most `limit` events after a cursor, oldest first; 0 is the beginning of the log.
    ///
    /// # Errors
    ///
    /// If the daemon cannot be reached or cannot read its log.
    pub async fn events(&self, after: u64, limit: usize) -> Result<EventPage, ClientError> {
        self.get(routes::EVENTS, &[("after", after.to_string()), ("limit", limit.to_string())]).await
    }
}
