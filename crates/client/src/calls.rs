//! Asking: one method for each route that changes nothing.

use vmpool_api::{
    EventPage, Explanation, Health, Lease, Leases, OwnerShare, Pool, Pools, Provider, Providers, Request,
    Requests, Token, Tokens, Vm, VmFilter, Vms, Whoami, routes,
};

use crate::{Client, ClientError};

/// What the daemon knows. Every method fails with a [`ClientError`] that says what happened and what to do.
impl Client {
    /// Asks how the daemon is.
    ///
    /// # Errors
    ///
    /// If the daemon cannot be reached or speaks another version.
    pub async fn health(&self) -> Result<Health, ClientError> {
        self.get(routes::HEALTH, &[]).await
    }

    /// Asks who the daemon takes this client for, and what it may do.
    ///
    /// # Errors
    ///
    /// `unauthenticated` if the daemon wants a token, or does not take this one.
    pub async fn whoami(&self) -> Result<Whoami, ClientError> {
        self.get(routes::WHOAMI, &[]).await
    }

    /// Asks for all tokens.
    ///
    /// # Errors
    ///
    /// `forbidden` if this client's role may not.
    pub async fn tokens(&self) -> Result<Vec<Token>, ClientError> {
        Ok(self.get::<Tokens>(routes::TOKENS, &[]).await?.tokens)
    }

    /// Asks for all providers.
    ///
    /// # Errors
    ///
    /// If the daemon cannot be reached or speaks another version.
    pub async fn providers(&self) -> Result<Vec<Provider>, ClientError> {
        Ok(self.get::<Providers>(routes::PROVIDERS, &[]).await?.providers)
    }

    /// Asks for one provider.
    ///
    /// # Errors
    ///
    /// `unknown_provider` if there is none of that name.
    pub async fn provider(&self, name: &str) -> Result<Provider, ClientError> {
        self.get(&routes::provider(name), &[]).await
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

    /// Asks for VMs: all, or those that a filter lets through.
    ///
    /// # Errors
    ///
    /// `unknown_pool` if there is no pool of that name, `invalid_request` if there is no such state or address.
    pub async fn vms(&self, filter: &VmFilter) -> Result<Vec<Vm>, ClientError> {
        Ok(self.get::<Vms>(routes::VMS, &filter.query()).await?.vms)
    }

    /// Asks for one VM.
    ///
    /// # Errors
    ///
    /// `unknown_vm` if there is none of that name.
    pub async fn vm(&self, name: &str) -> Result<Vm, ClientError> {
        self.get(&routes::vm(name), &[]).await
    }

    /// Asks how much an owner may hold, in a pool if one is named.
    ///
    /// # Errors
    ///
    /// `unknown_pool` if there is no pool of that name.
    pub async fn owner(&self, name: &str, pool: Option<&str>) -> Result<OwnerShare, ClientError> {
        let query: Vec<_> = pool.map(|pool| ("pool", pool.to_owned())).into_iter().collect();
        self.get(&routes::owner(name), &query).await
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

    /// Asks why a request waits.
    ///
    /// # Errors
    ///
    /// `unknown_request` if the daemon does not remember it.
    pub async fn explain(&self, request: &str) -> Result<Explanation, ClientError> {
        self.get(&routes::request_explain(request), &[]).await
    }

    /// Asks for at most `limit` events after a cursor, oldest first; 0 is the beginning of the log.
    ///
    /// # Errors
    ///
    /// If the daemon cannot be reached or cannot read its log.
    pub async fn events(&self, after: u64, limit: usize) -> Result<EventPage, ClientError> {
        self.get(routes::EVENTS, &[("after", after.to_string()), ("limit", limit.to_string())]).await
    }

    /// Asks for at most `limit` events about a VM after a cursor, oldest first.
    ///
    /// A page may have none although more follow: read on from its `next` until that stays what was asked for.
    ///
    /// # Errors
    ///
    /// If the daemon cannot be reached or cannot read its log.
    pub async fn events_of(&self, vm: &str, after: u64, limit: usize) -> Result<EventPage, ClientError> {
        let query = [("after", after.to_string()), ("limit", limit.to_string()), ("vm", vm.to_owned())];
        self.get(routes::EVENTS, &query).await
    }
}
