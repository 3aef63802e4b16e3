//! The router, made of the operations of the API: what has no operation is not served, and each asks who may.

use axum::{
    Router,
    handler::Handler,
    middleware,
    routing::{self, MethodFilter},
};
use vmpool_api::operation::{Method, Operation};

use super::{Api, etag, guard};
use crate::access::Access;

/// Routes that are being put together.
#[derive(Debug)]
pub(super) struct Routes {
    access: Access,
    router: Router<Api>,
    /// What is served so far.
    served: Vec<&'static str>,
}

impl Routes {
    pub(super) fn new(access: Access) -> Self {
        Self { access, router: Router::new(), served: Vec::new() }
    }

    /// Serves an operation.
    pub(super) fn at<H, T>(mut self, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        let filter = match operation.method {
            Method::Post => MethodFilter::POST,
            Method::Delete => MethodFilter::DELETE,
            // The API has no other method yet.
            _ => MethodFilter::GET,
        };
        let mut route = routing::on(filter, handler);
        if operation.is_tagged {
            route = route.route_layer(middleware::from_fn(etag::tag));
        }
        let guarded = (self.access.clone(), operation.need);
        let route = route.route_layer(middleware::from_fn_with_state(guarded, guard::check));
        self.router = self.router.route(operation.path, route);
        self.served.push(operation.id);
        self
    }

    /// Returns the ids of the operations that are served.
    #[cfg(test)]
    pub(super) fn served(&self) -> &[&'static str] {
        &self.served
    }

    pub(super) fn into_router(self) -> Router<Api> {
        self.router
    }
}
