//! How the daemon is.

use axum::{Json, extract::State};
use vmpool_api::{Health, VERSION};

use super::{Api, refuse::Refused};
use crate::access::Caller;

/// Says how the daemon is. What is said of pools and places is for who shows who they are.
pub(super) async fn show(State(api): State<Api>, caller: Option<Caller>) -> Result<Json<Health>, Refused> {
    let health = of(&api).await?;
    Ok(Json(match caller {
        Some(caller) if !caller.is_limited() => health,
        Some(_) => Health { state_dir: None, notices: Vec::new(), ..health },
        None => Health { state_dir: None, notices: Vec::new(), pools: Vec::new(), cursor: 0, ..health },
    }))
}

pub(super) async fn of(api: &Api) -> Result<Health, Refused> {
    let (pools, notices) = api.manager.health().await?;
    let cursor = api.manager.watch_events().borrow().0;
    Ok(Health {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api: VERSION,
        installation: api.manager.installation().to_string(),
        started_at: api.started_at,
        pools: pools.iter().map(ToString::to_string).collect(),
        state_dir: api.state_dir.as_ref().map(|path| path.display().to_string()),
        cursor,
        notices: notices.iter().map(ToString::to_string).collect(),
    })
}
