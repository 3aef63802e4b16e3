//! Providers: which there are, and what becomes of nodes that are missing all at once.

use axum::{Json, extract::State, http::StatusCode};
use vmpool::{manager::View, model::ProviderName};
use vmpool_api::{Problem, Provider, Providers, VerbRequest, code};

use super::{
    Api, convert,
    read::{Body, Name, operator},
    refuse::Refused,
};

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Providers>, Refused> {
    let view = api.view().await?;
    Ok(Json(Providers { providers: view.providers.iter().map(convert::provider).collect() }))
}

pub(super) async fn show(State(api): State<Api>, Name(name): Name) -> Result<Json<Provider>, Refused> {
    let view = api.view().await?;
    match view.providers.iter().find(|status| status.name.as_str() == name) {
        Some(status) => Ok(Json(convert::provider(status))),
        None => Err(unknown(&view, &name)),
    }
}

pub(super) async fn accept_loss(
    State(api): State<Api>,
    Name(name): Name,
    Body(body): Body<VerbRequest>,
) -> Result<StatusCode, Refused> {
    let Ok(provider) = ProviderName::new(&name) else {
        return Err(unknown(&*api.view().await?, &name));
    };
    api.manager.by(operator(body.by)?).accept_loss(provider).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(view: &View, name: &str) -> Refused {
    let known: Vec<&str> = view.providers.iter().map(|status| status.name.as_str()).collect();
    let detail = match known.is_empty() {
        true => format!("there is no provider {name:?}, and no other either"),
        false => format!("there is no provider {name:?}; the providers are {}", known.join(", ")),
    };
    Problem::new(code::UNKNOWN_PROVIDER, detail).into()
}
