//! Makes `docs/generated/metrics.md` from the source of the daemon's metrics.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{CodegenError, MARKER};

const SOURCE: &str = "crates/server/src/metrics/catalog.rs";

/// A metric as the source declares it.
#[derive(Debug, PartialEq, Eq)]
struct Metric<'a> {
    name: &'a str,
    kind: String,
    labels: Vec<&'a str>,
    meaning: String,
}

/// Returns `docs/generated/metrics.md`.
pub(crate) fn render(root: &Path) -> Result<String, CodegenError> {
    let path = root.join(SOURCE);
    let text =
        fs::read_to_string(&path).map_err(|source| CodegenError::File { action: "read", path, source })?;
    let metrics = metrics(&text);
    if metrics.is_empty() {
        let problem = "no metrics are found in `families! { … }`".to_owned();
        return Err(CodegenError::Table { path: SOURCE.into(), line: 1, problem });
    }
    let mut page = format!("<!-- {MARKER} from {SOURCE}; do not edit. -->\n# Metrics\n\n");
    page += "The daemon shows them at `/metrics`, in the text format of Prometheus.\n";
    page += "Counters and histograms begin anew with each start of the daemon; times are in seconds.\n";
    page += "`docs/grafana.json` is a dashboard for Grafana of these metrics.\n\n";
    page += "| metric | kind | labels | what it says |\n|---|---|---|---|\n";
    for Metric { name, kind, labels, meaning } in metrics {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(page, "| `{name}` | {kind} | {} | {meaning} |", labels.join(", "));
    }
    Ok(page)
}

/// Returns the metrics, in the order of the source.
fn metrics(source: &str) -> Vec<Metric<'_>> {
    let Some((_, list)) = source.split_once("\nfamilies! {\n") else { return Vec::new() };
    let list = list.split_once("\n}\n").map_or(list, |(list, _)| list);
    let mut metrics = Vec::new();
    let mut meaning = Vec::new();
    for line in list.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("/// ") {
            meaning.push(doc);
            continue;
        }
        // The name is quoted first, then come the labels.
        let mut quoted = line.split('"').skip(1).step_by(2);
        if let Some(name) = quoted.next() {
            let kind = line.split("\", ").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or_default();
            let (kind, labels) = (kind.to_lowercase(), quoted.collect());
            metrics.push(Metric { name, kind, labels, meaning: meaning.join(" ") });
        }
        meaning.clear();
    }
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_has_its_labels_and_the_words_that_stand_above_it() {
        let source = "x\nfamilies! {\n    /// How many\n    /// there are.\n    A = \"a_total\", Counter, [\"pool\", \"state\"];\n    /// How long.\n    B = \"b_seconds\", Histogram, [];\n}\ny\n";
        let a = Metric {
            name: "a_total",
            kind: "counter".to_owned(),
            labels: vec!["pool", "state"],
            meaning: "How many there are.".to_owned(),
        };
        let b = Metric {
            name: "b_seconds",
            kind: "histogram".to_owned(),
            labels: Vec::new(),
            meaning: "How long.".to_owned(),
        };
        assert_eq!(metrics(source), [a, b]);
    }

    #[test]
    fn every_metric_of_the_source_is_understood() {
        let text = fs::read_to_string(crate::tree::root().join(SOURCE)).unwrap();
        let metrics = metrics(&text);
        let declared = text.lines().filter(|line| line.trim_end().ends_with("];") && line.contains(" = \""));
        assert_eq!(metrics.len(), declared.count());
        for metric in &metrics {
            assert!(["counter", "gauge", "histogram"].contains(&&*metric.kind), "{metric:?}");
            assert!(metric.meaning.ends_with('.'), "{metric:?}");
        }
    }

    #[test]
    fn the_dashboard_for_grafana_uses_only_metrics_that_there_are() {
        let text = fs::read_to_string(crate::tree::root().join(SOURCE)).unwrap();
        let metrics = metrics(&text);
        let grafana = fs::read_to_string(crate::tree::root().join("docs/grafana.json")).unwrap();
        assert_eq!(unknown(&grafana, &metrics), Vec::<&str>::new());
        assert_eq!(unknown("rate(vmpool_no_such_total[5m])", &metrics), ["vmpool_no_such_total"]);
        let used = metrics.iter().filter(|metric| grafana.contains(metric.name)).count();
        assert!(metrics.len() / 2 < used, "only {used} of {} metrics are shown", metrics.len());
    }

    /// Returns the names of metrics in queries that are those of no metric, or of another kind of it.
    fn unknown<'a>(queries: &'a str, metrics: &[Metric<'_>]) -> Vec<&'a str> {
        let words = queries.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
        let names = words.filter(|word| word.starts_with("vmpool_") || word.starts_with("process_"));
        let is_known = |name: &str| {
            metrics.iter().any(|metric| match metric.kind.as_str() {
                "histogram" => ["_bucket", "_sum", "_count"]
                    .iter()
                    .any(|part| name.strip_suffix(part) == Some(metric.name)),
                _ => name == metric.name,
            })
        };
        names.filter(|name| !is_known(name)).collect()
    }
}
