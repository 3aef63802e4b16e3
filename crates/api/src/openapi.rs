//! The description of the API in OpenAPI 3.1, made from the operations and the types.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    AcquireAnswer, AcquireRequest, DrainRequest, EventPage, Explanation, ForgetRequest, Health, HoldRequest,
    Lease, Leases, Need, NewToken, OwnerShare, Pool, Pools, Problem, Provider, Providers, Releases,
    ReleasesRequest, Reloaded, RenewRequest, Renewals, RenewalsRequest, Request, Requests, TerminateRequest,
    TokenRequest, Tokens, VERSION, VerbRequest, Vm, Vms, Whoami,
    operation::{self, Kind, Method, Operation},
    routes,
};

/// Where the schemas of the document are.
const SCHEMAS: &str = "#/components/schemas";

/// Returns the description of the API.
///
/// # Errors
///
/// A text that names what an operation refers to and there is not.
///
/// # Examples
///
/// ```
/// let document = vmpool_api::openapi::document()?;
/// assert_eq!(document["openapi"], "3.1.0");
/// assert_eq!(document["paths"]["/v1/leases"]["post"]["operationId"], "acquire");
/// # Ok::<(), String>(())
/// ```
pub fn document() -> Result<Value, String> {
    let schemas = schemas();
    let mut paths = Map::new();
    for operation in operation::ALL {
        for name in operation.answers.iter().filter_map(|(_, name)| *name).chain(operation.body) {
            if !schemas.contains_key(name) {
                return Err(format!("the operation {} refers to {name}, which is no schema", operation.id));
            }
        }
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_lowercase()] = describe(operation);
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "vmpool",
            "version": VERSION.to_string(),
            "description": "Keeps pools of virtual machines ready on private clouds and hands them out. Whatever goes \
                            wrong is answered as a problem (RFC 9457) with a stable code. Answers may grow new keys.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, {}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token that `vmpool token create` made. Who is known by a Unix socket or a \
                                    certificate needs none.",
                },
            },
        },
    }))
}

/// Returns the schemas of all types that are sent, by name.
fn schemas() -> Map<String, Value> {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    macro_rules! add {
        ($($name:ident),*) => { $(add::<$name>(&mut generator);)* };
    }
    add!(
        AcquireAnswer,
        AcquireRequest,
        DrainRequest,
        EventPage,
        Explanation,
        ForgetRequest,
        Health,
        HoldRequest,
        Lease,
        Leases,
        NewToken,
        OwnerShare,
        Pool,
        Pools,
        Problem,
        Provider,
        Providers,
        Releases,
        ReleasesRequest,
        Reloaded,
        RenewRequest,
        Renewals,
        RenewalsRequest,
        Request,
        Requests,
        TerminateRequest,
        TokenRequest,
        Tokens,
        VerbRequest,
        Vm,
        Vms,
        Whoami
    );
    let mut schemas = generator.take_definitions(true);
    for (name, kind, about) in [
        ("Document", "object", "This document."),
        (
            "EventStreamText",
            "string",
            "Server-sent events: each has a cursor as `id` and an event as `data`.",
        ),
        ("MetricsText", "string", "The metrics in the text format of Prometheus."),
        ("Page", "string", "A page for browsers."),
        ("File", "string", "What the page needs."),
        ("DashboardState", "object", "It changes with the pages of the dashboard."),
        ("DashboardHistory", "object", "It changes with the pages of the dashboard."),
    ] {
        schemas.insert(name.to_owned(), json!({ "type": kind, "description": about }));
    }
    schemas
}

fn add<T: JsonSchema>(generator: &mut SchemaGenerator) {
    let _ = generator.subschema_for::<T>();
}

fn describe(operation: &Operation) -> Value {
    let path = operation.path_parameters().map(|name| {
        let schema = json!({ "type": "string", "minLength": 1 });
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let query = operation.query.iter().map(|parameter| {
        let schema = match parameter.kind {
            Kind::Text => json!({ "type": "string" }),
            Kind::Number(least) => json!({ "type": "integer", "minimum": least }),
            Kind::Flag => json!({ "type": "boolean" }),
        };
        json!({ "name": parameter.name, "in": "query", "schema": schema, "description": parameter.about })
    });
    let header = |name: &str, about: &str| json!({ "name": name, "in": "header", "schema": { "type": "string" }, "description": about });
    let mut headers = Vec::new();
    if operation.is_tagged {
        headers.push(header("if-none-match", "The `etag` of what is known already."));
    }
    if operation.path == routes::EVENTS_STREAM {
        headers.push(header("last-event-id", "Goes on after this cursor."));
    }
    let parameters: Vec<Value> = path.chain(query).chain(headers).collect();
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [tag(operation)],
        "parameters": parameters,
        "responses": responses(operation),
    });
    match operation.need {
        Need::Nothing => described["security"] = json!([]),
        need => {
            let roles = need.roles().join(", ");
            described["description"] = format!("For these roles: {roles}.").into();
        }
    }
    if let Some(body) = operation.body {
        let schema = json!({ "$ref": format!("{SCHEMAS}/{body}") });
        described["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    described
}

/// Returns what the path is about, such as `leases`.
fn tag(operation: &Operation) -> &'static str {
    operation.path.split('/').nth(2).unwrap_or("vmpool")
}

fn responses(operation: &Operation) -> Value {
    let mut responses = Map::new();
    for (status, name) in operation.answers {
        let mut answer = json!({ "description": if 204 == *status { "It is done." } else { "It is so." } });
        if let Some(name) = name {
            let media = match *name {
                "EventStreamText" => routes::EVENT_STREAM,
                "MetricsText" => "text/plain",
                "Page" => "text/html",
                "File" => "*/*",
                _ => "application/json",
            };
            let schema = json!({ "$ref": format!("{SCHEMAS}/{name}") });
            answer["content"][media] = json!({ "schema": schema });
        }
        if operation.is_tagged {
            answer["headers"]["etag"] = json!({ "schema": { "type": "string" } });
        }
        responses.insert(status.to_string(), answer);
    }
    if operation.is_tagged {
        responses.insert("304".to_owned(), json!({ "description": "It is as `if-none-match` knows it." }));
    }
    let schema = json!({ "$ref": format!("{SCHEMAS}/Problem") });
    let problem = |about: &str| json!({ "description": about, "content": { routes::PROBLEM_JSON: { "schema": schema } } });
    if operation.need != Need::Nothing {
        responses.insert("401".to_owned(), problem("The daemon does not know who asks."));
        responses.insert("403".to_owned(), problem("Who asks may not do this."));
    }
    if operation.method != Method::Get {
        responses.insert("409".to_owned(), problem("The state of things forbids it."));
    }
    responses.insert("default".to_owned(), problem("What went wrong; `code` says it to programs."));
    responses.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_every_code_has_its_place() {
        let document = document().unwrap();
        for operation in operation::ALL {
            let described = &document["paths"][operation.path][operation.method.as_str().to_lowercase()];
            assert_eq!(described["operationId"], operation.id);
            assert!(described["responses"]["default"].is_object());
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document().unwrap();
        let text = document.to_string();
        let names = text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
        for name in names {
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
        assert!(!text.contains("$defs"), "what is referred to is in one place");
    }
}
