//! What a process asks of the disk, as `strace` saw it.

use std::{collections::HashMap, env, path::Path, process::Command};

/// Set where the tests with `strace` must not be left out.
const DEMANDED: &str = "VMPOOL_TEST_STRACE";

/// The calls that change a file or make it durable.
const CALLS: &str = "pwrite64,write,writev,pwritev,pwritev2,fdatasync,fsync,sync_file_range,ftruncate,rename,renameat,renameat2,\
                     unlink,unlinkat";

/// One call to the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) name: String,
    /// The path of the file, if the call is about an open one.
    pub(super) path: String,
    /// What is written, and where; the place is `None` if it is the file's own.
    pub(super) data: Vec<u8>,
    pub(super) offset: Option<u64>,
    /// The lines of the trace in which the call began and ended.
    pub(super) began: usize,
    pub(super) ended: usize,
}

impl Call {
    /// Returns what the process marked, if the call is a mark: a line on its standard output.
    pub(super) fn mark(&self) -> Option<&str> {
        std::str::from_utf8(&self.data).ok()?.strip_prefix("MARK ").map(str::trim_end)
    }

    /// Returns whether what was written to the file before is on the drive after the call.
    pub(super) fn is_sync(&self) -> bool {
        // `sync_file_range` empties no cache of the drive and writes down no size.
        matches!(self.name.as_str(), "fsync" | "fdatasync")
    }
}

/// Runs a test of this program, told to do something by `variable`, and returns its calls in the order of their ends; `None`
/// if there is no `strace` here and nobody demands it.
#[expect(clippy::print_stdout, reason = "who leaves something out says so")]
pub(super) fn trace(test: &str, variable: (&str, &Path)) -> Option<Vec<Call>> {
    let works = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    if !works.is_ok_and(|output| output.status.success()) {
        assert!(env::var_os(DEMANDED).is_none(), "there is no strace here, or it may trace nothing");
        println!("LEFT OUT: {test}: there is no strace here; with {DEMANDED}=1 it fails");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-xx", "-s", "100000000", "-e", &format!("trace={CALLS}"), "-o"]).arg(&file);
    command.arg(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(variable.0, variable.1);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(parse(&std::fs::read_to_string(&file).unwrap()))
}

fn parse(trace: &str) -> Vec<Call> {
    let mut begun: HashMap<&str, (usize, &str)> = HashMap::new();
    let mut calls = Vec::new();
    for (number, line) in trace.lines().enumerate() {
        let (thread, text) = line.split_once(' ').unwrap();
        let text = text.trim_start();
        if let Some(first) = text.strip_suffix("<unfinished ...>") {
            begun.insert(thread, (number, first));
        } else if let Some((_, rest)) = text.split_once(" resumed>").filter(|_| text.starts_with("<... ")) {
            let (began, first) = begun.remove(thread).unwrap();
            calls.extend(call(&format!("{first}{rest}"), began, number));
        } else {
            calls.extend(call(text, number, number));
        }
    }
    calls
}

/// Reads one call; `None` for what is none, such as an exit, and for one that failed.
fn call(text: &str, began: usize, ended: usize) -> Option<Call> {
    let (name, arguments) = text.split_once('(')?;
    // strace puts the results below each other.
    let (arguments, result) = arguments.rsplit_once("= ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    if result.starts_with('-') {
        return None;
    }
    let path =
        arguments.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(path, _)| path);
    let data = arguments.split('"').nth(1).unwrap_or_default();
    let offset = arguments
        .rsplit(", ")
        .next()
        .filter(|_| name == "pwrite64")
        .map(|offset| offset.trim_end().parse().unwrap());
    let path = String::from_utf8(bytes(path)).unwrap();
    Some(Call { name: name.to_owned(), path, data: bytes(data), offset, began, ended })
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.split("\\x").skip(1).map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[test]
fn a_call_that_others_interrupted_is_read_whole() {
    let trace = "7 pwrite64(9<\\x2f\\x61>, \"\\x62\\x63\", 2, 512 <unfinished ...>\n\
                 8 fdatasync(9<\\x2f\\x61>) = 0\n\
                 7 <... pwrite64 resumed>)        = 2\n\
                 7 fsync(3<\\x2f>) = -1 EINVAL (Invalid argument)\n\
                 7 +++ exited with 0 +++\n";
    let calls = parse(trace);
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert!(calls[0].is_sync() && calls[0].path == "/a" && (calls[0].began, calls[0].ended) == (1, 1));
    assert_eq!((calls[1].data.as_slice(), calls[1].offset), (b"bc".as_slice(), Some(512)));
    assert_eq!((calls[1].began, calls[1].ended), (0, 2));
}
