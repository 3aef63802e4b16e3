//! The profiles in `~/.triton`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A profile as `triton profile create` writes it into `~/.triton/profiles.d`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// The address of CloudAPI.
    pub url: String,
    /// The login of the account.
    pub account: String,
    /// The fingerprint of the key.
    pub key_id: String,
    /// The login of the user below the account.
    #[serde(default)]
    pub user: Option<String>,
    /// Whether any certificate is trusted.
    #[serde(default)]
    pub insecure: bool,
    /// The account whose things are worked on.
    #[serde(default)]
    pub act_as_account: Option<String>,
    /// The roles to take up.
    #[serde(default)]
    pub roles: Option<Vec<String>>,
}

/// Says why a profile cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", .path.display())]
pub struct ProfileError {
    path: PathBuf,
    reason: String,
}

#[derive(Deserialize)]
struct Current {
    #[serde(default)]
    profile: Option<String>,
}

impl Profile {
    /// Reads a profile below a folder such as `~/.triton`.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] if there is none of that name, or if it has a field that is not known.
    pub fn read(folder: &Path, name: &str) -> Result<Self, ProfileError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let path = folder.join("profiles.d").join(format!("{name}.json"));
        if name.is_empty() || name.starts_with('.') || !name.chars().all(fits) {
            let reason = format!("{name:?} is no name of a profile");
            return Err(ProfileError { path: folder.to_owned(), reason });
        }
        let text = std::fs::read_to_string(&path).map_err(|err| ProfileError {
            path: path.clone(),
            reason: format!("there is no such profile: {err}"),
        })?;
        serde_json::from_str(&text).map_err(|err| ProfileError { path, reason: err.to_string() })
    }

    /// Returns the name of the profile that is in use below a folder such as `~/.triton`, if there is one.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] if the file that tells is there and cannot be read.
    pub fn current(folder: &Path) -> Result<Option<String>, ProfileError> {
        let path = folder.join("config.json");
        match std::fs::read_to_string(&path) {
            Ok(text) => match serde_json::from_str::<Current>(&text) {
                Ok(current) => Ok(current.profile),
                Err(err) => Err(ProfileError { path, reason: err.to_string() }),
            },
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(err) => Err(ProfileError { path, reason: err.to_string() }),
        }
    }
}
