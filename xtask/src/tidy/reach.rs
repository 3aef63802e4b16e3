//! No crate reaches a package that its row in the table of crates bans.

use super::{Finding, Rule};
use crate::dag;
use crate::tree::Tree;

pub(super) const RULE: Rule = Rule {
    name: "never-reaches",
    demands: "the normal dependencies of a crate, all features on, never lead to a package banned by xtask/src/dag.rs; those for tests neither, where it says so",
    check,
    #[cfg(test)]
    sample: || Tree { reached: [("engine".to_owned(), vec!["tokio".to_owned()])].into(), ..Tree::default() },
};

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in dag::ROWS {
        let reached = tree.reached.get(row.folder).map(Vec::as_slice).unwrap_or_default();
        for banned in row.never_reaches.iter().filter(|banned| reached.iter().any(|name| name == *banned)) {
            let (package, edges) = (row.package(), row.edges());
            let what = format!("reaches {banned}: see `cargo tree -p {package} -e {edges} -i {banned}`");
            findings.push(Finding::file(&row.manifest(), what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_shows_the_edges_that_were_looked_at() {
        let advice = |folder: &str| {
            let reached = [(folder.to_owned(), vec!["tokio".to_owned()])].into();
            check(&Tree { reached, ..Tree::default() })[0].what.clone()
        };
        assert!(advice("driver").contains("cargo tree -p vmpool-driver -e normal,dev -i tokio"));
        assert!(advice("dummy").contains("cargo tree -p vmpool-dummy -e normal -i tokio"));
    }

    #[test]
    fn a_package_is_banned_for_some_crates_and_free_for_others() {
        let reached = |folder: &str, package: &str| {
            let reached = [(folder.to_owned(), vec!["serde".to_owned(), package.to_owned()])].into();
            check(&Tree { reached, ..Tree::default() }).len()
        };
        assert_eq!(reached("driver", "tokio"), 1);
        assert_eq!(reached("layers", "tokio"), 0);
        assert_eq!(reached("layers", "reqwest"), 1);
        assert_eq!(reached("engine", "sled"), 1);
        assert_eq!(reached("store", "sled"), 0);
    }
}
