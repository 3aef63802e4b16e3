//! Carrying out the commands.

mod acquire;
#[cfg(feature = "serve")]
mod doctor;
mod events;
mod keep;
mod lease;
mod listing;
mod man;
#[cfg(feature = "serve")]
mod node;
mod operate;
#[cfg(feature = "serve")]
mod provider_check;
#[cfg(feature = "serve")]
mod records;
#[cfg(feature = "serve")]
mod store;
mod token;
mod top;

use clap::CommandFactory as _;
use vmpool_api::exit;

#[cfg(feature = "serve")]
use crate::args::ProviderCommand;
use crate::{
    args::{Arguments, Ask, Command},
    connect::{Connection, connect},
    failure::Failure,
    output::Output,
    runtime,
};

/// Carries out a command; returns the exit code.
pub(crate) fn run(arguments: Arguments) -> Result<u8, Failure> {
    let output = Output::new(&arguments.global);
    match arguments.command {
        #[cfg(feature = "serve")]
        Command::Demo(args) => runtime::small()?.block_on(crate::demo::run(args)),
        #[cfg(feature = "serve")]
        Command::Serve(args) => crate::serve::run(&args),
        #[cfg(feature = "serve")]
        Command::Config(command) => crate::serve::config(&command).map(|()| exit::OK),
        #[cfg(feature = "serve")]
        Command::Store(command) => store::run(&command, output).map(|()| exit::OK),
        #[cfg(feature = "serve")]
        Command::Node(command) => runtime::small()?.block_on(node::run(command, output)).map(|()| exit::OK),
        #[cfg(feature = "serve")]
        Command::Ask(Ask::Provider(ProviderCommand::Check(args))) => {
            runtime::small()?.block_on(provider_check::run(args, output))
        }
        #[cfg(feature = "serve")]
        Command::Doctor(args) => runtime::small()?.block_on(doctor::run(args, arguments.global, output)),
        #[cfg(feature = "sim")]
        Command::Sim(command) => crate::sim::run(command),
        #[cfg(not(feature = "sim"))]
        Command::Sim { words: _ } => {
            let message = "this program was built without the simulated clouds";
            let hint =
                "build it with them: cargo install --path crates/cli --features sim,opennebula,cloudapi";
            Err(Failure::new(exit::USAGE, message).with_hint(hint))
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "vmpool", &mut script);
            crate::output::print(String::from_utf8_lossy(&script).trim_end()).map(|()| exit::OK)
        }
        Command::Man { dir } => man::run(&dir).map(|()| exit::OK),
        Command::Ask(command) => {
            let connection = connect(&arguments.global)?;
            runtime::small()?.block_on(ask(&connection, command, output))
        }
    }
}

/// Carries out a command that asks a daemon.
async fn ask(connection: &Connection, command: Ask, output: Output) -> Result<u8, Failure> {
    let client = &connection.client;
    match command {
        Ask::Top(args) => return top::run(client, args, output).await,
        Ask::Acquire(args) => return acquire::run(connection, args, output).await,
        Ask::Renew(args) => lease::renew(client, args, output).await?,
        Ask::Release(args) => lease::release(client, args, output).await?,
        Ask::Request(command) => lease::request(client, command, output).await?,
        Ask::Explain { request } => lease::explain(client, &request, output).await?,
        Ask::Terminate(args) => operate::terminate(client, args, output).await?,
        Ask::Hold(args) => operate::hold(client, args, output).await?,
        Ask::Unhold(args) => operate::unhold(client, args, output).await?,
        Ask::Forget(args) => operate::forget(client, args, output).await?,
        Ask::Drain(args) => operate::drain(client, args, output).await?,
        Ask::Undrain(args) => operate::undrain(client, args, output).await?,
        Ask::Pool(command) => listing::pool(client, command, output).await?,
        Ask::Vm(command) => listing::vm(client, command, output).await?,
        Ask::Lease(command) => listing::lease(client, command, output).await?,
        Ask::Provider(command) => listing::provider(client, command, output).await?,
        Ask::Events(args) => events::run(client, args, output).await?,
        Ask::Token(command) => token::run(client, command, output).await?,
        Ask::Whoami => token::whoami(client, output).await?,
        Ask::Info => listing::info(client, output).await?,
        Ask::Reload(args) => operate::reload(client, args, output).await?,
    }
    Ok(exit::OK)
}
