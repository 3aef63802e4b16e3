//! A simulated CloudAPI.

use vmpool_api::exit;
use vmpool_sim::cloudapi::{CloudApiSim, GeneratedKey, Limit, SimAccount, SimConfig, fingerprint};

use crate::{
    args::{CloudapiArgs, WorldArgs},
    failure::Failure,
};

/// The image of the printed pool, of which every simulated data center has one.
const IMAGE: &str = "2b683a82-a066-11e3-97ab-2faa44701c5a";

/// The keys of the account `sim`.
#[derive(Debug)]
pub(super) enum Access {
    /// One that is made from the seed.
    Generated(GeneratedKey),
    /// Those that were given: each by its file, its line and its fingerprint.
    Given(Vec<(String, String, String)>),
}

impl Access {
    pub(super) fn of(args: &CloudapiArgs) -> Result<Self, Failure> {
        if args.keys.is_empty() {
            return Self::from_seed(args.world.seed);
        }
        let mut given = Vec::new();
        for path in &args.keys {
            let file = path.display().to_string();
            let failed = |why: String| {
                Failure::new(exit::FAILURE, format!("failed to read the public key {file}: {why}"))
                    .with_hint("give the file that ends in .pub")
            };
            let line = std::fs::read_to_string(path).map_err(|err| failed(err.to_string()))?;
            let fingerprint = fingerprint(&line).map_err(|err| failed(err.to_string()))?;
            given.push((file, line, fingerprint));
        }
        Ok(Self::Given(given))
    }

    pub(super) fn from_seed(seed: u64) -> Result<Self, Failure> {
        GeneratedKey::from_seed(seed)
            .map(Self::Generated)
            .map_err(|err| Failure::new(exit::FAILURE, format!("failed to make a key: {err}")))
    }

    fn fingerprint(&self) -> &str {
        match self {
            Self::Generated(key) => key.fingerprint(),
            Self::Given(keys) => {
                keys.first().map(|(_, _, fingerprint)| fingerprint.as_str()).unwrap_or_default()
            }
        }
    }
}

pub(super) fn make(config: SimConfig) -> Result<CloudApiSim, Failure> {
    CloudApiSim::new(config)
        .map_err(|err| Failure::new(exit::FAILURE, format!("failed to make the cloud: {err}")))
}

pub(super) fn config(args: CloudapiArgs, access: &Access) -> SimConfig {
    let mut config = world(&args.world);
    config.capacity = args.capacity;
    if args.throttle {
        let limit = Limit::default();
        config.limit = Some(args.retry_after.map_or(limit, |wait| limit.with_retry_after(wait)));
    }
    match access {
        Access::Generated(_) => config,
        Access::Given(keys) => {
            let account = SimAccount::new("sim");
            let account = keys.iter().fold(account, |account, (file, line, _)| account.with_key(file, line));
            config.with_account(account)
        }
    }
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
pub(super) fn usage(endpoint: &str, access: &Access) -> String {
    let daemon = super::daemon("cloudapi", &key_file(access), &providers(endpoint, "sim", access), "small");
    format!("listening on {endpoint}\n\n{daemon}\n{}", clients(endpoint, access))
}

/// Returns what writes the key that was made, if it was.
pub(super) fn key_file(access: &Access) -> String {
    match access {
        Access::Generated(key) => {
            format!("(umask 077 && cat > sim.key) <<'END'\n{}END\n", key.private_key())
        }
        Access::Given(_) => String::new(),
    }
}

/// Returns a provider and a pool.
pub(super) fn providers(endpoint: &str, name: &str, access: &Access) -> String {
    let pool = if name == "sim" { "small".to_owned() } else { format!("{name}-small") };
    let key = match access {
        Access::Generated(_) => "key_file = \"sim.key\"".to_owned(),
        Access::Given(_) => format!("key_id = \"{}\"", access.fingerprint()),
    };
    format!(
        "[providers.{name}]\n\
         driver = \"cloudapi\"\n\
         \n\
         [providers.{name}.options]\n\
         url = \"{endpoint}\"\n\
         account = \"sim\"\n\
         {key}\n\
         templates.small = {{ package = \"sample-128M\", image = \"{IMAGE}\" }}\n\
         \n\
         [pools.{pool}]\n\
         provider = \"{name}\"\n\
         template = \"small\"\n\
         size = 2\n"
    )
}

/// Returns what to type for the clients that people have.
pub(super) fn clients(endpoint: &str, access: &Access) -> String {
    let add = match access {
        Access::Generated(_) => "eval \"$(ssh-agent)\" && ssh-add sim.key\n",
        Access::Given(_) => "",
    };
    format!(
        "# the triton command, after npm install triton; it looks for keys in ~/.ssh, which must be there, and in the agent\n\
         {add}export TRITON_PROFILE=env TRITON_URL={endpoint} TRITON_ACCOUNT=sim TRITON_KEY_ID={}\n\
         npx triton instance create --wait --name web-1 base sample-128M\n\
         npx triton instance list\n",
        access.fingerprint()
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Arguments, Command, SimCommand};

    fn parse(line: &str) -> Result<SimConfig, clap::Error> {
        match Arguments::try_parse_from(line.split_whitespace())?.command {
            Command::Sim(SimCommand::Cloudapi(args)) => {
                let access = Access::of(&args).unwrap();
                Ok(config(args, &access))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_typed_is_what_the_cloud_is_told() {
        let line = "vmpool sim cloudapi --seed 7 --boot 1m --capacity 3 --lost-answers 0.5 --throttle --retry-after 2s";
        let told = parse(line).unwrap();
        assert_eq!((told.seed, told.boot.as_secs(), told.capacity), (7, 60, Some(3)));
        let limit = told.limit.unwrap();
        assert_eq!((limit.burst, limit.per_second, limit.retry_after.unwrap().as_secs()), (30, 10, 2));
        assert_eq!((told.faults.lost_answers, told.faults.lost_requests), (0.5, 0.0));
        for wrong in ["--lost-answers 1.5", "--retry-after 2s", "--capacity -1"] {
            assert!(parse(&format!("vmpool sim cloudapi {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_that_is_given_takes_the_place_of_the_one_that_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.pub");
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICdz/yAl4aH8X46UQkdT3ytMbbmelBLC5/WiJYZP2N/O me@home";
        std::fs::write(&path, format!("{line}\n")).unwrap();
        let told = parse(&format!("vmpool sim cloudapi --key {}", path.display())).unwrap();
        assert_eq!(told.accounts.len(), 1);
        let keys = vec![(path.display().to_string(), line.to_owned(), fingerprint(line).unwrap())];
        let usage = usage("http://127.0.0.1:2634", &Access::Given(keys));
        assert!(usage.contains("key_id = \"39:bf:4a:25:81:2c:6a:d5:05:e9:76:75:b9:de:8d:c9\""), "{usage}");
        assert!(!usage.contains("PRIVATE KEY"), "{usage}");
    }

    #[cfg(feature = "cloudapi")]
    #[test]
    fn the_configuration_that_is_printed_is_one() {
        let access = Access::from_seed(0).unwrap();
        let text = crate::sim::printed_config(&usage("http://127.0.0.1:2634", &access));
        vmpool_server::Config::parse(&text, "printed", &vmpool_server::drivers::builtin()).unwrap();
    }
}
