//! Colors, where somebody can see them and wants them.

use std::{
    env,
    io::{self, IsTerminal},
    sync::OnceLock,
};

use clap::ColorChoice;

/// What the command line says about colors.
static CHOICE: OnceLock<ColorChoice> = OnceLock::new();

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const BLUE: &str = "34";
const CYAN: &str = "36";

/// Takes over what the command line says about colors.
pub(crate) fn choose(choice: ColorChoice) {
    // The command line is read once.
    let _ = CHOICE.set(choice);
}

/// Returns whether what is printed on standard output is colored.
pub(crate) fn on_stdout() -> bool {
    is_wanted(choice(), io::stdout().is_terminal(), |name| env::var(name).ok())
}

/// Returns whether what is printed on standard error is colored.
pub(crate) fn on_stderr() -> bool {
    is_wanted(choice(), io::stderr().is_terminal(), |name| env::var(name).ok())
}

fn choice() -> ColorChoice {
    CHOICE.get().copied().unwrap_or(ColorChoice::Auto)
}

fn is_wanted(choice: ColorChoice, is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let no_color = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = variable("TERM").is_some_and(|term| term == "dumb");
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => is_terminal && !no_color && !is_dumb,
    }
}

fn painted(text: &str, code: &str) -> String {
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Colors the word in front of a message, such as `error:`.
pub(crate) fn message(text: &str) -> String {
    for (word, code) in [("error:", RED), ("warning:", YELLOW), ("hint:", CYAN)] {
        if let Some(rest) = text.strip_prefix(word) {
            return format!("{}{rest}", painted(word, &format!("{BOLD};{code}")));
        }
    }
    text.to_owned()
}

/// Colors a table: its header, and the words for states.
///
/// Nothing is inserted that takes room, so columns stay below each other.
pub(crate) fn table(text: &str) -> String {
    let lines = text.lines().enumerate().map(|(index, line)| match index == 0 && is_header(line) {
        true => painted(line, BOLD),
        false => line.split_inclusive(' ').map(word).collect(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn is_header(line: &str) -> bool {
    !line.chars().any(char::is_lowercase) && line.contains(char::is_uppercase)
}

fn word(part: &str) -> String {
    let word = part.trim_end_matches(' ');
    let code = match word {
        "ready" | "running" | "ok" => GREEN,
        "in_use" | "spawning" | "got_ip" | "check_health" | "pending" => BLUE,
        "held" | "warn" | "terminating" | "releasing" | "stopped" | "waiting" => YELLOW,
        "fail" | "check_health_failed" | "error" | "unknown" => RED,
        _ => return part.to_owned(),
    };
    format!("{}{}", painted(word, code), &part[word.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_for_terminals_whose_user_does_not_refuse_them() {
        let none = |_: &str| None;
        assert!(is_wanted(ColorChoice::Auto, true, none));
        assert!(!is_wanted(ColorChoice::Auto, false, none));
        let set = |wanted: &'static str, value: &'static str| {
            move |name: &str| (name == wanted).then(|| value.to_owned())
        };
        assert!(!is_wanted(ColorChoice::Auto, true, set("NO_COLOR", "1")));
        assert!(is_wanted(ColorChoice::Auto, true, set("NO_COLOR", "")), "an empty value is as good as none");
        assert!(!is_wanted(ColorChoice::Auto, true, set("TERM", "dumb")));
        assert!(
            is_wanted(ColorChoice::Always, false, set("NO_COLOR", "1")),
            "--color is more than a variable"
        );
        assert!(!is_wanted(ColorChoice::Never, true, none));
    }

    #[test]
    fn a_colored_table_is_the_same_table_without_its_colors() {
        let plain = " VM   STATE    OWNER \n a-1  ready    ada\n a-2  in_use   already ready";
        let colored = table(plain);
        let mut bare = colored.clone();
        for code in [BOLD, RED, GREEN, YELLOW, BLUE, CYAN, "0"] {
            bare = bare.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(bare, plain);
        assert!(colored.contains("\u{1b}[32mready\u{1b}[0m    ada"), "{colored:?}");
        assert!(colored.contains("   already "), "a part of a word is no state: {colored:?}");
        assert_eq!(message("error: x"), "\u{1b}[1;31merror:\u{1b}[0m x");
        assert_eq!(message("an error: x"), "an error: x");
    }
}
