//! The old encryption of PEM files, with the headers `Proc-Type` and `DEK-Info`.

use aws_lc_rs::{
    cipher::{
        AES_128, AES_192, AES_256, Algorithm, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
    },
    iv::FixedLength,
};
use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretString};

use super::{
    KeyError,
    key_file::{decode, not_a_key, unsupported},
};

/// Returns whether the inside of an armor is encrypted in the old way.
pub(super) fn is_encrypted(inside: &str) -> bool {
    inside.lines().any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED"))
}

/// Decrypts the inside of an armor.
pub(super) fn open(inside: &str, place: &str, passphrase: &SecretString) -> Result<Vec<u8>, KeyError> {
    let (cipher, iv) = inside
        .lines()
        .find_map(|line| line.strip_prefix("DEK-Info:"))
        .and_then(|info| info.trim().split_once(','))
        .ok_or_else(|| not_a_key(place, "it has no DEK-Info, so how it is encrypted is not known"))?;
    let (algorithm, key_length): (&Algorithm, usize) = match cipher {
        "AES-128-CBC" => (&AES_128, 16),
        "AES-192-CBC" => (&AES_192, 24),
        "AES-256-CBC" => (&AES_256, 32),
        other => {
            return Err(unsupported(
                place,
                format!("PEM encrypted with {other} (ssh-keygen -p converts it)"),
            ));
        }
    };
    let iv: [u8; 16] = hexadecimal(iv.trim())
        .and_then(|iv| iv.try_into().ok())
        .ok_or_else(|| not_a_key(place, "its DEK-Info has no salt of 16 bytes"))?;
    let base64: Vec<&str> = inside.lines().filter(|line| !line.contains(':')).collect();
    let mut sealed = decode(&base64.join("\n"), place)?;
    let key = derive(passphrase.expose_secret().as_bytes(), &iv[..8], key_length);
    let wrong = |_| KeyError::WrongPassphrase { place: place.to_owned() };
    let key = UnboundCipherKey::new(algorithm, &key).map_err(wrong)?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(wrong)?;
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    Ok(key.decrypt(&mut sealed, context).map_err(wrong)?.to_vec())
}

/// Makes a key of a passphrase as OpenSSL did for these files: each block is the MD5 of the last one, passphrase and salt.
fn derive(passphrase: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
    let mut key = Vec::new();
    let mut last = Vec::new();
    while key.len() < length {
        last = Md5::new().chain_update(&last).chain_update(passphrase).chain_update(salt).finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pairs = digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    (digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit))
        .then(|| pairs.collect())
        .flatten()
}
