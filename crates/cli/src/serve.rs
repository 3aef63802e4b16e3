//! `vmpool serve` and `vmpool config`: the daemon, and its configuration.

use std::{env, io, io::IsTerminal as _, path::Path};

use tracing_subscriber::EnvFilter;
use vmpool_api::exit;
use vmpool_server::{
    Config, ConfigError, DEFAULT_CONFIG, Daemon, DaemonError, config_reference, config_schema, drivers,
};

use self::traces::Traces;
use crate::{
    args::{ConfigCommand, ServeArgs},
    failure::Failure,
    output::{complain, print},
    runtime,
    signals::{Hangup, Signals, exit_code},
};

mod traces;

/// What is printed before the address once the daemon serves; the demo and the tests wait for it.
pub(crate) const LISTENING: &str = "listening on ";

/// Runs the daemon until a signal asks it to end; returns the exit code.
pub(crate) fn run(args: &ServeArgs) -> Result<u8, Failure> {
    let config = load(&args.config)?;
    let traces = log(&args.config, &config.daemon.log)?;
    runtime::large()?.block_on(async {
        let traces = traces.start();
        let served = serve(config, &args.config).await;
        traces.stop().await;
        served
    })
}

/// Checks a configuration, or prints the default one.
pub(crate) fn config(command: &ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check { file } => {
            let config = load(file)?;
            filter(file, &config.daemon.log)?;
            for warning in config.warnings() {
                complain(&format!("warning: {}: {warning}", file.display()));
            }
            let (providers, pools) = (config.providers.len(), config.pools.len());
            print(&format!("{} is fine; providers: {providers}, pools: {pools}", file.display()))
        }
        ConfigCommand::Default => print(DEFAULT_CONFIG.trim_end()),
        ConfigCommand::Schema { markdown: true } => print(config_reference(&drivers::builtin()).trim_end()),
        ConfigCommand::Schema { markdown: false } => {
            let schema = config_schema(&drivers::builtin());
            print(&serde_json::to_string_pretty(&schema).map_err(Failure::unprintable)?)
        }
    }
}

async fn serve(config: Config, file: &Path) -> Result<u8, Failure> {
    let mut signals = Signals::catch()?;
    let mut hangup = Hangup::catch()?;
    let registry = drivers::builtin();
    let daemon = tokio::select! {
        daemon = Daemon::start(config, &registry) => daemon?,
        signal = signals.next() => return Ok(exit_code(signal.as_raw())),
    };
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let daemon = daemon.with_config_file(file, &registry);
    let reloader = daemon.reloader();
    // A daemon serves even if nobody reads where.
    let _ = print(&format!("{LISTENING}{}", daemon.url()));
    let stop = async move {
        loop {
            tokio::select! {
                _ = signals.next() => break,
                () = hangup.next() => {}
            }
            // What came of it is logged; a stop need not wait for it.
            let reloader = reloader.clone();
            tokio::spawn(async move {
                if let Some(reloader) = reloader {
                    let _ = reloader.reload_on_hangup().await;
                }
            });
        }
    };
    daemon.run(stop).await?;
    Ok(exit::OK)
}

/// Reads and checks a configuration that is to be used on this host.
pub(crate) fn load(file: &Path) -> Result<Config, Failure> {
    Ok(Config::load(file, &drivers::builtin())?)
}

/// Begins to log, to standard error, and to trace if the environment says where to.
fn log(file: &Path, configured: &str) -> Result<Traces, Failure> {
    #[cfg(feature = "otel")]
    if let Some(otel) = traces::from_environment()? {
        return Ok(traces::log_and_trace(filter(file, configured)?, otel));
    }
    tracing_subscriber::fmt()
        .with_env_filter(filter(file, configured)?)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
    traces::none()
}

/// Returns which messages are logged: what RUST_LOG says, or else the configuration.
fn filter(file: &Path, configured: &str) -> Result<EnvFilter, Failure> {
    let no_filter = |text: &str| {
        format!(
            "{text:?} is not a log filter: write a level such as info, or a filter such as \
             info,vmpool_manager=debug"
        )
    };
    match env::var("RUST_LOG") {
        Ok(text) if !text.is_empty() => EnvFilter::try_new(&text)
            .map_err(|_| Failure::new(exit::CONFIG, format!("RUST_LOG: {}", no_filter(&text)))),
        _ => EnvFilter::try_new(configured)
            .map_err(|_| ConfigError::of_value(file, "daemon.log", no_filter(configured)).into()),
    }
}

impl From<ConfigError> for Failure {
    fn from(err: ConfigError) -> Self {
        Self::new(err.exit_code(), err.to_string()).with_hint(
            "`vmpool config default` prints a configuration with its keys explained; commands that read one take --config \
             FILE",
        )
    }
}

impl From<DaemonError> for Failure {
    fn from(err: DaemonError) -> Self {
        let failure = Self::new(err.exit_code(), err.to_string());
        err.hint().into_iter().fold(failure, Self::with_hint)
    }
}
