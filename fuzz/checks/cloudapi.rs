//! What holds for all bytes that are read as CloudAPI's; the fuzz targets and a test among the others check it.

use serde::de::DeserializeOwned;
use vmpool_cloudapi::{
    CloudApiError,
    sign::{Fingerprint, PrivateKey, PublicKey},
    types::{
        Account, AuditEntry, Disk, FirewallRule, Image, Key, MachineData, Migration, Network, Nic, Package,
        Ping, SnapshotData, Tags,
    },
};
use vmpool_http::{Answer, format_http_date, parse_http_date, retry_after};
use vmpool_model::Timestamp;

/// What marks a secret that must not be shown.
const SECRET: &str = "hunter2";

/// Reads the bytes as the body of every kind of answer.
///
/// Nothing panics, no secret is shown, and what was read and written is read again as the same.
pub(crate) fn json(bytes: &[u8]) {
    for machine in of::<MachineData>(bytes) {
        let _ = (machine.public_ips(), machine.private_ips(), machine.boot_script());
        let metadata = format!("{:?}", machine.metadata);
        let is_key = machine.metadata.keys().any(|key| key.contains(SECRET));
        assert!(is_key || !metadata.contains(SECRET), "{metadata}");
        assert!(!format!("{:?}", machine.metadata.credentials()).contains(SECRET));
    }
    for tags in of::<Tags>(bytes) {
        let written = serde_json::to_string(&tags).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Tags>(&written).ok(), Some(tags));
    }
    let _ = (of::<Account>(bytes), of::<AuditEntry>(bytes), of::<Disk>(bytes), of::<FirewallRule>(bytes));
    let _ = (of::<Image>(bytes), of::<Key>(bytes), of::<Migration>(bytes), of::<Network>(bytes));
    let _ = (of::<Nic>(bytes), of::<Package>(bytes), of::<Ping>(bytes), of::<SnapshotData>(bytes));
}

/// Reads the bytes as what the first of them chooses: a refusal with its headers, or the text of a header or of a key's file.
///
/// Nothing panics, no secret is shown, and what was read and written is read again as the same.
pub(crate) fn headers(bytes: &[u8]) {
    let Some((choice, rest)) = bytes.split_first() else { return };
    match choice % 2 {
        0 => refusal(rest),
        _ => text(&String::from_utf8_lossy(rest)),
    }
}

/// Reads one thing, or a list of them.
fn of<T: DeserializeOwned>(bytes: &[u8]) -> Vec<T> {
    match serde_json::from_slice::<T>(bytes) {
        Ok(one) => vec![one],
        Err(_) => serde_json::from_slice(bytes).unwrap_or_default(),
    }
}

/// Reads a status, two lines for headers, and a body.
fn refusal(bytes: &[u8]) {
    let (status, rest) = match bytes {
        [high, low, rest @ ..] => (u16::from(*high) << 8 | u16::from(*low), rest),
        _ => return,
    };
    let mut lines = rest.splitn(3, |byte| *byte == b'\n').map(String::from_utf8_lossy);
    let mut line = || lines.next().unwrap_or_default();
    let (date, wait, body) = (line(), line(), line());
    let answer = Answer::made_up(status, &[("date", &date), ("retry-after", &wait)], body.as_bytes());
    let error = CloudApiError::of_answer(&answer, Timestamp::from_millis(1_795_250_175_000));
    assert_eq!(error.status, Some(status));
    assert!(error.to_string().starts_with("GET /ops/machines: status "));
}

fn text(text: &str) {
    if let Ok(fingerprint) = text.parse::<Fingerprint>() {
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
    }
    if let Ok(key) = PublicKey::from_openssh(text) {
        let again = PublicKey::from_openssh(&key.to_openssh());
        assert!(again.is_ok_and(|again| again.md5() == key.md5()));
    }
    if let Err(err) = PrivateKey::from_pem(text, None) {
        assert!(!err.to_string().contains(SECRET));
    }
    if let Some(date) = parse_http_date(text) {
        assert_eq!(parse_http_date(&format_http_date(date)), Some(date));
    }
    let _ = retry_after(text, Some(Timestamp::from_millis(0)));
}
