//! `vmpool acquire`: leases VMs, and keeps the leases while a command runs.

use std::{io, pin::pin};

use rustix::process::Signal;
use vmpool_api::{
    AcquireAnswer, AcquireRequest, EndedLease, Explanation, Lease,
    code::{self, Code},
    exit,
};
use vmpool_client::{Client, ClientError};

use crate::{
    args::{AcquireArgs, user},
    child::Running,
    commands::keep,
    connect::Connection,
    failure::Failure,
    output::Output,
    progress::Progress,
    render,
    signals::{Signals, exit_code},
};

/// What a shell exits with if the command was found and cannot be started.
const NOT_STARTED: u8 = 126;
/// What a shell exits with if there is no such command.
const NO_COMMAND: u8 = 127;

/// What a request is that there is nothing to withdraw of.
const OVER: [Code; 4] =
    [code::REQUEST_CANCELLED, code::REQUEST_ENDED, code::REQUEST_TURNED_AWAY, code::WAIT_TIMED_OUT];

/// Leases VMs, and either prints the leases or runs a command with them; returns the exit code.
pub(crate) async fn run(connection: &Connection, args: AcquireArgs, output: Output) -> Result<u8, Failure> {
    let client = &connection.client;
    // Caught before the request is sent, so that no signal can leave a request behind.
    let mut signals = Signals::catch()?;
    let request = request(&args, connection.has_identity);
    let answer = tokio::select! {
        answer = acquire(client, &request, output) => answer?,
        signal = signals.next() => return Ok(cancel(client, &request, signal, output).await),
    };
    let Some((program, arguments)) = args.command.split_first() else {
        ended(&answer).for_each(|lease| output.notice(&format!("warning: {}", told(lease))));
        output.result(&answer, |answer| match leases(answer) {
            [lease] if args.count == 1 => render::lease(lease),
            leases => render::leases(leases),
        })?;
        return Ok(exit::OK);
    };
    if let Some(lease) = ended(&answer).next() {
        let message = format!("{} before the command could begin", told(lease));
        let hint = format!("release what is left of request {}, and make a new request", request.request);
        return Err(Failure::new(exit::REFUSED, message).with_hint(hint));
    }
    let leases = leases(&answer).to_vec();
    let running = match Running::start(program, arguments, &environment(&leases, client)) {
        Ok(running) => running,
        Err(err) => {
            keep::release_all(client, &leases, output).await;
            return Err(not_started(&program.to_string_lossy(), &err));
        }
    };
    keep::keep(client, leases, running, &mut signals, output).await
}

/// Waits for the VMs; if the daemon is away meanwhile, says what is waited for.
async fn acquire(
    client: &Client,
    request: &AcquireRequest,
    output: Output,
) -> Result<AcquireAnswer, ClientError> {
    let mut answer = pin!(client.acquire_answer(request));
    if request.wait.is_none_or(|wait| wait.is_zero()) {
        return answer.await;
    }
    tokio::select! {
        answer = &mut answer => return answer,
        health = client.health() => match health {
            Err(err) if err.is_temporary() => output.notice(&format!("warning: {err}; waiting for it")),
            _ => {}
        }
    }
    let mut progress = Progress::begin(output.is_quiet());
    if !progress.is_shown() {
        return answer.await;
    }
    let mut ticks = progress.ticks();
    loop {
        tokio::select! {
            answer = &mut answer => return answer,
            _ = ticks.tick() => {}
        }
        tokio::select! {
            answer = &mut answer => return answer,
            explained = client.explain(&request.request) => progress.show(&waits_for(&explained)),
        }
    }
}

/// Says what is waited for, and which limit binds.
fn waits_for(explained: &Result<Explanation, ClientError>) -> String {
    let explanation = match explained {
        Ok(explanation) => explanation,
        Err(err) => return format!("waiting: {err}"),
    };
    let place =
        explanation.position.map(|place| format!(", number {place} in the queue")).unwrap_or_default();
    let limit = explanation.request.limit.as_ref().or(explanation.limits.first());
    let why = limit.map(|limit| format!(": {}", limit.text)).unwrap_or_default();
    format!("waiting for a VM{place}{why}")
}

/// Returns the leases that an answer gives.
fn leases(answer: &AcquireAnswer) -> &[Lease] {
    match answer {
        AcquireAnswer::Granted { leases, .. } => leases,
        _ => &[],
    }
}

/// Returns the leases that the request was given and that ended.
fn ended(answer: &AcquireAnswer) -> impl Iterator<Item = &EndedLease> {
    let ended = match answer {
        AcquireAnswer::Granted { ended, .. } => ended.as_slice(),
        _ => &[],
    };
    ended.iter()
}

fn told(lease: &EndedLease) -> String {
    let EndedLease { id, vm, at, end } = lease;
    format!("the request was given lease {id} of VM {vm} too, which ended at {at:.0}, because {end}")
}

fn request(args: &AcquireArgs, has_identity: bool) -> AcquireRequest {
    let owner = args.owner.clone().unwrap_or_else(|| if has_identity { String::new() } else { user() });
    let id = args.request.clone().unwrap_or_else(vmpool_client::new_request_id);
    let pools = args.pools.iter().flat_map(|pools| &pools.0).chain(&args.more_pools).cloned().collect();
    AcquireRequest::new(id, "", owner)
        .with_pools(pools)
        .with_labels(args.labels.clone())
        .with_count(args.count)
        .with_priority(args.priority)
        .with_sandbox(args.sandbox.clone())
        .with_task(args.task.clone())
        .with_ttl(args.ttl)
        .with_wait(args.wait)
}

/// Withdraws the request, so that no VM is leased to somebody who left, who may come back with the same request.
async fn cancel(client: &Client, request: &AcquireRequest, signal: Signal, output: Output) -> u8 {
    match client.clone().with_by(Some(request.owner.clone())).abandon(&request.request).await {
        Ok(()) => output.notice("cancelled"),
        // Whoever was faster left nothing to withdraw.
        Err(ClientError::Problem(problem)) if OVER.iter().any(|code| problem.is(*code)) => {
            output.notice(&problem.detail);
        }
        Err(err) => output.notice(&format!(
            "warning: failed to cancel request {}, a VM may be leased until its time to live is over: {err}",
            request.request
        )),
    }
    exit_code(signal.as_raw())
}

/// Tells of the first VM what there is to tell, and of all which they are.
fn environment(leases: &[Lease], client: &Client) -> Vec<(&'static str, String)> {
    let each = |what: fn(&Lease) -> &str| leases.iter().map(what).collect::<Vec<_>>().join(",");
    let mut environment = vec![
        ("VMPOOL_VMS", each(|lease| &lease.vm)),
        ("VMPOOL_ALL_ADDRESSES", each(|lease| lease.addresses.first().map_or("", String::as_str))),
        ("VMPOOL_LEASES", each(|lease| &lease.id)),
        ("VMPOOL_URL", client.base_url().to_owned()),
    ];
    let Some(lease) = leases.first() else { return environment };
    environment.extend([
        ("VMPOOL_VM", lease.vm.clone()),
        ("VMPOOL_ADDRESS", lease.addresses.first().cloned().unwrap_or_default()),
        ("VMPOOL_ADDRESSES", lease.addresses.join(",")),
        ("VMPOOL_LEASE", lease.id.clone()),
        ("VMPOOL_POOL", lease.pool.clone()),
        ("VMPOOL_NODE_ID", lease.node_id.clone().unwrap_or_default()),
        ("VMPOOL_FENCE", lease.fence.to_string()),
        ("VMPOOL_EXPIRES_AT", lease.expires_at.to_string()),
    ]);
    environment
}

fn not_started(program: &str, err: &io::Error) -> Failure {
    let message = format!("failed to start {program}: {err}; what was leased was released");
    match err.kind() {
        io::ErrorKind::NotFound => {
            Failure::new(NO_COMMAND, message).with_hint("is it installed, and in PATH?")
        }
        _ => Failure::new(NOT_STARTED, message),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Parser as _};

    use super::*;
    use crate::args::{Arguments, Ask, Command};

    fn asked(line: &str) -> AcquireRequest {
        match Arguments::try_parse_from(line.split(' ')).unwrap().command {
            Command::Ask(Ask::Acquire(args)) => request(&args, false),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn pools_are_named_in_one_place_or_in_several() {
        let pools = |line| asked(line).pools().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(pools("vmpool acquire small"), ["small"]);
        assert_eq!(
            pools("vmpool acquire small,big --pool huge --pool vast -- make"),
            ["small", "big", "huge", "vast"]
        );
        assert_eq!(pools("vmpool acquire --pool small -- make check"), ["small"]);
        let labeled = asked("vmpool acquire --label ssd --label arch=x86_64 --count 3 --priority -2 -- make");
        assert_eq!(
            (labeled.pools().count(), labeled.labels),
            (0, vec!["ssd".to_owned(), "arch=x86_64".to_owned()])
        );
        assert_eq!((labeled.count, labeled.priority), (3, -2));
    }

    #[test]
    fn what_names_no_pool_and_what_wants_no_vm_is_refused() {
        for line in ["vmpool acquire", "vmpool acquire -- make", "vmpool acquire small --count 0"] {
            assert!(Arguments::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }

    fn lease(number: u32) -> Lease {
        let json = format!(
            r#"{{"id":"lease-{number}","vm":"vm-{number}","pool":"small","owner":"ada","request":"r","ttl":"1m",
            "fence":{number},"acquired_at":"2026-01-01T00:00:00Z","expires_at":"2026-01-01T00:01:00Z",
            "addresses":["10.0.0.{number}","10.0.1.{number}"]}}"#
        );
        serde_json::from_str::<Lease>(&json).unwrap()
    }

    #[test]
    fn a_command_is_told_its_first_vm_and_all_of_them() {
        let client = Client::new("http://127.0.0.1:1").unwrap();
        let told: std::collections::BTreeMap<_, _> =
            environment(&[lease(1), lease(2)], &client).into_iter().collect();
        for (name, value) in [
            ("VMPOOL_VM", "vm-1"),
            ("VMPOOL_VMS", "vm-1,vm-2"),
            ("VMPOOL_ADDRESS", "10.0.0.1"),
            ("VMPOOL_ADDRESSES", "10.0.0.1,10.0.1.1"),
            ("VMPOOL_ALL_ADDRESSES", "10.0.0.1,10.0.0.2"),
            ("VMPOOL_LEASES", "lease-1,lease-2"),
            ("VMPOOL_FENCE", "1"),
        ] {
            assert_eq!(told[name], value, "{name}");
        }
    }

    #[test]
    fn help_and_guide_name_every_variable_that_the_command_gets() {
        let client = Client::new("http://127.0.0.1:1").unwrap();
        let mut command = AcquireArgs::augment_args(clap::Command::new("acquire"));
        let help = command.render_long_help().to_string();
        let guide = include_str!("../../../../docs/cli.md");
        for (name, _) in environment(&[lease(1)], &client) {
            let words = |text: &str| {
                text.split(|c: char| c != '_' && !c.is_ascii_uppercase()).any(|word| word == name)
            };
            assert!(words(&help), "{name} is not in the help:\n{help}");
            assert!(guide.contains(&format!("| `{name}` |")), "{name} is not in the guide");
        }
    }

    #[test]
    fn a_command_that_is_missing_exits_as_in_a_shell() {
        let failure = not_started("make", &io::Error::from(io::ErrorKind::NotFound));
        assert!(matches!(failure, Failure::Told { code: NO_COMMAND, .. }));
        let failure = not_started("make", &io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(matches!(failure, Failure::Told { code: NOT_STARTED, .. }));
    }
}
