//! `vmpool demo`: a daemon and its clients at work, as processes of their own.

mod config;
mod daemon;
mod tour;

use std::path::Path;

use vmpool_api::exit;

use self::daemon::Daemon;
use crate::{
    args::DemoArgs,
    failure::Failure,
    output::print,
    signals::{Signals, exit_code},
};

/// Runs the demo; returns the exit code.
pub(crate) async fn run(args: DemoArgs) -> Result<u8, Failure> {
    let mut signals = Signals::catch()?;
    let places = config::write(&args)?;
    print(&format!("vmpool demo: a pool of {} VMs on a cloud in memory", config::SIZE))?;
    print(&format!("  state: {} (records, the cloud, the daemon's log)", shown(&args.state_dir)))?;
    let mut daemon = Daemon::start(&places).await?;
    let code = tokio::select! {
        toured = tour::run(&daemon, &places) => {
            toured?;
            exit::OK
        }
        signal = signals.next() => exit_code(signal.as_raw()),
    };
    if args.keep && code == exit::OK {
        print("\n5. the daemon keeps running")?;
        print(&format!("   use it:  VMPOOL_URL={} vmpool vm ls", daemon.url()))?;
        print(&format!("   stop it: kill {}", daemon.id()))?;
        daemon.keep();
        return Ok(code);
    }
    print("\n5. stop the daemon")?;
    daemon.stop().await?;
    print("   it ended in good order; the VMs and their records stay for the next run")?;
    print(&format!(
        "\nrun it again to go on from {}, or remove that folder to begin anew",
        shown(&args.state_dir)
    ))?;
    Ok(code)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
