//! The workflow of the code host runs every job of `cargo xtask ci`, and nothing else.

use super::{Finding, Rule};
use crate::ci;
use crate::tree::Tree;

pub(super) const RULE: Rule = Rule {
    name: "workflow",
    demands: "the workflow runs each job of `cargo xtask ci`, and no command of its own",
    check,
    #[cfg(test)]
    sample: || Tree::of(WORKFLOW, "job: [fmt]\nrun: cargo xtask ci ${{ matrix.job }}\n"),
};

const WORKFLOW: &str = ".github/workflows/ci.yml";
const COMMAND: &str = "cargo xtask ci ${{ matrix.job }}";

fn check(tree: &Tree) -> Vec<Finding> {
    let Some(workflow) = tree.file(WORKFLOW) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut listed: Vec<&str> = Vec::new();
    for (number, line) in workflow.lines() {
        let line = line.trim_start().trim_start_matches("- ");
        if let Some(jobs) = line.strip_prefix("job:") {
            listed.extend(jobs.trim().trim_matches(['[', ']']).split(',').map(str::trim));
        }
        if let Some(command) = line.strip_prefix("run:").filter(|command| command.trim() != COMMAND) {
            findings.push(Finding::line(WORKFLOW, number, format!("runs `{}` by itself", command.trim())));
        }
    }
    let known: Vec<&str> = ci::job_names().collect();
    let missing =
        known.iter().filter(|job| !listed.contains(job)).map(|job| format!("does not run the job {job}"));
    let extra =
        listed.iter().filter(|job| !known.contains(job)).map(|job| format!("runs {job}, which is no job"));
    findings.extend(missing.chain(extra).map(|what| Finding::file(WORKFLOW, what)));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_job_an_unknown_job_and_a_command_are_found() {
        let jobs = ci::job_names().collect::<Vec<_>>().join(", ");
        let with = |jobs: &str, run: &str| {
            check(&Tree::of(WORKFLOW, format!("  job: [{jobs}]\n  - run: {run}\n"))).len()
        };
        assert_eq!(with(&jobs, COMMAND), 0);
        assert_eq!(with(&jobs.replace("fmt, ", ""), COMMAND), 1);
        assert_eq!(with(&format!("{jobs}, lint"), COMMAND), 1);
        assert_eq!(with(&jobs, "cargo test"), 1);
    }
}
