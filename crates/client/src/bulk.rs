//! Renewing and releasing many leases with one request.

use std::time::Duration;

use vmpool_api::{LeaseRef, Release, Releases, ReleasesRequest, Renewal, Renewals, RenewalsRequest, routes};

use crate::{Client, ClientError};

/// What the daemon is told about many leases at once. It makes all of it durable together.
impl Client {
    /// Renews leases, with a new time to live for all or their own ones; the results come in the order of the leases.
    ///
    /// More than [`MAX_LEASES`](routes::MAX_LEASES) take several requests, one after the other.
    ///
    /// # Errors
    ///
    /// If a request fails as a whole; a lease that cannot be renewed is told by its result, with the codes that
    /// [`renew_if`](Self::renew_if) names.
    pub async fn renew_all(
        &self,
        leases: &[LeaseRef],
        ttl: Option<Duration>,
    ) -> Result<Vec<Renewal>, ClientError> {
        let mut results = Vec::with_capacity(leases.len());
        for some in leases.chunks(routes::MAX_LEASES) {
            let body = RenewalsRequest::new(some.to_vec(), ttl);
            let answer: Renewals = self.post(routes::RENEWALS, &body, self.timeout()).await?;
            results.extend(answer.renewals);
        }
        Ok(results)
    }

    /// Gives VMs back; the results come in the order of the leases.
    ///
    /// More than [`MAX_LEASES`](routes::MAX_LEASES) take several requests, one after the other.
    ///
    /// # Errors
    ///
    /// If a request fails as a whole, after which those before it have been carried out; a lease that cannot be released is
    /// told by its result, with the codes that [`release_if`](Self::release_if) names.
    pub async fn release_all(&self, leases: &[LeaseRef]) -> Result<Vec<Release>, ClientError> {
        let mut results = Vec::with_capacity(leases.len());
        for some in leases.chunks(routes::MAX_LEASES) {
            let body = ReleasesRequest::new(some.to_vec(), self.by(None));
            let answer: Releases = self.post(routes::RELEASES, &body, self.timeout()).await?;
            results.extend(answer.releases);
        }
        Ok(results)
    }
}
