//! An authority of the test's own, what it signs, and a daemon that shows it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use tempfile::TempDir;
use vmpool_client::{Client, Tls};

use crate::world::{CLOSED, World};

/// Who signs.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Returns a certificate and its key in PEM.
    pub(crate) fn sign(&self, params: &CertificateParams) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// Says whose a certificate is: by these names, and by a common name.
pub(crate) fn of(names: &[&str], common: &str) -> CertificateParams {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    params
}

/// Says the same of a certificate whose time is over.
pub(crate) fn expired(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    params
}

/// The files of a daemon that speaks TLS and of its clients.
pub(crate) struct Files {
    folder: TempDir,
    pub(crate) authority: Authority,
}

impl Files {
    /// Writes a certificate for loopback, its key and the authority's certificate.
    pub(crate) fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap(), authority: Authority::new() };
        fs::write(files.path("authority.pem"), &files.authority.pem).unwrap();
        files.show(&of(&["127.0.0.1", "localhost"], "the daemon"));
        files
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes what the daemon shows.
    pub(crate) fn show(&self, params: &CertificateParams) {
        self.write("daemon", &self.authority.sign(params));
    }

    fn write(&self, name: &str, (certificate, key): &(String, String)) {
        fs::write(self.path(&format!("{name}.pem")), certificate).unwrap();
        fs::write(self.path(&format!("{name}.key")), key).unwrap();
    }

    /// Writes the configuration with more keys of `daemon.tls`, and more tables.
    pub(crate) fn configure(&self, tls: &str, more: &str) -> PathBuf {
        let table = format!("certificate_file = \"daemon.pem\"\nkey_file = \"daemon.key\"\n{tls}");
        let text =
            CLOSED.replace("[providers.lab]", &format!("[daemon.tls]\n{table}\n{more}\n[providers.lab]"));
        let file = self.path("vmpool.toml");
        fs::write(&file, text).unwrap();
        file
    }

    /// Starts a daemon that shows the certificate, with more keys of `daemon.tls`, and more tables.
    pub(crate) async fn start(&self, tls: &str, more: &str) -> World {
        World::from_file(&self.configure(tls, more), &self.trusting()).await
    }

    /// Trusts the authority.
    pub(crate) fn trusting(&self) -> Tls {
        Tls::default().with_ca_file(self.path("authority.pem"))
    }

    /// Trusts the authority, and shows a certificate that one signs.
    pub(crate) fn showing(&self, by: &Authority, params: &CertificateParams) -> Tls {
        self.write("client", &by.sign(params));
        self.trusting().with_identity(self.path("client.pem"), self.path("client.key"))
    }
}

/// Makes a client of a daemon.
pub(crate) fn client(world: &World, tls: &Tls) -> Client {
    Client::with_tls(&format!("https://{}", world.address), tls).unwrap()
}

/// Returns what a file holds.
pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
