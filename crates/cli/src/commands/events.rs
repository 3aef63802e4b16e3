//! `vmpool events` and `vmpool vm history`: what happened, and what happens.

use vmpool_api::{exit, routes::MAX_EVENTS};
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

/// Prints all that happened to a VM and is still kept, whether the VM is there or not.
pub(crate) async fn history(client: &Client, vm: &str, output: Output) -> Result<(), Failure> {
    let mut after = 0;
    let mut is_known = false;
    loop {
        let page = client.events_of(vm, after, MAX_EVENTS).await?;
        for event in &page.events {
            is_known = true;
            output.item(event, render::event)?;
        }
        if page.next == after {
            break;
        }
        after = page.next;
    }
    match is_known {
        true => Ok(()),
        false => {
            let message = format!("nothing is known to have happened to a VM {vm:?}");
            Err(Failure::new(exit::NOT_FOUND, message)
                .with_hint("old events are dropped; `vmpool vm ls` lists the VMs"))
        }
    }
}
