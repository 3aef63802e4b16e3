//! How the daemon is.

use axum::{Json, extract::State};
use vmpool_api::{Health, VERSION};

use super::{Api, refuse::Refused};

pub(super) async fn show(State(api): State<Api>) -> Result<Json<Health>, Refused> {
    let view = api.view().await?;
    let cursor = api.manager.watch_events().borrow().0;
    Ok(Json(Health {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api: VERSION,
        installation: view.installation.to_string(),
        started_at: api.started_at,
        pools: view.pools.iter().map(|status| status.pool.name.to_string()).collect(),
        state_dir: api.state_dir.as_ref().map(|path| path.display().to_string()),
        cursor,
        notices: view.notices.iter().map(ToString::to_string).collect(),
    }))
}
