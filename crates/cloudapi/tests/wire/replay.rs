//! Every recording: what we send is what was sent, and what was said is understood.

use vmpool_cloudapi::DataCenter;
use vmpool_model::{Certainty, FailureKind};

use crate::{
    config,
    exchange::{Exchange, all, one},
    loopback::{Server, say},
    route,
};

/// Recordings of requests that the client never sends, and why.
const NEVER_SENT: [(&str, &str); 20] = [
    ("059-head-machine", "a machine is asked for by GET"),
    ("065-create-form", "bodies are JSON: a form turns booleans into texts"),
    ("093-create-malformed-json", "bodies are JSON"),
    ("095-create-text-plain", "bodies are JSON"),
    ("096-create-xml", "bodies are JSON"),
    ("104-list-limit-abc", "limits are numbers"),
    ("111-list-tags-star", "it has no limit, and ignores every other filter"),
    ("125-list-unknown-param", "no such parameter"),
    ("127-stop-query", "actions are in the body"),
    ("133-reboot-form", "bodies are JSON"),
    ("135-action-unknown", "no such action"),
    ("139-rename-missing", "a name is a must"),
    ("144-firewall-enable", "actions are in the body"),
    ("159-tags-add-query", "tags are in the body"),
    ("198-nic-get-colons", "colons are taken out"),
    ("210-head-deleted", "a machine is asked for by GET"),
    ("215-list-tombstone-20", "the value does not matter"),
    ("233-method-405", "no such method"),
    ("234-put-machine-405", "who tags with roles names them"),
    ("237-changefeed-no-upgrade", "the feed is asked for with an upgrade"),
];

/// Recordings of requests that differ from ours on purpose in query or path.
const OTHERWISE: [&str; 5] =
    ["236-trailing-slash", "341-presigned", "342-presigned", "343-presigned", "353-as-role"];

fn never_sent(exchange: &Exchange) -> bool {
    NEVER_SENT.iter().any(|(id, _)| *id == exchange.id)
        || OTHERWISE.iter().any(|id| exchange.id.starts_with(id))
}

async fn datacenter(url: &str, exchange: &Exchange) -> DataCenter {
    let (account, _) = exchange.request.segments();
    let config = config(url).with_act_as(Some(account).filter(|account| account != "--ping"));
    let config = match exchange.request.headers.get("accept-version") {
        Some(range) => config.with_accept_version(range.clone()),
        None => config,
    };
    DataCenter::open(config).await.unwrap()
}

#[tokio::test]
async fn our_request_is_the_recorded_one_and_its_answer_is_understood() {
    let mut replayed = 0;
    for exchange in all().into_iter().filter(|exchange| !never_sent(exchange)) {
        let id = &exchange.id;
        let said = exchange.response.clone();
        let server = Server::start(move |_| Some(said.clone())).await;
        let datacenter = datacenter(&server.url, &exchange).await;
        let result =
            route::call(&datacenter, &exchange.request).await.unwrap_or_else(|| panic!("{id} has no call"));

        let (ours, theirs) = (&server.asked()[0], &exchange.request);
        assert_eq!((&ours.method, ours.segments()), (&theirs.method, theirs.segments()), "{id}");
        if theirs.method != "HEAD" {
            assert_eq!(ours.query(), theirs.query(), "{id}");
        }
        assert_eq!(ours.json(), theirs.json(), "{id}");
        let headers = ["accept", "accept-version", "content-type"];
        let omitted = ["026-version-missing", "235-accept-xml"].contains(&id.as_str());
        for header in headers.into_iter().filter(|_| !omitted) {
            assert_eq!(ours.headers.get(header), theirs.headers.get(header), "{id}: {header}");
        }
        understood(&exchange, result);
        replayed += 1;
    }
    assert_eq!(replayed, all().len() - NEVER_SENT.len() - OTHERWISE.len());
}

/// Insists on success where the server says so, and else on the status and the code that it says.
fn understood(exchange: &Exchange, result: Result<String, vmpool_cloudapi::CloudApiError>) {
    let (id, said) = (&exchange.id, &exchange.response);
    let is_get = exchange.request.method == "GET";
    // A machine that is gone is shown; a redirect is the answer of one call.
    let shown = (200..300).contains(&said.status) || (is_get && matches!(said.status, 410 | 302));
    match result {
        Ok(_) => assert!(shown, "{id}: no error for status {}", said.status),
        Err(err) if shown => {
            // These ask twice, and the second answer here is the first one again.
            let asks_again = id.starts_with("173-") || id.starts_with("178-");
            assert!(asks_again, "{id}: {err}");
        }
        Err(err) if said.status == 302 => assert_eq!(err.kind, FailureKind::AlreadyExists, "{id}"),
        Err(err) => {
            assert_eq!(err.status, Some(said.status), "{id}: {err}");
            let body: serde_json::Value = serde_json::from_str(&said.body).unwrap_or_default();
            let code = if said.status == 410 { "" } else { body["code"].as_str().unwrap_or_default() };
            assert_eq!(err.code, code.trim_end_matches("Error"), "{id}");
            let certain = said.status < 500;
            assert_eq!(err.certainty == Certainty::NotApplied, certain, "{id}: {err}");
        }
    }
}

#[tokio::test]
async fn answers_to_requests_that_we_never_send_are_understood_too() {
    for exchange in all().into_iter().filter(never_sent).filter(|exchange| exchange.request.method != "HEAD")
    {
        let said = exchange.response.clone();
        let server = Server::start(move |_| Some(said.clone())).await;
        let datacenter = datacenter(&server.url, &exchange).await;
        let result = datacenter.machines_page(&Default::default(), None, None).await;
        match exchange.response.status {
            200 if exchange.response.body.starts_with('[') => assert!(result.is_ok(), "{}", exchange.id),
            200..300 => assert!(result.unwrap_err().kind == FailureKind::Protocol, "{}", exchange.id),
            status => assert_eq!(result.unwrap_err().status, Some(status), "{}", exchange.id),
        }
    }
}

#[test]
fn the_list_of_requests_that_we_never_send_names_recordings() {
    for (id, _) in NEVER_SENT {
        assert!(all().iter().any(|exchange| exchange.id == id), "{id}");
    }
}

#[tokio::test]
async fn a_destroyed_machine_is_shown_with_its_data() {
    let exchange = one("209-get-deleted");
    let said = exchange.response.clone();
    let server = Server::start(move |_| Some(said.clone())).await;
    let datacenter = datacenter(&server.url, &exchange).await;
    let machine = datacenter.machine("86c631ed-5f92-43e3-bbbc-31d4e8bfc225").await.unwrap();
    assert_eq!(
        (machine.state.to_string().as_str(), machine.name.as_deref()),
        ("deleted", Some("pool-a-renamed"))
    );
    let err = machine.stop().await.unwrap_err();
    assert_eq!((err.kind, server.asked().len()), (FailureKind::NotFound, 1), "an action was sent: {err}");
}

#[tokio::test]
async fn roles_are_asked_for_as_recorded() {
    let exchange = one("353-as-role");
    let said = exchange.response.clone();
    let server = Server::start(move |_| Some(said.clone())).await;
    let datacenter =
        DataCenter::open(config(&server.url).with_roles(vec!["nosuch".to_owned()])).await.unwrap();
    datacenter.machines_page(&Default::default(), Some(1), None).await.unwrap();
    assert_eq!(server.asked()[0].path, exchange.request.path);
}

#[tokio::test]
async fn a_request_is_signed_over_its_target_and_the_date_that_it_carries() {
    let server = Server::start(|_| say(200, "[]")).await;
    crate::open(&server.url).await.machines_page(&Default::default(), Some(1), None).await.unwrap();
    let asked = &server.asked()[0];
    let authorization = &asked.headers["authorization"];
    let key = "39:bf:4a:25:81:2c:6a:d5:05:e9:76:75:b9:de:8d:c9";
    let expected = format!(
        "Signature keyId=\"/test/keys/{key}\",algorithm=\"ed25519-sha512\",headers=\"(request-target) date\",signature=\""
    );
    assert!(authorization.starts_with(&expected), "{authorization}");
    let signature = authorization[expected.len()..].trim_end_matches('"');
    let message = format!("(request-target): get {}\ndate: {}", asked.path, asked.headers["date"]);
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys/ed25519.openssh");
    let file = vmpool_cloudapi::sign::PrivateKey::from_file(&path, None).unwrap();
    let again = vmpool_cloudapi::sign::Signer::sign(&file, message.as_bytes()).await.unwrap();
    use base64::{Engine, engine::general_purpose::STANDARD};
    assert_eq!(signature, STANDARD.encode(again));
}
