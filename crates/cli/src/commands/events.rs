//! `vmpool events`: what happened, and what happens.

use vmpool_api::routes::MAX_EVENTS;
use vmpool_client::Client;

use crate::{args::EventsArgs, failure::Failure, output::Output, render};

/// Prints the events that are kept, and with `--follow` those to come.
pub(crate) async fn run(client: &Client, args: EventsArgs, output: Output) -> Result<(), Failure> {
    let mut after = args.after.unwrap_or(0);
    loop {
        let page = client.events(after, MAX_EVENTS).await?;
        for event in &page.events {
            output.item(event, render::event)?;
        }
        after = page.next;
        if page.events.is_empty() {
            break;
        }
    }
    if !args.follow {
        return Ok(());
    }
    let mut events = client.follow(Some(after));
    loop {
        output.item(&events.next().await?, render::event)?;
    }
}
