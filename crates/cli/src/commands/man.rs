//! `vmpool man`: a page of the manual for each command.

use std::{fs, io, path::Path};

use clap::{Command, CommandFactory as _};
use vmpool_api::exit;

use crate::{args::Arguments, failure::Failure, output::print};

/// Writes all pages into a directory.
pub(crate) fn run(dir: &Path) -> Result<(), Failure> {
    let failed = |err: io::Error| {
        Failure::new(exit::FAILURE, format!("failed to write the man pages into {}: {err}", dir.display()))
    };
    fs::create_dir_all(dir).map_err(failed)?;
    let pages = pages().map_err(failed)?;
    for (name, page) in &pages {
        fs::write(dir.join(name), page).map_err(failed)?;
    }
    print(&format!(
        "wrote {} pages into {}; read one with `man {}/vmpool.1`",
        pages.len(),
        dir.display(),
        dir.display()
    ))
}

/// Returns all pages by the names of their files.
fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut root = Arguments::command();
    root.build();
    let mut pages = Vec::new();
    add(&root, "vmpool", &mut pages)?;
    Ok(pages)
}

fn add(command: &Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone().display_name(name)).title(name.to_uppercase()).render(&mut page)?;
    pages.push((format!("{name}.1"), page));
    // What clap adds by itself is the help that the page is.
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        add(sub, &format!("{name}-{}", sub.get_name()), pages)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_options_and_examples() {
        let pages = pages().unwrap();
        let page = |name: &str| {
            let found = pages.iter().find(|(file, _)| file == name);
            String::from_utf8(found.unwrap_or_else(|| panic!("{name} is missing")).1.clone()).unwrap()
        };
        assert!(page("vmpool-acquire.1").contains("\\-\\-sandbox"));
        assert!(page("vmpool-vm-ls.1").contains("vmpool vm ls"));
        assert!(page("vmpool.1").contains("vmpool\\-acquire(1)"));
    }
}
