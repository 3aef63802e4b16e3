//! The forms of key files.

use secrecy::SecretString;
use vmpool_cloudapi::sign::{KeyError, PrivateKey, PublicKey, Signer};

use super::keys;

const KINDS: [&str; 5] = ["rsa", "ecdsa", "ecdsa384", "ecdsa521", "ed25519"];
const PLAIN: [&str; 3] = ["pkcs8.pem", "traditional.pem", "openssh"];
const ENCRYPTED: [&str; 3] = ["pkcs8-encrypted.pem", "traditional-encrypted.pem", "openssh-encrypted"];

fn passphrase(text: &str) -> Option<SecretString> {
    Some(SecretString::from(text))
}

fn read(file: &str, passphrase: Option<SecretString>) -> Result<PrivateKey, KeyError> {
    PrivateKey::from_file(&keys().join(file), passphrase.as_ref())
}

/// Calls with each file of some forms; Ed25519 has no traditional form.
fn each(forms: [&str; 3], mut check: impl FnMut(&str, &str)) {
    for kind in KINDS {
        for form in forms.iter().filter(|form| kind != "ed25519" || !form.starts_with("traditional")) {
            check(kind, &format!("{kind}.{form}"));
        }
    }
}

fn public(kind: &str) -> PublicKey {
    let line = std::fs::read_to_string(keys().join(format!("{kind}.pub"))).unwrap();
    PublicKey::from_openssh(line.trim()).unwrap()
}

#[test]
fn a_key_is_the_same_in_every_form() {
    each(PLAIN, |kind, file| {
        let key = read(file, None).unwrap();
        assert_eq!(key.public_key().md5(), public(kind).md5(), "{file}");
        assert_eq!(key.public_key().to_openssh(), public(kind).to_openssh(), "{file}");
    });
}

#[test]
fn an_encrypted_key_is_the_same_with_its_passphrase() {
    each(ENCRYPTED, |kind, file| {
        let key = read(file, passphrase("hunter2")).unwrap();
        assert_eq!(key.public_key().md5(), public(kind).md5(), "{file}");
    });
}

#[test]
fn an_encrypted_key_without_a_passphrase_asks_for_it() {
    each(ENCRYPTED, |_, file| {
        let err = read(file, None).unwrap_err();
        assert!(matches!(err, KeyError::PassphraseNeeded { .. }), "{file}: {err}");
        assert!(err.to_string().contains(file), "{err}");
    });
}

#[test]
fn a_wrong_passphrase_is_named_as_such_and_never_shown() {
    each(ENCRYPTED, |_, file| {
        let err = read(file, passphrase("hunter3")).unwrap_err();
        assert!(matches!(err, KeyError::WrongPassphrase { .. }), "{file}: {err}");
        assert!(!format!("{err} {err:?}").contains("hunter"), "{file}: {err:?}");
    });
}

#[test]
fn a_passphrase_for_a_key_that_is_not_encrypted_does_no_harm() {
    each(PLAIN, |kind, file| {
        assert_eq!(
            read(file, passphrase("hunter2")).unwrap().public_key().md5(),
            public(kind).md5(),
            "{file}"
        );
    });
}

#[test]
fn an_ed25519_key_with_its_public_half_appended_is_read() {
    assert_eq!(read("ed25519.pkcs8-v2.pem", None).unwrap().public_key().md5(), public("ed25519").md5());
}

#[test]
fn the_names_of_the_algorithms_follow_from_the_curve() {
    let name = |kind: &str| read(&format!("{kind}.pkcs8.pem"), None).unwrap().algorithm().to_string();
    let names = KINDS.map(name);
    assert_eq!(names, ["rsa-sha256", "ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512", "ed25519-sha512"]);
}

#[test]
fn what_is_no_private_key_is_refused_with_a_reason() {
    let reason = |text: &str| PrivateKey::from_pem(text, None).unwrap_err().to_string();
    assert!(reason("").contains("does not begin with"), "{}", reason(""));
    let line = public("rsa").to_openssh();
    assert!(reason(&line).contains("give the file without .pub"), "{}", reason(&line));
    for text in [
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\n!\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
        "-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA",
    ] {
        assert!(PrivateKey::from_pem(text, passphrase("hunter2").as_ref()).is_err(), "{text}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let err = read("no-such", None).unwrap_err().to_string();
    assert!(err.contains("no-such") && err.contains("cannot be read"), "{err}");
}

#[test]
fn a_private_key_shows_its_fingerprint_only() {
    let key = read("ed25519.openssh", None).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey(39:bf:4a:25:81:2c:6a:d5:05:e9:76:75:b9:de:8d:c9)");
}
