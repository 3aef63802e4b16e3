//! Keys in an ssh-agent, which signs for whoever may open its socket.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use ssh_key::{EcdsaCurve, public::KeyData};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use super::{Algorithm, KeyError, PublicKey, RsaHash, Signer};

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
const RSA_SHA2_256: u32 = 2;
const RSA_SHA2_512: u32 = 4;

/// The longest message that an agent is believed to send.
const LONGEST: u32 = 256 * 1024;

/// How long an agent may take: it may ask its user for a confirmation.
const PATIENCE: Duration = Duration::from_secs(60);

/// An ssh-agent, by its socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    socket: PathBuf,
}

impl Agent {
    /// Speaks to the agent behind a socket, most often the one in `SSH_AUTH_SOCK`.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// Returns the socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Returns the keys that the agent has and CloudAPI can use, in the order of the agent.
    ///
    /// # Errors
    ///
    /// [`KeyError::Agent`].
    pub async fn keys(&self) -> Result<Vec<AgentKey>, KeyError> {
        let answer = self.ask(&[REQUEST_IDENTITIES], IDENTITIES_ANSWER).await?;
        let mut answer = Reader(&answer);
        let count = answer.number().ok_or_else(broken)?;
        let mut keys = Vec::new();
        for _ in 0..count {
            let blob = answer.bytes().ok_or_else(broken)?;
            answer.bytes().ok_or_else(broken)?;
            let key = PublicKey::from_blob(blob).and_then(|public| {
                let kind = Kind::of(&public)?;
                Some(AgentKey { agent: self.clone(), public, kind })
            });
            keys.extend(key);
        }
        Ok(keys)
    }

    /// Sends a message and returns what follows the type of the answer.
    async fn ask(&self, message: &[u8], expected: u8) -> Result<Vec<u8>, KeyError> {
        let failed =
            |err: std::io::Error| KeyError::Agent { reason: format!("{}: {err}", self.socket.display()) };
        let talk = async {
            let mut stream = UnixStream::connect(&self.socket).await.map_err(failed)?;
            stream.write_all(&with_length(message)).await.map_err(failed)?;
            let length = stream.read_u32().await.map_err(failed)?;
            if length == 0 || LONGEST < length {
                return Err(broken());
            }
            let mut answer = vec![0; length as usize];
            stream.read_exact(&mut answer).await.map_err(failed)?;
            Ok(answer)
        };
        let answer = tokio::time::timeout(PATIENCE, talk).await.map_err(|_| KeyError::Agent {
            reason: format!("no answer within {} s", PATIENCE.as_secs()),
        })??;
        match answer.split_first() {
            Some((kind, rest)) if *kind == expected => Ok(rest.to_vec()),
            _ => Err(KeyError::Agent {
                reason: "it refused; it may be locked, or the key may need a confirmation".to_owned(),
            }),
        }
    }
}

/// A key in an agent.
#[derive(Clone)]
pub struct AgentKey {
    agent: Agent,
    public: PublicKey,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa(RsaHash),
    Ecdsa(Algorithm),
    Ed25519,
}

impl Kind {
    fn of(public: &PublicKey) -> Option<Self> {
        match public.key_data() {
            KeyData::Rsa(_) => Some(Self::Rsa(RsaHash::default())),
            KeyData::Ecdsa(key) => Some(Self::Ecdsa(match key.curve() {
                EcdsaCurve::NistP256 => Algorithm::EcdsaSha256,
                EcdsaCurve::NistP384 => Algorithm::EcdsaSha384,
                EcdsaCurve::NistP521 => Algorithm::EcdsaSha512,
            })),
            KeyData::Ed25519(_) => Some(Self::Ed25519),
            _ => None,
        }
    }
}

impl AgentKey {
    /// Chooses the hash in signatures with an RSA key; other keys have no choice.
    #[must_use]
    pub fn with_rsa_hash(self, hash: RsaHash) -> Self {
        match self.kind {
            Kind::Rsa(_) => Self { kind: Kind::Rsa(hash), ..self },
            _ => self,
        }
    }
}

#[async_trait]
impl Signer for AgentKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn algorithm(&self) -> Algorithm {
        match self.kind {
            Kind::Rsa(hash) => hash.into(),
            Kind::Ecdsa(algorithm) => algorithm,
            Kind::Ed25519 => Algorithm::Ed25519Sha512,
        }
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (flags, name) = match self.kind {
            Kind::Rsa(RsaHash::Sha256) => (RSA_SHA2_256, "rsa-sha2-256"),
            Kind::Rsa(RsaHash::Sha512) => (RSA_SHA2_512, "rsa-sha2-512"),
            Kind::Ecdsa(Algorithm::EcdsaSha384) => (0, "ecdsa-sha2-nistp384"),
            Kind::Ecdsa(Algorithm::EcdsaSha512) => (0, "ecdsa-sha2-nistp521"),
            Kind::Ecdsa(_) => (0, "ecdsa-sha2-nistp256"),
            Kind::Ed25519 => (0, "ssh-ed25519"),
        };
        let mut request = vec![SIGN_REQUEST];
        request.extend(with_length(self.public.blob()));
        request.extend(with_length(message));
        request.extend(flags.to_be_bytes());
        let answer = self.agent.ask(&request, SIGN_RESPONSE).await?;
        let mut signature = Reader(Reader(&answer).bytes().ok_or_else(broken)?);
        let made_by = signature.bytes().ok_or_else(broken)?;
        let bytes = signature.bytes().ok_or_else(broken)?;
        if made_by != name.as_bytes() {
            let made_by = String::from_utf8_lossy(made_by);
            let reason =
                format!("it signed by {made_by} instead of {name}; it may be too old for RSA with SHA-2");
            return Err(KeyError::Agent { reason });
        }
        match self.kind {
            Kind::Ecdsa(_) => der(bytes).ok_or_else(broken),
            Kind::Rsa(_) | Kind::Ed25519 => Ok(bytes.to_vec()),
        }
    }
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentKey({})", self.public.md5())
    }
}

/// Turns the two numbers of an ECDSA signature from the form of SSH into DER; both write a number the same way.
fn der(signature: &[u8]) -> Option<Vec<u8>> {
    let mut numbers = Reader(signature);
    let mut inside = Vec::new();
    for _ in 0..2 {
        let number = numbers.bytes()?;
        inside.push(2);
        inside.push(u8::try_from(number.len()).ok().filter(|length| *length < 0x80)?);
        inside.extend_from_slice(number);
    }
    let length = u8::try_from(inside.len()).ok()?;
    let mut der = if length < 0x80 { vec![0x30, length] } else { vec![0x30, 0x81, length] };
    der.extend(inside);
    Some(der)
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], bytes].concat()
}

fn broken() -> KeyError {
    KeyError::Agent { reason: "its answer cannot be understood".to_owned() }
}

/// Reads what SSH writes: numbers of four bytes, and bytes behind their length.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}
