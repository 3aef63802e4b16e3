//! The source tree as data, so that a rule can be fed with a sample instead.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::{cargo, codegen, dag};

/// What holds no source: build output, the version control's own, the state of a daemon run by hand.
const NOT_SOURCE: [&str; 3] = ["target", ".git", "vmpool-state"];

/// How many lines from the top may say that a file is generated.
const HEAD: usize = 5;

/// What the rules look at.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Every text file.
    pub(crate) files: Vec<SourceFile>,
    /// By folder of a crate, the names of all packages it reaches by its [edges](dag::Row::edges).
    pub(crate) reached: BTreeMap<String, Vec<String>>,
}

/// A text file.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Its path from the root, with `/` between the parts.
    pub(crate) path: String,
    /// Its content.
    pub(crate) text: String,
}

impl Tree {
    /// Reads the tree of this workspace and asks `cargo tree` what each crate reaches.
    pub(crate) fn read() -> Result<Self, Error> {
        let root = root();
        let mut tree = Self::default();
        read_folder(&root, &root, &mut tree.files)?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        for row in dag::ROWS.iter().filter(|row| !row.never_reaches.is_empty()) {
            if tree.file(&row.manifest()).is_some() {
                tree.reached.insert(row.folder.to_owned(), reached_by(&row.package(), row.edges())?);
            }
        }
        Ok(tree)
    }

    /// Returns the file at `path`.
    pub(crate) fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Returns the Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// Returns the Rust files that people wrote.
    pub(crate) fn written_rust(&self) -> impl Iterator<Item = &SourceFile> {
        self.rust().filter(|file| !file.is_generated())
    }
}

#[cfg(test)]
impl Tree {
    /// Returns a tree of one file: a sample for a rule.
    pub(crate) fn of(path: &str, text: impl Into<String>) -> Self {
        Self { files: vec![SourceFile { path: path.to_owned(), text: text.into() }], ..Self::default() }
    }
}

impl SourceFile {
    /// Tells whether a program wrote the file: its path or its head says so.
    pub(crate) fn is_generated(&self) -> bool {
        let mut head = self.text.lines().take(HEAD).map(|line| line.trim_start_matches(['/', '!', ' ']));
        self.path.split(['/', '.']).any(|part| part == "generated")
            || head.any(|line| line.starts_with(codegen::MARKER))
    }

    /// Returns the lines with their numbers from 1, without those that are a comment as a whole.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Returns the lines with their numbers from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// Returns the root of the workspace.
pub(crate) fn root() -> PathBuf {
    // What cargo says now comes before what it said when this was compiled: a target folder may be shared.
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    xtask.parent().map(Path::to_path_buf).unwrap_or(xtask)
}

fn read_folder(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) -> Result<(), Error> {
    let failed = |action, path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::Io { action, path, source }
    };
    for entry in fs::read_dir(folder).map_err(failed("list", folder))? {
        let entry = entry.map_err(failed("list", folder))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(failed("look at", &path))?;
        if NOT_SOURCE.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if kind.is_dir() {
            read_folder(root, &path, files)?;
        }
        if kind.is_file() {
            let bytes = fs::read(&path).map_err(failed("read", &path))?;
            let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            // What is not UTF-8 is no text.
            files.extend(String::from_utf8(bytes).ok().map(|text| SourceFile { path: relative, text }));
        }
    }
    Ok(())
}

/// Asks for the packages that a crate reaches over these edges: it alone, with all its features.
fn reached_by(package: &str, edges: &str) -> Result<Vec<String>, Error> {
    let tree = cargo::capture(&[
        "tree",
        "--package",
        package,
        "--edges",
        edges,
        "--all-features",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ])?;
    Ok(package_names(&tree))
}

/// Returns the names in the output of `cargo tree --prefix none`, its own first line left out.
fn package_names(tree: &str) -> Vec<String> {
    let names = tree.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_names_are_read_from_the_output_of_cargo_tree() {
        let tree = "vmpool-model v0.1.0 (/home/me/vmpool/crates/model)\nserde v1.0.229\nserde_derive v1.0.229 (proc-macro)\nserde v1.0.229 (*)\n";
        assert_eq!(package_names(tree), ["serde", "serde_derive"]);
    }

    #[test]
    fn what_only_tests_use_is_seen_over_dev_edges_alone() {
        let reached = |edges| reached_by("vmpool-dummy", edges).unwrap();
        assert!(reached("normal,dev").contains(&"tempfile".to_owned()));
        assert!(!reached("normal").contains(&"tempfile".to_owned()));
    }

    #[test]
    fn only_a_path_or_a_header_makes_a_file_generated() {
        let generated = |path: &str, text: &str| Tree::of(path, text).files[0].is_generated();
        assert!(generated("crates/model/src/generated/lcm_state.rs", ""));
        assert!(generated(
            "crates/model/src/lcm_state.rs",
            "//! The states.\n//!\n//! Generated by `cargo xtask codegen`\n"
        ));
        assert!(!generated(
            "xtask/src/codegen.rs",
            "//! Writes what is\n//! headed \"Generated by `cargo xtask codegen`\".\n"
        ));
    }
}
