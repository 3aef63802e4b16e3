//! Telling the daemon to do something: one method for each verb.

use std::time::Duration;

use reqwest::Method;
use vmpool_api::{
    DrainRequest, ForgetRequest, HoldRequest, Lease, NewToken, Reloaded, RenewRequest, TerminateRequest,
    TokenRequest, VerbRequest, routes,
};

use crate::{Client, ClientError};

/// What the daemon is told to do. A verb that was answered is durable.
impl Client {
    /// Renews a lease, with a new time to live or its own.
    ///
    /// # Errors
    ///
    /// `unknown_lease` if it has ended or never was, `ttl_out_of_range` if the pool does not allow that time.
    pub async fn renew(&self, lease: &str, ttl: Option<Duration>) -> Result<Lease, ClientError> {
        self.renew_if(lease, None, ttl).await
    }

    /// Renews a lease as [`renew`](Self::renew) does, but only if it has this fence.
    ///
    /// # Errors
    ///
    /// Those of [`renew`](Self::renew), and `stale_fence` if it has another one.
    pub async fn renew_if(
        &self,
        lease: &str,
        fence: Option<u64>,
        ttl: Option<Duration>,
    ) -> Result<Lease, ClientError> {
        let body = RenewRequest::new(ttl).with_fence(fence);
        self.post(&routes::lease_renew(lease), &body, self.timeout()).await
    }

    /// Gives a VM back.
    ///
    /// # Errors
    ///
    /// `unknown_lease` if it has ended or never was, so also if a release whose answer was lost is repeated.
    pub async fn release(&self, lease: &str) -> Result<(), ClientError> {
        self.give_back(lease, None).await
    }

    /// Gives a VM back, but only if its lease has this fence.
    ///
    /// # Errors
    ///
    /// Those of [`release`](Self::release), and `stale_fence` if it has another one.
    pub async fn release_if(&self, lease: &str, fence: u64) -> Result<(), ClientError> {
        self.give_back(lease, Some(fence)).await
    }

    async fn give_back(&self, lease: &str, fence: Option<u64>) -> Result<(), ClientError> {
        let call = self.call(Method::DELETE, &routes::lease(lease));
        let query = [("fence", fence.map(|fence| fence.to_string())), ("by", self.by(None))];
        call.with(|builder| builder.query(&query)).send(self.timeout()).await.map(drop)
    }

    /// Withdraws a request; leases that it was given meanwhile are released.
    ///
    /// For a while the daemon refuses the same request if it is sent again, with `request_cancelled`.
    ///
    /// # Errors
    ///
    /// `unknown_request` if the daemon does not remember it; `request_cancelled`, `request_ended` or `request_turned_away` if it
    /// was over before, so also if a cancellation whose answer was lost is repeated.
    pub async fn cancel(&self, request: &str) -> Result<(), ClientError> {
        self.withdraw(request, None).await
    }

    /// Withdraws a request as [`cancel`](Self::cancel) does, for who made it and waits no longer: unless it had been given
    /// leases, the same request may be sent again at once.
    ///
    /// Wait for no answer to the request any more: one that is on its way may make it anew.
    ///
    /// # Errors
    ///
    /// Those of [`cancel`](Self::cancel).
    pub async fn abandon(&self, request: &str) -> Result<(), ClientError> {
        self.withdraw(request, Some(true)).await
    }

    async fn withdraw(&self, request: &str, again: Option<bool>) -> Result<(), ClientError> {
        let query = [("by", self.by(None)), ("again", again.map(|again| again.to_string()))];
        let call = self.call(Method::DELETE, &routes::request(request));
        call.with(|builder| builder.query(&query)).send(self.timeout()).await.map(drop)
    }

    /// Has a VM destroyed, leased or not; this returns as soon as the daemon has recorded the wish.
    ///
    /// # Errors
    ///
    /// `unknown_vm` if there is none of that name, `invalid_state` if it is being destroyed already.
    pub async fn terminate(&self, vm: &str, reason: Option<&str>) -> Result<(), ClientError> {
        self.terminate_if(vm, &TerminateRequest::new(reason.map(str::to_owned))).await
    }

    /// Has a VM destroyed, but only if it is in the state that the wish names, if it names one.
    ///
    /// # Errors
    ///
    /// Those of [`terminate`](Self::terminate), and `invalid_state` if it is in another state.
    pub async fn terminate_if(&self, vm: &str, wish: &TerminateRequest) -> Result<(), ClientError> {
        let wish = wish.clone().with_by(self.by(wish.by.as_ref()));
        self.act_with(&routes::vm_terminate(vm), &wish).await
    }

    /// Has a VM kept for debugging: at once, or when its lease ends.
    ///
    /// # Errors
    ///
    /// `unknown_vm` if there is none of that name, `invalid_state` if its state forbids it, and a refusal if the pool holds
    /// as many as it may.
    pub async fn hold(&self, vm: &str, wish: &HoldRequest) -> Result<(), ClientError> {
        let wish = wish.clone().with_by(self.by(wish.by.as_ref()));
        self.act_with(&routes::vm_hold(vm), &wish).await
    }

    /// Ends the holding of a VM, which is checked and used again.
    ///
    /// # Errors
    ///
    /// `unknown_vm` if there is none of that name, `invalid_state` if it is not held.
    pub async fn unhold(&self, vm: &str) -> Result<(), ClientError> {
        self.act_with(&routes::vm_unhold(vm), &self.verb()).await
    }

    /// Has the record of a VM removed without proof that its node is gone; a lease of it ends.
    ///
    /// # Errors
    ///
    /// `unknown_vm` if there is none of that name.
    pub async fn forget(&self, vm: &str, reason: &str) -> Result<(), ClientError> {
        let wish = ForgetRequest::new(reason).with_by(self.by(None));
        self.act_with(&routes::vm_forget(vm), &wish).await
    }

    /// Brings a pool to its end: nothing is made or leased any more, and what is not in use is destroyed.
    ///
    /// Draining it again changes the reason, if one is given.
    ///
    /// # Errors
    ///
    /// `unknown_pool` if there is none of that name.
    pub async fn drain(&self, pool: &str, reason: Option<&str>) -> Result<(), ClientError> {
        let wish = DrainRequest::new(reason.map(str::to_owned)).with_by(self.by(None));
        self.act_with(&routes::pool_drain(pool), &wish).await
    }

    /// Lets a drained pool work again.
    ///
    /// # Errors
    ///
    /// `unknown_pool` if there is none of that name.
    pub async fn undrain(&self, pool: &str) -> Result<(), ClientError> {
        self.act_with(&routes::pool_undrain(pool), &self.verb()).await
    }

    /// Says that the nodes that are missing all at once at a provider are lost indeed.
    ///
    /// # Errors
    ///
    /// `unknown_provider` if there is none of that name, `no_mass_loss` if nothing is missing.
    pub async fn accept_loss(&self, provider: &str) -> Result<(), ClientError> {
        self.act_with(&routes::provider_accept_loss(provider), &self.verb()).await
    }

    /// Has the daemon read its configuration again; a configuration that does not fit changes nothing.
    ///
    /// # Errors
    ///
    /// `invalid_config` with every place that does not fit, `no_config_file` if the daemon has none.
    pub async fn reload(&self) -> Result<Reloaded, ClientError> {
        self.post(routes::RELOAD, &self.verb(), self.timeout()).await
    }

    /// Makes a token; this is the only time that it is told.
    ///
    /// # Errors
    ///
    /// `token_exists` if there is one of this name, `forbidden` if this client's role may not.
    pub async fn create_token(&self, wish: &TokenRequest) -> Result<NewToken, ClientError> {
        self.post(routes::TOKENS, wish, self.timeout()).await
    }

    /// Revokes a token, named by its name or its id: from now on it is not taken any more.
    ///
    /// # Errors
    ///
    /// `unknown_token` if there is none in force.
    pub async fn revoke_token(&self, name: &str) -> Result<(), ClientError> {
        self.call(Method::DELETE, &routes::token(name)).send(self.timeout()).await.map(drop)
    }

    fn verb(&self) -> VerbRequest {
        VerbRequest::new(self.by(None))
    }
}
