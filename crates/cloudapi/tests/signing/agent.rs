//! Keys in an agent: a double that answers as the protocol says, around keys from files.

use std::path::Path;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
};
use vmpool_cloudapi::sign::{Agent, FindKey, KeyError, PrivateKey, RsaHash, Signer, find_key};

use super::keys;

/// How an agent behaves.
#[derive(Clone, Copy, PartialEq)]
enum Manners {
    Good,
    /// Ignores the flags, as agents did before there was SHA-2.
    Old,
    Refuses,
    Nonsense,
    Huge,
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn take<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
    let (bytes, after) = rest[4..].split_at(length);
    *rest = after;
    bytes
}

fn blob(key: &PrivateKey) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.decode(key.public_key().to_openssh().split(' ').nth(1).unwrap()).unwrap()
}

/// Turns a DER signature into the two numbers of SSH.
fn numbers(der: &[u8]) -> Vec<u8> {
    let mut at = if der[1] < 0x80 { 2 } else { 3 };
    let mut out = Vec::new();
    for _ in 0..2 {
        let length = usize::from(der[at + 1]);
        out.extend(framed(&der[at + 2..at + 2 + length]));
        at += 2 + length;
    }
    out
}

async fn answer(request: &[u8], kinds: &[&str], manners: Manners) -> Vec<u8> {
    match (manners, request[0]) {
        (Manners::Refuses, 13) => return vec![5],
        (Manners::Nonsense, _) => return vec![12, 0, 0, 0, 9, 0, 0, 0, 200],
        _ => {}
    }
    let load = |kind: &&str| PrivateKey::from_file(&keys().join(format!("{kind}.openssh")), None).unwrap();
    if request[0] == 11 {
        let mut out = vec![12];
        out.extend(u32::try_from(kinds.len() + 1).unwrap().to_be_bytes());
        // A key of a kind that nobody knows comes first.
        out.extend(framed(&framed(b"ssh-future")));
        out.extend(framed(b"unknown"));
        for kind in kinds {
            out.extend(framed(&blob(&load(kind))));
            out.extend(framed(b"a comment"));
        }
        return out;
    }
    let mut rest = &request[1..];
    let (wanted, message) = (take(&mut rest).to_vec(), take(&mut rest).to_vec());
    let flags = u32::from_be_bytes(rest.try_into().unwrap());
    let key = kinds.iter().map(load).find(|key| blob(key) == wanted).unwrap();
    let name = take(&mut &wanted[..]).to_vec();
    let (name, key) = match (name.as_slice(), flags) {
        (b"ssh-rsa", _) if manners == Manners::Old => (name, key),
        (b"ssh-rsa", 2) => (b"rsa-sha2-256".to_vec(), key),
        (b"ssh-rsa", 4) => (b"rsa-sha2-512".to_vec(), key.with_rsa_hash(RsaHash::Sha512)),
        _ => (name, key),
    };
    let signature = key.sign(&message).await.unwrap();
    let signature = if name.starts_with(b"ecdsa") { numbers(&signature) } else { signature };
    let mut out = vec![14];
    out.extend(framed(&[framed(&name), framed(&signature)].concat()));
    out
}

/// Starts an agent that has the keys of some kinds.
fn agent(folder: &Path, kinds: &'static [&'static str], manners: Manners) -> Agent {
    let socket = folder.join("agent");
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let length = stream.read_u32().await.unwrap();
            let mut request = vec![0; length as usize];
            stream.read_exact(&mut request).await.unwrap();
            let answer = match manners {
                Manners::Huge => u32::MAX.to_be_bytes().to_vec(),
                _ => framed(&answer(&request, kinds, manners).await),
            };
            stream.write_all(&answer).await.unwrap();
        }
    });
    Agent::new(socket)
}

const ALL: &[&str] = &["rsa", "ecdsa", "ecdsa384", "ecdsa521", "ed25519"];

#[tokio::test]
async fn an_agent_shows_the_keys_that_cloudapi_can_use() {
    let folder = tempfile::tempdir().unwrap();
    let keys = agent(folder.path(), ALL, Manners::Good).keys().await.unwrap();
    let names: Vec<String> = keys.iter().map(|key| key.algorithm().to_string()).collect();
    assert_eq!(names, ["rsa-sha256", "ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512", "ed25519-sha512"]);
}

#[tokio::test]
async fn a_key_in_an_agent_signs_as_the_key_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(folder.path(), &["rsa", "ed25519"], Manners::Good);
    for (index, kind) in ["rsa", "ed25519"].into_iter().enumerate() {
        for hash in [RsaHash::Sha256, RsaHash::Sha512] {
            let file = PrivateKey::from_file(&keys().join(format!("{kind}.openssh")), None).unwrap();
            let file = file.with_rsa_hash(hash);
            let held = agent.keys().await.unwrap().remove(index).with_rsa_hash(hash);
            assert_eq!(held.sign(b"message").await.unwrap(), file.sign(b"message").await.unwrap(), "{kind}");
            assert_eq!(held.algorithm(), file.algorithm());
        }
    }
}

#[tokio::test]
async fn an_ecdsa_signature_from_an_agent_is_der_as_cloudapi_wants_it() {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, UnparsedPublicKey,
    };
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(folder.path(), &["ecdsa", "ecdsa384", "ecdsa521"], Manners::Good);
    let curves = [&ECDSA_P256_SHA256_ASN1, &ECDSA_P384_SHA384_ASN1, &ECDSA_P521_SHA512_ASN1];
    let kinds = ["ecdsa", "ecdsa384", "ecdsa521"];
    for (index, (curve, kind)) in curves.into_iter().zip(kinds).enumerate() {
        // Numbers differ in length from one signature to the next.
        for round in 0..8 {
            let held = agent.keys().await.unwrap().remove(index);
            let message = format!("message {round}");
            let signature = held.sign(message.as_bytes()).await.unwrap();
            let file = PrivateKey::from_file(&keys().join(format!("{kind}.openssh")), None).unwrap();
            let blob = blob(&file);
            let mut rest = &blob[..];
            let point = (0..3).map(|_| take(&mut rest)).last().unwrap();
            UnparsedPublicKey::new(curve, point).verify(message.as_bytes(), &signature).unwrap();
        }
    }
}

#[tokio::test]
async fn a_key_is_found_in_the_agent_before_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(folder.path(), &["rsa"], Manners::Good);
    let fingerprint = agent.keys().await.unwrap()[0].public_key().sha256();
    let found =
        find_key(&fingerprint, &FindKey::new().with_agent(Some(agent)).with_folder(Some(keys()))).await;
    assert!(format!("{:?}", found.unwrap()).starts_with("AgentKey("));
}

#[tokio::test]
async fn an_agent_that_signs_with_sha1_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let key = agent(folder.path(), &["rsa"], Manners::Old).keys().await.unwrap().remove(0);
    let err = key.sign(b"message").await.unwrap_err();
    assert!(err.to_string().contains("it signed by ssh-rsa instead of rsa-sha2-256"), "{err}");
}

#[tokio::test]
async fn an_agent_that_refuses_or_talks_nonsense_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let key = agent(folder.path(), &["ed25519"], Manners::Refuses).keys().await.unwrap().remove(0);
    assert!(key.sign(b"message").await.unwrap_err().to_string().contains("refused"));
    for manners in [Manners::Nonsense, Manners::Huge] {
        let folder = tempfile::tempdir().unwrap();
        let err = agent(folder.path(), &[], manners).keys().await.unwrap_err();
        assert!(matches!(err, KeyError::Agent { .. }), "{err}");
    }
}
