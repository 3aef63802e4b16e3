//! Servers behind a proxy with TLS, and their certificates.

use vmpool_driver::OpenError;
use vmpool_model::{Certainty, FailureKind, config::DriverOptions};
use vmpool_opennebula::{
    client::{CallError, CallFailure, Client, ClientConfig, ConfigError, Session},
    driver::factory,
};

use crate::server::{Server, done, tls_file};

/// Asks a server that shows a certificate for its version, and trusts what is in a file.
async fn ask(certificate: &str, ca_file: Option<&str>) -> Result<String, CallError> {
    let server = Server::start_tls(certificate, |_| done("6.10.0")).await;
    let client = server.client_with(|config| match ca_file {
        Some(file) => config.with_ca_file(tls_file(file)),
        None => config,
    });
    client.version().await.map(|version| version.to_string())
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_not_trusted_and_the_error_says_what_to_do() {
    let err = ask("self-signed.pem", None).await.unwrap_err();
    assert!(matches!(*err.failure, CallFailure::Tls { .. }), "{err}");
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Unavailable, Certainty::NotApplied));
    let text = err.to_string();
    assert!(text.starts_with("one.system.version at https://127.0.0.1:"), "{text}");
    assert!(text.contains("certificate") && text.contains("ca_file"), "{text}");
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_trusted_if_it_is_in_the_file() {
    assert_eq!(ask("self-signed.pem", Some("self-signed.pem")).await.unwrap(), "6.10.0");
}

#[tokio::test]
async fn a_certificate_of_the_authority_in_the_file_is_trusted_and_one_of_another_is_not() {
    assert_eq!(ask("signed.pem", Some("authority.pem")).await.unwrap(), "6.10.0");
    let err = ask("signed.pem", Some("self-signed.pem")).await.unwrap_err();
    assert!(err.to_string().contains("ca_file"), "{err}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_trusted_though_its_authority_is() {
    let err = ask("signed-other.pem", Some("authority.pem")).await.unwrap_err();
    assert!(err.to_string().contains("other names"), "{err}");
}

#[tokio::test]
async fn a_port_without_tls_is_named_as_one() {
    let server = Server::start(|_| done("6.10.0")).await;
    let endpoint = server.endpoint.replace("http:", "https:");
    let client = Client::new(ClientConfig::new(endpoint, Session::of("ci", "x"))).unwrap();
    let waiting = tokio::spawn(async move { client.version().await });
    let err = waiting.await.unwrap().unwrap_err();
    assert!(err.to_string().contains("http://"), "{err}");
}

#[test]
fn a_file_without_certificates_is_named_before_anything_is_called() {
    let config = |file: &str| {
        ClientConfig::new("https://one.example/RPC2", Session::of("ci", "x")).with_ca_file(tls_file(file))
    };
    for file in ["key.pem", "nothing.pem"] {
        let err = Client::new(config(file)).unwrap_err();
        assert!(matches!(&err, ConfigError::CaFile { .. }), "{err}");
        assert!(err.to_string().contains(file), "{err}");
    }
    let options = serde_json::json!({"endpoint": "https://one.example/RPC2", "ca_file": tls_file("key.pem")});
    let options: DriverOptions = serde_json::from_value(options).unwrap();
    let err = factory().check(&options).unwrap_err();
    assert!(matches!(&err, OpenError::Options { place, .. } if place == "ca_file"), "{err}");
}
