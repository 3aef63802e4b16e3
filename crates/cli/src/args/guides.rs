//! Whether what the guides tell people to type can be typed.

use clap::{CommandFactory as _, Parser as _};

use super::Arguments;

/// The guides that show commands.
const GUIDES: [(&str, &str); 7] = [
    ("README.md", include_str!("../../../../README.md")),
    ("docs/cli.md", include_str!("../../../../docs/cli.md")),
    ("docs/compat-copr.md", include_str!("../../../../docs/compat-copr.md")),
    ("docs/dummy.md", include_str!("../../../../docs/dummy.md")),
    ("docs/hooks.md", include_str!("../../../../docs/hooks.md")),
    ("docs/operations.md", include_str!("../../../../docs/operations.md")),
    ("docs/sim.md", include_str!("../../../../docs/sim.md")),
];

/// Returns the command lines in the blocks of a guide that are for a shell.
fn shown(guide: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut in_shell = false;
    for line in guide.lines() {
        match line.strip_prefix("```") {
            Some(language) => in_shell = language == "sh",
            None if in_shell && is_built(line) => lines.push(line),
            None => {}
        }
    }
    lines
}

/// Returns whether a text begins with a command that this build has.
fn is_built(text: &str) -> bool {
    text.starts_with("vmpool ") && (cfg!(feature = "sim") || !text.starts_with("vmpool sim "))
}

/// Splits a command line as a shell does, as far as guides use that.
fn words(line: &str) -> Vec<String> {
    let line =
        [" > ", " | ", " # ", " &"].iter().fold(line, |line, end| line.split(end).next().unwrap_or(line));
    let mut words = Vec::new();
    for (index, part) in line.split('"').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// Returns what a guide mentions within a sentence or a table.
fn mentioned(guide: &str) -> Vec<&str> {
    let prose = guide.split("```").step_by(2);
    let spans = prose.flat_map(|text| text.lines()).flat_map(|line| line.split('`').skip(1).step_by(2));
    spans.filter(|span| is_built(span)).collect()
}

/// Says what is wrong with a mention, which may leave arguments out.
fn problem(mention: &str) -> Option<String> {
    let mut root = Arguments::command();
    root.build();
    let mut command = &root;
    for word in mention.split([' ', '[', ']', '=']).skip(1) {
        let is_name = word.starts_with(|c: char| c.is_ascii_lowercase());
        if word == "--" {
            break;
        } else if let Some(option) = word.strip_prefix("--") {
            if !command.get_arguments().any(|argument| argument.get_long() == Some(option)) {
                return Some(format!("`{mention}`: {} has no option --{option}", command.get_name()));
            }
        } else if let Some(sub) = command.find_subcommand(word) {
            command = sub;
        } else if is_name && command.has_subcommands() {
            return Some(format!("`{mention}`: {} has no command {word}", command.get_name()));
        }
    }
    None
}

#[test]
fn every_command_line_in_the_guides_parses() {
    let mut count = 0;
    for (path, guide) in GUIDES {
        for line in shown(guide) {
            count += 1;
            let parsed = Arguments::try_parse_from(words(line));
            assert!(parsed.is_ok(), "{path}: {line}\n{}", parsed.unwrap_err());
        }
    }
    assert!(20 < count, "{count}");
}

#[test]
fn every_command_that_the_guides_mention_exists_with_its_options() {
    let mut count = 0;
    for (path, guide) in GUIDES {
        for mention in mentioned(guide) {
            count += 1;
            assert_eq!(problem(mention), None, "{path}");
        }
    }
    assert!(20 < count, "{count}");
}

#[test]
fn a_command_or_an_option_that_does_not_exist_is_found() {
    assert!(problem("vmpool vm paint builders-7f3a").is_some());
    assert!(problem("vmpool drain POOL --colour").is_some());
    assert_eq!(problem("vmpool terminate --only-if STATE"), None);
    assert_eq!(shown("```sh\nvmpool info\n```\n```toml\nvmpool x\n```\n"), ["vmpool info"]);
    assert_eq!(
        words("vmpool hold a --reason \"flaky disk\" > file"),
        ["vmpool", "hold", "a", "--reason", "flaky disk"]
    );
}
