//! The files of the demo: where they are, and the configuration of its daemon.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use vmpool_api::exit;

use crate::{args::DemoArgs, failure::Failure};

/// How many VMs the pool keeps.
pub(super) const SIZE: usize = 3;
/// The pool.
pub(super) const POOL: &str = "demo";

/// Where the files of the demo are.
#[derive(Debug)]
pub(super) struct Places {
    /// The configuration of the daemon.
    pub(super) config: PathBuf,
    /// What the daemon logs.
    pub(super) log: PathBuf,
}

/// Makes the state directory and writes the configuration there.
pub(super) fn write(args: &DemoArgs) -> Result<Places, Failure> {
    let folder = &args.state_dir;
    let failed = |err: io::Error| {
        let message = format!("failed to prepare the state directory {}: {err}", folder.display());
        Failure::new(exit::FAILURE, message).with_hint("choose another one with --state-dir")
    };
    let folder = std::path::absolute(folder).map_err(failed)?;
    fs::create_dir_all(&folder).map_err(failed)?;
    let places = Places { config: folder.join("vmpool.toml"), log: folder.join("daemon.log") };
    fs::write(&places.config, text(&folder, &args.listen.to_string())).map_err(failed)?;
    Ok(places)
}

fn text(folder: &Path, listen: &str) -> String {
    // A JSON string is a TOML string, too.
    let quoted = |path: PathBuf| serde_json::Value::from(path.display().to_string()).to_string();
    let records = quoted(folder.join("records"));
    let cloud = quoted(folder.join("cloud.journal"));
    format!(
        "# Written by `vmpool demo`, anew each time.\n\
         installation = \"demo\"\n\n\
         [daemon]\n\
         listen = \"{listen}\"\n\
         state_dir = {records}\n\n\
         [providers.cloud]\n\
         driver = \"dummy\"\n\
         list_interval = \"500ms\"\n\
         create_settle = \"0s\"\n\
         options = {{ path = {cloud}, boot_latency = \"1s\" }}\n\n\
         [pools.{POOL}]\n\
         provider = \"cloud\"\n\
         template = \"small\"\n\
         size = {SIZE}\n\
         max_starting = {SIZE}\n"
    )
}
