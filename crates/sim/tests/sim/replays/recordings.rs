//! The recorded exchanges with a real server, which lie with the driver.

use std::{fs, path::PathBuf};

/// One recorded exchange.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    pub(super) name: String,
}

impl Recording {
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    pub(super) fn request(&self) -> Vec<u8> {
        fs::read(folder().join(format!("{}.request.xml", self.name))).unwrap()
    }

    pub(super) fn response(&self) -> String {
        fs::read_to_string(folder().join(format!("{}.response.xml", self.name))).unwrap()
    }

    /// Returns the state of the VM that the recording is about, if its name tells.
    pub(super) fn state(&self) -> Option<&str> {
        let (_, state) = self.name.split_once(".in_")?;
        Some(state.strip_prefix("ACTIVE_").unwrap_or(state))
    }
}

/// Returns every recording.
pub(super) fn recordings() -> Vec<Recording> {
    let summary = fs::read_to_string(folder().join("SUMMARY.tsv")).unwrap();
    summary.lines().skip(1).filter_map(|line| line.split('\t').next()).map(Recording::named).collect()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../opennebula/tests/wire")
}
