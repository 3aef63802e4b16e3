//! `vmpool store`: the directory of a VmPool, and taking over that of another system.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use comfy_table::Table;
use serde::Serialize;
use vmpool_api::exit;
use vmpool_server::store::{Gc3libsVms, VmPool, VmPoolError};

use crate::{
    args::{ImportCommand, StoreCommand},
    failure::Failure,
    output::{Output, facts, or_dash},
};

/// Runs `vmpool store …`.
pub(crate) fn run(command: &StoreCommand, output: Output) -> Result<(), Failure> {
    match command {
        StoreCommand::Import(ImportCommand::Gc3libs { dir, into, dry_run }) => {
            import(dir, into, *dry_run, output)
        }
        StoreCommand::Ls { dir } => list(dir, output),
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

/// What is in a VmPool.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    dir: &'a Path,
    vms: Vec<Vm>,
}

fn list(dir: &Path, output: Output) -> Result<(), Failure> {
    // Opening one makes its directory, which is not for who only looks.
    if !dir.is_dir() {
        let message = format!("there is no VmPool in {}: it is no directory", dir.display());
        return Err(Failure::new(exit::FAILURE, message));
    }
    if !is_vm_pool(dir)? {
        let message = format!("there is no VmPool in {}: none of its files is that of a VM", dir.display());
        let hint = "give the directory that `vmpool store import` or a program with a VmPool wrote";
        return Err(Failure::new(exit::FAILURE, message).with_hint(hint));
    }
    let pool = VmPool::open(dir).map_err(|err| Failure::new(code(&err), err.to_string()))?;
    let vms = pool.iter().map(|id| Vm {
        preferred_ip: pool.preferred_ip(&id).map(|address| address.to_string()),
        id: id.to_string(),
    });
    output.result(&Listed { dir, vms: vms.collect() }, |listed| {
        let mut table = crate::output::table(&["id", "preferred address"]);
        table.add_rows(listed.vms.iter().map(|vm| [vm.id.clone(), or_dash(vm.preferred_ip.as_ref())]));
        table
    })
}

/// Returns whether a directory is that of a VmPool: one without any file is, and is empty.
fn is_vm_pool(dir: &Path) -> Result<bool, Failure> {
    let unreadable =
        |err: io::Error| Failure::new(exit::FAILURE, format!("{} cannot be read: {err}", dir.display()));
    let mut is_empty = true;
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "vm") {
            return Ok(true);
        }
        // What begins with a dot is the pool's own.
        is_empty &= path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    }
    Ok(is_empty)
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
    Failure::new(code(&err), format!("nothing was imported: {err}"))
}

fn code(err: &VmPoolError) -> u8 {
    match err {
        VmPoolError::Occupied { .. } => exit::REFUSED,
        VmPoolError::Damaged { .. } | VmPoolError::IdTooLong { .. } => exit::STORE,
        _ => exit::FAILURE,
    }
}
