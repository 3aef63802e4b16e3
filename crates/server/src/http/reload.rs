//! Reading the configuration again.

use axum::{Json, extract::State};
use vmpool_api::{Place, Problem, Reloaded, VerbRequest, code};

use super::{Api, read::Body, refuse::Refused};
use crate::{ConfigError, ReloadError, access::Caller};

pub(super) async fn reload(
    State(api): State<Api>,
    caller: Caller,
    Body(body): Body<VerbRequest>,
) -> Result<Json<Reloaded>, Refused> {
    let by = caller.by(body.by)?;
    let Some(reloader) = &api.reloader else {
        let detail = "the daemon was started without a configuration file, so there is none to read again";
        return Err(Problem::new(code::NO_CONFIG_FILE, detail).into());
    };
    match reloader.reload_by(by).await {
        Ok(reloaded) => Ok(Json(reloaded)),
        Err(ReloadError::Config(err)) => Err(misfit(&err).into()),
        Err(ReloadError::Provider { provider, source }) => {
            let detail = format!(
                "provider {provider} cannot be used, and the configuration stays what it was: {source}"
            );
            Err(Problem::new(code::PROVIDER, detail).into())
        }
        Err(err @ ReloadError::NeedsRestart { .. }) => {
            let detail = format!("{err}; the configuration stays what it was");
            Err(Problem::new(code::NEEDS_RESTART, detail).into())
        }
        Err(ReloadError::Manager(err)) => Err(err.into()),
        Err(err @ (ReloadError::Broken(_) | ReloadError::Access(_))) => {
            Err(Problem::new(code::INTERNAL, err.to_string()).with_may_have_happened(true).into())
        }
    }
}

fn misfit(err: &ConfigError) -> Problem {
    let places = err.problems().iter().map(|problem| Place {
        line: problem.line,
        column: problem.column,
        key: problem.key.clone(),
        reason: problem.reason.clone(),
    });
    Problem::new(code::INVALID_CONFIG, err.to_string())
        .with_hint(
            "the configuration stays what it was; `vmpool config check FILE` checks a file without a daemon",
        )
        .with_places(places.collect())
}
