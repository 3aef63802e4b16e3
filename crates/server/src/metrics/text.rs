//! The text format of Prometheus, version 0.0.4.

use std::fmt::Write as _;

use super::{
    catalog::{Family, Kind},
    histogram::Histogram,
};

/// What a scrape is answered with.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes families one after the other.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

/// Writes the samples of one family.
#[derive(Debug)]
pub(crate) struct Samples<'a> {
    text: &'a mut String,
    family: &'static Family,
}

impl Text {
    /// Begins a family: all its samples come now.
    pub(crate) fn family(&mut self, family: &'static Family) -> Samples<'_> {
        let Family { name, kind, help, .. } = family;
        let help = help.trim().replace('\\', "\\\\").replace('\n', " ");
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {}", kind.as_str());
        Samples { text: &mut self.0, family }
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

impl Samples<'_> {
    /// Writes one sample; the values of its labels come in the order of the family's labels.
    pub(crate) fn sample(&mut self, values: &[&str], value: f64) {
        debug_assert!(self.family.kind != Kind::Histogram, "{}", self.family.name);
        self.line("", values, None, value);
    }

    /// Writes one sample of a count.
    pub(crate) fn count(&mut self, values: &[&str], count: usize) {
        self.total(values, u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Writes one sample of a large count.
    pub(crate) fn total(&mut self, values: &[&str], count: u64) {
        self.sample(values, count as f64);
    }

    /// Writes one sample of yes or no.
    pub(crate) fn flag(&mut self, values: &[&str], is_so: bool) {
        self.sample(values, f64::from(u8::from(is_so)));
    }

    /// Writes the samples of one histogram.
    pub(crate) fn histogram(&mut self, values: &[&str], histogram: &Histogram) {
        for (bound, count) in histogram.cumulative() {
            self.line("_bucket", values, Some(&bound.to_string()), count as f64);
        }
        self.line("_bucket", values, Some("+Inf"), histogram.count() as f64);
        self.line("_sum", values, None, histogram.sum);
        self.line("_count", values, None, histogram.count() as f64);
    }

    fn line(&mut self, suffix: &str, values: &[&str], le: Option<&str>, value: f64) {
        debug_assert_eq!(values.len(), self.family.labels.len(), "{}", self.family.name);
        let _ = write!(self.text, "{}{suffix}", self.family.name);
        let labels = self.family.labels.iter().copied().zip(values.iter().copied());
        for (place, (label, value)) in labels.chain(le.map(|bound| ("le", bound))).enumerate() {
            let mark = if place == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{mark}{label}=\"{}\"", escaped(value));
        }
        if !values.is_empty() || le.is_some() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const GAUGE: Family = Family { name: "a_b", kind: Kind::Gauge, labels: &["x"], help: " One\\two." };
    const TIMES: Family = Family { name: "t_seconds", kind: Kind::Histogram, labels: &[], help: "Times." };

    #[test]
    fn what_could_end_a_label_early_is_escaped() {
        let mut text = Text::default();
        text.family(&GAUGE).sample(&["a\"b\\c\nd"], 1.5);
        let expected = "# HELP a_b One\\\\two.\n# TYPE a_b gauge\na_b{x=\"a\\\"b\\\\c\\nd\"} 1.5\n";
        assert_eq!(text.finish(), expected);
    }

    #[test]
    fn a_histogram_ends_with_what_is_above_all_bounds() {
        let mut histogram = Histogram::new(&[0.5, 1.0]);
        histogram.observe(Duration::from_secs(2));
        let mut text = Text::default();
        text.family(&TIMES).histogram(&[], &histogram);
        let lines: Vec<String> = text.finish().lines().skip(2).map(str::to_owned).collect();
        let expected = [
            "t_seconds_bucket{le=\"0.5\"} 0",
            "t_seconds_bucket{le=\"1\"} 0",
            "t_seconds_bucket{le=\"+Inf\"} 1",
            "t_seconds_sum 2",
            "t_seconds_count 1",
        ];
        assert_eq!(lines, expected);
    }
}
