//! `vmpool store`: the directory of a VmPool, and taking over that of another system.

use std::{
    collections::BTreeMap,
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use comfy_table::Table;
use serde::Serialize;
use vmpool_api::exit;
use vmpool_server::{
    model::NodeId,
    store::{Gc3libsVms, VmPoolError, VmPoolFiles},
};

use crate::{
    args::{ImportCommand, StoreCommand},
    commands::records,
    failure::Failure,
    output::{Output, or_dash},
};

/// What to do about damaged files that are to be imported.
const SKIP: &str = "correct the files, or import all others with --skip-damaged";

/// Runs `vmpool store …`.
pub(crate) fn run(command: &StoreCommand, output: Output) -> Result<(), Failure> {
    match command {
        StoreCommand::Import(ImportCommand::Gc3libs { dir, into, dry_run, skip_damaged }) => {
            import(dir, into, *dry_run, *skip_damaged, output)
        }
        StoreCommand::Import(ImportCommand::Records { file, into }) => records::import(file, into, output),
        StoreCommand::Export { dir, to } => records::export(dir, to.as_deref(), output),
        StoreCommand::Check { dir } => records::check(dir, output),
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
    skipped: Vec<Left>,
    damaged: Vec<Left>,
}

#[derive(Debug, Serialize)]
struct Vm {
    id: String,
    preferred_ip: Option<String>,
}

/// A file that is not imported.
#[derive(Debug, Serialize)]
struct Left {
    path: PathBuf,
    why: String,
}

/// What is in a VmPool.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    dir: &'a Path,
    vms: Vec<Vm>,
    damaged: Vec<Left>,
}

/// What to do about damaged files of a VmPool.
const MEND: &str = "no program can open this VmPool: restore these files from a backup, or remove them once their VMs are cared for";

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
    let fail = |err: VmPoolError| Failure::new(code(&err), err.to_string());
    let found = VmPoolFiles::read(dir).map_err(fail)?;
    let whole = found.check_files().map_err(|err| fail(err).with_hint(MEND));
    let listed = Listed { dir, vms: vms(&found.vms), damaged: left(found.damaged) };
    output.result(&listed, |listed| table(&listed.vms))?;
    whole
}

fn vms(found: &BTreeMap<NodeId, Option<IpAddr>>) -> Vec<Vm> {
    let vms = found.iter().map(|(id, address)| Vm {
        id: id.to_string(),
        preferred_ip: address.map(|address| address.to_string()),
    });
    vms.collect()
}

fn left<Why: Into<String>>(files: BTreeMap<PathBuf, Why>) -> Vec<Left> {
    files.into_iter().map(|(path, why)| Left { path, why: why.into() }).collect()
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

fn import(
    from: &Path,
    into: &Path,
    dry_run: bool,
    skip_damaged: bool,
    output: Output,
) -> Result<(), Failure> {
    let mut found = Gc3libsVms::read(from).map_err(failed)?;
    for (path, why) in &found.skipped {
        output.notice(&format!("skipped {}: {why}", path.display()));
    }
    let whole = found.check_files().map_err(|err| failed(err).with_hint(SKIP));
    let damaged = found.take_damaged();
    if skip_damaged {
        damaged.iter().for_each(|(path, why)| output.notice(&format!("left out {}: {why}", path.display())));
    }
    let whole = if skip_damaged { Ok(()) } else { whole };
    match dry_run {
        true => found.check_target(into).map_err(failed)?,
        false if whole.is_err() => return whole,
        false => drop(found.write(into).map_err(failed)?),
    }
    let (vms, skipped, damaged) = (vms(&found.vms), left(found.skipped), left(damaged));
    let imported = Imported { from, into, dry_run, vms, skipped, damaged };
    output.result(&imported, |imported| table(&imported.vms))?;
    let done = match (dry_run, whole.is_ok()) {
        (false, _) => "imported",
        (true, true) => "would be imported",
        (true, false) => "would be imported with --skip-damaged",
    };
    output.notice(&format!("{done}: {}", told(&imported)));
    whole
}

fn told(imported: &Imported<'_>) -> String {
    let Imported { from, into, vms, skipped, damaged, .. } = imported;
    let counts = format!("{} skipped, {} damaged", skipped.len(), damaged.len());
    format!("{} VMs from {} into {}; {counts}", vms.len(), from.display(), into.display())
}

fn table(vms: &[Vm]) -> Table {
    let mut table = crate::output::table(&["id", "preferred address"]);
    table.add_rows(vms.iter().map(|vm| [vm.id.clone(), or_dash(vm.preferred_ip.as_ref())]));
    table
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn failed(err: VmPoolError) -> Failure {
    Failure::new(code(&err), format!("nothing was imported: {err}"))
}

fn code(err: &VmPoolError) -> u8 {
    match err {
        VmPoolError::Occupied { .. } => exit::REFUSED,
        VmPoolError::Damaged { .. } | VmPoolError::DamagedFiles { .. } | VmPoolError::IdTooLong { .. } => {
            exit::STORE
        }
        _ => exit::FAILURE,
    }
}
