//! What comparisons found, in docs/benchmarks.md.

use std::fs;

use crate::console::say;
use crate::error::Error;
use crate::{cargo, tree};

/// Where it is written.
const REPORT: &str = "docs/benchmarks.md";

/// Writes the tables of a comparison between its marks, below a line about the machine.
pub(super) fn write(name: &str, tables: &str) -> Result<(), Error> {
    let path = tree::root().join(REPORT);
    let failed = |action| {
        let path = path.clone();
        move |source| Error::Io { action, path, source }
    };
    let text = fs::read_to_string(&path).map_err(failed("read"))?;
    let content = format!("{}\n\n{}\n", machine()?, tables.trim());
    let Some(text) = with_tables(&text, name, &content) else {
        return Err(Error::NoPlace { path: REPORT, mark: begin(name) });
    };
    fs::write(&path, text).map_err(failed("write"))?;
    say(&format!("wrote the tables of {name} into {REPORT}"));
    Ok(())
}

/// Returns the text with the tables between the marks, or nothing if it has no marks.
fn with_tables(text: &str, name: &str, tables: &str) -> Option<String> {
    let (begin, end) = (begin(name), format!("<!-- end of {name} -->"));
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{tables}{end}{after}"))
}

fn begin(name: &str) -> String {
    format!("<!-- {name}: written by `cargo xtask bench {name}` -->")
}

/// Says what the numbers were taken on, and how busy it was.
fn machine() -> Result<String, Error> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let processor = read("/proc/cpuinfo");
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processor = processor.map_or("an unknown processor", |(_, name)| name);
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').nth(1).unwrap_or("unknown");
    let cargo = cargo::capture(&["--version"])?;
    let version = cargo.split(' ').nth(1).unwrap_or("of an unknown version");
    Ok(format!(
        "On {count} processors of the kind {processor}, with Rust {version}; the load over the five minutes before the end was {load}."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_of_a_comparison_is_rewritten() {
        let text = format!("# Title\n{}\nold\n<!-- end of a -->\nrest\n", begin("a"));
        let rewritten = with_tables(&text, "a", "new\n").unwrap();
        assert_eq!(rewritten, format!("# Title\n{}\nnew\n<!-- end of a -->\nrest\n", begin("a")));
        assert_eq!(with_tables(&rewritten, "a", "new\n").unwrap(), rewritten);
        assert_eq!(with_tables(&text, "b", "new\n"), None);
    }

    #[test]
    fn every_comparison_has_a_place_in_the_report() {
        let text = fs::read_to_string(tree::root().join(REPORT)).unwrap();
        for name in super::super::comparisons() {
            assert!(with_tables(&text, name, "").is_some(), "{REPORT} has no place for {name}");
        }
    }
}
