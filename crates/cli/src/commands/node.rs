//! `vmpool node`: the nodes of a provider, without a daemon.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use serde::Serialize;
use vmpool_api::exit;
use vmpool_server::{
    driver::{CreateRequest, DriverExt as _, Interface, PowerAction, WaitOptions},
    drivers,
    model::Node,
};

use crate::{
    args::{NodeCommand, NodeCreateArgs},
    failure::Failure,
    local::{Local, story},
    output::Output,
    render,
};

/// The nodes of an account.
#[derive(Debug, Serialize)]
struct Nodes {
    nodes: Vec<Node>,
}

/// Runs `vmpool node …`.
pub(crate) async fn run(command: NodeCommand, output: Output) -> Result<(), Failure> {
    match command {
        NodeCommand::Ls { at } => list(&Local::open(&at).await?, output).await,
        NodeCommand::Show { node, at } => {
            let local = Local::open(&at).await?;
            let node = local.find(&node).await?;
            output.result(&node, |node| render::node(node, local.belongs(node)))
        }
        NodeCommand::Create(args) => create(args, output).await,
        NodeCommand::Destroy { node, yes, at } => destroy(&Local::open(&at).await?, &node, yes, output).await,
        NodeCommand::Reboot { node, at } => {
            power(&Local::open(&at).await?, &node, PowerAction::Reboot, output).await
        }
        NodeCommand::Start { node, at } => {
            power(&Local::open(&at).await?, &node, PowerAction::Start, output).await
        }
        NodeCommand::Stop { node, at } => {
            power(&Local::open(&at).await?, &node, PowerAction::Stop, output).await
        }
    }
}

async fn list(local: &Local, output: Output) -> Result<(), Failure> {
    let listing = local.driver.list().await.map_err(|err| local.failed(&err))?;
    if let Some(why) = &listing.incomplete {
        output.notice(&format!("warning: the listing is partial, there may be more nodes: {why}"));
    }
    output.result(&Nodes { nodes: listing.nodes }, |listed| {
        render::nodes(listed.nodes.iter().map(|node| (node, local.belongs(node))))
    })
}

async fn create(args: NodeCreateArgs, output: Output) -> Result<(), Failure> {
    let local = Local::open(&args.at).await?;
    let mut request = CreateRequest::new(args.template);
    (request.name, request.size, request.image) = (args.name, args.size, args.image);
    request.labels = args.labels.into_iter().collect();
    let node = local.driver.create(&request).await.map_err(|err| local.failed(&err))?;
    let Some(timeout) = args.wait else { return shown(&local, &node, output) };
    output.notice(&format!("node {} is made, waiting until it runs", node.id));
    let options = WaitOptions::new(drivers::pause()).with_timeout(timeout).with_interface(Interface::Any);
    match local.driver.wait_until(std::slice::from_ref(&node.id), &options).await {
        Ok(nodes) => shown(&local, nodes.first().unwrap_or(&node), output),
        Err(err) => Err(Failure::new(exit::PROVIDER, format!("node {} was made: {}", node.id, story(&err)))
            .with_hint(format!("`vmpool node destroy {}` takes it away again", node.id))),
    }
}

fn shown(local: &Local, node: &Node, output: Output) -> Result<(), Failure> {
    output.result(node, |node| render::node(node, local.belongs(node)))
}

async fn power(local: &Local, wanted: &str, action: PowerAction, output: Output) -> Result<(), Failure> {
    let node = local.find(wanted).await?;
    if let Some(pool) = local.belongs(&node) {
        output.notice(&format!("warning: node {} belongs to {pool}", node.id));
    }
    local.driver.power(&node.id, action).await.map_err(|err| local.failed(&err))?;
    let (verb, doing) = match action {
        PowerAction::Start => ("start", "is being started"),
        PowerAction::Stop => ("stop", "is being stopped"),
        PowerAction::Reboot => ("reboot", "is being rebooted"),
    };
    done(local, &node, verb, doing, output)
}

async fn destroy(local: &Local, wanted: &str, yes: bool, output: Output) -> Result<(), Failure> {
    let node = local.find(wanted).await?;
    if let Some(pool) = local.belongs(&node) {
        let better = node.token.as_ref().map(|token| format!("`vmpool terminate {}`", token.vm));
        let better = better.unwrap_or_default();
        output.notice(&format!(
            "warning: node {} belongs to {pool}: whoever leases it loses it, and its daemon makes another; {better} is the \
             better way",
            node.id
        ));
    }
    if !yes {
        confirm(&format!("Destroy node {} ({}, {}) at {}?", node.id, node.name, node.state, local.name))?;
    }
    local.driver.destroy(&node.id).await.map_err(|err| local.failed(&err))?;
    done(local, &node, "destroy", "is being destroyed", output)
}

fn done(local: &Local, node: &Node, verb: &str, doing: &str, output: Output) -> Result<(), Failure> {
    let (id, provider) = (node.id.to_string(), local.name.to_string());
    let notice = format!("node {id} ({}) {doing}", node.name);
    output.done(verb, [("node", &id), ("provider", &provider)], &notice)
}

/// Asks whoever sits at the terminal; anything but yes is no.
fn confirm(question: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        let message = format!("{question} There is nobody to ask, so nothing was done");
        return Err(Failure::new(exit::USAGE, message).with_hint("--yes asks nobody"));
    }
    let unasked = |err: io::Error| Failure::new(exit::FAILURE, format!("failed to ask: {err}"));
    let mut err = io::stderr().lock();
    write!(err, "{question} [y/N] ").and_then(|()| err.flush()).map_err(unasked)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(unasked)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new(exit::FAILURE, "nothing was done")),
    }
}
