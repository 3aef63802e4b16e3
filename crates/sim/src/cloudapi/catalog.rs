//! What machines are made of: packages, images and networks, which never change.

use serde_json::Value;

/// What machines are made of.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub(super) packages: Vec<Value>,
    pub(super) images: Vec<Value>,
    pub(super) networks: Vec<Value>,
}

impl Catalog {
    /// Returns what every simulated data center has.
    pub(super) fn new() -> Self {
        let mut all: Value = serde_json::from_str(include_str!("catalog.json")).unwrap_or_default();
        let mut take = |name: &str| match all.get_mut(name).map(Value::take) {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        };
        Self { packages: take("packages"), images: take("images"), networks: take("networks") }
    }

    /// Returns a package by its id or its name.
    pub(super) fn package(&self, id_or_name: &str) -> Option<&Value> {
        self.packages.iter().find(|package| package["id"] == id_or_name || package["name"] == id_or_name)
    }

    pub(super) fn image(&self, id: &str) -> Option<&Value> {
        self.images.iter().find(|image| image["id"] == id)
    }

    pub(super) fn network(&self, id: &str) -> Option<&Value> {
        self.networks.iter().find(|network| network["id"] == id)
    }
}

/// Returns a text of something, or nothing.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a number of something, or 0.
pub(super) fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

/// Returns whether a text is a UUID as the server wants them, in lower case.
pub(super) fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == lengths.len()
        && parts.iter().zip(lengths).all(|(part, length)| {
            part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_catalog() {
        let catalog = Catalog::new();
        assert_eq!((catalog.packages.len(), catalog.images.len(), catalog.networks.len()), (5, 4, 3));
        assert!(catalog.images.iter().all(|image| is_uuid(text(image, "id"))));
        assert_eq!(number(catalog.package("sample-1G").unwrap(), "memory"), 1024);
    }

    #[test]
    fn only_lower_case_is_a_uuid() {
        assert!(is_uuid("c08349c5-ce90-46d4-ab99-010e2d47b504"));
        for text in
            ["C08349C5-CE90-46D4-AB99-010E2D47B504", "c08349c5", "", "c08349c5-ce90-46d4-ab99-010e2d47b50g"]
        {
            assert!(!is_uuid(text), "{text}");
        }
    }
}
