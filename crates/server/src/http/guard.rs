//! Asking who asks, before anything is looked at or done.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, header::WWW_AUTHENTICATE},
    middleware::Next,
    response::{IntoResponse, Response},
};
use vmpool_api::{Need, Problem, code};

use super::refuse::Refused;
use crate::access::{Access, Caller, Peer};

/// Lets a request pass if who asks may; from then on the request carries its caller.
pub(super) async fn check(
    State((access, need)): State<(Access, Need)>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>();
    // A request that came by no connection is nobody's.
    let caller = peer.map_or_else(
        || Err(Box::new(Problem::new(code::UNAUTHENTICATED, "nothing shows who asks"))),
        |peer| access.caller(request.headers(), peer),
    );
    match caller {
        Ok(caller) if caller.role.may(need) => {
            tracing::Span::current().record("actor", caller.actor());
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        // What needs nothing tells more to who is known.
        _ if need == Need::Nothing => next.run(request).await,
        Ok(caller) => {
            let problem = forbidden(&caller, need);
            access.forbade(&caller, &problem.detail);
            Refused::from(problem).into_response()
        }
        Err(problem) => {
            if let Some(peer) = request.extensions().get::<Peer>() {
                access.denied(request.headers(), peer, &problem.detail);
            }
            let mut response = Refused::from(problem).into_response();
            let wanted = HeaderValue::from_static("Bearer realm=\"vmpool\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, wanted);
            response
        }
    }
}

fn forbidden(caller: &Caller, need: Need) -> Problem {
    let roles = need.roles().join(", ");
    let detail = format!("{} is a {}, and this is for these roles: {roles}", caller.actor(), caller.role);
    Problem::new(code::FORBIDDEN, detail).with_hint("`vmpool whoami` says who you are")
}
