//! Tokens on the disk: one file of versioned records, replaced as a whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use vmpool_api::Token;

use super::secret::Hash;

/// The version of the records that is written.
const VERSION: u32 = 1;

/// Only its own user reads a file of secrets, or of their hashes.
const PRIVATE: u32 = 0o600;

/// Says why the tokens cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The file cannot be read.
    #[error("cannot read the tokens in {}: {source}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what was written.
    #[error(
        "the tokens in {} cannot be understood ({reason}): put a copy of the file back, or move it away to begin \
         without tokens, and make new ones with `vmpool token create`",
        .file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// A newer version wrote the file.
    #[error(
        "the tokens in {} were written by a newer vmpool (version {found}, this one knows {VERSION}): use that one",
        .file.display()
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// The version.
        found: u32,
    },
    /// The system has no chance to give.
    #[error("cannot make a secret: {0}")]
    Chance(String),
}

/// A token as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) token: Token,
    pub(super) hash: Hash,
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    #[serde(default)]
    tokens: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    hash: String,
    token: Token,
}

/// Reads a file; one that is not there holds no tokens.
pub(super) fn read(file: &Path) -> Result<Vec<Kept>, AccessError> {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(AccessError::Read { file: file.to_owned(), source }),
    };
    let damaged = |reason: String| AccessError::Damaged { file: file.to_owned(), reason };
    // A newer version may have other rows, so the version comes first.
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_slice(&text).map_err(|err| damaged(err.to_string()))?;
    if VERSION < version {
        return Err(AccessError::Newer { file: file.to_owned(), found: version });
    }
    let Document { tokens, .. } = serde_json::from_slice(&text).map_err(|err| damaged(err.to_string()))?;
    let kept = tokens.into_iter().map(|Row { hash, token }| {
        let hash = Hash::from_text(&hash);
        Ok(Kept {
            hash: hash.ok_or_else(|| damaged(format!("the hash of {} is broken", token.name)))?,
            token,
        })
    });
    kept.collect()
}

/// Replaces a file: after a crash it holds the tokens of before or these.
pub(super) fn write(file: &Path, tokens: &[Kept]) -> io::Result<()> {
    let row = |Kept { token, hash }: &Kept| Row { hash: hash.to_text(), token: token.clone() };
    let document = Document { version: VERSION, tokens: tokens.iter().map(row).collect() };
    let mut text = serde_json::to_vec_pretty(&document)?;
    text.push(b'\n');
    let beside = file.with_extension("new");
    write_private(&beside, &text)?;
    fs::rename(&beside, file)?;
    match file.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Writes a file that only its own user can read, and that is on the disk when this returns.
pub(super) fn write_private(path: &Path, text: &[u8]) -> io::Result<File> {
    // One that is there may be readable, or be a link to elsewhere.
    match fs::remove_file(path) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path)?;
    file.write_all(text)?;
    file.sync_all()?;
    Ok(file)
}
