//! Tokens: which there are, making one, revoking one; and who asks.

use axum::{Json, extract::State, http::StatusCode};
use vmpool::{
    manager::Clock as _,
    model::{EventKind, Owner, PoolName},
};
use vmpool_api::{NewToken, Problem, TokenRequest, Tokens, Whoami, code};

use super::{
    Api,
    read::{Body, Name, does_not_fit, invalid_name},
    refuse::Refused,
};
use crate::access::{Caller, TokenError};

pub(super) async fn whoami(caller: Caller) -> Json<Whoami> {
    Json(caller.whoami())
}

pub(super) async fn list(State(api): State<Api>) -> Json<Tokens> {
    Json(Tokens { tokens: api.access.tokens().list() })
}

pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    Body(body): Body<TokenRequest>,
) -> Result<(StatusCode, Json<NewToken>), Refused> {
    // A token's name is told in events, so it is as plain as the name of a pool.
    if let Err(err) = PoolName::new(&body.name) {
        return Err(does_not_fit("name", &format!("{:?} is not a valid name: {}", body.name, err.rule())));
    }
    body.owner.as_ref().map(Owner::new).transpose().map_err(invalid_name("owner"))?;
    let by = Some(caller.actor().to_owned());
    let (secret, token) = api.access.tokens().create(body, by, api.watched.clock.now()).await?;
    tracing::info!(id = token.id, name = token.name, role = %token.role, owner = token.owner, "a token was made");
    let until = token.expires_at.map_or_else(|| "for ever".to_owned(), |end| format!("until {end:.0}"));
    let about = format!("{} ({}): {} for {}, {until}", token.name, token.id, token.role, token.owner);
    tell(&api, &caller, EventKind::TokenCreated, about).await;
    Ok((StatusCode::CREATED, Json(NewToken { secret: secret.expose().to_owned(), token })))
}

pub(super) async fn revoke(
    State(api): State<Api>,
    caller: Caller,
    Name(name): Name,
) -> Result<StatusCode, Refused> {
    let by = Some(caller.actor().to_owned());
    let token = api.access.tokens().revoke(&name, by, api.watched.clock.now()).await?;
    tracing::info!(id = token.id, name = token.name, "a token was revoked");
    tell(&api, &caller, EventKind::TokenRevoked, format!("{} ({})", token.name, token.id)).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells the event log what was done to a token; that it was done stays true if the log cannot be written.
async fn tell(api: &Api, caller: &Caller, kind: EventKind, about: String) {
    let by = caller.by(None).unwrap_or_default();
    if let Err(err) = api.manager.by(by).note(kind, about).await {
        tracing::error!(event = %kind, "what was done to a token is not in the event log: {err}");
    }
}

impl From<TokenError> for Refused {
    fn from(err: TokenError) -> Self {
        let code = match err {
            TokenError::Exists(_) => code::TOKEN_EXISTS,
            TokenError::Unknown(_) => code::UNKNOWN_TOKEN,
            TokenError::TooMany => code::REFUSED,
            TokenError::Endless => code::INVALID_REQUEST,
            TokenError::Write(_) => code::STORE,
            TokenError::Chance(_) => code::INTERNAL,
        };
        if code.status == 500 {
            tracing::error!("a token was not made or revoked: {err}");
        }
        Problem::new(code, err.to_string()).into()
    }
}
