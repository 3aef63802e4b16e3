//! A simulated OpenNebula.

use vmpool_api::exit;
use vmpool_sim::opennebula::{OpenNebulaSim, SimConfig, SimUser};

use crate::{
    args::{OpennebulaArgs, WorldArgs},
    failure::Failure,
};

pub(super) fn make(config: SimConfig) -> Result<OpenNebulaSim, Failure> {
    OpenNebulaSim::new(config)
        .map_err(|err| Failure::new(exit::FAILURE, format!("failed to make the cloud: {err}")))
}

pub(super) fn config(args: OpennebulaArgs) -> SimConfig {
    let mut config = world(&args.world);
    config.hosts = args.hosts;
    config.is_private = args.private;
    if args.no_scheduler {
        config = config.without_scheduler();
    }
    args.users
        .into_iter()
        .fold(config, |config, (name, password)| config.with_user(SimUser::new(name, password)))
}

/// Returns what every simulated cloud can be told.
pub(super) fn world(args: &WorldArgs) -> SimConfig {
    let mut config = SimConfig::default().with_seed(args.seed).with_boot(args.boot).with_step(args.step);
    config.latency = args.latency;
    config.faults.lost_answers = args.lost_answers;
    config.faults.lost_requests = args.lost_requests;
    config.faults.boot_failure = args.boot_failure;
    config.faults.death_rate = args.death_rate;
    config
}

/// Says where it is, and how to use it from what people have.
pub(super) fn usage(endpoint: &str) -> String {
    let daemon = super::daemon("opennebula", "", &providers(endpoint, "sim"), "small");
    format!("listening on {endpoint}\n\n{daemon}\n{}", clients(endpoint))
}

/// Returns a provider and a pool.
pub(super) fn providers(endpoint: &str, name: &str) -> String {
    let pool = if name == "sim" { "small".to_owned() } else { format!("{name}-small") };
    format!(
        "[providers.{name}]\n\
         driver = \"opennebula\"\n\
         options = {{ endpoint = \"{endpoint}\", auth = \"oneadmin:opennebula\" }}\n\
         \n\
         [pools.{pool}]\n\
         provider = \"{name}\"\n\
         template = \"small\"\n\
         size = 2\n"
    )
}

/// Returns what to type for the clients that people have.
pub(super) fn clients(endpoint: &str) -> String {
    format!(
        "# OpenNebula's own tools\n\
         echo oneadmin:opennebula > one_auth\n\
         export ONE_XMLRPC={endpoint} ONE_AUTH=$PWD/one_auth\n\
         onetemplate instantiate small\n\
         onevm list\n\
         \n\
         # Python, after pip install pyone\n\
         python3 -c 'import pyone; one = pyone.OneServer(\"{endpoint}\", session=\"oneadmin:opennebula\"); \
         print(one.template.instantiate(0, \"web-1\"))'\n"
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Arguments, Command, SimCommand};

    fn parse(line: &str) -> Result<SimConfig, clap::Error> {
        match Arguments::try_parse_from(line.split_whitespace())?.command {
            Command::Sim(SimCommand::Opennebula(args)) => Ok(config(args)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_typed_is_what_the_cloud_is_told() {
        let line = "vmpool sim opennebula --seed 7 --boot 1m --hosts 3 --user ci:a:b --lost-answers 0.5 --no-scheduler";
        let told = parse(line).unwrap();
        assert_eq!((told.seed, told.boot.as_secs(), told.hosts), (7, 60, 3));
        assert_eq!((told.users, told.schedule), (vec![SimUser::new("ci", "a:b")], None));
        assert_eq!((told.faults.lost_answers, told.faults.lost_requests), (0.5, 0.0));
        for wrong in ["--lost-answers 1.5", "--user ci", "--death-rate -1", "--hosts x"] {
            assert!(parse(&format!("vmpool sim opennebula {wrong}")).is_err(), "{wrong}");
        }
    }

    #[cfg(feature = "opennebula")]
    #[test]
    fn the_configuration_that_is_printed_is_one() {
        let text = crate::sim::printed_config(&usage("http://127.0.0.1:2633/RPC2"));
        vmpool_server::Config::parse(&text, "printed", &vmpool_server::drivers::builtin()).unwrap();
    }
}
