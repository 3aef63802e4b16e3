//! The recorded exchanges with a real server, OpenNebula 6.10.

use std::{fs, io::Read as _, path::PathBuf};

/// One recorded exchange.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) name: String,
    /// What the exchange came to: `ok VALUE`, `err CODE TEXT`, `fault CODE` or `http`.
    pub(crate) outcome: String,
}

impl Recording {
    pub(crate) fn request(&self) -> Vec<u8> {
        read(&format!("{}.request.xml", self.name))
    }

    pub(crate) fn response(&self) -> Vec<u8> {
        read(&format!("{}.response.xml", self.name))
    }

    /// Returns whether the server answered in XML-RPC.
    pub(crate) fn is_answer(&self) -> bool {
        !self.outcome.starts_with("http")
    }

    /// Returns whether the answer holds a document.
    pub(crate) fn is_document(&self) -> bool {
        self.outcome.starts_with("ok &lt;")
    }

    /// Returns whether the answer is so long that it is read in few tests only.
    pub(crate) fn is_long(&self) -> bool {
        self.name.ends_with(".2000") || self.name.ends_with(".100")
    }
}

/// Returns every recording.
pub(crate) fn recordings() -> Vec<Recording> {
    let summary = String::from_utf8(read("SUMMARY.tsv")).unwrap();
    let rows = summary.lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        Recording { name: columns[0].to_owned(), outcome: columns[3].to_owned() }
    });
    rows.collect()
}

/// Returns one recording.
pub(crate) fn recording(name: &str) -> Recording {
    let found = recordings().into_iter().find(|recording| recording.name == name);
    found.unwrap_or_else(|| panic!("there is no recording {name}"))
}

fn read(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wire").join(name);
    if path.exists() {
        return fs::read(path).unwrap();
    }
    let packed = fs::File::open(path.with_file_name(format!("{name}.gz")))
        .unwrap_or_else(|err| panic!("{name}: {err}"));
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut body).unwrap();
    body
}
