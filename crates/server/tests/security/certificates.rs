//! Certificates: of the daemon, and of who asks.

use vmpool_client::{Client, ClientError, Tls, api::Role};

use crate::{
    pki::{Authority, Files, client, expired, of},
    world::World,
};

/// Asks a daemon that shows a certificate how it is.
async fn asked(files: &Files, tls: &Tls) -> Result<String, ClientError> {
    let world = World::from_file(&files.configure("", ""), &files.trusting()).await;
    client(&world, tls).health().await.map(|health| health.status)
}

/// Returns why there is no safe connection.
fn why<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> String {
    let err = answer.unwrap_err();
    assert!(matches!(err, ClientError::Unsafe { .. }) && !err.may_have_happened(), "{err:?}");
    err.to_string()
}

#[tokio::test]
async fn a_daemon_is_trusted_by_its_authority_or_its_own_certificate_and_else_not() {
    let files = Files::new();
    assert_eq!(asked(&files, &files.trusting()).await.unwrap(), "ok");
    let own = Tls::default().with_ca_file(files.path("daemon.pem"));
    assert_eq!(asked(&files, &own).await.unwrap(), "ok");
    let unknown = why(asked(&files, &Tls::default()).await);
    assert!(unknown.contains("there is no safe connection to https://127.0.0.1:"), "{unknown}");
    assert!(unknown.contains("certificate") && unknown.contains("ca_file"), "{unknown}");
}

#[tokio::test]
async fn a_daemon_whose_certificate_is_over_or_for_other_names_is_not_trusted() {
    let files = Files::new();
    files.show(&of(&["vmpool.example.org"], "the daemon"));
    let other = why(asked(&files, &files.trusting()).await);
    assert!(other.contains("for other names"), "{other}");
    files.show(&expired(of(&["127.0.0.1"], "the daemon")));
    let over = why(asked(&files, &files.trusting()).await);
    assert!(over.contains("must be renewed"), "{over}");
}

#[tokio::test]
async fn who_speaks_in_clear_to_tls_or_tls_to_what_is_in_clear_is_told_so() {
    let world = Files::new().start("", "").await;
    let plain = Client::new(&format!("http://{}", world.address)).unwrap();
    let err = plain.health().await.unwrap_err();
    assert!(err.to_string().contains("speaks TLS"), "{err}");
    assert!(err.problem().unwrap().hint.as_ref().unwrap().contains("https://"), "{err:?}");
    world.goes_on().await;
    let clear = World::start().await;
    let told = why(client(&clear, &Tls::default()).health().await);
    assert!(told.contains("try http:// instead of https://"), "{told}");
    clear.goes_on().await;
}

#[tokio::test]
async fn a_certificate_of_a_client_says_who_asks_and_whose_its_leases_are() {
    let files = Files::new();
    let more = "[access.certificates.\"ci.example.org\"]\nrole = \"user\"\nowner = \"builders\"\n\
                [access.certificates.\"CN=ada\"]\nrole = \"operator\"";
    let world = files.start("client_ca_file = \"authority.pem\"", more).await;
    let who = async |names: &[&str], common: &str| {
        let tls = files.showing(&files.authority, &of(names, common));
        client(&world, &tls).whoami().await
    };
    let ci = who(&["ci.example.org"], "somebody").await.unwrap();
    assert_eq!(
        (ci.actor.as_str(), ci.role, ci.owner.as_deref()),
        ("certificate:ci.example.org", Role::User, Some("builders"))
    );
    let ada = who(&[], "ada").await.unwrap();
    assert_eq!(
        (ada.actor.as_str(), ada.role, ada.owner.as_deref()),
        ("certificate:CN=ada", Role::Operator, Some("ada"))
    );
    // A common name is no DNS name, and the other way round.
    for (names, common) in [(&["ada"][..], "x"), (&[][..], "ci.example.org")] {
        let err = who(names, common).await.unwrap_err();
        let detail = &err.problem().unwrap().detail;
        assert!(
            detail.contains("access.certificates says nothing about") && detail.contains("CN="),
            "{detail}"
        );
    }
    let tls = files.showing(&files.authority, &of(&["ci.example.org"], "x"));
    let user = client(&world, &tls);
    assert_eq!(world.lease(&user, "r1").await.owner, "builders");
}

#[tokio::test]
async fn a_certificate_is_known_by_its_fingerprint_too() {
    let files = Files::new();
    let tls = files.showing(&files.authority, &of(&["ci.example.org"], "x"));
    let shown = vmpool_tls::certificates(&files.path("client.pem")).unwrap();
    let fingerprint = vmpool_tls::names(&shown[0]).swap_remove(0);
    let more = format!(
        "[access.certificates.\"{fingerprint}\"]\nrole = \"reader\"\nowner = \"x\"\n\
         [access.certificates.\"ci.example.org\"]\nrole = \"admin\""
    );
    let world = files.start("client_ca_file = \"authority.pem\"", &more).await;
    assert_eq!(client(&world, &tls).whoami().await.unwrap().role, Role::Reader);
}

#[tokio::test]
async fn a_certificate_that_another_signed_or_that_is_over_gives_no_connection() {
    let files = Files::new();
    let more = "[access.certificates.\"ci.example.org\"]\nrole = \"admin\"";
    let world = files.start("client_ca_file = \"authority.pem\"", more).await;
    let ci = of(&["ci.example.org"], "x");
    let forged = files.showing(&Authority::new(), &ci);
    let told = why(client(&world, &forged).whoami().await);
    assert!(told.contains("does not take the certificate"), "{told}");
    let over = files.showing(&files.authority, &expired(ci));
    let told = why(client(&world, &over).whoami().await);
    assert!(told.contains("does not take the certificate"), "{told}");
    world.goes_on().await;
}

#[tokio::test]
async fn where_certificates_are_required_nobody_connects_without_one() {
    let files = Files::new();
    let tls = "client_ca_file = \"authority.pem\"\nclient_certificates = \"required\"";
    let file = files.configure(tls, "");
    let showing = files.showing(&files.authority, &of(&["ci.example.org"], "x"));
    let world = World::from_file(&file, &showing).await;
    let told = why(client(&world, &files.trusting()).health().await);
    assert!(told.contains("the server asks for a certificate"), "{told}");
    // One whose names nobody is told about connects, and needs a token.
    world.goes_on().await;
}

#[tokio::test]
async fn where_certificates_are_off_nobody_is_asked_for_one() {
    let files = Files::new();
    let more = "[access.certificates.\"ci.example.org\"]\nrole = \"admin\"";
    let tls = "client_ca_file = \"authority.pem\"\nclient_certificates = \"off\"";
    let world = files.start(tls, more).await;
    let showing = files.showing(&files.authority, &of(&["ci.example.org"], "x"));
    let err = client(&world, &showing).whoami().await.unwrap_err();
    assert_eq!(err.problem().unwrap().detail, "nothing shows who asks");
}
