//! Servers whose certificates nobody knows.

use std::sync::Arc;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};
use vmpool_cloudapi::{CloudApiError, DataCenter};
use vmpool_http::{HttpConfig, Tls};
use vmpool_model::{Certainty, FailureKind};

use crate::world::{World, config, file};

/// Puts TLS before a simulated server, and returns its address.
async fn behind_tls(world: &World, certificate: &str) -> String {
    let chain = CertificateDer::pem_file_iter(file(certificate)).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(file("tls/key.pem")).unwrap();
    let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = world.server.address();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that trusts nobody hangs up.
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let mut plain = TcpStream::connect(server).await.unwrap();
                    drop(copy_bidirectional(&mut stream, &mut plain).await);
                }
            });
        }
    });
    format!("https://{address}")
}

/// Asks a server that shows a certificate for the account.
async fn ask(certificate: &str, tls: Tls) -> Result<String, CloudApiError> {
    let world = World::new().await;
    let url = behind_tls(&world, certificate).await;
    let mut config = config(&url, "ed25519");
    config.http = HttpConfig::default().with_tls(tls);
    DataCenter::open(config).await.unwrap().get_account().await.map(|account| account.login)
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_trusted_by_its_file_or_the_switch() {
    let own = std::fs::read(file("tls/self-signed.pem")).unwrap();
    assert_eq!(ask("tls/self-signed.pem", Tls::Also(own)).await.unwrap(), "ops");
    assert_eq!(ask("tls/self-signed.pem", Tls::Insecure).await.unwrap(), "ops");
    let err = ask("tls/self-signed.pem", Tls::System).await.unwrap_err();
    assert_eq!((err.kind, err.certainty), (FailureKind::Unavailable, Certainty::NotApplied));
    assert!(err.to_string().contains("certificate"), "{err}");
}

#[tokio::test]
async fn a_certificate_of_an_authority_of_ones_own_is_trusted_by_its_file() {
    let authority = std::fs::read(file("tls/authority.pem")).unwrap();
    assert_eq!(ask("tls/signed.pem", Tls::Also(authority)).await.unwrap(), "ops");
    assert!(ask("tls/signed.pem", Tls::System).await.is_err());
}
