//! `vmpool sim`: a cloud that is none, for whoever tests what speaks to a real one.

use tokio::net::TcpListener;
use vmpool_api::exit;
use vmpool_sim::opennebula::{OpenNebulaSim, SimConfig, SimUser};

use crate::{
    args::{OpennebulaArgs, SimCommand},
    failure::Failure,
    output::print,
    runtime,
    signals::Signals,
};

/// Simulates a cloud until a signal ends it; returns the exit code.
pub(crate) fn run(command: SimCommand) -> Result<u8, Failure> {
    match command {
        SimCommand::Opennebula(args) => runtime::small()?.block_on(opennebula(args)),
    }
}

async fn opennebula(args: OpennebulaArgs) -> Result<u8, Failure> {
    let mut signals = Signals::catch()?;
    let port = args.port;
    let failed = |what: String| {
        Failure::new(exit::FAILURE, what)
            .with_hint("choose another port with --port, or a free one with --port 0")
    };
    let sim = OpenNebulaSim::new(config(args))
        .map_err(|err| Failure::new(exit::FAILURE, format!("failed to make the cloud: {err}")))?;
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|err| failed(format!("failed to listen on port {port}: {err}")))?;
    let address = listener.local_addr().map_err(|err| failed(format!("failed to listen: {err}")))?;
    // It serves even if nobody reads where.
    let _ = print(&usage(&format!("http://{address}/RPC2")));
    sim.serve(listener, async move {
        signals.next().await;
    })
    .await;
    Ok(exit::OK)
}

fn config(args: OpennebulaArgs) -> SimConfig {
    let mut config = SimConfig::default().with_seed(args.seed).with_boot(args.boot).with_step(args.step);
    config.latency = args.latency;
    config.hosts = args.hosts;
    config.is_private = args.private;
    if args.no_scheduler {
        config = config.without_scheduler();
    }
    config.faults.lost_answers = args.lost_answers;
    config.faults.lost_requests = args.lost_requests;
    config.faults.boot_failure = args.boot_failure;
    config.faults.death_rate = args.death_rate;
    args.users
        .into_iter()
        .fold(config, |config, (name, password)| config.with_user(SimUser::new(name, password)))
}

/// Says where it is, and how to use it from what people have.
fn usage(endpoint: &str) -> String {
    format!(
        "listening on {endpoint}\n\
         \n\
         # the configuration of a daemon that was built with the feature opennebula\n\
         installation = \"sim\"\n\
         \n\
         [providers.sim]\n\
         driver = \"opennebula\"\n\
         options = {{ endpoint = \"{endpoint}\", auth = \"oneadmin:opennebula\" }}\n\
         \n\
         [pools.small]\n\
         provider = \"sim\"\n\
         template = \"small\"\n\
         size = 2\n\
         \n\
         # OpenNebula's own tools\n\
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
    use crate::args::{Arguments, Command};

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
        let usage = usage("http://127.0.0.1:2633/RPC2");
        let toml: Vec<&str> = usage
            .lines()
            .skip_while(|line| !line.starts_with("installation"))
            .take_while(|line| !line.starts_with("# Open"))
            .collect();
        vmpool_server::Config::parse(
            &toml.join(
                "
",
            ),
            "printed",
            &vmpool_server::drivers::builtin(),
        )
        .unwrap();
    }
}
