//! The recordings.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What a client asked a real server, and what it said.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) id: String,
    pub(crate) request: Asked,
    pub(crate) response: Said,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Asked {
    /// Returns the segments of the path below the account, unescaped, and the account.
    pub(crate) fn segments(&self) -> (String, Vec<String>) {
        let path = self.path.split('?').next().unwrap();
        let mut segments = path.split('/').skip(1).map(unescape);
        let account = segments.next().unwrap();
        (account, segments.collect())
    }

    /// Returns the pairs of the query, unescaped and sorted.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let Some((_, query)) = self.path.split_once('?') else { return Vec::new() };
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(key), unescape(value))
        };
        let mut pairs: Vec<_> = query.split('&').map(pair).collect();
        pairs.sort();
        pairs
    }

    /// Returns the body, if it is JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code =
            after.get(..2).and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Returns all recordings.
pub(crate) fn all() -> Vec<Exchange> {
    serde_json::from_str(include_str!("../data/exchanges.json")).unwrap()
}

/// Returns one recording by the beginning of its name.
pub(crate) fn one(id: &str) -> Exchange {
    all().into_iter().find(|exchange| exchange.id.starts_with(id)).unwrap()
}
