//! Secrets among the options of drivers: from a file, the environment or systemd, and in clear only where that is allowed.

use std::{env, fs, path::Path};

use serde_json::{Map, Value};

use super::{Config, error::ConfigProblem, place::Places};

/// What options are called that are secrets, or what stands at the end of their names behind a `_`.
const NAMES: [&str; 5] = ["auth", "passphrase", "password", "secret", "token"];

/// Where systemd puts the credentials of a unit.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Puts every secret in place of what says where it is, and returns everything that does not fit.
///
/// A relative file counts from `directory`.
pub(super) fn resolve(
    config: &mut Config,
    places: &Places<'_>,
    directory: Option<&Path>,
) -> Vec<ConfigProblem> {
    let is_clear_allowed = config.daemon.allow_clear_secrets;
    let mut problems = Vec::new();
    for (provider, table) in &mut config.providers {
        for (name, value) in table.options.0.iter_mut().filter(|(name, _)| is_secret(name)) {
            let read = match &*value {
                Value::String(_) if !is_clear_allowed => Err(in_clear(name)),
                Value::Object(from) => find(from, directory),
                _ => continue,
            };
            match read {
                Ok(secret) => *value = Value::String(secret),
                Err(why) => {
                    let key = format!("providers.{provider}.options.{name}");
                    problems.push(places.name_of(&key).problem(why));
                    // The driver is not to blame it once more.
                    *value = Value::String("unknown:unknown".to_owned());
                }
            }
        }
    }
    problems
}

/// Returns whether an option of a driver is a secret, by its name.
pub(super) fn is_secret(name: &str) -> bool {
    NAMES.iter().any(|secret| {
        name.strip_suffix(secret).is_some_and(|before| before.is_empty() || before.ends_with('_'))
    })
}

fn in_clear(name: &str) -> String {
    format!(
        "it is a secret, and whoever may read this file reads it: write {name} = {{ file = \"PATH\" }}, {{ env = \"VARIABLE\" }} \
         or {{ credential = \"NAME\" }} for one of systemd; or allow secrets here with allow_clear_secrets = true in [daemon]"
    )
}

/// Reads a secret from where a table says it is.
fn find(from: &Map<String, Value>, directory: Option<&Path>) -> Result<String, String> {
    let mut entries = from.iter();
    let (Some((place, Value::String(name))), None) = (entries.next(), entries.next()) else {
        return Err(NO_PLACE.to_owned());
    };
    match place.as_str() {
        "file" => read(&directory.unwrap_or(Path::new("")).join(name)),
        "env" => env::var(name).map_err(|err| format!("there is no secret in the variable {name}: {err}")),
        "credential" => match env::var_os(CREDENTIALS) {
            _ if name.contains('/') || name.starts_with('.') => {
                Err(format!("{name:?} is no name of a credential"))
            }
            Some(credentials) => read(&Path::new(&credentials).join(name)),
            None => Err(format!(
                "there is no credential {name}: {CREDENTIALS} is not set, so systemd did not start this with \
                 LoadCredential={name}:PATH"
            )),
        },
        _ => Err(NO_PLACE.to_owned()),
    }
}

const NO_PLACE: &str =
    "a secret is one of { file = \"PATH\" }, { env = \"VARIABLE\" } and { credential = \"NAME\" }";

/// Reads a file without the end of its last line, which editors put there.
fn read(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path)
        .map_err(|err| format!("the secret cannot be read from {}: {err}", path.display()))?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.trim_end_matches('\r'));
    match text {
        "" => Err(format!("{} is empty, and a secret is expected there", path.display())),
        text => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for secret in ["auth", "passphrase", "api_token", "admin_password"] {
            assert!(is_secret(secret), "{secret}");
        }
        for open in ["auth_file", "passphrase_file", "author", "endpoint", "unauth"] {
            assert!(!is_secret(open), "{open}");
        }
    }

    #[test]
    fn the_end_of_the_last_line_is_no_part_of_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for (content, secret) in [("a:b\n", "a:b"), ("a:b", "a:b"), ("a b \r\n", "a b "), ("a\n\n", "a\n")] {
            fs::write(&path, content).unwrap();
            assert_eq!(read(&path).unwrap(), secret, "{content:?}");
        }
        fs::write(&path, "\n").unwrap();
        assert!(read(&path).unwrap_err().contains("is empty"));
    }
}
