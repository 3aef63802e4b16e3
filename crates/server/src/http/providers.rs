//! Providers: which there are, and what becomes of nodes that are missing all at once.

use axum::{Json, extract::State, http::StatusCode};
use vmpool::model::ProviderName;
use vmpool_api::{Problem, Provider, Providers, VerbRequest, code};

use super::{
    Api, convert,
    read::{Body, Name},
    refuse::Refused,
};
use crate::access::Caller;

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Providers>, Refused> {
    let providers = api.manager.providers().await?;
    Ok(Json(Providers { providers: providers.iter().map(convert::provider).collect() }))
}

pub(super) async fn show(State(api): State<Api>, Name(name): Name) -> Result<Json<Provider>, Refused> {
    let status = match ProviderName::new(&name) {
        Ok(name) => api.manager.provider(name).await?,
        Err(_) => None,
    };
    match status {
        Some(status) => Ok(Json(convert::provider(&status))),
        None => Err(unknown(&api, &name).await),
    }
}

pub(super) async fn accept_loss(
    State(api): State<Api>,
    caller: Caller,
    Name(name): Name,
    Body(body): Body<VerbRequest>,
) -> Result<StatusCode, Refused> {
    let Ok(provider) = ProviderName::new(&name) else {
        return Err(unknown(&api, &name).await);
    };
    api.manager.by(caller.by(body.by)?).accept_loss(provider).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn unknown(api: &Api, name: &str) -> Refused {
    let providers = match api.manager.providers().await {
        Ok(providers) => providers,
        Err(err) => return err.into(),
    };
    let known: Vec<&str> = providers.iter().map(|status| status.name.as_str()).collect();
    let detail = match known.is_empty() {
        true => format!("there is no provider {name:?}, and no other either"),
        false => format!("there is no provider {name:?}; the providers are {}", known.join(", ")),
    };
    Problem::new(code::UNKNOWN_PROVIDER, detail).into()
}
