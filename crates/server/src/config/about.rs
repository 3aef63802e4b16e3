//! What the default configuration says about each key: its meaning, and its default.

use std::collections::BTreeMap;

use super::DEFAULT_CONFIG;

/// What is said about a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// What it is for.
    pub(crate) meaning: String,
    /// Its value there, where it is set.
    default: Option<String>,
}

impl About {
    /// Returns the value there if it is the default, and not one of the example.
    pub(crate) fn default(&self) -> Option<&str> {
        let is_example = self.meaning.contains("has no default") || self.meaning.contains("The default is");
        self.default.as_deref().filter(|_| !is_example)
    }
}

/// The names in the default configuration, each of which stands for any.
const NAMES: [(&str, &str); 6] = [
    ("access.uids.1000", "access.uids.NAME"),
    ("access.certificates.\"ci.example.org\"", "access.certificates.NAME"),
    ("limits.owners.release", "limits.owners.NAME"),
    ("providers.lab", "providers.NAME"),
    ("pools.small", "pools.NAME"),
    ("pools.big", "pools.NAME"),
];

/// Returns what is said about all keys, by paths such as `pools.NAME.size` and `pools.NAME.offers[].weight`.
pub(crate) fn all() -> BTreeMap<String, About> {
    let mut all = BTreeMap::new();
    let mut table = String::new();
    let mut meaning: Vec<&str> = Vec::new();
    let mut is_read = false;
    for line in DEFAULT_CONFIG.lines() {
        if line.is_empty() {
            meaning.clear();
            is_read = false;
            continue;
        }
        if let Some(comment) = line.strip_prefix("# ") {
            // A key without a comment of its own is said together with the one before.
            if is_read {
                meaning.clear();
                is_read = false;
            }
            meaning.push(comment.trim());
            continue;
        }
        let (line, is_set) = match line.strip_prefix('#') {
            Some(line) => (line, false),
            None => (line, true),
        };
        let said = meaning.join(" ");
        is_read = true;
        if let Some(header) = line.strip_prefix('[') {
            table = path(header.trim_matches(['[', ']']), header.starts_with('['));
            all.entry(table.clone()).or_insert(About { meaning: said, default: None });
        } else if let Some((key, value)) = line.split_once(" = ") {
            let key = if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
            let default = is_set.then(|| value.to_owned());
            all.entry(key).or_insert(About { meaning: said, default });
        }
    }
    all
}

fn path(header: &str, is_list: bool) -> String {
    let begins =
        |name: &str| header.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with('.'));
    let named = NAMES.iter().find_map(|(name, any)| Some(format!("{any}{}", begins(name)?)));
    let path = named.unwrap_or_else(|| header.to_owned());
    if is_list { format!("{path}[]") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_said_with_their_defaults() {
        let all = all();
        let of = |path: &str| all.get(path).unwrap_or_else(|| panic!("{path} is missing: {:?}", all.keys()));
        assert_eq!(of("pools.NAME.max_starting").default(), Some("2"));
        assert_eq!(of("pools.NAME.max_starting").meaning, "How many VMs may be starting at once.");
        assert_eq!(of("pools.NAME.max_total").default(), None);
        assert_eq!(of("pools.NAME.size").default(), None, "what is set there is an example");
        assert_eq!(
            of("providers.NAME.breaker_max_pause").meaning,
            of("providers.NAME.breaker_pause").meaning
        );
        assert!(of("pools.NAME.schedule[].from").meaning.starts_with("When it begins"));
        assert!(of("limits.owners.NAME.weight").meaning.starts_with("Its share"));
        assert!(of("installation").meaning.starts_with("The id that marks"));
    }
}
