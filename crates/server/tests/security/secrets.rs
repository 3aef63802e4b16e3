//! Secrets, looked for wherever text goes.

use std::{
    io,
    sync::{Arc, Mutex},
};

use reqwest::Method;
use tracing_subscriber::fmt::MakeWriter;
use vmpool_client::{Client, api::Role};

use crate::{
    pki::{Files, of, read},
    world::World,
};

/// What was logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_is_in_any_log_answer_event_or_error() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let world = World::start().await;
    let token = world.token("ci", Role::Operator, None).await;
    let secret = token.rsplit('_').next().unwrap();
    let client = Client::new(&format!("http://{}", world.address)).unwrap().with_token(&token).unwrap();
    let mut told = format!("{client:?}");
    for path in ["/v1/tokens", "/v1/whoami", "/v1/health", "/v1/events?limit=1000", "/v1/nowhere", "/metrics"]
    {
        let answer = world.raw(Method::GET, path).bearer_auth(&token).send().await.unwrap();
        told += &format!("{:?}", answer.headers());
        told += &answer.text().await.unwrap();
    }
    told += &format!("{:?}", world.admin.tokens().await.unwrap());
    told += &format!("{:?}", client.tokens().await.unwrap_err());
    world.admin.revoke_token("ci").await.unwrap();
    told += &format!("{:?}", client.pools().await.unwrap_err());
    let wrong = format!("{token}0");
    let refused = world.raw(Method::GET, "/v1/pools").bearer_auth(&wrong).send().await.unwrap();
    told += &refused.text().await.unwrap();
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("a token was made") && logged.contains("token:ci"), "{logged}");
    assert!(!logged.contains(secret), "the log has it");
    assert!(!told.contains(secret), "{told}");
}

#[tokio::test]
async fn no_key_of_tls_is_in_any_log_answer_or_error() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let files = Files::new();
    let world = files.start("client_ca_file = \"authority.pem\"", "").await;
    let tls = files.showing(&files.authority, &of(&["ci.example.org"], "x"));
    let client = Client::with_tls(&format!("https://{}", world.address), &tls).unwrap();
    let mut told = format!("{tls:?} {client:?} {:?}", client.pools().await.unwrap_err());
    let keys = [read(&files.path("daemon.key")), read(&files.path("client.key"))];
    // A certificate and its key in each other's place, and one file for both that is cut off.
    std::fs::write(files.path("daemon.pem"), &keys[0]).unwrap();
    told += &format!("{:?}", world.admin.reload().await.unwrap_err());
    std::fs::write(files.path("daemon.key"), &keys[0][..keys[0].len() / 2]).unwrap();
    told += &format!("{:?}", world.admin.reload().await.unwrap_err());
    let broken = tls.with_identity(files.path("client.key"), files.path("client.pem"));
    told += &format!("{:?}", Client::with_tls("https://localhost", &broken).unwrap_err());
    told += &String::from_utf8_lossy(&log.0.lock().unwrap());
    assert!(told.contains("daemon.tls.certificate_file"), "{told}");
    for key in &keys {
        let secret = key.lines().nth(1).unwrap();
        assert!(!told.contains(&secret[50..]), "{told}");
    }
}
