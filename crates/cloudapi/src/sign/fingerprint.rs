//! What keys are called by.

use std::{fmt, str::FromStr};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};

/// The fingerprint of a public key, as `ssh-keygen -l` prints it.
///
/// CloudAPI itself knows keys by the bare MD5 fingerprint only; people also write `MD5:52:f6:…` and `SHA256:…`.
///
/// ```
/// use vmpool_cloudapi::sign::Fingerprint;
/// let bare: Fingerprint = "52:f6:8c:4d:7d:06:a3:fa:a5:ea:16:33:c6:47:95:fe".parse()?;
/// assert_eq!(bare, "MD5:52:F6:8C:4D:7D:06:A3:FA:A5:EA:16:33:C6:47:95:FE".parse()?);
/// assert_eq!(bare.to_string(), "52:f6:8c:4d:7d:06:a3:fa:a5:ea:16:33:c6:47:95:fe");
/// # Ok::<(), vmpool_cloudapi::sign::InvalidFingerprint>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fingerprint {
    /// The MD5 hash.
    Md5([u8; 16]),
    /// The SHA-256 hash.
    Sha256([u8; 32]),
}

/// Says that a text is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no fingerprint of a key: it looks like 52:f6:8c:…, MD5:52:f6:8c:… or SHA256:Kw4LWmCb…")]
pub struct InvalidFingerprint(String);

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidFingerprint(text.chars().take(80).collect());
        if let Some(hash) = text.strip_prefix("SHA256:") {
            let bytes =
                STANDARD_NO_PAD.decode(hash).or_else(|_| STANDARD.decode(hash)).map_err(|_| invalid())?;
            return bytes.try_into().map(Self::Sha256).map_err(|_| invalid());
        }
        let bare = text.strip_prefix("MD5:").unwrap_or(text);
        let byte = |part: &str| match part.len() {
            2 if part.bytes().all(|digit| digit.is_ascii_hexdigit()) => u8::from_str_radix(part, 16).ok(),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = bare.split(':').map(byte).collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self::Md5).ok_or_else(invalid)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5(bytes) => {
                let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                f.pad(&digits.join(":"))
            }
            Self::Sha256(bytes) => f.pad(&format!("SHA256:{}", STANDARD_NO_PAD.encode(bytes))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sha256_fingerprint_is_read_with_and_without_padding() {
        let text = "SHA256:Kw4LWmCb4LRCKh25fYMhMWCbs+hEK5+PKn9Tst/qsYM";
        let fingerprint: Fingerprint = text.parse().unwrap();
        assert_eq!(fingerprint.to_string(), text);
        assert_eq!(format!("{text}=").parse(), Ok(fingerprint));
    }

    #[test]
    fn what_only_looks_like_a_fingerprint_is_refused() {
        for text in [
            "",
            "52:f6",
            "rsa",
            "SHA256:",
            "SHA256:AAAA",
            "5:2f:68:c4:d7:d0:6a:3f:aa:5e:a1:63:3c:64:79:5f",
            "52:f6:8c:4d:7d:06:a3:fa:a5:ea:16:33:c6:47:95:+e",
            "52:f6:8c:4d:7d:06:a3:fa:a5:ea:16:33:c6:47:95:fe:00",
        ] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text:?}");
        }
    }
}
