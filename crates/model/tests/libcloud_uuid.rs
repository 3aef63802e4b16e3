//! libcloud's unique ids against vectors that real libcloud 0.6.2, 0.11.0 and 3.9.1 computed.
#![expect(clippy::unwrap_used, reason = "a vector that cannot be read fails its test")]

use serde_json::Value;
use vmpool_model::libcloud_uuid::{
    PythonString, gogrid_id, legacy_id, libcloud_v1, libcloud_v2, provider_number,
};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/libcloud-uuid.json")).unwrap()
}

fn text<'a>(vector: &'a Value, key: &str) -> &'a str {
    vector[key].as_str().unwrap()
}

/// Returns the id as libcloud keeps it: Python takes the number 0 and the empty text for false.
fn kept(id: &Value) -> Option<String> {
    match id {
        Value::Number(number) => legacy_id(number.as_i64().unwrap()),
        id => Some(id.as_str().unwrap().to_owned()).filter(|id| !id.is_empty()),
    }
}

/// U1 to U17.
#[test]
fn every_recorded_node_has_its_two_unique_ids() {
    let vectors = vectors();
    let nodes = vectors["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 17);
    for vector in nodes {
        let (id, provider) = (kept(&vector["id"]), text(vector, "provider"));
        let number = provider_number(provider).unwrap();
        assert_eq!(libcloud_v1(id.as_deref(), number), text(vector, "sha2012"), "{vector}");
        assert_eq!(libcloud_v2(id.as_deref(), provider), text(vector, "shatrunk"), "{vector}");
    }
}

/// U18 to U20, and a node with two addresses.
#[test]
fn every_recorded_gogrid_node_is_hashed_by_its_list_of_addresses() {
    let vectors = vectors();
    let nodes: [(&[&str], PythonString, bool); 5] = [
        (&["208.75.1.10"], PythonString::Plain, true),
        (&["208.75.1.10"], PythonString::Unicode, true),
        (&["208.75.1.10"], PythonString::Plain, false),
        (&[], PythonString::Plain, true),
        (&["208.75.1.10", "10.0.0.1"], PythonString::Plain, true),
    ];
    let recorded = vectors["gogrid"].as_array().unwrap();
    assert_eq!(recorded.len(), nodes.len());
    for (vector, (ips, strings, by_number)) in recorded.iter().zip(nodes) {
        let id = gogrid_id(ips, strings);
        assert_eq!(text(vector, "pre").rsplit_once(':').unwrap().0, id);
        let found = if by_number { libcloud_v1(Some(&id), 5) } else { libcloud_v2(Some(&id), "gogrid") };
        assert_eq!(found, text(vector, "sha"), "{vector}");
    }
}

/// U5, U6, U11, U12 and D02: the first VM of an OpenNebula has the number 0.
#[test]
fn the_number_zero_has_no_id_and_the_text_zero_has_one() {
    assert_eq!(legacy_id(0), None);
    assert_eq!(legacy_id(73), Some("73".to_owned()));
    assert_eq!(libcloud_v1(None, 16), "2935a0284aab05dd516c67f660826cf6240d63a3");
    assert_eq!(libcloud_v1(Some("0"), 16), "7c3c633a7d389051291c394f534e07ca22023642");
}
