//! The guide shows the code that is compiled: each of its blocks is in the file that it names.

use std::{fs, path::Path};

const GUIDE: &str = include_str!("../../docs/writing-a-driver.md");

/// A block of code, and the file that it is said to be from.
struct Block<'a> {
    file: Option<&'a str>,
    code: Vec<&'a str>,
}

/// Returns the blocks of Rust and TOML in the guide.
fn blocks(guide: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut file = None;
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        match line {
            "" => {}
            "```rust" | "```toml" => {
                let code = lines.by_ref().take_while(|line| *line != "```").collect();
                blocks.push(Block { file: file.take(), code });
            }
            _ => file = named_file(line),
        }
    }
    blocks
}

/// Returns the file of a line such as ``From [`src/node.rs`](…):``.
fn named_file(line: &str) -> Option<&str> {
    line.strip_prefix("From [`")?.split('`').next()
}

fn is_in(code: &[&str], source: &str) -> bool {
    let source: Vec<_> = source.lines().collect();
    source.windows(code.len()).any(|window| window == code)
}

#[test]
fn each_block_of_the_guide_is_in_the_file_that_it_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/third-party-driver");
    let blocks = blocks(GUIDE);
    assert!(10 <= blocks.len(), "only {} blocks were found", blocks.len());
    for Block { file, code } in blocks {
        let file =
            file.unwrap_or_else(|| panic!("this block does not say where it is from:\n{}", code.join("\n")));
        let source = fs::read_to_string(root.join(file)).unwrap_or_else(|err| panic!("{file}: {err}"));
        assert!(is_in(&code, &source), "{file} does not hold this block of the guide:\n{}", code.join("\n"));
    }
}

#[test]
fn a_block_that_differs_is_found() {
    let source = "fn a() {}\nfn b() {}\n";
    assert!(is_in(&["fn b() {}"], source));
    assert!(!is_in(&["fn b() { }"], source));
}

#[test]
fn a_block_from_nowhere_is_found() {
    let blocks = blocks("From [`a.rs`](a.rs):\n\n```rust\na\n```\n\nText.\n\n```toml\nb\n```\n");
    let files: Vec<_> = blocks.iter().map(|block| block.file).collect();
    assert_eq!(files, [Some("a.rs"), None]);
}
