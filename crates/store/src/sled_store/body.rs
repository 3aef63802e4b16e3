//! The bodies of records: JSON that says its format, such as `{"v":1,"vm":{…}}`.

use std::{io, path::Path};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, MapAccess, Visitor},
};

use super::key;
use crate::StoreError;

/// The newest format of records that this version reads, and the one it writes.
pub(super) const FORMAT: u32 = 1;

/// How the bodies begin that this version writes.
const OURS: &[u8] = b"{\"v\":1,";

/// Writes the body of a record; `kind` is a plain word.
pub(super) fn encode(kind: &str, value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut body = format!("{{\"v\":{FORMAT},\"{kind}\":").into_bytes();
    serde_json::to_writer(&mut body, value)?;
    body.push(b'}');
    Ok(body)
}

/// Reads the body of the record at `key`.
///
/// # Errors
///
/// [`StoreError::NewerVersion`] or [`StoreError::Damaged`] that names the record.
pub(super) fn decode<T: DeserializeOwned>(
    store: &Path,
    key: &[u8],
    kind: &'static str,
    body: &[u8],
) -> Result<T, StoreError> {
    decode_at(|| format!("{}, record {}", store.display(), key::show(key)), kind, body)
}

/// Reads a body; `place` says where it is from.
pub(super) fn decode_at<T: DeserializeOwned>(
    place: impl Fn() -> String,
    kind: &'static str,
    body: &[u8],
) -> Result<T, StoreError> {
    // What this version wrote begins so, and is looked at once only.
    if body.starts_with(OURS)
        && let Ok(value) = read(kind, body)
    {
        return Ok(value);
    }
    let damaged = |reason: String| StoreError::Damaged { place: place(), reason };
    // The format comes first: nothing is known of what else a newer one holds.
    let head: Head = match serde_json::from_slice(body) {
        Ok(head) => head,
        Err(err) => return Err(damaged(format!("it is not a record: {err}"))),
    };
    match head.v {
        FORMAT => {}
        0 => return Err(damaged("it is of format 0, which never was".to_owned())),
        found => return Err(StoreError::NewerVersion { place: place(), found, known: FORMAT }),
    }
    read(kind, body).map_err(|err| damaged(format!("it is not a {kind}: {err}")))
}

/// Reads what a body holds, of whatever format it is.
fn read<T: DeserializeOwned>(kind: &'static str, body: &[u8]) -> Result<T, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = deserializer.deserialize_map(Body { kind, value: std::marker::PhantomData })?;
    deserializer.end()?;
    Ok(value)
}

/// Turns the error of [`encode`] into that of a commit that did not happen.
pub(super) fn not_encoded(store: &Path, err: serde_json::Error) -> StoreError {
    StoreError::Io {
        place: store.display().to_string(),
        operation: "encoding a record",
        unknown: false,
        source: Box::new(io::Error::from(err)),
    }
}

#[derive(Deserialize)]
struct Head {
    v: u32,
}

/// Reads the value under the name of its kind, and skips everything else.
struct Body<T> {
    kind: &'static str,
    value: std::marker::PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Body<T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an object with {:?}", self.kind)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut value = None;
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match name == self.kind {
                true => value = Some(map.next_value()?),
                false => drop(map.next_value::<serde::de::IgnoredAny>()?),
            }
        }
        value.ok_or_else(|| serde::de::Error::missing_field(self.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_begins_as_is_expected() {
        let body = encode("vm", &7).unwrap();
        assert!(body.starts_with(OURS), "{}", String::from_utf8_lossy(&body));
        assert_eq!(decode_at::<u32>(String::new, "vm", &body).unwrap(), 7);
        let newer = String::from_utf8(body).unwrap().replace(":1,", ":10,");
        let err = decode_at::<u32>(String::new, "vm", newer.as_bytes()).unwrap_err();
        assert!(matches!(err, StoreError::NewerVersion { found: 10, .. }), "{err:?}");
    }
}
