//! The key that a daemon leaves for its own user, where daemons come and go.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use std::{env, fs, path::PathBuf, time::Duration};

use tokio::{io::AsyncWriteExt, net::TcpListener};
use vmpool_client::{
    Client,
    api::{exit, local_key},
};

use crate::peer::{answer, lease, problem, read_request};

/// The file of a key, which goes with this.
struct Key(PathBuf);

impl Key {
    fn write(&self, key: &str) {
        fs::create_dir_all(self.0.parent().unwrap()).unwrap();
        fs::write(&self.0, key).unwrap();
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Renews a lease where there is the first key at first and the second one before anything is answered; returns which keys
/// were shown, one for each of the answers, and how it ended.
async fn renew(keys: [Option<&str>; 2], answers: Vec<String>) -> (Vec<Option<String>>, Result<(), u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let files = local_key::files(address, |name| env::var_os(name));
    let file = Key(files.into_iter().next().unwrap());
    keys[0].iter().for_each(|key| file.write(key));
    let client = Client::new(&format!("http://{address}")).unwrap();
    let serve = async {
        let mut shown = Vec::new();
        for (index, answer) in answers.iter().enumerate() {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = read_request(&mut stream).await;
            let key = request.lines().find_map(|line| line.strip_prefix("authorization: Bearer "));
            shown.push(key.map(str::to_owned));
            if index == 0 {
                keys[1].iter().for_each(|key| file.write(key));
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        shown
    };
    let renewed = async { client.renew("1-2", None).await.map(drop).map_err(|err| err.exit_code()) };
    let both = async { tokio::join!(serve, renewed) };
    tokio::time::timeout(Duration::from_secs(20), both).await.unwrap()
}

#[tokio::test]
async fn f9_a_call_that_met_a_daemon_which_had_just_started_is_made_again_with_the_new_key() {
    for first in [Some("old"), None] {
        let answers = vec![problem(401, "unauthenticated"), answer(200, &lease("10m"))];
        let (shown, end) = renew([first, Some("new")], answers).await;
        assert_eq!((shown, end), (vec![first.map(str::to_owned), Some("new".to_owned())], Ok(())));
    }
}

#[tokio::test]
async fn a_key_that_is_refused_is_not_shown_again() {
    let (shown, end) = renew([Some("old"), Some("old")], vec![problem(401, "unauthenticated")]).await;
    assert_eq!((shown, end), (vec![Some("old".to_owned())], Err(exit::DENIED)));
}
