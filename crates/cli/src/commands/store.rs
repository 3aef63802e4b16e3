//! `vmpool store`: taking over what another system stored.

use std::path::{Path, PathBuf};

use comfy_table::Table;
use serde::Serialize;
use vmpool_api::exit;
use vmpool_server::store::{Gc3libsVms, VmPoolError};

use crate::{
    args::{ImportCommand, StoreCommand},
    failure::Failure,
    output::{Output, facts},
};

/// Runs `vmpool store …`.
pub(crate) fn run(command: &StoreCommand, output: Output) -> Result<(), Failure> {
    match command {
        StoreCommand::Import(ImportCommand::Gc3libs { dir, into, dry_run }) => {
            import(dir, into, *dry_run, output)
        }
    }
}

/// What was imported, or would be.
#[derive(Debug, Serialize)]
struct Imported<'a> {
    from: &'a Path,
    into: &'a Path,
    dry_run: bool,
    vms: Vec<Vm>,
    skipped: Vec<Skipped>,
}

#[derive(Debug, Serialize)]
struct Vm {
    id: String,
    preferred_ip: Option<String>,
}

#[derive(Debug, Serialize)]
struct Skipped {
    path: PathBuf,
    why: &'static str,
}

fn import(from: &Path, into: &Path, dry_run: bool, output: Output) -> Result<(), Failure> {
    let found = Gc3libsVms::read(from).map_err(failed)?;
    for (path, why) in &found.skipped {
        output.notice(&format!("skipped {}: {why}", path.display()));
    }
    match dry_run {
        true => found.check_target(into).map_err(failed)?,
        false => drop(found.write(into).map_err(failed)?),
    }
    let vms = found.vms.iter().map(|(id, address)| Vm {
        id: id.to_string(),
        preferred_ip: address.map(|address| address.to_string()),
    });
    let skipped = found.skipped.into_iter().map(|(path, why)| Skipped { path, why });
    let imported = Imported { from, into, dry_run, vms: vms.collect(), skipped: skipped.collect() };
    output.result(&imported, table)
}

fn table(imported: &Imported<'_>) -> Table {
    let done = if imported.dry_run { "would be imported" } else { "imported" };
    facts([
        (done, format!("{} VMs", imported.vms.len())),
        ("skipped", imported.skipped.len().to_string()),
        ("from", imported.from.display().to_string()),
        ("into", imported.into.display().to_string()),
    ])
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn failed(err: VmPoolError) -> Failure {
    let code = match err {
        VmPoolError::Occupied { .. } => exit::REFUSED,
        VmPoolError::Damaged { .. } | VmPoolError::IdTooLong { .. } => exit::STORE,
        _ => exit::FAILURE,
    };
    Failure::new(code, format!("nothing was imported: {err}"))
}
