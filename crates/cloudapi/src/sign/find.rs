//! Finding the key that has a fingerprint.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::SecretString;

use super::{Agent, Fingerprint, KeyError, PrivateKey, PublicKey, RsaHash, Signer};

/// Where to look for a key.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct FindKey {
    /// The agent to ask first.
    pub agent: Option<Agent>,
    /// The folder to look through then, most often `~/.ssh`.
    pub folder: Option<PathBuf>,
    /// What opens encrypted keys.
    pub passphrase: Option<SecretString>,
    /// The hash in signatures with an RSA key.
    pub rsa_hash: RsaHash,
}

impl FindKey {
    /// Looks nowhere.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks an agent first.
    #[must_use]
    pub fn with_agent(self, agent: Option<Agent>) -> Self {
        Self { agent, ..self }
    }

    /// Looks through a folder.
    #[must_use]
    pub fn with_folder(self, folder: Option<PathBuf>) -> Self {
        Self { folder, ..self }
    }

    /// Opens encrypted keys.
    #[must_use]
    pub fn with_passphrase(self, passphrase: Option<SecretString>) -> Self {
        Self { passphrase, ..self }
    }

    /// Chooses the hash in signatures with an RSA key.
    #[must_use]
    pub fn with_rsa_hash(self, rsa_hash: RsaHash) -> Self {
        Self { rsa_hash, ..self }
    }
}

/// Looks for the key that has a fingerprint: in the agent, then among the files of the folder.
///
/// A private key is recognized by itself, or by the public key in the file beside it that ends in `.pub`, so an encrypted key
/// is only opened if it is the one. An agent that does not answer and files that are no keys are passed over.
///
/// # Errors
///
/// [`KeyError::NotFound`] says where it was looked for; a key that is found and cannot be opened is an error, too.
pub async fn find_key(fingerprint: &Fingerprint, places: &FindKey) -> Result<Arc<dyn Signer>, KeyError> {
    let mut looked_at = Vec::new();
    if let Some(agent) = &places.agent {
        match agent.keys().await {
            Ok(keys) => {
                looked_at.push(format!("{} keys in the ssh-agent", keys.len()));
                let mut keys = keys.into_iter();
                if let Some(key) = keys.find(|key| key.public_key().has(fingerprint)) {
                    return Ok(Arc::new(key.with_rsa_hash(places.rsa_hash)));
                }
            }
            Err(err) => looked_at.push(err.to_string()),
        }
    }
    if let Some(folder) = &places.folder {
        match files(folder) {
            Ok(files) => {
                looked_at.push(format!("{} files in {}", files.len(), folder.display()));
                for file in files {
                    if let Some(key) = matching(&file, fingerprint, places.passphrase.as_ref())? {
                        return Ok(Arc::new(key.with_rsa_hash(places.rsa_hash)));
                    }
                }
            }
            Err(err) => looked_at.push(format!("{}: {err}", folder.display())),
        }
    }
    let looked_at = if looked_at.is_empty() { "nothing".to_owned() } else { looked_at.join(", ") };
    Err(KeyError::NotFound { fingerprint: *fingerprint, looked_at })
}

/// Returns the files of a folder that may be private keys, by name.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_public = path.extension().is_some_and(|extension| extension == "pub");
        if !is_public && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn matching(
    path: &Path,
    fingerprint: &Fingerprint,
    passphrase: Option<&SecretString>,
) -> Result<Option<PrivateKey>, KeyError> {
    let Ok(text) = std::fs::read_to_string(path) else { return Ok(None) };
    if !text.contains("PRIVATE KEY-----") {
        return Ok(None);
    }
    let beside =
        path.with_file_name(format!("{}.pub", path.file_name().unwrap_or_default().to_string_lossy()));
    let public =
        std::fs::read_to_string(beside).ok().and_then(|line| PublicKey::from_openssh(line.trim()).ok());
    match public {
        // The file beside it says whose it is; only the right key is worth an error.
        Some(public) if public.has(fingerprint) => PrivateKey::from_file(path, passphrase).map(Some),
        Some(_) => Ok(None),
        None => {
            let key = PrivateKey::from_file(path, passphrase).ok();
            Ok(key.filter(|key| key.public_key().has(fingerprint)))
        }
    }
}
