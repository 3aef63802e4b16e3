//! The configuration of a daemon under test.

use std::path::Path;

use toml::{Table, Value};

/// The configuration of a daemon under test: the cloud in memory, and one pool called `builders`.
#[derive(Debug, Clone)]
pub struct Setup {
    table: Table,
}

impl Setup {
    /// Makes the configuration of a pool of `size` VMs on a quick cloud, kept in files under `state_dir`.
    #[must_use]
    pub fn new(state_dir: &Path, size: i64) -> Self {
        let setup = Self { table: Table::new() };
        let text = |path: &Path| path.display().to_string();
        setup
            .with("installation", "e2e")
            .with("daemon.listen", "127.0.0.1:0")
            .with("daemon.state_dir", text(state_dir))
            .with("providers.cloud.driver", "dummy")
            .with("providers.cloud.list_interval", "200ms")
            .with("providers.cloud.missing_grace", "1s")
            .with("providers.cloud.orphan_grace", "1s")
            .with("providers.cloud.options.path", text(&state_dir.with_extension("cloud")))
            .with_pool("builders", size)
    }

    /// Adds a pool of `size` VMs.
    #[must_use]
    pub fn with_pool(self, name: &str, size: i64) -> Self {
        let key = |key: &str| format!("pools.{name}.{key}");
        self.with(&key("provider"), "cloud")
            .with(&key("template"), "small")
            .with(&key("size"), size)
            .with(&key("max_starting"), size.max(1))
            .with(&key("retry_min"), "100ms")
            .with(&key("retry_max"), "1s")
    }

    /// Sets a key, given with its tables as `pools.builders.size`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        let mut table = &mut self.table;
        let (tables, last) = key.rsplit_once('.').unwrap_or(("", key));
        for name in tables.split('.').filter(|name| !name.is_empty()) {
            let entry = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
            match entry {
                Value::Table(inner) => table = inner,
                _ => return self,
            }
        }
        table.insert(last.to_owned(), value.into());
        self
    }

    /// Removes a key or a table, given with its tables as `providers.cloud`.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        let mut table = &mut self.table;
        let (tables, last) = key.rsplit_once('.').unwrap_or(("", key));
        for name in tables.split('.').filter(|name| !name.is_empty()) {
            match table.get_mut(name) {
                Some(Value::Table(inner)) => table = inner,
                _ => return self,
            }
        }
        table.remove(last);
        self
    }

    /// Returns the configuration as the text of its file.
    #[must_use]
    pub fn text(&self) -> String {
        self.table.to_string()
    }
}
