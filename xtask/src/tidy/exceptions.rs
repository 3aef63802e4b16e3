//! The exceptions from the rules; one that nothing needs is a violation itself.

use super::Finding;

/// A file that may violate a rule, and why.
pub(super) struct Exception {
    pub(super) rule: &'static str,
    pub(super) path: &'static str,
    pub(super) reason: &'static str,
}

/// All exceptions.
pub(super) const ALL: &[Exception] = &[Exception {
    rule: "unsafe",
    path: "crates/opennebula/src/document/scanner/marks/avx2.rs",
    reason: "marking answers of a hundred megabytes with AVX2 takes a third of the time",
}];

/// Drops the findings that an exception covers, and adds one for each exception that covers none.
pub(super) fn apply(
    exceptions: &[Exception],
    found: Vec<(&'static str, Finding)>,
) -> Vec<(&'static str, Finding)> {
    let covers = |exception: &Exception, (rule, finding): &(&'static str, Finding)| {
        exception.rule == *rule && exception.path == finding.path
    };
    let unused = exceptions.iter().filter(|exception| !found.iter().any(|found| covers(exception, found)));
    let unused: Vec<_> = unused
        .map(|exception| {
            let Exception { rule, path, reason } = exception;
            let what = format!("remove the exception from the rule {rule}, nothing needs it (\"{reason}\")");
            ("exceptions", Finding::file(path, what))
        })
        .collect();
    let kept = found.into_iter().filter(|found| !exceptions.iter().any(|exception| covers(exception, found)));
    kept.chain(unused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Exception = Exception { rule: "length", path: "a.rs", reason: "a table" };

    #[test]
    fn an_exception_covers_its_rule_in_its_file_alone() {
        let found = vec![
            ("length", Finding::file("a.rs", "too long")),
            ("length", Finding::file("b.rs", "too long")),
            ("module-docs", Finding::file("a.rs", "no docs")),
        ];
        assert_eq!(apply(&[LONG], found.clone()), found[1..]);
    }

    #[test]
    fn an_exception_that_nothing_needs_is_a_violation() {
        let left = apply(&[LONG], vec![]);
        assert_eq!(left.len(), 1);
        assert!(left[0].1.what.contains("remove the exception"), "{}", left[0].1);
    }
}
