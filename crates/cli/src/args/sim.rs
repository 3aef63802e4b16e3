//! The arguments of the commands that simulate a cloud.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use vmpool_api::duration::parse;

/// The clouds that can be simulated.
#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    Opennebula(OpennebulaArgs),
    Cloudapi(CloudapiArgs),
    Both(BothArgs),
}

/// Simulates an OpenNebula 6.10 on this host until ctrl-c
///
/// It serves OpenNebula's XML-RPC as a real server was measured to: its real clients work, and so does the driver. VMs go
/// through the states of a real one, in the time that is given here, and never run anything. Everything is in memory.
///
/// What goes wrong by chance comes from the seed: the same calls with the same seed go the same way.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  vmpool sim opennebula\n  vmpool sim opennebula --port 0 --boot 20s --user ci:hunter2\n  \
                       vmpool sim opennebula --seed 7 --lost-answers 0.05 --boot-failure 0.1 --death-rate 0.5"
)]
pub(crate) struct OpennebulaArgs {
    /// The port on loopback; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 2633)]
    pub(crate) port: u16,
    #[command(flatten)]
    pub(crate) world: WorldArgs,
    /// A plain user beside oneadmin:opennebula; may be repeated
    #[arg(long = "user", value_name = "NAME:PASSWORD", value_parser = user)]
    pub(crate) users: Vec<(String, String)>,
    /// How many hosts there are, each with 64 processors and 256 GB
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(i32).range(0..=10_000))]
    pub(crate) hosts: i32,
    /// Has no scheduler: pending VMs wait for a deploy
    #[arg(long)]
    pub(crate) no_scheduler: bool,
    /// Lets only oneadmin use the template, the image and the network
    #[arg(long)]
    pub(crate) private: bool,
}

/// Simulates a Triton CloudAPI 9.20 on this host until ctrl-c
///
/// It serves CloudAPI as a real server was measured to, and checks signatures: the triton command works, and so does the
/// driver. Machines go through the states of a real one, in the time that is given here, and never run anything. Everything is
/// in memory.
///
/// What goes wrong by chance comes from the seed: the same calls with the same seed go the same way.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  vmpool sim cloudapi\n  vmpool sim cloudapi --key ~/.ssh/id_ed25519.pub --boot 20s\n  \
                       vmpool sim cloudapi --seed 7 --lost-answers 0.05 --throttle --retry-after 2s"
)]
pub(crate) struct CloudapiArgs {
    /// The port on loopback; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 2634)]
    pub(crate) port: u16,
    #[command(flatten)]
    pub(crate) world: WorldArgs,
    /// A public key of the account sim, instead of one that is made from the seed and printed; may be repeated
    #[arg(long = "key", value_name = "FILE.pub")]
    pub(crate) keys: Vec<PathBuf>,
    /// How many machines there is room for
    #[arg(long, value_name = "NUMBER")]
    pub(crate) capacity: Option<usize>,
    /// Takes 10 calls a second, and 30 at once, as servers in production do
    #[arg(long)]
    pub(crate) throttle: bool,
    /// How long a call beyond the limit is told to wait, of which real servers say nothing
    #[arg(long, value_name = "TIME", value_parser = parse, requires = "throttle")]
    pub(crate) retry_after: Option<Duration>,
}

/// Simulates an OpenNebula and a CloudAPI at once on this host until ctrl-c
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  vmpool sim both\n  vmpool sim both --boot 20s --boot-failure 0.1")]
pub(crate) struct BothArgs {
    /// The port of OpenNebula on loopback; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 2633)]
    pub(crate) opennebula_port: u16,
    /// The port of CloudAPI on loopback; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 2634)]
    pub(crate) cloudapi_port: u16,
    #[command(flatten)]
    pub(crate) world: WorldArgs,
}

/// What every simulated cloud can be told.
#[derive(Debug, Args)]
pub(crate) struct WorldArgs {
    /// Where all random choices come from
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How long a VM boots
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse)]
    pub(crate) boot: Duration,
    /// How long every other state on the way to another takes
    #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = parse)]
    pub(crate) step: Duration,
    /// How long a call takes before it has its effect
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse)]
    pub(crate) latency: Duration,
    /// How probable it is that a call changes something and its answer is lost
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability)]
    pub(crate) lost_answers: f64,
    /// How probable it is that a call that would change something is lost
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability)]
    pub(crate) lost_requests: f64,
    /// How probable it is that a boot fails
    #[arg(long, value_name = "PROBABILITY", default_value_t = 0.0, value_parser = probability)]
    pub(crate) boot_failure: f64,
    /// How often an hour a running VM becomes unknown
    #[arg(long, value_name = "RATE", default_value_t = 0.0, value_parser = rate)]
    pub(crate) death_rate: f64,
}

fn user(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, password)) if !name.is_empty() => Ok((name.to_owned(), password.to_owned())),
        _ => Err("NAME:PASSWORD is expected".to_owned()),
    }
}

fn probability(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err("a number from 0 to 1 is expected".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && 0.0 <= number => Ok(number),
        _ => Err("a number not below 0 is expected".to_owned()),
    }
}
