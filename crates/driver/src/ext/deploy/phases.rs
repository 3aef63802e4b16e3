//! The phases of a deployment: create, wait, connect, run.

use std::{error::Error, net::IpAddr, sync::Arc, time::Duration};

use vmpool_model::{Node, format_duration};

use super::{
    ConnectError, ConnectOptions, DeployError, DeployOptions, DeployProgress, DeployTarget, Deployment,
    Shell, ShellError, StepError,
    login::{check_login, check_shell},
};
use crate::{Auth, CreateRequest, Driver, DriverExt, WaitError, WaitOptions, ext::within::within};

/// Deploys; see [`DriverExt::deploy`].
pub(in crate::ext) async fn deploy<D: Driver + ?Sized>(
    driver: &D,
    mut request: CreateRequest,
    deployment: &dyn Deployment,
    options: &DeployOptions,
) -> Result<Node, DeployError> {
    let capabilities = driver.capabilities();
    check_login(capabilities, request.auth.as_ref()).map_err(DeployError::Refused)?;
    check_shell(deployment, options).await.map_err(DeployError::Refused)?;
    let mut made_up = None;
    if request.auth.is_none() && capabilities.create_with_password {
        let password = (options.password)();
        request.auth = Some(Auth::Password(password.clone()));
        made_up = Some(password);
    }
    (options.progress)(DeployProgress::Creating);
    let mut created = driver.create(&request).await.map_err(DeployError::Create)?;
    let password = made_up.or_else(|| created.extra.get("password").cloned());
    let keep_password = |node: &mut Node| {
        if let Some(password) = &password {
            node.extra.insert("password".to_owned(), password.clone());
        }
    };
    keep_password(&mut created);
    (options.progress)(DeployProgress::Waiting { node: &created });
    let (mut node, address) = match wait(driver, &created, &options.wait).await {
        Ok(ready) => ready,
        Err(source) => return Err(DeployError::Wait { node: Box::new(created), source }),
    };
    keep_password(&mut node);
    let auth = request.auth.or_else(|| password.clone().map(Auth::Password));
    let target = connect(DeployTarget::new(node, address, auth), options).await?;
    let target = run(target, deployment, options).await?;
    (options.progress)(DeployProgress::Done { node: &target.node });
    Ok(target.node)
}

/// Waits for one new node and returns it with the address that counts.
async fn wait<D: Driver + ?Sized>(
    driver: &D,
    created: &Node,
    options: &WaitOptions,
) -> Result<(Node, IpAddr), WaitError> {
    let ready = driver.wait_until(std::slice::from_ref(&created.id), options).await?;
    let found = ready.into_iter().find_map(|node| options.address(&node).map(|address| (node, address)));
    found.ok_or_else(|| WaitError::TimedOut {
        after: Duration::ZERO,
        waiting: vec![(created.id.clone(), None)],
        source: None,
    })
}

/// Gives the target a shell, if the options have a way to get one.
async fn connect(target: DeployTarget, options: &DeployOptions) -> Result<DeployTarget, DeployError> {
    let Some(connection) = &options.connection else { return Ok(target) };
    let mut attempts = Attempts { tries: 0, last: None };
    let work = log_in(&target, connection, options, &mut attempts);
    let source = match within(&options.wait.pause, connection.timeout, work).await {
        Some(Ok(shell)) => return Ok(target.with_shell(shell)),
        Some(Err(err)) => err,
        None => attempts.last.unwrap_or_else(|| no_answer(connection.timeout)),
    };
    Err(DeployError::Connect { node: Box::new(target.node), tries: attempts.tries, source })
}

/// What is known of the tries to log in when their time is over.
struct Attempts {
    tries: usize,
    last: Option<ConnectError>,
}

/// Logs in, again and again until the deadline, with one user name after the other.
async fn log_in(
    target: &DeployTarget,
    connection: &ConnectOptions,
    options: &DeployOptions,
    attempts: &mut Attempts,
) -> Result<Arc<dyn Shell>, ConnectError> {
    let pause = &options.wait.pause;
    // What the caller's timer does not see, because it is only a count of what was waited.
    let mut waited = Duration::ZERO;
    loop {
        let mut until = connection.timeout;
        for user in &connection.users {
            attempts.tries += 1;
            (options.progress)(DeployProgress::Connecting {
                node: &target.node,
                address: target.address,
                user,
                attempt: attempts.tries,
            });
            let limit = connection.try_timeout.min(connection.timeout - waited);
            let refused = match within(pause, limit, connection.connector.connect(target, user)).await {
                Some(Ok(shell)) => return Ok(shell),
                Some(Err(fatal @ ConnectError::Fatal(_))) => return Err(fatal),
                Some(Err(err)) => err,
                None => {
                    waited += limit;
                    no_answer(limit)
                }
            };
            let next_user = matches!(refused, ConnectError::LoginRefused { .. });
            attempts.last = Some(refused);
            if !next_user {
                until = connection.timeout;
                break;
            }
            until = connection.login_grace.min(connection.timeout);
        }
        let time = connection.interval.max(Duration::from_millis(1)).min(until.saturating_sub(waited));
        if !time.is_zero() {
            pause(time).await;
            waited += time;
        }
        // At the deadline a try would have no time.
        if time.is_zero() || connection.timeout <= waited {
            return Err(attempts.last.take().unwrap_or_else(|| no_answer(waited)));
        }
    }
}

fn no_answer(time: Duration) -> ConnectError {
    ConnectError::Unreachable(format!("no answer in {}", format_duration(time)))
}

/// Runs the deployment, and again where that can help.
async fn run(
    mut target: DeployTarget,
    deployment: &dyn Deployment,
    options: &DeployOptions,
) -> Result<DeployTarget, DeployError> {
    let mut tries = 0;
    loop {
        tries += 1;
        (options.progress)(DeployProgress::Running { node: &target.node, attempt: tries });
        let Err(source) = run_once(&target, deployment, options).await else { return Ok(target) };
        let shell_error = shell_error(&*source);
        let timed_out = matches!(shell_error, Some(ShellError::TimedOut { .. }));
        if timed_out || options.max_tries <= tries {
            return Err(DeployError::Step { node: Box::new(target.node), tries, source });
        }
        if matches!(shell_error, Some(ShellError::Lost { .. })) {
            target = connect(target, options).await?;
        }
    }
}

async fn run_once(
    target: &DeployTarget,
    deployment: &dyn Deployment,
    options: &DeployOptions,
) -> Result<(), StepError> {
    let Some(limit) = options.run_timeout else { return deployment.run(target).await };
    match within(&options.wait.pause, limit, deployment.run(target)).await {
        Some(result) => result,
        None => Err(ShellError::TimedOut { what: "the deployment".to_owned(), after: limit }.into()),
    }
}

/// Finds what went wrong in the shell, if that is why a step failed.
fn shell_error<'a>(source: &'a (dyn Error + 'static)) -> Option<&'a ShellError> {
    let mut cause = Some(source);
    while let Some(err) = cause {
        if let Some(found) = err.downcast_ref() {
            return Some(found);
        }
        cause = err.source();
    }
    None
}
