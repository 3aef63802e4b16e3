//! Renewing and releasing many leases with one request, which becomes durable at once.

use axum::{Json, extract::State};
use vmpool::{manager::Refusal, model::LeaseId};
use vmpool_api::{
    LeaseRef, Problem, Release, Releases, ReleasesRequest, Renewal, Renewals, RenewalsRequest, routes,
};

use super::{
    Api, convert, leases,
    read::{Body, does_not_fit},
    refuse::{self, Refused},
};
use crate::access::Caller;

pub(super) async fn renew(
    State(api): State<Api>,
    caller: Caller,
    Body(body): Body<RenewalsRequest>,
) -> Result<Json<Renewals>, Refused> {
    let manager = api.manager.by(caller.by(None)?);
    let (known, named) = read(&api, &caller, body.leases).await?;
    let results = Results { named, known: manager.renew_all(known, body.ttl).await?.into_iter() };
    let renewals = results.map(|(id, result)| match result {
        Ok(renewed) => {
            let lease = convert::lease_of(&renewed.lease, renewed.vm.as_ref());
            Renewal { id, lease: Some(lease), problem: None }
        }
        Err(problem) => Renewal { id, lease: None, problem: Some(problem) },
    });
    Ok(Json(Renewals { renewals: renewals.collect() }))
}

pub(super) async fn release(
    State(api): State<Api>,
    caller: Caller,
    Body(body): Body<ReleasesRequest>,
) -> Result<Json<Releases>, Refused> {
    let manager = api.manager.by(caller.by(body.by)?);
    let (known, named) = read(&api, &caller, body.leases).await?;
    let results = Results { named, known: manager.release_all(known).await?.into_iter() };
    let releases = results.map(|(id, result)| Release { id, problem: result.err() });
    Ok(Json(Releases { releases: releases.collect() }))
}

/// Leases as the manager knows them.
type Known = Vec<(LeaseId, Option<u64>)>;

/// Leases as they were named, each with whether it can be one at all.
type Named = std::vec::IntoIter<(String, bool)>;

/// Reads which leases are meant. One of somebody else looks like none, so that nobody finds out which there are.
async fn read(api: &Api, caller: &Caller, leases: Vec<LeaseRef>) -> Result<(Known, Named), Refused> {
    match leases.len() {
        0 => return Err(does_not_fit("leases", "it is empty: name at least one lease")),
        1..=routes::MAX_LEASES => {}
        count => {
            let why = format!("it names {count} leases, and {} are the most at once", routes::MAX_LEASES);
            return Err(does_not_fit("leases", &why));
        }
    }
    // What cannot be an id is that of no lease, which is no reason to leave the others alone.
    let mut ids: Vec<_> = leases.iter().map(|lease| LeaseId::new(&lease.id).ok()).collect();
    if caller.is_limited() {
        let holders = api.manager.holders(ids.iter().flatten().cloned().collect()).await?;
        let valid = ids.iter_mut().filter(|id| id.is_some());
        for (id, holder) in valid.zip(holders) {
            id.take_if(|_| !holder.is_some_and(|holder| caller.sees(&holder)));
        }
    }
    let mut known = Vec::with_capacity(leases.len());
    let mut named = Vec::with_capacity(leases.len());
    for (LeaseRef { id, fence, .. }, lease) in leases.into_iter().zip(ids) {
        named.push((id, lease.is_some()));
        known.extend(lease.map(|lease| (lease, fence)));
    }
    Ok((known, named.into_iter()))
}

/// What became of all leases that were named.
struct Results<T> {
    named: Named,
    known: std::vec::IntoIter<Result<T, Refusal>>,
}

impl<T> Iterator for Results<T> {
    type Item = (String, Result<T, Problem>);

    fn next(&mut self) -> Option<Self::Item> {
        let (id, is_known) = self.named.next()?;
        let result = match is_known {
            true => self.known.next()?.map_err(|refusal| refuse::refused(&refusal)),
            false => Err(leases::unknown_lease(&id)),
        };
        Some((id, result))
    }
}
