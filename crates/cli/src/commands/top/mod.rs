//! `vmpool top`: pools, who waits and what happens, live on a terminal, or once where there is none.

mod screen;
mod view;

use std::io::{self, IsTerminal as _};

use tokio::time::{MissedTickBehavior, interval};
use vmpool_api::{Event, Pool, Request, RequestStatus, exit};
use vmpool_client::{Client, ClientError};

use self::{
    screen::{Key, Screen},
    view::View,
};
use crate::{args::TopArgs, failure::Failure, output::Output, signals::Signals};

/// How many of the last events are shown at most.
const EVENTS: u64 = 50;

/// What there is at one moment.
#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Moment {
    pools: Vec<Pool>,
    /// The requests that wait, the one that waits longest first.
    waiting: Vec<Request>,
    /// The newest event last.
    events: Vec<Event>,
}

/// Shows what goes on until q or ctrl-c; returns the exit code.
pub(crate) async fn run(client: &Client, args: TopArgs, output: Output) -> Result<u8, Failure> {
    // A wrong address, and a pool that there is not, are told before the screen is taken.
    let moment = look(client, args.pool.as_deref()).await?;
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() || output.is_json() {
        output.text(&moment, |moment| View::new(client.base_url()).page(moment))?;
        return Ok(exit::OK);
    }
    let mut signals = Signals::catch()?;
    let mut screen = Screen::take()?;
    let mut view = View::new(client.base_url());
    view.take(Ok(moment));
    let mut ticks = interval(args.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        screen.draw(|width, height| view.lines(width, height))?;
        tokio::select! {
            _ = ticks.tick() => {
                if !view.is_paused() {
                    view.take(look(client, args.pool.as_deref()).await);
                }
            }
            key = screen.key() => match key {
                Key::Quit => return Ok(exit::OK),
                Key::Up => view.up(),
                Key::Down => view.down(),
                Key::Pause => view.pause(),
                Key::Open => view.open(),
                Key::Back => view.back(),
                Key::Other => {}
            },
            _ = signals.next() => return Ok(exit::OK),
        }
    }
}

/// Asks the daemon what there is.
async fn look(client: &Client, only: Option<&str>) -> Result<Moment, ClientError> {
    let pools = match only {
        Some(name) => vec![client.pool(name).await?],
        None => client.pools().await?,
    };
    let mut waiting = client.requests().await?;
    let is_meant = |request: &Request| {
        only.is_none_or(|pool| request.pool == pool || request.pools.iter().any(|name| name == pool))
    };
    waiting.retain(|request| request.status == RequestStatus::Waiting && is_meant(request));
    waiting.sort_by_key(|request| request.submitted_at);
    let newest = client.health().await?.cursor;
    let mut events =
        client.events(newest.saturating_sub(EVENTS), usize::try_from(EVENTS).unwrap_or(50)).await?.events;
    events.retain(|event| only.is_none_or(|pool| event.pool.as_deref() == Some(pool)));
    Ok(Moment { pools, waiting, events })
}
