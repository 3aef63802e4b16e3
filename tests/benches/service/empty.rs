//! A server that does nothing but answer, as a process of its own: the limit of any service over HTTP here.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use axum::{Json, Router, routing};
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Builder};

/// The argument with which this program is that server.
pub const ARGUMENT: &str = "--serve-nothing";

/// The server; dropping it ends it.
pub struct Empty {
    child: Child,
    pub url: String,
}

impl Empty {
    pub fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(ARGUMENT)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Serves for ever.
pub fn serve() {
    Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/leases", routing::post(answer));
        axum::serve(listener, router).await.unwrap();
    });
}

/// Reads JSON and answers JSON that is about as long as a lease.
async fn answer(Json(wish): Json<Value>) -> Json<Value> {
    Json(serde_json::json!({ "status": "granted", "lease": "x".repeat(400), "request": wish["request"] }))
}
