//! `vmpool store export`, `check` and `import records`: all records of a daemon's state directory.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, BufWriter, Write as _},
    path::Path,
};

use comfy_table::Table;
use serde::Serialize;
use vmpool_api::exit;
use vmpool_server::store::{
    EXPORT_FORMAT, ExportEnd, ExportHead, KeptRecord, Misfit, SledCopy, SledImport, StoreError,
};

use crate::{failure::Failure, output::Output, progress::Progress};

/// Writes all records to a file, or to standard output; a record that cannot be read is told and left out.
pub(crate) fn export(dir: &Path, to: Option<&Path>, output: Output) -> Result<(), Failure> {
    let copy = take(dir, output)?;
    let mut progress = Progress::begin(output.is_quiet());
    let of = if progress.is_shown() { copy.count().saturating_sub(1) } else { 0 };
    let unwritable = |err: io::Error| match to {
        Some(path) => Failure::new(exit::FAILURE, format!("failed to write {}: {err}", path.display())),
        None => Failure::from_output(err),
    };
    let mut out: Box<dyn io::Write> = match to {
        // What is there already may be the only one.
        Some(path) => Box::new(BufWriter::new(File::create_new(path).map_err(unwritable)?)),
        None => Box::new(BufWriter::new(io::stdout().lock())),
    };
    write(&mut out, &ExportHead::new()).map_err(unwritable)?;
    let (mut records, mut damaged) = (0, 0_u64);
    for record in copy.records() {
        match record {
            Ok(record) => {
                write(&mut out, &record).map_err(unwritable)?;
                records += 1;
            }
            Err(misfit) => {
                damaged += 1;
                output.notice(&format!("left out {}: {}", misfit.place, misfit.why));
            }
        }
        progress.now_and_then(|| format!("exported {records} of {of} records"));
    }
    write(&mut out, &ExportEnd { records }).map_err(unwritable)?;
    out.flush().map_err(unwritable)?;
    drop(progress);
    output.notice(&format!("exported: {records} records of {}", dir.display()));
    match damaged {
        0 => Ok(()),
        count => {
            let message = format!("{count} records of {} cannot be read and are not exported", dir.display());
            let hint = "`vmpool store check` says more; keep a copy of the directory";
            Err(Failure::new(exit::STORE, message).with_hint(hint))
        }
    }
}

/// Writes one line.
fn write(out: &mut dyn io::Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Makes the state directory of a daemon of an export.
pub(crate) fn import(file: &Path, into: &Path, output: Output) -> Result<(), Failure> {
    let unreadable =
        |err: io::Error| Failure::new(exit::FAILURE, format!("failed to read {}: {err}", file.display()));
    let place = |number: usize| format!("{}, line {number}", file.display());
    let wrong = |message: String| {
        Failure::new(exit::STORE, message).with_hint("nothing was imported; make the export again")
    };
    let mut lines = BufReader::new(File::open(file).map_err(unreadable)?).lines();
    let first = lines.next().transpose().map_err(unreadable)?.unwrap_or_default();
    match serde_json::from_str(&first) {
        Ok(ExportHead { vmpool_export: EXPORT_FORMAT }) => {}
        Ok(ExportHead { vmpool_export: found }) => {
            let message = format!(
                "{} is an export of format {found}, this version reads {EXPORT_FORMAT}",
                file.display()
            );
            return Err(Failure::new(exit::STORE, message).with_hint("use the version that wrote it"));
        }
        Err(_) => {
            return Err(wrong(format!("{} is no export: its first line is not that of one", file.display())));
        }
    }
    let mut progress = Progress::begin(output.is_quiet());
    let mut import = SledImport::begin(into).map_err(|err| failed(into, &err))?;
    let (mut records, mut end) = (0_u64, None);
    for (number, line) in (2..).zip(lines) {
        let line = line.map_err(unreadable)?;
        if end.is_some() {
            return Err(wrong(format!("{}: something follows the end", place(number))));
        }
        if let Ok(found) = serde_json::from_str::<ExportEnd>(&line) {
            end = Some(found.records);
            continue;
        }
        let record: KeptRecord = serde_json::from_str(&line)
            .map_err(|err| wrong(format!("{}: it is no record: {err}", place(number))))?;
        import.put(record).map_err(|err| wrong(format!("{}: {err}", place(number))))?;
        records += 1;
        progress.now_and_then(|| format!("imported {records} records"));
    }
    if end != Some(records) {
        let told = end.map_or_else(|| "its end is missing".to_owned(), |end| format!("it says {end}"));
        return Err(wrong(format!("{} is broken off: there are {records} records, {told}", file.display())));
    }
    drop(progress);
    import.finish().map_err(|err| failed(into, &err))?;
    output.notice(&format!("imported: {records} records into {}", into.display()));
    Ok(())
}

/// What a check of a store found.
#[derive(Debug, Serialize)]
struct Checked<'a> {
    dir: &'a Path,
    records: u64,
    misfits: Vec<Misfit>,
}

/// Reads all records and tells which cannot be read, or do not fit the others.
pub(crate) fn check(dir: &Path, output: Output) -> Result<(), Failure> {
    let copy = take(dir, output)?;
    let mut progress = Progress::begin(output.is_quiet());
    let of = if progress.is_shown() { copy.count().saturating_sub(1) } else { 0 };
    let mut records = 0;
    let misfits = copy.check(|read| {
        records = read;
        progress.now_and_then(|| format!("checked {read} of {of} records"));
    });
    drop(progress);
    let checked = Checked { dir, records, misfits: misfits.map_err(|err| failed(dir, &err))? };
    let count = checked.misfits.len();
    if count != 0 || output.is_json() {
        output.result(&checked, table)?;
    }
    match count {
        0 => output.notice(&format!("{} is fine: {records} records", dir.display())),
        _ => {
            let message = format!("{count} things in {} are not as they should be", dir.display());
            let hint = "keep a copy of the directory; docs/operations.md says how a daemon goes on with damaged records";
            return Err(Failure::new(exit::STORE, message).with_hint(hint));
        }
    }
    Ok(())
}

fn take(dir: &Path, output: Output) -> Result<SledCopy, Failure> {
    let mut progress = Progress::begin(output.is_quiet());
    progress.show(&format!("copying {}", dir.display()));
    SledCopy::take(dir).map_err(|err| failed(dir, &err))
}

fn table(checked: &Checked<'_>) -> Table {
    let mut table = crate::output::table(&["place", "what is wrong"]);
    table.add_rows(checked.misfits.iter().map(|misfit| [misfit.place.clone(), misfit.why.clone()]));
    table
}

fn failed(dir: &Path, err: &StoreError) -> Failure {
    let source = std::error::Error::source(err).map(|source| format!(": {source}")).unwrap_or_default();
    let code = if matches!(err, StoreError::InUse { .. }) { exit::STATE_IN_USE } else { exit::STORE };
    let failure = Failure::new(code, format!("{err}{source}"));
    match err {
        StoreError::InUse { .. } => failure.with_hint("stop the daemon first; it goes on from its records"),
        StoreError::Damaged { .. } if !dir.join("sled").is_dir() => {
            failure.with_hint("give the state_dir of a daemon, or a copy of it")
        }
        StoreError::Full { .. } => {
            failure.with_hint("a copy of the database is read; TMPDIR says where there is room for it")
        }
        _ => failure,
    }
}
