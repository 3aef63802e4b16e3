//! How the daemon proves who it is, and whom it asks for certificates.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use vmpool_tls::TlsError;

use super::{Config, error::ConfigProblem, place::Places};
use crate::tls::Shown;

/// How the daemon proves who it is to who connects over TCP; without it, TCP is in clear.
///
/// The files are read at each start and each reload; connections that there are go on as they are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TlsConfig {
    /// The daemon's certificate in PEM, and behind it those that lead to its authority.
    pub certificate_file: PathBuf,
    /// The private key of the certificate in PEM, without a passphrase.
    pub key_file: PathBuf,
    /// The certificates in PEM of who may sign the certificates of clients. Default: none, and clients are not asked for any.
    #[serde(default)]
    pub client_ca_file: Option<PathBuf>,
    /// Whether clients show certificates, where there is a `client_ca_file`. Default: `optional`.
    #[serde(default)]
    pub client_certificates: ClientCertificates,
}

/// Whether clients show certificates, where somebody may sign them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ClientCertificates {
    /// They are not asked.
    Off,
    /// They are asked, and may show none.
    #[default]
    Optional,
    /// Who shows none cannot connect.
    Required,
}

impl TlsConfig {
    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.certificate_file, &mut self.key_file].into_iter().chain(&mut self.client_ca_file)
    }

    fn within(&self, directory: &Path) -> Self {
        let mut found = self.clone();
        found.files_mut().for_each(|file| *file = directory.join(&*file));
        found
    }
}

/// Returns what does not fit, whatever is in the files.
pub(super) fn misfits(config: &Config, places: &Places<'_>) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    for name in config.access.certificates.keys() {
        if let Err(err) = vmpool_tls::check_name(name) {
            // What a key has dots in is found by the table around it.
            let key = format!("access.certificates.{name}");
            problems.push(places.name_of(&key).problem(err.to_string()));
        }
    }
    let tls = config.daemon.tls.as_ref();
    let is_in_vain = |tls: &&TlsConfig| {
        tls.client_ca_file.is_none() && tls.client_certificates == ClientCertificates::Required
    };
    if tls.filter(is_in_vain).is_some() {
        let reason = "nobody can show a certificate as long as client_ca_file does not say who signs them";
        problems.push(places.value_of("daemon.tls.client_certificates").problem(reason));
    }
    problems
}

/// Returns what does not fit in the files.
pub(super) fn problems(config: &Config, places: &Places<'_>, directory: Option<&Path>) -> Vec<ConfigProblem> {
    let Some(tls) = &config.daemon.tls else { return Vec::new() };
    match Shown::read(&tls.within(directory.unwrap_or(Path::new("")))) {
        Ok(_) => Vec::new(),
        Err((key, err)) => vec![places.value_of(&format!("daemon.tls.{key}")).problem(said(&err))],
    }
}

fn said(err: &TlsError) -> String {
    match err {
        TlsError::Read { .. } => format!("{err}; the daemon's own user must be able to read it"),
        err => err.to_string(),
    }
}
