//! A simulated CloudAPI whose clock the test moves, and the recorded exchanges with a real one.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use futures_util::FutureExt as _;
use serde::Deserialize;
use serde_json::Value;
use vmpool_cloudapi::sign::{Component, PrivateKey, authorization};
use vmpool_http::{Method, format_http_date};
use vmpool_model::Timestamp;
use vmpool_sim::cloudapi::{CloudApiSim, SimAccount, SimConfig, SimReply, SimRequest};

/// The time at which every world begins, which is when the first exchange was recorded, in milliseconds.
pub(super) const BEGINNING: i64 = 1_795_250_175_792;

/// The fingerprint of the key that tests sign with.
const FINGERPRINT: &str = "39:bf:4a:25:81:2c:6a:d5:05:e9:76:75:b9:de:8d:c9";

/// A package and an image.
pub(super) const PACKAGE: &str = "sample-128M";
pub(super) const IMAGE: &str = "2b683a82-a066-11e3-97ab-2faa44701c5a";

pub(super) struct World {
    pub(super) sim: CloudApiSim,
    clock: Arc<AtomicI64>,
    key: PrivateKey,
}

/// A recorded exchange.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Exchange {
    pub(super) id: String,
    pub(super) request: Asked,
    pub(super) response: Said,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

/// Returns a file of the client's tests.
fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../cloudapi/tests/data").join(name)
}

/// Returns all exchanges.
pub(super) fn exchanges() -> Vec<Exchange> {
    serde_json::from_str(&std::fs::read_to_string(data("exchanges.json")).unwrap()).unwrap()
}

/// Returns an exchange by the beginning of its name.
pub(super) fn exchange(id: &str) -> Exchange {
    exchanges().into_iter().find(|exchange| exchange.id.starts_with(id)).unwrap()
}

/// Adds the accounts that the real server had.
pub(super) fn with_accounts(config: SimConfig) -> SimConfig {
    let keys: Vec<Value> = serde_json::from_str(&exchange("045").response.body).unwrap();
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    let with_keys = |account: SimAccount| {
        keys.iter().fold(account, |account, key| account.with_key(text(key, "name"), text(key, "key")))
    };
    let user = text(&keys[2], "key");
    config
        .with_account(with_keys(SimAccount::new("test")).with_user("ci", user))
        .with_account(with_keys(SimAccount::new("other")))
        .with_account(with_keys(SimAccount::new("disabled")).disabled())
        .with_account(with_keys(SimAccount::new("unapproved")).unapproved())
}

impl World {
    pub(super) fn new(config: SimConfig) -> Self {
        let clock = Arc::new(AtomicI64::new(BEGINNING));
        let reading = Arc::clone(&clock);
        let tell = move || Timestamp::from_millis(reading.load(Ordering::Relaxed));
        let sim = CloudApiSim::with_clock(with_accounts(config), Arc::new(tell)).unwrap();
        let key = PrivateKey::from_file(&data("keys/ed25519.openssh"), None).unwrap();
        Self { sim, clock, key }
    }

    /// Lets the time pass.
    pub(super) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    /// Sets the clock.
    pub(super) fn set_clock(&self, millis: i64) {
        self.clock.store(millis, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.load(Ordering::Relaxed))
    }

    /// Signs a request for an account with the key of the tests.
    pub(super) fn signed_as(&self, login: &str, request: (&str, &str)) -> SimRequest {
        let (method, target) = request;
        let date = format_http_date(self.now());
        let known = match method {
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "DELETE" => Method::Delete,
            "HEAD" => Method::Head,
            _ => Method::Get,
        };
        // Methods that the client does not know are signed by their date alone.
        let parts: &[Component] = match known.as_str() == method {
            true => &[Component::RequestTarget, Component::Date],
            false => &[Component::Date],
        };
        let id = format!("/{login}/keys/{FINGERPRINT}");
        let signature = authorization(&self.key, &id, parts, (known, target, &date));
        let signature = signature.now_or_never().unwrap().unwrap();
        SimRequest::new(method, target).with_header("date", date).with_header("authorization", signature)
    }

    /// Asks as the account `test`.
    pub(super) fn ask(&self, method: &str, target: &str, body: Option<Value>) -> SimReply {
        let request = self.signed_as("test", (method, target));
        let request = match body {
            None => request,
            Some(body) => request.with_header("content-type", "application/json").with_body(body.to_string()),
        };
        self.sim.answer(&request)
    }

    pub(super) fn get(&self, target: &str) -> Value {
        let reply = self.ask("GET", target, None);
        assert_eq!(reply.status, 200, "{target}: {reply:?}");
        reply.body.unwrap()
    }

    /// Makes a machine, and returns its id.
    pub(super) fn create(&self, name: &str) -> String {
        let body = serde_json::json!({"name": name, "package": PACKAGE, "image": IMAGE});
        let reply = self.ask("POST", "/my/machines", Some(body));
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Makes a machine that runs, and returns its id.
    pub(super) fn running(&self, name: &str) -> String {
        let id = self.create(name);
        self.pass(60);
        assert_eq!(self.state(&id), "running");
        id
    }

    pub(super) fn state(&self, id: &str) -> String {
        self.sim.state(id).unwrap().as_str().to_owned()
    }

    /// Orders an action.
    pub(super) fn act(&self, id: &str, action: &str) -> u16 {
        let body = serde_json::json!({"action": action});
        self.ask("POST", &format!("/my/machines/{id}"), Some(body)).status
    }
}
