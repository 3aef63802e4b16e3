//! Finding a key by its fingerprint.

use std::fs;

use secrecy::SecretString;
use vmpool_cloudapi::sign::{Agent, FindKey, KeyError, find_key};

use super::keys;

const RSA: &str = "52:f6:8c:4d:7d:06:a3:fa:a5:ea:16:33:c6:47:95:fe";
const RSA_SHA256: &str = "SHA256:Kw4LWmCb4LRCKh25fYMhMWCbs+hEK5+PKn9Tst/qsYM";

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (source, name) in files {
        fs::copy(keys().join(source), folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("known_hosts"), "cloud ssh-rsa AAAA\n").unwrap();
    fs::write(folder.path().join("config"), [0xff, 0xfe]).unwrap();
    folder
}

fn places(folder: &tempfile::TempDir) -> FindKey {
    FindKey::new().with_folder(Some(folder.path().to_owned()))
}

#[tokio::test]
async fn a_key_is_found_among_others_by_either_fingerprint() {
    let folder =
        folder_with(&[("ed25519.openssh", "a"), ("ecdsa.traditional.pem", "b"), ("rsa.pkcs8.pem", "c")]);
    for fingerprint in [RSA, RSA_SHA256] {
        let key = find_key(&fingerprint.parse().unwrap(), &places(&folder)).await.unwrap();
        assert_eq!(key.public_key().md5().to_string(), RSA);
    }
}

#[tokio::test]
async fn an_encrypted_key_that_is_another_ones_is_not_opened() {
    let files = [
        ("ed25519.openssh-encrypted", "a"),
        ("ed25519.pub", "a.pub"),
        ("rsa.openssh", "b"),
        ("rsa.pub", "b.pub"),
    ];
    let folder = folder_with(&files);
    assert!(find_key(&RSA.parse().unwrap(), &places(&folder)).await.is_ok());
}

#[tokio::test]
async fn the_right_key_that_is_encrypted_is_opened_or_asks_for_its_passphrase() {
    let folder = folder_with(&[("rsa.openssh-encrypted", "id_rsa"), ("rsa.pub", "id_rsa.pub")]);
    let without = find_key(&RSA.parse().unwrap(), &places(&folder)).await.unwrap_err();
    assert!(matches!(without, KeyError::PassphraseNeeded { .. }), "{without}");
    let with = places(&folder).with_passphrase(Some(SecretString::from("hunter2")));
    assert!(find_key(&RSA.parse().unwrap(), &with).await.is_ok());
}

#[tokio::test]
async fn a_fingerprint_that_no_key_has_says_where_it_was_looked_for() {
    let folder = folder_with(&[("ed25519.openssh", "a")]);
    let places = places(&folder).with_agent(Some(Agent::new(folder.path().join("no-agent"))));
    let err = find_key(&RSA.parse().unwrap(), &places).await.unwrap_err().to_string();
    assert!(err.contains(RSA) && err.contains("no-agent") && err.contains("3 files in"), "{err}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_no_reason_to_panic() {
    let places = FindKey::new().with_folder(Some("/no/such/folder".into()));
    let err = find_key(&RSA.parse().unwrap(), &places).await.unwrap_err().to_string();
    assert!(err.contains("/no/such/folder"), "{err}");
}
