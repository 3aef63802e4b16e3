//! Who calls: the signature of a request, and whose things it may touch.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use vmpool_model::Timestamp;

use super::{
    cloud::{Account, Cloud},
    keys::Way,
    reply::{Refusal, refuse},
    request::{SimRequest, escape},
    times::from_http,
};

/// How far the clock of a caller may be off, in milliseconds.
const SKEW: i64 = 300_000;

/// What every wrong signature is told, whatever is wrong with it.
const WRONG: &str = "Invalid authorization credentials supplied";

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) login: String,
    /// What the request calls the key.
    pub(super) key_id: String,
}

/// What a header says about a signature.
#[derive(Debug, Default)]
struct Claim {
    key_id: String,
    algorithm: String,
    /// The parts that are signed, in their order.
    parts: Vec<String>,
    signature: String,
    /// Whether it is of the form before 1.0, which signs the mere value of the date.
    is_old: bool,
}

impl Cloud {
    /// Finds out who calls.
    pub(super) fn authenticate(&self, request: &SimRequest, now: Timestamp) -> Result<Caller, Refusal> {
        let header = request.header("authorization").unwrap_or_default();
        let Some(claim) = Claim::parse(header) else {
            if let Some(signature) = request.asked("signature") {
                return self.presigned(request, &signature, now);
            }
            let date = request.header("date").and_then(from_http);
            if date.is_some_and(|date| date.as_millis() + SKEW < now.as_millis()) {
                return Err(Refusal::new(400, "RequestExpired", "Date header is too old").early());
            }
            let text = "You must make authenticated requests to use CloudAPI";
            return refuse(401, "InvalidCredentials", text);
        };
        let way = claim.check(request, now).map_err(|why| {
            let why = format!("Authorization header invalid: {why}");
            Refusal::new(400, "InvalidHeader", &why).early()
        })?;
        let message = claim.message(request).unwrap_or_default();
        self.signer(&claim.key_id, way, message.as_bytes(), &claim.signature)
    }

    /// Finds the key, and lets it say whether it signed.
    fn signer(&self, key_id: &str, way: Way, message: &[u8], signature: &str) -> Result<Caller, Refusal> {
        let parts: Vec<&str> = key_id.split('/').collect();
        let (login, user, key) = match parts.as_slice() {
            ["", login, "keys", key] => (*login, None, *key),
            ["", login, "users", user, "keys", key] => (*login, Some(*user), *key),
            _ => {
                let text = format!("Invalid KeyId {key_id} in authorization header");
                return refuse(401, "InvalidCredentials", &text);
            }
        };
        let Some(account) = self.accounts.get(login) else { return refuse(401, "InvalidCredentials", WRONG) };
        if account.is_disabled {
            return refuse(403, "NotAuthorized", "Account or user is disabled");
        }
        let keys = match user {
            None => Some(&account.keys),
            Some(user) => account.users.get(user),
        };
        let key = keys.into_iter().flatten().find(|known| known.is_called(key));
        let signature = STANDARD.decode(signature).unwrap_or_default();
        match key.is_some_and(|key| key.has_signed(way, message, &signature)) {
            true => Ok(Caller { login: login.to_owned(), key_id: key_id.to_owned() }),
            false => refuse(401, "InvalidCredentials", WRONG),
        }
    }

    /// Finds out who made an address that carries its signature in its query.
    fn presigned(&self, request: &SimRequest, signature: &str, now: Timestamp) -> Result<Caller, Refusal> {
        let asked = |key: &str| request.asked(key).unwrap_or_default();
        let expires: i64 = asked("expires").parse().unwrap_or(0);
        if expires.saturating_mul(1000) < now.as_millis() {
            return Err(Refusal::grief("request expired"));
        }
        let Some(way) = Way::named(&asked("algorithm")) else {
            return Err(Refusal::grief("algorithm is not supported"));
        };
        let mut pairs = request.query();
        pairs.retain(|(key, _)| key != "signature");
        pairs.sort();
        let pairs: Vec<String> =
            pairs.iter().map(|(key, value)| format!("{}={}", escape(key), escape(value))).collect();
        let host = request.header("host").unwrap_or_default();
        let message = format!("{}\n{host}\n{}\n{}", request.method, request.path(), pairs.join("&"));
        self.signer(&asked("keyId"), way, message.as_bytes(), signature)
    }

    /// Finds the account whose things a call is about, which is the caller's own.
    pub(super) fn account_of(
        &self,
        caller: &Caller,
        request: &SimRequest,
        call: &str,
    ) -> Result<&Account, Refusal> {
        let segments = request.segments();
        let named = segments.first().map(String::as_str).unwrap_or_default();
        match self.accounts.get(&caller.login) {
            Some(account) if named == "my" || named == caller.login => Ok(account),
            _ => {
                let text = format!("You do not have permission to access {} ({call})", request.path());
                refuse(403, "NotAuthorized", &text)
            }
        }
    }
}

impl Claim {
    /// Reads a header; nothing if it speaks of something else than a signature.
    fn parse(header: &str) -> Option<Self> {
        let mut rest = header.strip_prefix("Signature ")?.trim();
        let mut claim = Self { parts: vec!["date".to_owned()], ..Self::default() };
        while let Some((key, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"')?;
            match key.trim_start_matches([',', ' ']) {
                "keyId" => value.clone_into(&mut claim.key_id),
                "algorithm" => value.clone_into(&mut claim.algorithm),
                "signature" => value.clone_into(&mut claim.signature),
                "headers" => {
                    claim.parts = value.split_whitespace().map(str::to_ascii_lowercase).collect();
                }
                _ => {}
            }
            rest = after;
        }
        let rest = rest.trim();
        if claim.signature.is_empty() && !rest.is_empty() {
            (claim.signature, claim.is_old) = (rest.to_owned(), true);
        }
        Some(claim)
    }

    /// Checks what can be checked without a key, and returns how it was signed.
    fn check(&self, request: &SimRequest, now: Timestamp) -> Result<Way, String> {
        let date_name = if request.header("x-date").is_some() { "x-date" } else { "date" };
        if let Some(part) = self.parts.iter().find(|part| part_of(request, part).is_none()) {
            return Err(format!("{part} was not in the request"));
        }
        let way = Way::named(&self.algorithm).ok_or_else(|| match self.algorithm.split_once('-') {
            Some(("hmac", _)) => format!("{} is not a supported algorithm", self.algorithm),
            _ => format!("{} is not supported", self.algorithm),
        })?;
        if self.parts.iter().all(|part| part != date_name) {
            return Err(format!("{date_name} was not a signed header"));
        }
        let date = request.header(date_name).and_then(from_http);
        let skew = match date {
            Some(date) => (now.as_millis() - date.as_millis()).abs(),
            None => return Err(format!("{date_name} is no date")),
        };
        match skew <= SKEW {
            true => Ok(way),
            false => Err(format!("clock skew of {}.{:03}s was greater than 300s", skew / 1000, skew % 1000)),
        }
    }

    /// Returns what is signed.
    fn message(&self, request: &SimRequest) -> Option<String> {
        if self.is_old {
            return request.header("date").map(str::to_owned);
        }
        let line = |part: &String| Some(format!("{part}: {}", part_of(request, part)?));
        Some(self.parts.iter().map(line).collect::<Option<Vec<_>>>()?.join("\n"))
    }
}

/// Returns the part of a request that a signature can cover.
fn part_of(request: &SimRequest, part: &str) -> Option<String> {
    match part {
        "(request-target)" => Some(format!("{} {}", request.method.to_ascii_lowercase(), request.target)),
        name => request.header(name).map(str::to_owned),
    }
}
