//! The vectors: what other clients sign.

use std::collections::BTreeMap;

use aws_lc_rs::{
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaParameters, UnparsedPublicKey,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use vmpool_cloudapi::sign::{
    Component, Identity, PrivateKey, RsaHash, Signer, authorization, signing_string,
};
use vmpool_http::Method;

#[derive(Deserialize)]
struct File {
    keys: BTreeMap<String, Key>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Key {
    private_pkcs8_der_hex: String,
    openssh_public: String,
    fingerprint_md5: String,
    fingerprint_sha256: String,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    key: String,
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    signed_headers: Vec<String>,
    #[serde(rename = "keyId")]
    key_id: String,
    algorithm: String,
    signing_string: String,
    signature_base64: String,
    authorization: String,
    deterministic: bool,
}

fn file() -> File {
    serde_json::from_str(include_str!("../data/signatures.json")).unwrap()
}

fn private(key: &Key) -> PrivateKey {
    let hex = key.private_pkcs8_der_hex.as_bytes();
    let der = hex.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    PrivateKey::from_pkcs8_der(&der.collect::<Vec<_>>()).unwrap()
}

fn parts(vector: &Vector) -> Vec<Component> {
    let part = |name: &String| match name.as_str() {
        "date" => Component::Date,
        "(request-target)" => Component::RequestTarget,
        other => panic!("{other}"),
    };
    vector.signed_headers.iter().map(part).collect()
}

fn method(vector: &Vector) -> Method {
    match vector.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => panic!("{other}"),
    }
}

/// Verifies a signature with the public half of a key.
fn verifies(key: &PrivateKey, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
    let line = key.public_key().to_openssh();
    let blob = STANDARD.decode(line.split(' ').nth(1).unwrap()).unwrap();
    let mut rest = &blob[..];
    let mut fields = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (field, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        fields.push(field);
        rest = after;
    }
    let rsa = |parameters: &RsaParameters| {
        let without_sign = |number: &[u8]| number[usize::from(number[0] == 0)..].to_vec();
        let public = PublicKeyComponents { n: without_sign(fields[2]), e: without_sign(fields[1]) };
        public.verify(parameters, message, signature).is_ok()
    };
    let point = fields.last().unwrap();
    match algorithm {
        "rsa-sha1" => rsa(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
        "rsa-sha256" => rsa(&RSA_PKCS1_2048_8192_SHA256),
        "rsa-sha512" => rsa(&RSA_PKCS1_2048_8192_SHA512),
        "ecdsa-sha256" => {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok()
        }
        "ed25519-sha512" => UnparsedPublicKey::new(&ED25519, point).verify(message, signature).is_ok(),
        other => panic!("{other}"),
    }
}

#[test]
fn public_halves_and_fingerprints_are_those_of_the_vectors() {
    for key in file().keys.values() {
        let public = private(key).public_key().clone();
        assert!(key.openssh_public.starts_with(&public.to_openssh()), "{}", key.openssh_public);
        assert_eq!(public.md5().to_string(), key.fingerprint_md5);
        assert_eq!(public.sha256().to_string(), key.fingerprint_sha256);
        assert!(public.has(&key.fingerprint_md5.parse().unwrap()));
        assert!(public.has(&key.fingerprint_sha256.parse().unwrap()));
    }
}

#[test]
fn what_is_signed_is_what_other_clients_sign() {
    let modern = file().vectors.into_iter().filter(|vector| !vector.name.contains("legacy"));
    for vector in modern {
        let text = signing_string(&parts(&vector), method(&vector), &vector.path, &vector.headers["Date"]);
        assert_eq!(text, vector.signing_string, "{}", vector.name);
    }
}

#[tokio::test]
async fn signatures_without_chance_are_the_same_byte_for_byte() {
    let file = file();
    let ours = |vector: &&Vector| vector.deterministic && vector.algorithm != "rsa-sha1";
    let mut compared = 0;
    for vector in file.vectors.iter().filter(ours) {
        let hash = if vector.algorithm == "rsa-sha512" { RsaHash::Sha512 } else { RsaHash::Sha256 };
        let key = private(&file.keys[&vector.key]).with_rsa_hash(hash);
        let signature = key.sign(vector.signing_string.as_bytes()).await.unwrap();
        assert_eq!(STANDARD.encode(signature), vector.signature_base64, "{}", vector.name);
        assert_eq!(key.algorithm().as_str(), vector.algorithm, "{}", vector.name);
        compared += 1;
    }
    assert_eq!(compared, 9);
}

#[tokio::test]
async fn headers_are_the_same_byte_for_byte_where_chance_has_no_part() {
    let file = file();
    let ours = |vector: &&Vector| {
        vector.deterministic && vector.algorithm != "rsa-sha1" && !vector.name.contains("legacy")
    };
    for vector in file.vectors.iter().filter(ours) {
        let hash = if vector.algorithm == "rsa-sha512" { RsaHash::Sha512 } else { RsaHash::Sha256 };
        let key = private(&file.keys[&vector.key]).with_rsa_hash(hash);
        let (method, date) = (method(vector), vector.headers["Date"].as_str());
        let request = (method, vector.path.as_str(), date);
        let header = authorization(&key, &vector.key_id, &parts(vector), request).await.unwrap();
        assert_eq!(header, vector.authorization, "{}", vector.name);
    }
}

#[tokio::test]
async fn every_vector_verifies_and_so_does_what_we_sign() {
    let file = file();
    for vector in &file.vectors {
        let key = private(&file.keys[&vector.key]);
        let message = vector.signing_string.as_bytes();
        let theirs = STANDARD.decode(&vector.signature_base64).unwrap();
        assert!(verifies(&key, &vector.algorithm, message, &theirs), "{}", vector.name);
        assert!(!verifies(&key, &vector.algorithm, b"date: another", &theirs), "{}", vector.name);
        let ours = key.sign(message).await.unwrap();
        assert!(verifies(&key, key.algorithm().as_str(), message, &ours), "{}", vector.name);
    }
}

#[test]
fn the_key_ids_of_accounts_and_of_users_below_them_are_those_of_the_vectors() {
    let file = file();
    let fingerprint = &file.keys["rsa"].fingerprint_md5;
    let id = |name: &str| file.vectors.iter().find(|vector| vector.name == name).unwrap().key_id.as_str();
    assert_eq!(Identity::account("test").key_id(fingerprint), id("rsa-sha256-date"));
    assert_eq!(Identity::user("test", "ci").key_id(fingerprint), id("rsa-sha256-subuser"));
    assert_eq!(Identity::account("test").key_id("rsa"), id("rsa-sha256-keyname"));
}
