//! The reference of all commands in Markdown, made from the same tree as the help.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use crate::args::Arguments;

/// Returns the reference of every command.
pub(crate) fn page() -> String {
    let mut root = Arguments::command();
    root.build();
    let mut page = "# Every command\n\n\
        This is what `vmpool COMMAND --help` says; [cli.md](../cli.md) says more.\n"
        .to_owned();
    add(&root, "vmpool", &mut page);
    page
}

fn add(command: &Command, path: &str, page: &mut String) {
    let _ = writeln!(page, "\n## `{path}`\n");
    let about = command.get_long_about().or_else(|| command.get_about());
    let _ = writeln!(page, "{}", about.map(ToString::to_string).unwrap_or_default());
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    let _ = writeln!(page, "\n```text\n{usage}\n```");
    // What belongs to every command is told once.
    let own = |argument: &&Arg| {
        !argument.is_hide_set()
            && !["help", "version"].contains(&argument.get_id().as_str())
            && (path == "vmpool" || !argument.is_global_set())
    };
    let arguments: Vec<&Arg> = command.get_arguments().filter(own).collect();
    if !arguments.is_empty() {
        page.push_str("\n| argument | what it says |\n|---|---|\n");
    }
    for argument in arguments {
        let _ = writeln!(page, "| `{}` | {} |", name(argument).replace('|', "\\|"), meaning(argument));
    }
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    if !examples.is_empty() {
        let _ = writeln!(page, "\n```sh\n{}\n```", examples.join("\n"));
    }
    // What clap adds by itself is the help that the page is.
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        add(sub, &format!("{path} {}", sub.get_name()), page);
    }
}

fn name(argument: &Arg) -> String {
    let values: Vec<&str> =
        argument.get_value_names().unwrap_or_default().iter().map(|name| name.as_str()).collect();
    let takes = argument.get_action().takes_values();
    match (argument.get_short(), argument.get_long()) {
        (_, None) => values.join(" "),
        (short, Some(long)) => {
            let short = short.map(|short| format!("-{short}, ")).unwrap_or_default();
            let value = if takes { format!(" {}", values.join(" ")) } else { String::new() };
            format!("{short}--{long}{value}")
        }
    }
}

fn meaning(argument: &Arg) -> String {
    let mut meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        let _ = write!(meaning, "; default: `{}`", defaults.join(" "));
    }
    let words: Vec<String> = match argument.get_action().takes_values() {
        true => argument.get_possible_values().iter().map(|word| format!("`{}`", word.get_name())).collect(),
        false => Vec::new(),
    };
    if !words.is_empty() {
        let _ = write!(meaning, "; one of {}", words.join(", "));
    }
    if let Some(variable) = argument.get_env() {
        let _ = write!(meaning, "; or `{}`", variable.to_string_lossy());
    }
    meaning.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(command: &Command, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            paths(sub, &format!("{path} {}", sub.get_name()), found);
        }
    }

    fn all() -> Vec<String> {
        let mut found = Vec::new();
        paths(&Arguments::command(), "vmpool", &mut found);
        found
    }

    #[test]
    fn every_command_is_in_the_reference_with_its_options_and_examples() {
        let page = page();
        for path in all() {
            assert!(page.contains(&format!("\n## `{path}`\n")), "{path} is missing");
        }
        assert!(page.contains("| `--ttl TIME` | "), "{page}");
        assert!(page.contains("one of `auto`, `always`, `never`"), "{page}");
        assert!(page.contains("; or `VMPOOL_URL`"), "{page}");
    }

    /// The guide may name several commands at once, as `vmpool vm ls`, `vmpool vm show`.
    #[test]
    fn every_command_that_does_something_is_in_the_guide() {
        let guide = include_str!("../../../docs/cli.md");
        let all = all();
        let does = |path: &&String| !all.iter().any(|other| other.starts_with(&format!("{path} ")));
        for path in all.iter().filter(does) {
            let ends = [" ", "`", "["];
            assert!(ends.iter().any(|end| guide.contains(&format!("`{path}{end}"))), "{path} is missing");
        }
    }

    /// `cargo xtask codegen` writes it.
    #[cfg(all(feature = "serve", feature = "sim"))]
    #[test]
    fn generated_reference_of_the_commands_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/generated/cli.md");
        let page =
            format!("<!-- Generated by `cargo xtask codegen` from the help; do not edit. -->\n{}", page());
        if std::env::var_os("VMPOOL_CODEGEN").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(found == page, "docs/generated/cli.md is stale: run `cargo xtask codegen`");
    }
}
