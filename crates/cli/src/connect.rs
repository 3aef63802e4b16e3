//! Finding the daemon, and what says to it who asks.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use vmpool_api::exit;
use vmpool_client::{Client, Tls};

use crate::{
    args::{DEFAULT_URL, Global},
    failure::Failure,
};

/// The variable that may hold a token.
const TOKEN: &str = "VMPOOL_TOKEN";

/// The variable that says which trace this process is part of, as others have it.
const TRACEPARENT: &str = "TRACEPARENT";

/// A client of the daemon, and what is known of how it is told who asks.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The client.
    pub(crate) client: Client,
    /// Whether the daemon knows better than the environment whom leases belong to.
    pub(crate) has_identity: bool,
}

/// Makes the client that the command line and the environment ask for.
pub(crate) fn connect(global: &Global) -> Result<Connection, Failure> {
    // A variable that is set to nothing is as good as none.
    let url = Some(global.url.as_str()).filter(|url| !url.is_empty()).unwrap_or(DEFAULT_URL);
    let tls = tls(global)?;
    let client = Client::with_tls(url, &tls)?.with_traceparent(env::var(TRACEPARENT).ok().as_deref());
    let given = match &global.token_file {
        Some(file) if !file.as_os_str().is_empty() => Some(read(file)?),
        _ => env::var(TOKEN).ok().filter(|token| !token.is_empty()),
    };
    match given {
        Some(token) => Ok(Connection { client: client.with_token(&token)?, has_identity: true }),
        None => {
            let shows_certificate = url.starts_with("https:") && tls.identity.is_some();
            Ok(Connection { client, has_identity: url.starts_with("unix:") || shows_certificate })
        }
    }
}

/// Says whom to trust and what to show over TLS.
fn tls(global: &Global) -> Result<Tls, Failure> {
    // A variable that is set to nothing is as good as none.
    let given = |file: &Option<PathBuf>| file.clone().filter(|file| !file.as_os_str().is_empty());
    let mut tls = Tls::default();
    if let Some(file) = given(&global.ca_file) {
        tls = tls.with_ca_file(file);
    }
    match (given(&global.certificate_file), given(&global.key_file)) {
        (Some(certificate), Some(key)) => Ok(tls.with_identity(certificate, key)),
        (None, None) => Ok(tls),
        (Some(_), None) => Err(half("the private key of the certificate: --key-file")),
        (None, Some(_)) => Err(half("the certificate of the private key: --certificate-file")),
    }
}

fn half(missing: &str) -> Failure {
    Failure::new(
        exit::USAGE,
        format!("a certificate and its key come together; what is missing is {missing}"),
    )
}

fn read(file: &Path) -> Result<String, Failure> {
    let token = fs::read_to_string(file).map_err(|err| {
        let message = format!("failed to read the token in {}: {err}", file.display());
        Failure::new(exit::USAGE, message)
    })?;
    match token.trim() {
        "" => Err(Failure::new(exit::USAGE, format!("{} holds no token", file.display()))),
        token => Ok(token.to_owned()),
    }
}
