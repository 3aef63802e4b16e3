//! `vmpool token` and `vmpool whoami`.

use vmpool_api::{TokenRequest, Tokens};
use vmpool_client::Client;

use crate::{args::TokenCommand, failure::Failure, output::Output, render};

/// Runs `vmpool token …`.
pub(crate) async fn run(client: &Client, command: TokenCommand, output: Output) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(args) => {
            let wish = TokenRequest::new(args.name, args.role).with_owner(args.owner).with_ttl(args.ttl);
            let made = client.create_token(&wish).await?;
            output.notice(&format!("token {} is shown this once", made.token.name));
            output.item(&made, |made| made.secret.clone())
        }
        TokenCommand::Ls => {
            let found = Tokens { tokens: client.tokens().await? };
            output.result(&found, |found| render::tokens(&found.tokens))
        }
        TokenCommand::Revoke { name } => {
            client.revoke_token(&name).await?;
            output.done("revoke", [("token", &name)], &format!("revoked token {name}"))
        }
    }
}

/// Says who the daemon takes the user for.
pub(crate) async fn whoami(client: &Client, output: Output) -> Result<(), Failure> {
    output.result(&client.whoami().await?, render::whoami)
}
