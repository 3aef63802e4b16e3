//! Who is taken for whom.

use std::sync::{
    Mutex,
    atomic::{AtomicI64, Ordering},
};

use vmpool::model::Timestamp;
use vmpool_api::TokenRequest;

use super::*;

/// A clock that is set by hand, in milliseconds.
#[derive(Debug, Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

const OWN: u32 = 4000;

fn access(config: AccessConfig) -> (Access, Arc<Hand>) {
    let clock = Arc::new(Hand::default());
    let tokens = Tokens::open(None).unwrap();
    (Access::new(config, tokens, OWN, Arc::clone(&clock) as Arc<dyn Clock>), clock)
}

fn shows(text: &str) -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(text).unwrap())])
}

fn network(is_loopback: bool) -> Peer {
    let address = if is_loopback { IpAddr::from([127, 0, 0, 1]) } else { IpAddr::from([10, 0, 0, 1]) };
    Peer::Network { address, certificate: Arc::new([]) }
}

async fn token(access: &Access, role: Role, ttl: Option<std::time::Duration>) -> String {
    let wish = TokenRequest::new("ci", role).with_ttl(ttl);
    let (secret, _) = access.tokens().create(wish, None, access.0.clock.now()).await.unwrap();
    secret.expose().to_owned()
}

fn why(answer: Result<Caller, Box<Problem>>) -> String {
    answer.unwrap_err().detail
}

#[tokio::test]
async fn a_token_says_who_asks_also_on_loopback_that_is_open() {
    let (access, _) = access(AccessConfig::default().with_open_loopback(true));
    let token = token(&access, Role::User, None).await;
    let caller = access.caller(&shows(&format!("bearer {token}")), &network(true)).unwrap();
    assert_eq!((caller.actor(), caller.role), ("token:ci", Role::User));
    assert_eq!(why(access.caller(&shows("Bearer x"), &network(true))), "the token is not one of ours");
    assert_eq!(access.caller(&HeaderMap::new(), &network(true)).unwrap().role, Role::Admin);
    assert!(access.caller(&HeaderMap::new(), &network(false)).is_err());
}

#[tokio::test]
async fn loopback_is_closed_unless_the_configuration_opens_it() {
    let (access, _) = access(AccessConfig::default());
    assert_eq!(why(access.caller(&HeaderMap::new(), &network(true))), "nothing shows who asks");
}

#[tokio::test]
async fn a_token_is_good_until_it_expires_or_is_revoked() {
    let (access, clock) = access(AccessConfig::default());
    let token = token(&access, Role::Reader, Some(std::time::Duration::from_millis(10))).await;
    let headers = shows(&format!("Bearer {token}"));
    clock.0.store(9, Ordering::Relaxed);
    assert!(access.caller(&headers, &network(false)).is_ok());
    clock.0.store(10, Ordering::Relaxed);
    assert_eq!(why(access.caller(&headers, &network(false))), "the token has expired");
    clock.0.store(5, Ordering::Relaxed);
    access.tokens().revoke("ci", None, clock.now()).await.unwrap();
    assert_eq!(why(access.caller(&headers, &network(false))), "the token was revoked");
}

#[tokio::test]
async fn headers_that_say_more_than_one_thing_are_refused() {
    let (access, _) = access(AccessConfig::default());
    let token = token(&access, Role::Admin, None).await;
    let good = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    let mut twice = HeaderMap::new();
    twice.append(AUTHORIZATION, good.clone());
    twice.append(AUTHORIZATION, good);
    assert!(why(access.caller(&twice, &network(true))).contains("twice"));
    let tricks =
        [format!("Basic {token}"), token.clone(), format!("Bearer  {token}"), format!("Bearer {token} x")];
    for text in tricks.into_iter().chain(["Bearer".to_owned(), "Bearer vmpool__".to_owned()]) {
        assert!(access.caller(&shows(&text), &network(true)).is_err(), "{text}");
    }
}

#[tokio::test]
async fn the_id_of_a_token_with_another_secret_is_refused() {
    let (access, _) = access(AccessConfig::default());
    let mut token = token(&access, Role::Admin, None).await;
    let last = if token.ends_with('0') { '1' } else { '0' };
    token.pop();
    token.push(last);
    assert!(access.caller(&shows(&format!("Bearer {token}")), &network(true)).is_err());
}

#[test]
fn over_the_socket_root_and_the_own_user_may_do_everything_and_others_what_is_said() {
    let config: AccessConfig = toml::from_str("[uids.7]\nrole = \"user\"\nowner = \"ada\"").unwrap();
    let (access, _) = access(config);
    let caller = |uid| access.caller(&HeaderMap::new(), &Peer::Local { uid });
    for uid in [0, OWN] {
        let caller = caller(uid).unwrap();
        assert_eq!((caller.actor(), caller.role), (format!("uid:{uid}").as_str(), Role::Admin));
    }
    let ada = caller(7).unwrap();
    assert_eq!((ada.role, ada.owner("").unwrap().as_str()), (Role::User, "ada"));
    assert!(caller(8).is_err());
}

#[test]
fn a_certificate_counts_by_the_names_that_the_configuration_knows() {
    let config: AccessConfig = toml::from_str("[certificates.\"ci.example\"]\nrole = \"operator\"").unwrap();
    let (access, _) = access(config);
    let caller = |names: &[&str]| {
        let certificate = names.iter().map(ToString::to_string).collect();
        access.caller(&HeaderMap::new(), &Peer::Network { address: IpAddr::from([10, 0, 0, 1]), certificate })
    };
    let ci = caller(&["other.example", "ci.example"]).unwrap();
    assert_eq!((ci.actor(), ci.role), ("certificate:ci.example", Role::Operator));
    assert!(caller(&["other.example"]).is_err());
}

#[test]
fn a_user_acts_for_its_owner_and_sub_owners_alone() {
    let ada = Caller::new("token:a".to_owned(), Role::User, Owner::new("ada").ok());
    for (said, good) in [("", true), ("ada", true), ("ada/x", true), ("adam", false), ("bob", false)] {
        assert_eq!(ada.owner(said).is_ok(), good, "{said}");
    }
    let operator = Caller::new("token:o".to_owned(), Role::Operator, Owner::new("ops").ok());
    assert_eq!(operator.owner("bob").unwrap().as_str(), "bob");
    assert_eq!(operator.owner("").unwrap().as_str(), "ops");
}

#[test]
fn who_did_it_is_always_told_and_what_is_said_only_beside_it() {
    let by = |role, said: &str| {
        let caller = Caller::new("token:a".to_owned(), role, None);
        let said = Some(said.to_owned()).filter(|said| !said.is_empty());
        caller.by(said).unwrap().unwrap().to_string()
    };
    assert_eq!(by(Role::Operator, "ada"), "ada (token:a)");
    assert_eq!(by(Role::Operator, ""), "token:a");
    assert_eq!(by(Role::User, "ada"), "token:a");
    assert_eq!(by(Role::Operator, &"x".repeat(199)), "token:a");
    assert_eq!(Caller::anybody().by(Some("ada".to_owned())).unwrap().unwrap().as_str(), "ada");
}

#[tokio::test]
async fn tokens_survive_a_restart_as_hashes_in_a_file_of_their_own_user() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.json");
    let now = Timestamp::from_millis(1);
    let tokens = Tokens::open(Some(file.clone())).unwrap();
    let (secret, _) = tokens.create(TokenRequest::new("ci", Role::User), None, now).await.unwrap();
    tokens.create(TokenRequest::new("old", Role::User), None, now).await.unwrap();
    tokens.revoke("old", Some("token:root".to_owned()), now).await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(secret.expose()) && text.contains(secret.id()));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let again = Tokens::open(Some(file)).unwrap();
    assert_eq!(again.list(), tokens.list());
    assert!(again.find(secret.expose(), &secret.hash(), now).is_ok());
    let taken = again.create(TokenRequest::new("ci", Role::User), None, now).await;
    assert!(matches!(taken, Err(TokenError::Exists(_))));
    assert!(again.create(TokenRequest::new("old", Role::User), None, now).await.is_ok());
}

#[test]
fn records_of_a_newer_version_and_broken_ones_are_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.json");
    let check = |text: &str, wanted: &str| {
        std::fs::write(&file, text).unwrap();
        let err = Tokens::open(Some(file.clone())).unwrap_err().to_string();
        assert!(err.contains(wanted), "{err}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    };
    check("{\"version\":2,\"rows\":[]}", "written by a newer vmpool (version 2");
    check("{\"version\":1,\"tokens\":[7]}", "cannot be understood");
    check("", "cannot be understood");
}

#[test]
fn a_record_of_the_first_version_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.json");
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let row = format!(
        r#"{{"version":1,"tokens":[{{"hash":"{hash}","token":{{"id":"0a","name":"ci","role":"user","owner":"ci",
        "created_at":"2026-01-01T00:00:00Z"}}}}]}}"#
    );
    std::fs::write(&file, row).unwrap();
    assert_eq!(Tokens::open(Some(file)).unwrap().list()[0].name, "ci");
}

/// What formats secrets would show them in logs.
#[test]
fn nothing_that_is_kept_shows_a_secret_when_it_is_formatted() {
    let shown = Mutex::new(String::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (access, _) = access(AccessConfig::default());
        let secret = token(&access, Role::Admin, None).await;
        let caller = access.caller(&shows(&format!("Bearer {secret}")), &network(false));
        *shown.lock().unwrap() = format!("{access:?} {caller:?}");
        assert!(!shown.lock().unwrap().contains(secret.rsplit('_').next().unwrap()));
    });
}
